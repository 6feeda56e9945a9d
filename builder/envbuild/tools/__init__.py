"""The only doors to the outside world: processes and files."""
