"""One profile of the shown night: its rows in the grid, and what opens below them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envbuild.history.judging import stages_of
from envbuild.history.model import (
    OF_PROFILE,
    STAGES,
    Image,
    ProfileNight,
    StageResult,
    VariantNight,
)
from envbuild.report.nightly.cells import Frame, cell, nothing
from envbuild.report.nightly.model import SAID, Cell, ProfileShown, Row, Trend
from envbuild.report.nightly.moved import headline, risks
from envbuild.report.nightly.past import Past, mark, row_mark, state
from envbuild.report.nightly.trends import Measure, strip, trend
from envbuild.report.nightly.words import duration, rough, short, size

_OF_VARIANT = tuple(stage for stage in STAGES if stage not in OF_PROFILE)
_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]{0,80}")
_NAME = 120


def profile_shown(past: Past, profile: ProfileNight, frame: Frame, *, number: int) -> ProfileShown:
    """A profile of the shown night; ``number`` is its place among them."""
    plain = _PLAIN.fullmatch(profile.profile)
    own = profile.profile if plain else f"~{number}"
    name = short(profile.profile, _NAME) or "(no name)"
    cells = tuple(
        _cell(profile.stages, stage, frame, place=(own, "", name)) for stage in OF_PROFILE
    )
    rows = tuple(
        _row(past, profile, variant, place=(own, f"{at}", name), frame=frame)
        for at, variant in enumerate(profile.variants or (None,))
    )
    ended = mark(profile)
    against = frame.dates.get(profile.against, "")
    return ProfileShown(
        name=name,
        anchor=f"profile:{own}",
        mark=ended,
        said=SAID[ended] if ended != "none" else "",
        state=state(past, profile),
        cells=cells,
        rows=rows,
        find=_find(name, cells, rows),
        time=_time(profile, frame),
        lock=_lock(profile),
        moved=headline(profile, against),
        risks=risks(profile, frame.bounds.moves),
        trends=tuple(_trends(past, profile)),
    )


def _cell(
    stages: Sequence[StageResult], stage: str, frame: Frame, *, place: tuple[str, str, str]
) -> Cell:
    own, variant, where = place
    for result in stages:
        if result.stage == stage:
            anchor = ":".join(filter(None, (stage, own, variant)))
            return cell(result, frame, where=where, anchor=anchor)
    return nothing(stage, where=where)


def _row(
    past: Past,
    profile: ProfileNight,
    variant: VariantNight | None,
    *,
    place: tuple[str, str, str],
    frame: Frame,
) -> Row:
    own, number, name = place
    title = short(variant.variant, _NAME) if variant else ""
    stages = variant.stages if variant else ()
    image = variant.image if variant else None
    where = f"{name} {title}".strip()
    return Row(
        variant=title,
        platform=short(variant.platform, 60) if variant else "",
        mark=row_mark(profile, variant),
        cells=tuple(
            _cell(stages, stage, frame, place=(own, number, where)) for stage in _OF_VARIANT
        ),
        strip=strip(past.marks(profile.profile, variant.variant if variant else "")),
        image=short(image.reference, 160) if image else "",
        image_size=size(image.size) if image and image.size > 0 else "",
        image_digest=_identity(image),
    )


def _identity(image: Image | None) -> str:
    return short(image.digest or image.identity, 80) if image else ""


def _lock(profile: ProfileNight) -> str:
    if not profile.lock:
        return "no lock"
    kind = "the committed one" if profile.committed else "upgraded in this night"
    return f"{short(profile.lock[:19])}, {kind}"


def _find(name: str, cells: Sequence[Cell], rows: Sequence[Row]) -> str:
    """What a filter looks in: names, and what went wrong."""
    own = (*cells, *(one for row in rows for one in row.cells))
    wrong = [
        word
        for one in own
        if one.mark not in ("pass", "none")
        for word in (one.reason, *(known.id for known in one.known))
    ]
    return short(" ".join((name, *(row.variant for row in rows), *wrong)).lower(), 600)


def _time(profile: ProfileNight, frame: Frame) -> str:
    """What a profile took, and how much of the night's stages that is."""
    own = seconds(profile)
    share = f", {own / frame.seconds:.0%} of what all stages took" if frame.seconds > 0 else ""
    return f"{duration(own)}{share}" if own > 0 else ""


def seconds(profile: ProfileNight) -> float:
    """What the stages of a profile took in this night; one that was carried over took nothing."""
    return sum(max(one.seconds, 0.0) for one in stages_of(profile) if not one.carried)


def _trends(past: Past, profile: ProfileNight) -> Iterator[Trend]:
    """Seconds by stage, then the size of each image."""
    nights = len(past.nights)
    measured: dict[tuple[str, str], list[Measure]] = {}
    for variant, stage, number, took in past.seconds(profile.profile):
        measured.setdefault((variant, stage), []).append((number, took))
    variants = [variant.variant for variant in profile.variants]
    wanted = [("", stage) for stage in OF_PROFILE]
    wanted += [(variant, stage) for variant in variants for stage in _OF_VARIANT]
    for variant, stage in wanted:
        points = measured.get((variant, stage), ())
        of_stage = (stage, short(variant, _NAME))
        yield from _some(trend(of_stage, points, nights=nights, said=rough))
    for variant in variants:
        sizes = past.sizes(profile.profile, variant)
        of_image = ("image", short(variant, _NAME))
        yield from _some(trend(of_image, sizes, nights=nights, said=size))


def _some(found: Trend | None) -> Iterator[Trend]:
    if found is not None:
        yield found
