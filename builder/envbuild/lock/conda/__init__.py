"""The conda half of a lock: solved in process, written in conda-lock's format."""
