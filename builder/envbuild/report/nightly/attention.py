"""What of a night needs a look, the newest trouble first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envbuild.history.judging import failed, good
from envbuild.history.model import Night, ProfileNight
from envbuild.report.nightly.model import SAID, Attention, Cell, Point, ProfileShown
from envbuild.report.nightly.moved import suspect
from envbuild.report.nightly.past import Past
from envbuild.report.nightly.words import date, listed, short
from envbuild.speech import counted

_MOST = 40
"""Points under one heading; the grid has all of them."""

_FOLDED = ("Mended", "Warnings")
"""Headings that open: good news, and what can wait."""

_CELLS = 2
"""Points of one profile."""


def attention(past: Past, shown: Sequence[ProfileShown]) -> tuple[Attention, ...]:
    """Points under headings; none where all is well."""
    profiles = {one.profile: one for one in past.shown.profiles}
    ordered = list(zip((profiles[name] for name in sorted(profiles)), shown, strict=True))
    new: list[Point] = []
    still: list[Point] = []
    for profile, page in ordered:
        if failed(profile):
            found = past.failing(profile.profile)
            (new if found is None or found[1] == 1 else still).extend(_failing(past, profile, page))
    warned = [p for profile, page in ordered if good(profile) for p in _cells(page, "warn")]
    idle = _idle([page for profile, page in ordered if not failed(profile)])
    headings = (
        ("New failures", new),
        ("Still failing", still),
        ("Missing", list(missing(past))),
        ("Not run", idle),
        ("Mended", list(_mended(past, ordered))),
        ("Warnings", warned),
    )
    return tuple(
        Attention(
            heading=heading,
            points=tuple(points[:_MOST]),
            left=max(len(points) - _MOST, 0),
            folded=heading in _FOLDED,
        )
        for heading, points in headings
        if points
    )


def _failing(past: Past, profile: ProfileNight, page: ProfileShown) -> Iterator[Point]:
    """The cells that failed; with what is known, and the move that may have done it."""
    points = list(_cells(page, "fail"))
    last = past.last_good(profile.profile)
    for point in points[:_CELLS]:
        yield Point(
            mark="fail",
            name=point.name,
            text=point.text,
            anchor=point.anchor,
            where=point.where,
            since=page.state,
            known=point.known,
            suspect=suspect(profile.moves) if last else "",
        )


def _cells(page: ProfileShown, mark: str) -> Iterator[Point]:
    for where, cell in _placed(page):
        if cell.mark == mark:
            yield Point(
                mark=cell.mark,
                name=page.name,
                text=cell.reason or cell.title,
                anchor=cell.anchor,
                where=" ".join(filter(None, (cell.stage, where))),
                known=cell.known[0].title if cell.known else "",
            )


def _placed(page: ProfileShown) -> Iterator[tuple[str, Cell]]:
    """Every cell, with its variant where it is one's."""
    yield from (("", cell) for cell in page.cells)
    yield from ((row.variant, cell) for row in page.rows for cell in row.cells)


def _idle(pages: Sequence[ProfileShown]) -> list[Point]:
    """What was not run though nothing failed, one point for all that have the same reason."""
    found: dict[tuple[str, str], list[ProfileShown]] = {}
    for page in pages:
        for where, cell in _placed(page):
            if cell.mark == "not-run":
                stage = " ".join(filter(None, (cell.stage, where)))
                found.setdefault((stage, cell.reason), []).append(page)
    return [
        Point(
            mark="not-run",
            name=listed(tuple(page.name for page in of)),
            text=reason or SAID["not-run"],
            where=stage,
            anchor=of[0].anchor if len(of) == 1 else "",
        )
        for (stage, reason), of in found.items()
    ]


def _mended(past: Past, ordered: list[tuple[ProfileNight, ProfileShown]]) -> Iterator[Point]:
    for profile, page in ordered:
        before = past.before(profile.profile)
        if before is not None and failed(before) and good(profile):
            yield Point(mark="pass", name=page.name, text="good again", anchor=page.anchor)


# --- What is not there -------------------------------------------------------------------------


def missing(past: Past) -> Iterator[Point]:
    """Parts of the night that did not report; profiles and variants of the last night that this one
    has not."""
    for part in missing_parts(past.shown):
        yield Point(mark="not-run", name=f"Part {part}", text="did not report")
    before = past.last_but_one
    if before is None:
        return
    there = {one.profile: {v.variant for v in one.variants} for one in past.shown.profiles}
    when = date(before.began)
    for profile in sorted(before.profiles, key=lambda one: one.profile):
        name = short(profile.profile, 120)
        if profile.profile not in there:
            how = "failed" if failed(profile) else "was good" if good(profile) else "was not run"
            text = f"was there on {when} ({how}), is not in this night"
            yield Point(mark="none", name=name, text=text)
            continue
        gone = [v.variant for v in profile.variants if v.variant not in there[profile.profile]]
        if gone:
            text = f"without {short(', '.join(gone), 160)}, which was there on {when}"
            yield Point(mark="none", name=name, text=text)


def missing_parts(night: Night) -> tuple[str, ...]:
    """``2/3``: the parts of a night made of several that are not there."""
    there: dict[int, set[int]] = {}
    for part in night.shard.split(", "):
        index, slash, count = part.partition("/")
        if slash and index.isdecimal() and count.isdecimal() and len(part) < 12:
            there.setdefault(int(count), set()).add(int(index))
    return tuple(
        f"{index}/{count}"
        for count, found in sorted(there.items())
        for index in range(1, min(count, 1000) + 1)
        if index not in found
    )


# --- In one sentence -----------------------------------------------------------------------------


def sentence(past: Past, shown: Sequence[ProfileShown]) -> str:
    """How the night went."""
    whole = counted(len(shown), "profile")
    bad = sum(page.mark == "fail" for page in shown)
    idle = sum(page.mark == "not-run" for page in shown)
    warned = sum(page.mark == "warn" for page in shown)
    parts = len(missing_parts(past.shown))
    late = f"; {counted(parts, 'part')} of the night did not report" if parts else ""
    if not shown:
        return f"No profile is in this night{late}."
    if bad:
        one = bad == len(shown) == 1
        return f"{'The profile' if one else f'{bad} of {whole}'} failed{late}."
    if idle:
        return f"{idle} of {whole} {'was' if idle == 1 else 'were'} not run to the end{late}."
    passed = f"All {whole} passed" if len(shown) > 1 else "The profile passed"
    return f"{passed}{f', {warned} with warnings' if warned else ''}{late}."


def further(found: Sequence[Attention]) -> str:
    """What changed against the night before, in a few words."""
    names = {one.heading: _profiles(one) for one in found}
    words = (
        ("New failures", "newly failed"),
        ("Still failing", "failed before too"),
        ("Mended", "good again"),
        ("Missing", "missing"),
    )
    said = [f"{names[heading]} {text}" for heading, text in words if names.get(heading)]
    return ", ".join(said)


def _profiles(one: Attention) -> int:
    return len({point.name for point in one.points}) + one.left
