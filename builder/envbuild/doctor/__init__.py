"""What is wrong with an environment that exists, and what repairs it."""
