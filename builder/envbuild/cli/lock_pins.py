"""What ``envbuild lock`` says of an answer's pins: what is not pinned, and what stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envbuild.lock.pins import apt_rows, image_rows
from envbuild.lock.system import ROLES

if TYPE_CHECKING:
    from envbuild.cli.console import Console
    from envbuild.lock.assemble import Answer
    from envbuild.lock.model import Unpinned


def say(console: Console, answer: Answer) -> None:
    """Say what was asked for in vain: one line for each reason; hosts in the details alone."""
    pinned = answer.pinned
    if pinned is None:
        return
    reasons: dict[str, list[str]] = {}
    for row in rows(answer) if pinned.asked else ():
        reasons.setdefault(row.why, []).append(row.what)
    for why, names in reasons.items():
        console.say(f"  not pinned: {', '.join(names)} ({why})")
    for text in pinned.kept:
        console.say(f"  stays pinned as it was: {text}")
    for text in pinned.details:
        console.detail(f"  {text}")


def rows(answer: Answer) -> tuple[Unpinned, ...]:
    """The images and Debian packages of an answer that are not pinned."""
    pins = answer.other_pins()
    return (*image_rows(answer.variant, pins, *ROLES), *apt_rows(pins))


def answer_row(answer: Answer) -> dict[str, object]:
    """What was locked, for machines: counts, and what is not pinned."""
    conda, pins = answer.conda, answer.other_pins()
    pinned = {
        "images": len(pins.images),
        "apt": len(pins.versions()),
        "git": len(pins.git),
    }
    return {
        "packages": len(answer.packages),
        "provided": len(answer.provided),
        **({"conda-packages": len(conda.packages), "steps": list(answer.steps)} if conda else {}),
        "pinned": pinned,
        "unpinned": [{"what": row.what, "why": row.why} for row in rows(answer)],
    }
