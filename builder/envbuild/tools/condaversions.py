"""Whether a conda version is within bounds, by py-rattler: as its solver would say."""

from __future__ import annotations

from envbuild.tools import rattler


def within(bounds: str, version: str) -> bool:
    """Whether a version is within bounds (``>=1.2,<2.0a0``); bounds or a version that cannot be
    read refuse nothing."""
    library = rattler.library()
    from rattler.exceptions import InvalidVersionError, InvalidVersionSpecError

    try:
        found: bool = library.VersionSpec(bounds).matches(library.Version(version))
    except (InvalidVersionError, InvalidVersionSpecError):
        return True
    return found
