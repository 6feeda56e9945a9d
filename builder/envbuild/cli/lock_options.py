"""What the options of ``envbuild lock`` say, as values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime

import click
from msgspec import Struct

from envbuild.errors import InputError
from envbuild.lock import planning
from envbuild.names import canonical_name
from envbuild.tools import references


class Doing(Struct, frozen=True, kw_only=True):
    """How to do what was asked, beside what planning knows."""

    offline: bool
    refresh: bool
    dry_run: bool
    workers: int
    as_json: bool
    solver: str
    mirrors: tuple[references.Mirror, ...]


def options(chosen: Mapping[str, object]) -> planning.Options:
    """What planning is told."""
    return planning.Options(
        upgrade=bool(chosen["upgrade"]),
        upgrade_packages=tuple(canonical_name(n) for n in _words(chosen["upgrade_package"])),
        as_of=moment(chosen["exclude_newer"]),
        indexes=_words(chosen["indexes"]) or None,
        force=bool(chosen["force"]),
        refresh=bool(chosen["refresh"]),
        solver=os.path.basename(str(chosen["solver"] or "")),
    )


def doing(chosen: Mapping[str, object]) -> Doing:
    """How to go about it.

    Raises:
        InputError: a mirror is not one.
    """
    jobs = chosen["jobs"]
    return Doing(
        offline=bool(chosen["offline"]),
        refresh=bool(chosen["refresh"]),
        dry_run=bool(chosen["dry_run"]),
        workers=jobs if isinstance(jobs, int) else min(4, os.cpu_count() or 1),
        as_json=bool(chosen["as_json"]),
        solver=str(chosen["solver"] or ""),
        mirrors=references.mirrors(_words(chosen["mirrors"]), os.environ),
    )


def refuse_beside_check(chosen: Mapping[str, object]) -> None:
    """``--check`` looks at what stands; what would change the answer does not go with it."""
    given = [
        name
        for name, value in chosen.items()
        if value and name not in ("check", "audit", "as_json")
    ]
    if given:
        option = "--" + given[0].replace("_", "-").replace("indexes", "index").replace(
            "mirrors", "mirror"
        )
        raise click.UsageError(f"--check does not go with {option}")


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, tuple) else ()


def moment(text: object) -> str | None:
    """A moment as RFC 3339 in UTC; a bare date is its first second.

    Raises:
        InputError: it is neither a date nor a moment with a time zone.
    """
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        parsed = None
    if parsed is None or (parsed.tzinfo is None and len(str(text)) > 10):
        hint = "2026-02-01, or 2026-02-01T12:00:00Z (with its time zone)"
        raise InputError(f"{text!r} is not a moment", hint=hint)
    aware = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    return aware.strftime("%Y-%m-%dT%H:%M:%SZ")
