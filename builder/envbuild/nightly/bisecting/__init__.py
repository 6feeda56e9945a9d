"""The first bad move: between a good and a bad lock, the package that broke an environment."""
