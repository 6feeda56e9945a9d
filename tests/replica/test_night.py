"""A short night with a real engine: a shipped profile in its light form, a generated one, and one that
breaks as soon as its packages may move."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from tests.replica import nights
from tests.replica.light import Workspace

pytestmark = [pytest.mark.container, pytest.mark.network, pytest.mark.git]

SHIPPED = "isaac-g1-light"
WELL = {"pass", "warn"}


@pytest.fixture
def workspace(light_workspace: Workspace, tmp_path: Path) -> Workspace:
    """A workspace of its own with the locks of the light one, and two generated profiles."""
    root = tmp_path / "workspace"
    for name in ("envs", "lockfiles", "Dockerfiles"):
        shutil.copytree(light_workspace.root / name, root / name)
    made = dataclasses.replace(light_workspace, root=root)
    names = nights.generated(root / "envs", 2)
    for argv in (("lock", *names, *made.registry.mirrors()), ("render", *names)):
        done = made.run(*argv)
        assert done.returncode == 0, done.stderr
    return made


def night(workspace: Workspace, *argv: str) -> tuple[dict, dict[str, dict[str, dict]], int]:
    """A night, its results by profile and stage, and the exit status."""
    options = ("--engine", "podman", "--json", *workspace.registry.mirrors())
    done = workspace.run("nightly", *options, *argv)
    assert done.stdout, done.stderr
    made = json.loads(done.stdout)
    results = {
        one["profile"]: {
            stage["stage"]: stage for stage in (*one["stages"], *one["variants"][0]["stages"])
        }
        for one in made["profiles"]
    }
    return made, results, done.returncode


def test_what_an_upgrade_breaks_is_found_and_what_stands_is_carried(workspace: Workspace) -> None:
    before = {path: path.read_bytes() for path in (workspace.root / "lockfiles").rglob("*.*")}
    every = (SHIPPED, "generated-01", nights.BROKEN)

    committed, results, code = night(workspace, *every, "--no-upgrade")
    found = {name: {one["status"] for one in of.values()} for name, of in results.items()}
    assert all(statuses <= WELL for statuses in found.values()), results
    assert code == 0

    again, results, code = night(workspace, *every, "--no-upgrade")
    assert code == 0
    for of in results.values():
        assert of["build"]["reason"].startswith("unchanged")
        carried = {of[stage]["carried"] for stage in ("check", "audit", "smoke")}
        assert carried == {committed["id"]}
    assert lasted(again) < lasted(committed)

    broken, results, code = night(workspace, *every[1:])
    assert code == 1
    bad = {name: [one for one in of.values() if one["status"] not in WELL]
           for name, of in results.items()}  # fmt: skip
    assert bad["generated-01"] == []
    (smoke,) = bad[nights.BROKEN]
    assert smoke["stage"] == "smoke"
    assert "pkg_resources" in "".join(smoke["tail"])
    assert smoke["diagnosis"]
    (of,) = [one for one in broken["profiles"] if one["profile"] == nights.BROKEN]
    assert nights.CULPRIT in [move["what"] for move in of["moves"]]
    assert of["against"] == again["id"]

    assert "pkg_resources" in (workspace.root / ".envbuild/report/index.html").read_text()
    kept = sorted(path.stem for path in (workspace.root / ".envbuild/history/nights").iterdir())
    assert kept == [committed["id"], again["id"], broken["id"]]
    assert {path: path.read_bytes() for path in before} == before


def lasted(made: dict) -> float:
    return made["ended"] - made["began"]
