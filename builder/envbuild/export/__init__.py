"""A variant and its lock in the formats of other tools, and what each of them cannot carry."""
