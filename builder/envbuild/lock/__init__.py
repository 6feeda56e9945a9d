"""Locks: a resolved profile to pinned versions with hashes."""
