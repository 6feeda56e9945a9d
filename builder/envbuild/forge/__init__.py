"""Workflows for the user's forge and cluster, rendered from profiles. Pure."""
