"""What a question has found: values by name, and the place in the profile that they stand at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from envbuild.profile.resolved import KeyPath


class Found(Struct, frozen=True, kw_only=True):
    """One way in which a condition holds; ``at`` is None where it has no place of its own."""

    values: Mapping[str, str] = {}
    at: KeyPath | None = None

    def joined(self, more: Found) -> Found:
        """Both; what was found first keeps its name and its place."""
        at = more.at if self.at is None else self.at
        return Found(values={**more.values, **self.values}, at=at)


def yes(holds: bool, values: Mapping[str, str] | None = None) -> Iterator[Found]:  # noqa: FBT001
    """One empty answer where something holds, none where it does not."""
    if holds:
        yield Found(values=values or {})
