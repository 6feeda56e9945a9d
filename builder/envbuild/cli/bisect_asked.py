"""Who asks for a package, in a line for each: up to the profile, as ``envbuild why`` knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envbuild.lock.why import why

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envbuild.lock.model import Lock
    from envbuild.lock.why import Asker
    from envbuild.nightly.bisecting.model import Node
    from envbuild.profile.resolved import ResolvedProfile

_SHOWN = 3
_DEEPEST = 6
"""Links of a chain that are shown."""


def asked(node: Node, profile: ResolvedProfile, lock: Lock) -> tuple[str, ...]:
    """Who asks for a package, the first few, each up to the profile."""
    if node.kind not in ("python", "conda"):
        return ()
    found = why(profile, lock, node.id.removeprefix("conda "), rules={})
    lines = dict.fromkeys(
        _chain(one) for answer in found.answers for one in answer.asked if not one.again
    )
    told = tuple(lines)
    more = (f"and {len(told) - _SHOWN} more",) if len(told) > _SHOWN else ()
    return (*told[:_SHOWN], *more)


def _chain(asker: Asker) -> str:
    return ", asked for by ".join(_links(asker))


def _links(asker: Asker) -> Iterator[str]:
    one: Asker | None = asker
    for _ in range(_DEEPEST):
        if one is None:
            return
        text = f" ({one.text})" if one.text else ""
        place = f" at {one.place}" if one.place else ""
        version = f" {one.version}" if one.version else ""
        yield f"{'the profile' if one.by == 'profile' else one.by}{version}{text}{place}"
        above = [each for each in one.askers if not each.again]
        one = next((each for each in above if each.by == "profile"), next(iter(above), None))
