"""``envbuild ci targets``: what a forge has to build, and where."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from envbuild import plan
from envbuild.cli import ci_forges, common
from envbuild.errors import InputError
from envbuild.forge import changes, targets
from envbuild.tools import proc

if TYPE_CHECKING:
    from envbuild.cli.main import Session
    from envbuild.forge.model import Machines, Target


def run(session: Session, form: str | None, chosen: Mapping[str, object]) -> int:
    """List the targets.

    Raises:
        InputError: an option cannot be, or there is no such revision.
        ToolError: git is missing or fails.
    """
    machines = ci_forges.machines(chosen, default=True)
    shards = chosen["shards"]
    if shards is not None and (form != "matrix" or chosen["base"]):
        raise InputError("--shards goes with --matrix, and without --base")
    found = _selected(session, chosen, machines)
    for one in targets.left_out(found, machines):
        session.console.fail(
            f"{one.name}: no machine is named for {one.architecture}", kind="warning"
        )
    if form == "matrix":
        rows = (
            targets.shard_rows(found, machines, shards)
            if isinstance(shards, int)
            else targets.rows(found, machines)
        )
        _refuse_many(rows)
        session.console.data(json.dumps({"include": rows}, separators=(",", ":")))
    elif form == "json":
        session.console.json(found)
    elif form == "profiles":
        for name in dict.fromkeys(one.profile for one in found):
            session.console.data(name)
    else:
        _lines(session, found, with_reason=form != "lines")
    return 0


def _lines(session: Session, found: tuple[Target, ...], *, with_reason: bool) -> None:
    for one in found:
        reason = f"  {one.why}" if with_reason and one.why else ""
        session.console.data(f"{one.profile} {one.variant}{reason}")
    if with_reason and not found:
        session.console.say("there is nothing to build")


def _selected(
    session: Session, chosen: Mapping[str, object], machines: Machines
) -> tuple[Target, ...]:
    found = session.workspace.profiles()
    profiles = tuple(common.chosen(found, ()).values())
    base = chosen["base"]
    changed = None
    if base:
        moved = _moved(session, str(base))
        changed = changes.touched(moved, [targets.sources(one) for one in profiles])
    selected = targets.targets(profiles, changed)
    if chosen["machine"]:
        name = str(chosen["machine"])
        names = [one.name for one in machines.all]
        if name not in names:
            raise InputError(f"there is no machine {name!r}", hint=f"machines: {', '.join(names)}")
        selected = targets.on(selected, machines, name)
    shard = plan.shard(str(chosen["shard"])) if chosen["shard"] else None
    return targets.part(selected, shard)


def _moved(session: Session, revision: str) -> tuple[str, ...]:
    from envbuild.tools.git import Git

    git = Git(session.workspace.root, os.environ, proc.run)
    commit = git.commit(revision)
    if commit is None:
        raise InputError(
            f"there is no revision {revision!r}",
            hint="a shallow clone lacks the old ones: git fetch --deepen=50 origin",
        )
    return git.changed(commit)


def _refuse_many(rows: list[dict[str, object]]) -> None:
    if len(rows) > targets.MOST_ROWS:
        raise InputError(
            f"{len(rows)} variants are more than the {targets.MOST_ROWS} that GitHub takes in one "
            "matrix",
            hint="ask for parts: --matrix --shards 8",
        )
