"""``envbuild vendor``: what lies in the folder, what is fetched again, what a broken run leaves."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.fetch.test_repositories import git
from tests.registry.answers import Asked, Said
from tests.support.workspace import ENVBUILD
from tests.vendor.conftest import World

pytestmark = pytest.mark.git


def test_everything_of_a_lock_is_there_by_its_hash(world: World) -> None:
    done = world.vendor("one")
    assert done.returncode == 0, done.stderr
    found = world.manifest()
    kinds = [one["kind"] for one in found["artifacts"]]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "wheel": 2, "image": 1, "blob": 3,
    }  # fmt: skip
    assert not world.trace.exists()  # nothing here needs an engine
    for one in found["artifacts"]:
        data = (world.dir / one["file"]).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (one["sha256"], one["size"])
    world.whole()


def test_no_address_of_an_index_or_a_mirror_is_written(world: World) -> None:
    world.vendor("one")
    for path in (world.dir / "vendor.json", world.dir / "images/index.json"):
        assert "127.0.0.1" not in path.read_text()
    assert world.artifact("wheel", "alpha")["locations"] == [
        {"kind": "index", "at": "alpha==1.0 alpha-1.0-py3-none-any.whl"}
    ]
    places = [one["at"].partition("@")[0] for one in world.artifact("image")["locations"]]
    assert places[0] == "docker.io/library/debian"
    assert len(places) > 1


def test_the_images_are_a_layout_that_other_tools_read(world: World) -> None:
    world.vendor("one")
    index = json.loads((world.dir / "images/index.json").read_text())
    (entry,) = index["manifests"]
    assert entry["digest"] == world.image.digest
    assert entry["size"] == len(world.image.manifest)
    blobs = {path.name for path in (world.dir / "images/blobs/sha256").iterdir()}
    wanted = {world.image.digest, *world.image.blobs}
    assert blobs == {one.removeprefix("sha256:") for one in wanted}


def test_the_bundle_is_one_that_git_fetches_from(world: World, tmp_path: Path) -> None:
    """Its commit has a parent that is not in it, so the reader says that it is shallow."""
    world.with_git()
    world.vendor("one")
    made = tmp_path / "clone"
    made.mkdir()
    git(made, "init", "--quiet")
    (made / ".git/shallow").write_text(f"{world.commit}\n")
    git(made, "fetch", "--quiet", str(world.file("git")), "refs/heads/envbuild")
    git(made, "checkout", "--quiet", "FETCH_HEAD")
    assert git(made, "rev-parse", "HEAD") == world.commit
    assert (made / "file").read_text() == "two"


def test_what_cannot_be_vendored_is_named(world: World) -> None:
    """A git source needs git in its stage, whose packages the base image's apt would name."""
    world.with_git()
    done = world.vendor("one")
    assert done.returncode == 1
    assert "not vendored: its Debian packages: no engine is there to run" in done.stderr
    assert "1 variant: 1 incomplete" in done.stderr
    built = world.run("build", "one", "--vendor", str(world.dir))
    assert built.returncode == 2
    assert "cannot be built from" in built.stderr
    assert world.run("vendor", "--check", str(world.dir)).returncode == 1


def test_nothing_is_asked_again_and_two_profiles_share_their_files(world: World) -> None:
    world.vendor("one")
    before = {path: path.stat().st_mtime_ns for path in world.dir.rglob("*") if path.is_file()}
    world.server.asked.clear()
    world.packages.requests = 0
    done = world.vendor("one")
    assert (done.returncode, world.server.asked, world.packages.requests) == (0, [], 0)
    assert "unchanged" in done.stderr
    world.profile("two")
    world.lock("two")
    world.server.asked.clear()
    assert world.vendor("two").returncode == 0
    assert not [path for path in world.server.paths() if "/blobs/" in path]
    after = {path for path in world.dir.rglob("*") if path.is_file()}
    assert {path.name for path in after - before.keys()} == set()
    assert [one["profile"] for one in world.manifest()["targets"]] == ["one", "two"]
    world.whole()


@pytest.mark.parametrize("kind", ["wheel", "blob", "image"])
def test_a_file_that_broke_is_found_and_fetched_again(world: World, kind: str) -> None:
    world.vendor("one")
    path = world.file(kind)
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(b"?" + data[1:])
    checked = world.run("vendor", "--check", str(world.dir))
    assert checked.returncode == 1
    assert f"{path.relative_to(world.dir)}: other bytes" in checked.stdout
    shutil.rmtree(world.root / "xdg")
    assert world.vendor("one").returncode == 0
    assert path.read_bytes() == data
    world.whole()


def test_what_is_in_the_folder_is_not_fetched_for_another_lock(world: World) -> None:
    """A relock that moves one wheel fetches one wheel, although the cache is empty."""
    world.vendor("one")
    world.packages.add("beta", "2.1", uploaded="2025-01-01T00:00:00Z")
    assert world.run("lock", "one", "--upgrade").returncode == 0
    shutil.rmtree(world.root / "xdg")
    os.unlink(
        world.dir / "files" / Path(world.artifact("wheel", "beta")["file"]).relative_to("files")
    )
    del world.packages.files["alpha"]["alpha-1.0-py3-none-any.whl"]
    world.packages.add("alpha", "1.0")
    done = world.vendor("one", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["targets"]
    assert row["reason"] == "the lock has changed"
    wheels = [one["version"] for one in world.manifest()["artifacts"] if one["kind"] == "wheel"]
    assert wheels == ["1.0", "2.1"]
    world.whole()


def test_a_killed_run_leaves_no_half_file_and_the_next_goes_on(world: World) -> None:
    """The registry stops in the middle of a layer, and the process is killed there."""
    big = max(world.image.blobs, key=lambda one: len(world.image.blobs[one]))
    data = world.image.blobs[big]
    path = f"/v2/hub/library/debian/blobs/{big}"
    begun, held = threading.Event(), threading.Event()
    ranges: list[str] = []

    def half(asked: Asked) -> Said:
        if not begun.is_set():
            begun.set()
            return Said(200, data, cut=len(data) // 2)
        if not held.is_set():
            held.wait(20)
            return Said(503)
        start = int(asked.headers["Range"].removeprefix("bytes=").rstrip("-"))
        ranges.append(asked.headers["Range"])
        span = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return Said(206, data[start:], {"Content-Range": span})

    world.server.answers[path] = half
    running = world.start("vendor", "one", str(world.dir))
    assert begun.wait(20)
    while not any(one.stat().st_size == len(data) // 2 for one in world.dir.rglob(".part")):
        assert running.poll() is None
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    held.set()
    assert not (world.dir / "vendor.json").exists()
    assert not (world.dir / "images/blobs/sha256" / big.removeprefix("sha256:")).exists()
    done = world.vendor("one")
    assert done.returncode == 0, done.stderr
    assert ranges == [f"bytes={len(data) // 2}-"]
    assert not (world.dir / ".partial").exists()
    world.whole()


def test_a_layer_with_other_bytes_is_refused(world: World) -> None:
    big = max(world.image.blobs, key=lambda one: len(world.image.blobs[one]))
    world.server.answers[f"/v2/hub/library/debian/blobs/{big}"] = Said(
        200, b"?" + world.image.blobs[big][1:]
    )
    done = world.vendor("one")
    assert done.returncode == 3
    assert "other bytes than its digest says" in done.stderr
    assert not (world.dir / "vendor.json").exists()


def test_a_full_disk_is_said(world: World) -> None:
    done = subprocess.run(
        [ENVBUILD, "vendor", "one", str(world.dir)],
        cwd=world.root, env=world.environment, capture_output=True, text=True, check=False,
        preexec_fn=lambda: (
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
        ),
    )  # fmt: skip
    assert done.returncode == 3
    assert "cannot be written" in done.stderr
    assert not (world.dir / "vendor.json").exists()
    assert world.vendor("one").returncode == 0
    world.whole()


def test_another_registry_is_asked_where_the_first_has_it_no_more(world: World) -> None:
    """Docker Hub's images lie at two other places under the same digest."""
    for path in [one for one in world.server.answers if one.startswith("/v2/hub/")]:
        answer = world.server.answers.pop(path)
        world.server.answers[path.replace("/v2/hub/", "/v2/other/")] = answer
    place = world.server.place
    mirrors = f"docker.io={place}/hub mirror.gcr.io={place}/other"
    done = world.vendor("one", ENVBUILD_MIRRORS=mirrors)
    assert done.returncode == 0, done.stderr
    assert [one["name"] for one in world.manifest()["artifacts"] if one["kind"] == "image"] == [
        "docker.io/library/debian"
    ]


def test_a_plan_fetches_nothing(world: World) -> None:
    world.server.asked.clear()
    done = world.vendor("one", "--dry-run", "--json")
    (step,) = json.loads(done.stdout)
    assert (step["kind"], step["action"], step["reason"]) == (
        "vendor",
        "run",
        "not in the folder yet",
    )
    assert not world.dir.exists()
    assert world.server.asked == []


def test_check_with_a_profile_holds_its_lock_against_the_folder(world: World) -> None:
    world.vendor("one")
    world.packages.add("beta", "2.1", uploaded="2025-01-01T00:00:00Z")
    assert world.run("lock", "one", "--upgrade").returncode == 0
    done = world.run("vendor", "--check", "one", str(world.dir))
    assert done.returncode == 1
    assert done.stdout == "one/linux-amd64-cpu: the lock has changed\n"
