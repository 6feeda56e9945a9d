"""Distributions, their files and records, and what is not as it was installed."""
