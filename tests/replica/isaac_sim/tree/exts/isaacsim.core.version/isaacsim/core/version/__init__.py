"""A stand-in for isaacsim.core.version."""

from kitreplica import VERSION

__replica__ = True


def get_version() -> tuple[str, str, str, str, str, str, str, str]:
    """The release in parts: whole, prerelease, major, minor, patch, and three that are empty."""
    major, minor, patch = VERSION.split(".")
    return VERSION, "replica", major, minor, patch, "", "", ""
