"""A log to what it proves: failures by name, causes before consequences, and a fix."""
