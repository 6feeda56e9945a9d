"""What the options of ``envbuild nightly`` say, as values."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

import click
from msgspec import Struct

from envbuild import plan
from envbuild.build import planning
from envbuild.history.model import STAGES, Stage
from envbuild.nightly import budgets
from envbuild.nightly.model import Wishes
from envbuild.nightly.opening import Asked
from envbuild.tools import references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Options(Struct, frozen=True, kw_only=True):
    """How a night is run: what it asks, and what it may take. ``time`` in seconds, ``disk`` in
    bytes; None: as much as it needs. ``mirrors`` as the user wrote them."""

    asked: Asked
    jobs: int
    time: float | None
    disk: int | None
    mirrors: tuple[str, ...]
    force: bool
    restart: bool
    history: str | None
    report: str | None
    dry_run: bool
    as_json: bool


def options(chosen: Mapping[str, object]) -> Options:
    """What was asked for, as far as that can be judged without a profile.

    Raises:
        InputError: an option has a value that cannot be.
        UsageError: two contradict each other.
    """
    _refuse_beside(chosen)
    shard = _text(chosen["shard"])
    time, disk = _text(chosen["time_budget"]), _text(chosen["disk_budget"])
    asked = Asked(
        wishes=_wishes(chosen),
        shard=plan.shard(shard) if shard else None,
        night=_text(chosen["night"]) or "",
        machine=os.uname().nodename,
    )
    jobs = chosen["jobs"]
    return Options(
        asked=asked,
        jobs=jobs if isinstance(jobs, int) else budgets.jobs(_cores(), _memory()),
        time=budgets.seconds(time) if time else None,
        disk=budgets.size(disk) if disk else None,
        mirrors=_words(chosen["mirror"]),
        force=bool(chosen["force"]),
        restart=bool(chosen["restart"]),
        history=_text(chosen["history"]),
        report=_text(chosen["report"]),
        dry_run=bool(chosen["dry_run"]),
        as_json=bool(chosen["as_json"]),
    )


def _refuse_beside(chosen: Mapping[str, object]) -> None:
    """Refuse what contradicts itself."""
    online = bool(chosen["online"]) or chosen["network"] == "host"
    pairs = (
        ("--only", chosen["only"], "--from", chosen["from_"]),
        ("--online", chosen["online"], "--network none", chosen["network"] == "none"),
        ("--offline", chosen["offline"], "--online", online),
        ("--offline", chosen["offline"], "--push", chosen["push"]),
        ("--dry-run", chosen["dry_run"], "--restart", chosen["restart"]),
    )
    for one, given, other, too in pairs:
        if given and too:
            raise click.UsageError(f"{one} does not go with {other}")


def _wishes(chosen: Mapping[str, object]) -> Wishes:
    asked, first = _stages(_words(chosen["only"]), _text(chosen["from_"]))
    mirrors = _words(chosen["mirror"])
    references.mirrors(mirrors, os.environ)  # says what is wrong with one
    tag = _text(chosen["tag"]) or Wishes().tag
    planning.refuse_shared((tag,), 2, option="--tag")
    name = planning.tags("profile", "variant", (tag,))
    if chosen["push"]:
        planning.pushed(name)
    of_lock = (*_each("--mirror", mirrors), *_flag(chosen, "offline"))
    of_build = (
        *of_lock,
        *_flag(chosen, "online"),
        *_each("--network", filter(None, (_text(chosen["network"]),))),
        *_each("--cache-from", _words(chosen["cache_from"])),
        *_each("--cache-to", _words(chosen["cache_to"])),
    )
    return Wishes(
        stages=asked,
        carry_from=first,
        upgrade=not chosen["no_upgrade"],
        keep_going=bool(chosen["keep_going"]),
        strict=bool(chosen["strict"]),
        variants=_words(chosen["variant"]),
        tag=tag,
        engine=str(chosen["engine"]),
        push=bool(chosen["push"]),
        lock_words=of_lock,
        build_words=of_build,
    )


def _stages(only: tuple[str, ...], first: str | None) -> tuple[tuple[Stage, ...], Stage | None]:
    """The stages of a night, and the one that it goes on from. A build needs what is rendered, and
    tests alone need an image of before."""
    if first is not None:
        begin = cast("Stage", first)
        return STAGES[STAGES.index(begin) :], begin
    named = set(only or STAGES)
    if "build" in named:
        named.add("render")
    begun: Stage | None = "smoke" if named == {"smoke"} else None
    return tuple(one for one in STAGES if one in named), begun


def _flag(chosen: Mapping[str, object], name: str) -> tuple[str, ...]:
    return (f"--{name}",) if chosen[name] else ()


def _each(option: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for value in values for word in (option, value))


def _text(value: object) -> str | None:
    return str(value) if value else None


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, tuple) else ()


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
