"""A stand-in for the graph of annotators."""  # noqa: N999 (the name of the real one)


class SyntheticData:
    """There is one, and it does nothing."""

    _instance = None

    @classmethod
    def Get(cls):  # noqa: N802 (the name that Isaac Lab calls)
        """The one instance."""
        cls._instance = cls._instance or cls()
        return cls._instance
