"""A night as a page for people, and as files for other programs."""
