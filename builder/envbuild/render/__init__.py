"""Rendering: a resolved profile and its lock to the text of files. Pure."""
