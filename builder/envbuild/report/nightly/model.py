"""What the page of a night shows, as frozen values: every text is short, on one line, harmless.

A template turns them into HTML; it takes no decision, and every text that it writes is escaped.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from envbuild.history.model import Status
from envbuild.speech import counted

SAID: dict[Status, str] = {
    "pass": "passed",
    "warn": "warned",
    "fail": "failed",
    "not-run": "not run",
}
"""The word of each status: a page never says one by its colour alone."""

Mark = Literal["pass", "warn", "fail", "not-run", "none"]
"""A status, or that there was nothing: ``none`` is a stage that nobody asked for."""


class Shown(Struct, frozen=True, kw_only=True):
    """Things of one status, and how many more of them are left out."""

    status: Status
    said: str
    parts: tuple[ShownPart, ...]
    left: int = 0


class ShownPart(Struct, frozen=True, kw_only=True):
    """One test or finding; ``took`` empty where it took no time worth a word."""

    name: str
    reason: str = ""
    place: str = ""
    took: str = ""


class Known(Struct, frozen=True, kw_only=True):
    """A diagnosis."""

    id: str
    title: str
    fix: str


class Cell(Struct, frozen=True, kw_only=True):
    """What one stage came to. ``anchor`` is the id of what opens; empty: there is nothing to open.

    ``brief`` is what stands in the grid, ``label`` the whole of it for who cannot see where it
    stands. ``log`` is a relative address, empty where the log is not kept.
    """

    stage: str
    mark: Mark
    brief: str
    label: str
    title: str = ""
    anchor: str = ""
    took: str = ""
    carried: str = ""
    reason: str = ""
    hint: str = ""
    known: tuple[Known, ...] = ()
    groups: tuple[Shown, ...] = ()
    tail: tuple[str, ...] = ()
    log: str = ""
    log_size: str = ""

    @property
    def said(self) -> str:
        """Its status in words."""
        return "not asked for" if self.mark == "none" else SAID[self.mark]

    @property
    def urgent(self) -> bool:
        """Whether it stands open from the start."""
        return self.mark == "fail"


class Strip(Struct, frozen=True, kw_only=True):
    """The last nights of a row: for each status the outline of its bars, and all of it in words."""

    width: int
    bars: tuple[tuple[Mark, str], ...]
    label: str


class Row(Struct, frozen=True, kw_only=True):
    """One variant of a profile: its cells in the grid."""

    variant: str
    platform: str
    mark: Mark
    cells: tuple[Cell, ...]
    strip: Strip
    image: str = ""
    image_size: str = ""
    image_digest: str = ""


class Trend(Struct, frozen=True, kw_only=True):
    """One figure over the nights: a line, and its smallest, median and latest value in words."""

    what: str
    variant: str = ""
    line: str
    end: tuple[float, float]
    least: str
    median: str
    latest: str
    change: str
    nights: int


class MoveShown(Struct, frozen=True, kw_only=True):
    """One thing that moved."""

    what: str
    old: str
    new: str
    why: str
    where: str


class Risky(Struct, frozen=True, kw_only=True):
    """The moves of one risk. ``risky``: they are shown without being asked for."""

    heading: str
    risky: bool
    moves: tuple[MoveShown, ...]
    left: int = 0


class ProfileShown(Struct, frozen=True, kw_only=True):
    """One profile: its rows in the grid and what opens below them.

    ``state`` is one sentence: since when it is as it is. ``find`` is what a filter looks in.
    """

    name: str
    anchor: str
    mark: Mark
    said: str
    state: str
    cells: tuple[Cell, ...]
    rows: tuple[Row, ...]
    find: str
    time: str
    lock: str = ""
    moved: str = ""
    risks: tuple[Risky, ...] = ()
    trends: tuple[Trend, ...] = ()

    @property
    def quiet_moves(self) -> str:
        """What the fold of the moves without a risk is called; empty where there is none."""
        count = sum(len(risk.moves) + risk.left for risk in self.risks if not risk.risky)
        return f"{counted(count, 'other move')}" if count else ""


class Point(Struct, frozen=True, kw_only=True):
    """One line of what needs a look: where it leads to, what it is, and since when."""

    mark: Mark
    name: str
    text: str
    anchor: str = ""
    where: str = ""
    since: str = ""
    known: str = ""
    suspect: str = ""


class Attention(Struct, frozen=True, kw_only=True):
    """Points under one heading."""

    heading: str
    points: tuple[Point, ...]
    left: int = 0
    folded: bool = False


class PastNight(Struct, frozen=True, kw_only=True):
    """One of the last nights: its profiles by how they ended."""

    name: str
    date: str
    mark: Mark
    counts: tuple[tuple[Mark, int], ...]
    took: str
    shown: bool

    @property
    def said(self) -> str:
        """How it ended, in words."""
        return "empty" if self.mark == "none" else SAID[self.mark]


class Machine(Struct, frozen=True, kw_only=True):
    """One machine's part of the shown night."""

    machine: str
    shard: str
    began: str
    took: str
    overhead: str
    version: str
    profiles: int


class Share(Struct, frozen=True, kw_only=True):
    """A part of the time that the night's stages took; ``percent`` from 0 to 100, ``at`` where it
    begins on a bar of 100."""

    stage: str
    took: str
    percent: float
    at: float


class View(Struct, frozen=True, kw_only=True):
    """One night with the nights before it."""

    name: str
    mark: Mark
    sentence: str
    further: str
    began: str
    began_machine: str
    took: str
    revision: str
    counts: tuple[tuple[Mark, str, int], ...]
    attention: tuple[Attention, ...]
    profiles: tuple[ProfileShown, ...]
    past: tuple[PastNight, ...]
    chart: Strip
    machines: tuple[Machine, ...]
    shares: tuple[Share, ...]
    notes: tuple[str, ...]
    nights: int
    version: str
