"""A stand-in for Unitree's SDK, for tests."""
