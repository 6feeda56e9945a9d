"""``envbuild build --vendor``: what is refused before an engine is asked for."""

from __future__ import annotations

import json

import pytest

from tests.vendor.conftest import World

pytestmark = pytest.mark.git


def refused(world: World, *argv: str) -> str:
    """What is said, and no engine was called."""
    done = world.run("build", "one", "--vendor", str(world.dir), *argv)
    assert done.returncode == 2, done.stderr
    assert not world.trace.exists()
    return done.stderr


def test_a_folder_that_is_none(world: World) -> None:
    assert "holds no vendor.json" in refused(world)


@pytest.mark.parametrize("kind", ["wheel", "blob", "image"])
def test_a_missing_artifact_is_named(world: World, kind: str) -> None:
    world.vendor("one")
    one = world.artifact(kind)
    (world.dir / one["file"]).unlink()
    said = refused(world)
    assert f"is not whole for one/linux-amd64-cpu\n  {kind} {one['name']}" in said
    assert f"{one['file']}: missing" in said


def test_a_wrong_hash_is_named(world: World) -> None:
    world.vendor("one")
    path = world.file("wheel", "beta")
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1] + b"?")
    assert "wheel beta 2.0" in refused(world)


def test_another_lock(world: World) -> None:
    world.vendor("one")
    world.packages.add("beta", "2.1", uploaded="2025-01-01T00:00:00Z")
    assert world.run("lock", "one", "--upgrade").returncode == 0
    assert world.run("render", "one").returncode == 0
    assert "holds one/linux-amd64-cpu of another lock" in refused(world)


def test_an_edited_manifest(world: World) -> None:
    world.vendor("one")
    path = world.dir / "vendor.json"
    found = json.loads(path.read_text())
    found["artifacts"][0]["size"] += 1
    path.write_text(json.dumps(found))
    assert "vendor.json is broken: it was edited, or cut" in refused(world)
    path.write_text("{")
    assert "vendor.json cannot be read" in refused(world)


@pytest.mark.parametrize("option", ["--online", "--push", "--cache-from=a.example/b"])
def test_an_option_that_wants_the_network(world: World, option: str) -> None:
    name = option.partition("=")[0]
    assert f"--vendor does not go with {name}" in refused(world, option)
