"""Debian packages in exact versions, from the archive that a base image itself names."""
