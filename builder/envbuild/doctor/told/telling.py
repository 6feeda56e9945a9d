"""What doctor found, in lines of 80 characters for people. Pure.

Names and texts of an examined tree are whatever somebody put there: each is made harmless here.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from envbuild.doctor.case import Case
from envbuild.doctor.commands import titled
from envbuild.doctor.model import Finding, Severity
from envbuild.doctor.told import details
from envbuild.report.plain import printable
from envbuild.scan.model import Distribution, Product, Scan
from envbuild.scan.winners import winners
from envbuild.speech import counted

Style = Literal["", "error", "warning", "hint", "good", "dim"]

_WIDTH = 80
_PLACES = 3
"""Paths of a finding that are shown without ``--verbose``."""

_HITS = 8
"""Names of who dies of it."""

_COMMAND = re.compile(
    r"['\"]?[\w.~-]*/\S*|(?:python[\d.]*|pip|conda|mamba|apt-get|sudo|uv|envbuild)(?= )"
)
"""How a command begins: it is never broken over two lines, so that it can be copied."""

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
STYLES: dict[Severity, Style] = {"error": "error", "warning": "warning", "note": "hint"}


class Answer(Struct, frozen=True, kw_only=True):
    """What was examined and what was found, in the order of judging.

    ``seconds`` is how long it took, ``lock`` the name of the lock that it was held against
    (``isaaclab/linux-amd64-cu128``).
    """

    case: Case
    findings: tuple[Finding, ...]
    seconds: float = 0.0
    lock: str = ""

    def count(self, severity: Severity) -> int:
        """How many findings are of a severity."""
        return sum(one.severity == severity for one in self.findings)


class Line(Struct, frozen=True):
    """One line, and how it is shown."""

    text: str
    style: Style = ""


def lines(told: Answer, *, more: bool = False) -> Iterator[Line]:
    """Everything: what was examined, the findings, how many there are; with ``more`` also every
    site, order and copy."""
    yield from (Line(text) for text in _first(told))
    for number, found in enumerate(told.findings, 1):
        yield Line("")
        yield from _finding(number, found, more=more)
    if more:
        yield from (Line(printable(text)) for text in details.lines(told.case))
    yield Line("")
    for text in _wrapped("", last(told), indent=2):
        yield Line(text, "" if told.findings else "good")


def last(told: Answer) -> str:
    """The last line: how many findings there are, or what was looked at."""
    return counts(told) if told.findings else healthy(told)


def counts(told: Answer) -> str:
    """``3 findings: 1 error, 2 warnings``."""
    parts = [counted(told.count(word), word) for word in _SEVERITIES if told.count(word)]
    return f"{counted(len(told.findings), 'finding')}: {', '.join(parts)}"


# --- What was examined ---------------------------------------------------------------------------


def _first(told: Answer) -> Iterator[str]:
    """The sentence and how long it took, which stays together."""
    *most, end = _wrapped("", sentence(told.case.scan), indent=2)
    took = f"({told.seconds:.1f} s)"
    yield from most
    if len(end) + len(took) < _WIDTH:
        yield f"{end} {took}"
    else:
        yield from (end, f"  {took}")


def sentence(scan: Scan) -> str:
    """What was examined, in one sentence without a full stop."""
    parts = [f"{_what(scan)}{_frame(scan)}", *_pythons(scan)]
    parts += [_many(len(scan.sites), "site"), _many(len(scan.distributions), "distribution")]
    parts += [_many(len(scan.modules), "compiled module")]
    return printable(f"{scan.label}: {', '.join(parts)}")


def _what(scan: Scan) -> str:
    found = tuple(dict.fromkeys(product(one) for one in scan.products))
    if not found:
        return "a Python environment" if scan.sites else "no Python environment"
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def product(found: Product) -> str:
    """``Isaac Sim 5.1.0 (pip)``."""
    unknown = "" if found.release else " of an unknown release"
    return f"{titled(found)}{unknown} ({found.way})"


def _frame(scan: Scan) -> str:
    frame = " in a conda prefix" if scan.conda else ""
    system = scan.system
    return f"{frame} on {system.release}" if system.whole and system.release else frame


def _pythons(scan: Scan) -> tuple[str, ...]:
    found = {one.python for one in scan.sites} | {one.python for one in scan.orders}
    found.discard("")
    return (f"Python {' and '.join(sorted(found, key=numbers))}",) if found else ()


def numbers(version: str) -> list[int]:
    """The numbers of a version, to compare it by: ``3.9`` is before ``3.11``."""
    return [int(part) for part in re.findall(r"\d+", version)]


def _many(number: int, noun: str) -> str:
    return counted(number, noun).replace(str(number), f"{number:,}", 1)


def healthy(told: Answer) -> str:
    """What was looked at where nothing is wrong."""
    scan = told.case.scan
    parts = [numpys(scan)]
    if scan.modules:
        parts.append(f"{_many(len(scan.modules), 'compiled module')} that can be loaded")
    if scan.distributions:
        whole = _many(len(scan.distributions), "distribution")
        parts.append(f"{whole} with all files and all that they ask for")
    if told.lock:
        parts.append(f"as the lock of {told.lock} has it")
    return printable(f"nothing is wrong: {', '.join(parts)}")


def numpys(scan: Scan) -> str:
    """Which NumPy wins, in a few words."""
    won = winners(scan, "numpy")
    found = {one.version for each in won for one in (each.before, each.after) if one}
    if not found:
        return "no NumPy"
    several = any(each.order.before != each.order.after for each in won)
    when = " before the app starts and after it" if several else ""
    return f"NumPy {' and '.join(sorted(found))}{when}"


def copy(found: Distribution) -> str:
    """A copy as a person looks for it: version and folder."""
    return f"{found.version or 'of an unknown version'} in {found.package or found.site}"


# --- One finding ---------------------------------------------------------------------------------


def _finding(number: int, found: Finding, *, more: bool) -> Iterator[Line]:
    start = f"{number}. {found.severity}: "
    what = f"{printable(found.what)} [{found.id}, {found.sure}]"
    for text in _wrapped(start, what, indent=3):
        yield Line(text, STYLES[found.severity])
    yield from _listed("where", _some(found.where, _PLACES, more=more))
    yield from _said("why", found.why)
    yield from _listed("expect", found.expect)
    if not all(one in found.what for one in found.hits):
        yield from _said("hits", ", ".join(_some(found.hits, _HITS, more=more)))
    for index, way in enumerate(found.repair):
        label, shown = "or" if index else "fix", printable(way)
        if is_command(shown):
            yield Line(f"   {label}: {shown}", "hint")
        else:
            yield from _said(label, shown, style="hint")
    yield from _said("source", found.source, style="dim")


def _some(names: tuple[str, ...], most: int, *, more: bool) -> tuple[str, ...]:
    left = len(names) - most
    if more or left <= 1:
        return names
    return (*names[:most], f"{left} more (-v)")


def _listed(label: str, texts: Iterable[str]) -> Iterator[Line]:
    start = f"   {label}: "
    for index, text in enumerate(texts):
        begin = " " * len(start) if index else start
        for line in _wrapped(begin, printable(text), indent=len(start) + 2):
            yield Line(line)


def _said(label: str, text: str, *, style: Style = "") -> Iterator[Line]:
    if not text:
        return
    for line in _wrapped(f"   {label}: ", printable(text), indent=5):
        yield Line(line, style)


def is_command(way: str) -> bool:
    """Whether a way out is a command, by how it begins."""
    return _COMMAND.match(way) is not None


def _wrapped(start: str, text: str, *, indent: int) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=start,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
