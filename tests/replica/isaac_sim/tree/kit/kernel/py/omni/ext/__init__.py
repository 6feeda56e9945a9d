"""A stand-in for omni.ext: the base class of what an extension starts."""

__replica__ = True


class IExt:
    """What an extension derives from."""

    def on_startup(self, ext_id: str) -> None:
        """Called when the extension starts."""

    def on_shutdown(self) -> None:
        """Called when it ends."""
