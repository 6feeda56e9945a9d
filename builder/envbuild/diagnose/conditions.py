"""Whether a log as a whole lets a signature be claimed."""

from __future__ import annotations

from collections.abc import Collection

from envbuild.knowledge.signaturebook import Where


def holds(where: Where | None, *, shown: Collection[str], release: str | None) -> bool:
    """Whether a condition holds in a log that tells a release of Isaac Sim, or None.

    ``shown`` are the patterns, of those that were looked for, that a line of the log matches.
    """
    if where is None:
        return True
    if where.isaac_sim is not None and not among(release, where.isaac_sim):
        return False
    if where.seen and not any(text in shown for text in where.seen):
        return False
    return not any(text in shown for text in where.not_seen)


def among(release: str | None, versions: str) -> bool:
    """Whether a release is known and among the versions, as pip writes them."""
    from packaging.specifiers import SpecifierSet

    return release is not None and SpecifierSet(versions).contains(release)
