"""A stand-in for GR00T, for tests: its wire, and no model."""
