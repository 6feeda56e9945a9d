"""Wheels, read member by member where they lie."""
