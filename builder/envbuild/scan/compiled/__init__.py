"""Shared objects: what they need, and which NumPy and GPUs they were made for."""
