"""The whole chain for many profiles, each failure kept to its own; and the search for bad moves."""
