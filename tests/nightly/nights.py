"""Nights of a folder without an engine, and what is looked at after one."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.support.workspace import Folder

STAGES = tuple(word for stage in ("check", "lock", "render") for word in ("--only", stage))
CHECK = ("--only", "check", "--offline")
"""The stages that need nothing but an index, and the one that needs nothing at all."""


def night(folder: Folder, *argv: str, **environment: str) -> tuple[dict, str, int]:
    done = folder.run("nightly", "--json", *argv, **environment)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.stderr, done.returncode


def of(night: dict, profile: str) -> dict[str, dict]:
    (found,) = [one for one in night["profiles"] if one["profile"] == profile]
    return {one["stage"]: one for one in found["stages"]}


def outside(folder: Folder) -> dict[str, bytes]:
    """Everything of the workspace that is the user's."""
    return {
        str(path.relative_to(folder.root)): path.read_bytes()
        for name in ("envs", "lockfiles", "Dockerfiles")
        for path in (folder.root / name).rglob("*")
        if path.is_file()
    }


def entries(folder: Folder) -> list[Path]:
    return sorted((folder.root / ".envbuild/history/nights").glob("*"))


def alive(marker: str) -> list[str]:
    """Processes whose command line names a folder."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{name}/cmdline").read_bytes()
            state = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if marker.encode() in line and state != "Z":
            found.append(line.replace(b"\0", b" ").decode())
    return found


def well(made: dict) -> bool:
    """Whether every stage of every profile is there and went well."""
    results = [one for profile in made["profiles"] for one in profile["stages"]]
    return len(results) == 6 and {one["status"] for one in results} <= {"pass", "warn"}


# --- Disks ---------------------------------------------------------------------------------------
