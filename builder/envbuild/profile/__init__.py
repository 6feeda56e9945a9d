"""Profiles: YAML text to values with a place for every key."""
