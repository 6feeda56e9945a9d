"""Nights as they were: values, and the folder or git branch that keeps them."""
