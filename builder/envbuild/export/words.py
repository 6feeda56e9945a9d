"""The sentences that several formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envbuild.export.model import Subject
    from envbuild.lock.model import Relaxation

_SHOWN = 4
"""Names of a list that are shown before the rest is counted."""

_SET_ASIDE = {
    "override": "{} overrides what other packages ask for",
    "exclude": "{} is left out",
    "no-deps": "{} comes without what it asks for",
    "metadata": "what {} asks for is stated by the profile",
}


def some(names: Iterable[str]) -> str:
    """The first names of a list, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return f"{', '.join(listed[:_SHOWN])}{more}"


def set_aside(relaxation: Relaxation) -> str:
    """A bound that the profile sets aside."""
    return _SET_ASIDE[relaxation.kind].format(relaxation.requirement)


def heading(subject: Subject, *more: str) -> str:
    """The lines at the top of an export: what it is of, ``more``, and what the profile sets
    aside, with the reasons."""
    asked = subject.locked.input
    machine = f"Python {asked.python}, {asked.platform}, as of {asked.as_of}"
    lines = [
        f"Exported by envbuild from the lock of {subject.profile}: do not edit, export again.",
        f"For {subject.variant.name}: {machine}.",
        *more,
        *(f"{set_aside(one)}: {one.reason}" for one in subject.locked.relaxations),
    ]
    return "\n".join(lines)


def commented(text: str) -> str:
    """The lines of a heading as comments."""
    return "".join(f"# {line}\n" for line in text.splitlines())
