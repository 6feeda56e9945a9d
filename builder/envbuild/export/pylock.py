"""``pylock.toml`` (PEP 751): uv writes it from the locked packages, and each hash is held against
the lock's.

It names addresses, so an index is asked (or uv's cache): nothing else of an export is. It is asked
for exactly the locked versions, and told that they require nothing; what may be a wheel, and what
a source distribution, is as it was when the lock was made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envbuild.errors import ToolError
from envbuild.export import words
from envbuild.lock import pylock, uv

if TYPE_CHECKING:
    from envbuild.export.model import Subject
    from envbuild.tools.proc import Command, Outcome, Runner


def text(subject: Subject, tool: uv.Uv, runner: Runner) -> str:
    """The file, for the lock's Python and platform.

    Raises:
        ToolError: uv or the index does not answer, or its answer is not the lock.
    """
    try:
        written = pylock.ask(_question(subject), tool, runner)
    except pylock.RefusedError as error:
        raise _failed(error.outcome) from None
    _check(subject, written)
    top = words.heading(subject, "It names the index that was asked: do not commit it.")
    return f"{words.commented(top)}\n{_without_credentials(written)}"


def command(subject: Subject, tool: uv.Uv, *, folder: str) -> Command:
    """The call of uv in a folder that holds its files."""
    return pylock.command(_question(subject), tool, folder=folder)


def _question(subject: Subject) -> pylock.Question:
    return pylock.locked(subject.variant, subject.locked, subject.pins)


_WHY = {
    "offline": ("uv's cache does not hold what a pylock.toml names", "without --offline"),
    "network": ("the package index does not answer", "a pylock.toml names its addresses"),
    "unsatisfiable": (
        "the package index no longer has what was locked",
        "name the index that the lock was made with, or lock again",
    ),
}
"""What a failure of uv means here, and what helps."""


def _failed(outcome: Outcome) -> ToolError:
    failure = uv.failure(outcome)
    kind = "unsatisfiable" if failure.kind == "not-found" else failure.kind
    message, hint = _WHY.get(kind, ("uv makes no pylock.toml", ""))
    return ToolError(
        message, hint=hint or None, command=outcome.command.text(), output=failure.text
    )


def _check(subject: Subject, written: str) -> None:
    """Refuse what is not the lock: another version, or a file that the lock has no hash of.

    Raises:
        ToolError: with the first packages that differ.
    """
    wanted = {(pin.name, pin.version): frozenset(pin.hashes) for pin in subject.pins}
    found = {(one.name, one.version): _hashes(one) for one in pylock.packages(written)}
    wrong = [key for key in wanted if not (found.get(key) and found[key] <= wanted[key])]
    wrong += [key for key in found if key not in wanted]
    if wrong:
        named = words.some(f"{name} {version}" for name, version in wrong)
        raise ToolError(
            f"the package index holds other files than the lock: {named}",
            hint="name the index that the lock was made with, or lock again",
        )


def _hashes(package: pylock.Package) -> frozenset[str]:
    """The sha256 of each file; empty text for a file without one."""
    listed = (*package.wheels, *((package.sdist,) if package.sdist else ()))
    digests = (file.hashes.get("sha256") for file in listed)
    return frozenset(f"sha256:{digest}" if digest else "" for digest in digests)


def _without_credentials(written: str) -> str:
    """The text without user names and passwords in addresses: an index may hand them out."""
    return re.sub(r"(?<=://)[^/\s\"@]+@", "", written)
