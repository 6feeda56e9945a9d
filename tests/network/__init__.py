"""Tests that resolve against the package index that the user's settings name."""
