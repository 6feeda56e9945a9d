"""Nights with images: a real engine builds and tests them, under names of the night alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import BASE, Engine, base_tar, import_base, need, private_engine
from tests.support.index import PackageIndex, serving
from tests.support.registry import Registry, serve
from tests.support.workspace import ENVBUILD

pytestmark = pytest.mark.container

VENDOR = "docker.io/library/small"
VARIANT = "linux-amd64-cpu"
PROFILE = f"""\
schema: 1
name: {{name}}
summary: An overlay of a wheel
as-of: 2026-02-01T00:00:00Z
base:
  image: {VENDOR}:1
  distribution: debian-12
python:
  version: 3.11
  source: image
  interpreter: /opt/venv/bin/python
  requirements: [{{requirements}}]
entrypoint: [/opt/venv/bin/python]
smoke:
  - {{{{name: imports, imports: [beta]}}}}
variants:
  {VARIANT}: {{{{}}}}
  linux-arm64-cpu: {{{{}}}}
"""


STAND_IN = f"FROM {BASE}\nRUN python3 -m venv /opt/venv\n"


class Shop:
    """A workspace with an engine, an index, a registry and a cache of its own."""

    def __init__(self, home: Path, engine: Engine, registry: Registry, index: PackageIndex) -> None:
        self.root = home / "ws"
        self.engine = engine
        self.registry = registry
        self.index = index
        self.environment = {
            **engine.environment,
            "XDG_CACHE_HOME": str(home / "cache"),
            "UV_CACHE_DIR": str(home / "uv"),
            "UV_DEFAULT_INDEX": index.url,
            "NO_COLOR": "1",
            "GIT_CEILING_DIRECTORIES": str(home),
        }

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ENVBUILD, *argv],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def has(self, name: str) -> bool:
        return self.engine.run("image", "exists", name).returncode == 0

    def night(self, *argv: str) -> tuple[dict[str, dict], subprocess.CompletedProcess[str]]:
        """The results of a night by profile, then by stage, and how it ended."""
        asked = ("nightly", "--engine", "podman", "--json", *self.registry.mirrors(), *argv)
        done = self.run(*asked)
        assert done.stdout, done.stderr
        return json.loads(done.stdout), done


def results(night: dict, profile: str) -> dict[str, dict]:
    (of,) = [one for one in night["profiles"] if one["profile"] == profile]
    variant = next(one for one in of["variants"] if one["variant"] == VARIANT)
    return {one["stage"]: one for one in (*of["stages"], *variant["stages"])}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    need("docker-registry", "skopeo")
    home = tmp_path_factory.mktemp("nightly")
    for name in ("engine", "registry", "ws/envs", "stand-in", "cache"):
        (home / name).mkdir(parents=True)
    world = PackageIndex().add("alpha", "1.0", code="def main(): pass\n").add("beta", "1.0")
    world.add("beta", "1.1", uploaded="2026-03-01T00:00:00Z")
    with (
        private_engine(home / "engine") as engine,
        serve(home / "registry") as registry,
        serving(world) as index,
    ):
        engine.trust(registry.place)
        import_base(engine, base_tar())
        name = registry.name(f"{VENDOR}:1")
        (home / "stand-in/Dockerfile").write_text(STAND_IN)
        engine("build", "--pull=never", "--network=none", "--tag", name, str(home / "stand-in"))
        engine("push", "--quiet", "--tls-verify=false", name)
        engine("rmi", name)
        made = Shop(home, engine, registry, index)
        for profile, wanted in (("good", "alpha, beta"), ("other", "beta")):
            path = home / f"ws/envs/{profile}.yaml"
            path.write_text(PROFILE.format(name=profile, requirements=wanted))
        done = made.run("lock", *registry.mirrors())
        assert done.returncode == 0, done.stderr
        yield made


def test_a_night_builds_and_tests_under_names_of_its_own(shop: Shop) -> None:
    before = {path: path.read_bytes() for path in (shop.root / "lockfiles").rglob("*.*")}
    first, done = shop.night()
    assert done.returncode == 0, done.stderr
    good = results(first, "good")
    assert [one["status"] for one in good.values()] == ["warn", *["pass"] * 5]
    assert good["lock"]["reason"] == "1 moved: beta 1.0 -> 1.1"
    assert shop.has("good:linux-amd64-cpu-nightly")
    assert not shop.has("good:linux-amd64-cpu")
    assert {path: path.read_bytes() for path in (shop.root / "lockfiles").rglob("*.*")} == before
    assert not (shop.root / "Dockerfiles").exists()
    assert not (shop.root / ".envbuild/builds").exists()

    second, done = shop.night()
    assert done.returncode == 0, done.stderr
    again = results(second, "good")
    assert again["build"]["reason"].startswith("unchanged")
    assert again["smoke"]["carried"] == first["id"]


def test_keep_going_says_what_the_committed_lock_still_does(shop: Shop) -> None:
    code = "raise ImportError('gone')\n"
    shop.index.add("beta", "1.2", uploaded="2026-04-01T00:00:00Z", code=code)
    made, done = shop.night("--keep-going", "other")
    assert done.returncode == 1, done.stderr
    tested = results(made, "other")["smoke"]
    assert tested["status"] == "fail"
    assert "gone" in "".join(tested["tail"])
    assert (tested["parts"][0]["name"], tested["parts"][0]["status"]) == (
        "with the committed lock",
        "pass",
    )
    (of,) = made["profiles"]
    assert [(one["what"], one["old"], one["new"]) for one in of["moves"]] == [
        ("beta", "1.1", "1.2")
    ]
