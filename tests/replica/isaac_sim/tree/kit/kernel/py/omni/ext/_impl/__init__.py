"""Replica: how extensions are found, imported and started."""
