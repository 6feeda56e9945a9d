"""A fleet of two machines: docker daemons in network namespaces of their own, one of them seen as a
BuildKit at an address. Builds by bake and by ``envbuild build``, and smoke tests in three parts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import fleet
from tests.support.dockerd import Daemon, dockerd, newer
from tests.support.fleet import BASE
from tests.support.workspace import ENVBUILD

pytestmark = pytest.mark.container

VARIANT = "linux-amd64-cpu"

PROFILE = """\
schema: 1
name: {name}
summary: Python alone
as-of: 2026-02-01T00:00:00Z
base: {{image: "envbuild-tests/slim:python", distribution: debian-12}}
python: {{version: 3.11, source: image, interpreter: /usr/bin/python3}}
files:
  - {{source: slowly.py, path: /opt/lib/slowly.py}}
env: {{PYTHONPATH: /opt/lib}}
smoke:
  - {{name: decimals, imports: [decimal]}}
  - {{name: numbers, imports: [fractions]}}
  - {{name: slow, imports: [slowly, json]}}
  - {{name: tables, imports: [sqlite3]}}
variants:
  linux-amd64-cpu: {{}}
"""

SLOWLY = "import time\ntime.sleep(2)\n"

TEMPLATE = """\
{% extends "dockerfile/main.j2" %}
{% block files %}
{{ super() }}
RUN sleep 30
{% endblock %}
"""


class Fleet:
    """A workspace on the first machine, and builders: ``near`` is its own docker at an address,
    ``far`` the other machine."""

    def __init__(self, root: Path, here: Daemon, there: Daemon) -> None:
        self.root = root
        self.here = here
        self.there = there
        self.environ = {
            **here.environ,
            "XDG_CACHE_HOME": str(root / "cache"),
            "TMPDIR": str(root / "tmp"),  # one that is killed leaves something there
            "NO_COLOR": "1",
        }

    def run(self, *argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return fleet.run([ENVBUILD, *argv], self.root, {**self.environ, **variables})

    def docker(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return fleet.run(["docker", *argv], self.root, self.environ)

    def start(self, *argv: str, out: Path | None = None) -> subprocess.Popen[str]:
        with (out or Path(os.devnull)).open("w") as file:
            return subprocess.Popen(
                [ENVBUILD, *argv],
                cwd=self.root,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.PIPE,
                text=True,
            )

    def images(self) -> list[str]:
        return sorted(self.here("images", "--no-trunc", "--quiet").split())

    def record(self, profile: str) -> dict[str, object]:
        path = self.root / f".envbuild/builds/{profile}.{VARIANT}.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}


@pytest.fixture(scope="module")
def machines() -> Iterator[Fleet]:
    with tempfile.TemporaryDirectory(prefix="envbuild-fleet-") as place, ExitStack() as stack:
        root = Path(place)
        for name in ("here", "there", "envs", "tmp"):
            (root / name).mkdir()
        (root / "envs/slowly.py").write_text(SLOWLY)
        for name in ("left", "right"):
            (root / f"envs/{name}.yaml").write_text(PROFILE.format(name=name))
        here = stack.enter_context(dockerd(root / "here", programs=newer(), bridge=True))
        there = stack.enter_context(dockerd(root / "there", programs=newer(), bridge=True))
        made = Fleet(root, here, there)
        for name, daemon in (("near", here), ("far", there)):
            address = stack.enter_context(fleet.buildkitd(daemon, root / f"{name}.sock"))
            done = made.docker("buildx", "create", f"--name={name}", "--driver=remote", address)
            assert done.returncode == 0, done.stderr
        with ThreadPoolExecutor() as pool:
            importing = ("import", str(fleet.slim_tar()), BASE)
            tuple(pool.map(lambda daemon: daemon(*importing), (here, there)))
        for argv in (["lock"], ["render", "--bake"]):
            done = made.run(*argv)
            assert done.returncode == 0, done.stderr
        yield made


def test_bake_builds_on_both_machines(machines: Fleet) -> None:
    printed = json.loads(machines.docker("buildx", "bake", "--print").stdout)
    assert sorted(printed["target"]) == [f"{name}_{VARIANT}" for name in ("left", "right")]
    orders = {"near": "left", "far": f"right_{VARIANT}"}
    running = {
        name: subprocess.Popen(
            [
                "docker",
                "buildx",
                "bake",
                f"--builder={name}",
                f"--metadata-file={name}",
                target,
            ],
            cwd=machines.root,
            env={**machines.environ, "TAG": "baked"},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, target in orders.items()
    }
    ends = {
        name: (process.communicate(timeout=120)[1], process.returncode)
        for name, process in running.items()
    }
    for name, (said, code) in ends.items():
        assert code == 0, said
        (built,) = json.loads((machines.root / name).read_text()).values()
        assert built["buildx.build.ref"].startswith(f"{name}/{name}0/")
    images = machines.here("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    assert {f"left:{VARIANT}-baked", f"right:{VARIANT}-baked"} <= {*images}
    label = ("--format", '{{index .Config.Labels "io.envbuild.profile"}}')
    assert machines.here("image", "inspect", *label, f"right:{VARIANT}-baked").strip() == "right"


def test_a_build_by_a_builder_elsewhere_and_its_smoke_tests_in_three_parts(
    machines: Fleet,
) -> None:
    planned = machines.run("build", "left", "--builder", "far", "--dry-run")
    assert "(by the builder far)" in planned.stdout, planned.stderr
    done = machines.run("build", "left", "--builder", "far", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["status"], row["builder"], row["hermetic"]) == ("built", "far", True)
    assert machines.record("left")["builder"] == "far"
    assert row["identity"] in machines.here("images", "--no-trunc", "--quiet")
    assert f"left:{VARIANT}" not in machines.there("images", "--format", "{{.Repository}}:{{.Tag}}")
    again = machines.run("build", "left", "--builder", "far", "--json")
    assert [one["status"] for one in json.loads(again.stdout)] == ["unchanged"], again.stderr
    _three_parts(machines)


def _three_parts(machines: Fleet) -> None:
    """Three parts at once, one of them killed half way."""
    files = [machines.root / f"{part}.json" for part in (1, 2, 3)]
    shards = [
        machines.start("smoke", "left", "--shard", f"{part}/3", "--json", out=file)
        for part, file in enumerate(files, 1)
    ]
    (slow,) = [part for part in (1, 2, 3) if _has(machines, part, "slow")]
    _until(lambda: _journal(machines, slow))
    shards[slow - 1].send_signal(signal.SIGKILL)
    ends = [(process.communicate(timeout=120)[1], process.returncode) for process in shards]
    assert sorted(code for _, code in ends) == [-signal.SIGKILL, 0, 0], ends
    merged = machines.run("smoke", "--merge", *map(str, files), "--json")
    assert merged.returncode == 1, merged.stdout
    (report,) = json.loads(merged.stdout)["reports"]
    assert (report["ok"], report["lost"]) == (False, [f"{slow}/3"])
    gone = {one["id"]: one for one in report["checks"] if "has no result" in one["reason"]}
    assert "slow/verdict" in gone
    assert {one["verdict"] for one in gone.values()} == {"not-run"}
    assert f"{slow}.json is empty" in gone["slow/verdict"]["reason"]
    again = machines.run("smoke", "left", "--shard", f"{slow}/3", "--json")
    files[slow - 1].write_text(again.stdout)
    merged = machines.run("smoke", "--merge", *map(str, files), "--json")
    assert merged.returncode == 0, merged.stdout + merged.stderr
    (report,) = json.loads(merged.stdout)["reports"]
    said = {one["id"]: one["verdict"] for one in report["checks"]}
    assert said.pop("static/bundle") == "not-run"  # there is no bundle
    assert {*said.values()} == {"pass"}, report["checks"]
    assert {"static/packages", "slow/import:slowly", "tables/import:sqlite3"} <= {*said}


def _folder(machines: Fleet, part: int) -> Path:
    return machines.root / f".envbuild/smoke/left.{VARIANT}.{part}-of-3"


def _has(machines: Fleet, part: int, test: str) -> bool:
    """Whether a part runs a test, by the plan that its container is given."""
    path = _folder(machines, part) / "plan.json"
    _until(path.exists)
    return test in [one["name"] for one in json.loads(path.read_text())["tests"]]


def _journal(machines: Fleet, part: int) -> bool:
    return any(
        b"slowly" in path.read_bytes() for path in _folder(machines, part).glob("out/*.journal")
    )


def test_a_builder_that_is_lost_names_nothing_and_another_completes(machines: Fleet) -> None:
    (machines.root / "templates").mkdir()
    (machines.root / "templates/Dockerfile.j2").write_text(TEMPLATE)
    assert machines.run("render", "right").returncode == 0
    before = machines.images()
    process = machines.start("build", "right", "--builder", "far")
    log = machines.root / f".envbuild/logs/build-right.{VARIANT}.log"
    _until(lambda: log.exists() and "RUN sleep" in log.read_text())
    fleet.lose(machines.there, machines.root / "there")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert "the builder far was lost while it built" in said
    assert "--builder OTHER" in said
    assert machines.images() == before
    assert machines.record("right") == {}
    down = machines.run("build", "right", "--builder", "far")
    assert down.returncode == 3
    assert "the builder far is down: nothing answers at unix://" in down.stderr
    (machines.root / "templates/Dockerfile.j2").unlink()
    (machines.root / "templates").rmdir()
    assert machines.run("render").returncode == 0
    done = machines.run("build", "right", "--builder", "near", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["builder"] == "near"
    assert f"right:{VARIANT}" in machines.here("images", "--format", "{{.Repository}}:{{.Tag}}")


def test_a_builder_that_there_is_not(machines: Fleet) -> None:
    done = machines.run("build", "left", "--builder", "nowhere")
    assert done.returncode == 3
    assert 'there is no builder nowhere: no builder "nowhere" found' in done.stderr
    assert "docker buildx ls" in done.stderr


def _until(reached: object, seconds: float = 60.0) -> None:
    assert callable(reached)
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
