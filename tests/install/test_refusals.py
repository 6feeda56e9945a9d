"""What ``envbuild install`` refuses before anything is fetched; and how it is interrupted."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.install.conftest import OTHER, TOOL, VARIANT, Lab, Serve, behind
from tests.support import conda_server
from tests.support.conda_server import Served


def told(lab: Lab, status: int = 2, *more: str) -> str:
    """What is said by a command that is refused, and that leaves everything as it is."""
    before = {path: path.lstat().st_mtime_ns for path in sorted(lab.places.rglob("*"))}
    done = lab.install(*more)
    assert done.returncode == status, done.stderr
    assert {path: path.lstat().st_mtime_ns for path in sorted(lab.places.rglob("*"))} == before
    assert not (lab.root / "rattler/pkgs").exists()
    return done.stderr


def test_a_file_at_the_prefix(small: Lab) -> None:
    small.prefix.write_text("mine\n")
    assert f"error: {small.prefix} is there already\n  hint: an environment is made" in told(small)


def test_a_folder_with_something_in_it(small: Lab) -> None:
    small.prefix.mkdir()
    (small.prefix / "mine").write_text("mine\n")
    assert f"error: {small.prefix} is there already" in told(small)


@pytest.mark.parametrize("target", ["nowhere", "empty"])
def test_a_link_at_the_prefix(small: Lab, target: str) -> None:
    (small.places / "empty").mkdir()
    small.prefix.symlink_to(target)
    assert f"error: {small.prefix} is there already" in told(small)


@pytest.mark.parametrize("name", ["o'brien", 'the "lab"', "$HOME", "`pwd`", "a:b", "a\\b", "a\nb"])
def test_a_prefix_that_would_break_its_scripts(small: Lab, name: str) -> None:
    small.prefix = small.places / name
    said = told(small)
    assert "error: an environment cannot stand at " in said
    assert "hint: its scripts name its path" in said


def test_a_prefix_that_is_no_text(small: Lab) -> None:
    small.prefix = Path(os.fsdecode(bytes(small.places) + b"/gr\xfcn"))
    assert "error: an environment cannot stand at " in told(small)


def test_a_prefix_in_a_file(small: Lab) -> None:
    (small.places / "file").write_text("mine\n")
    small.prefix = small.places / "file/env"
    assert "cannot be written" in told(small, 3)


def test_a_lock_that_is_stale(small: Lab) -> None:
    small.write("tool=1.0")
    said = told(small)
    assert said.startswith("error: one: lock is stale\n")
    assert "conda packages: - tool, + tool=1.0\n" in said
    assert "hint: envbuild lock one\n" in said


def test_a_lock_that_is_missing(small: Lab) -> None:
    small.conda_profile("two", "tool", variants=(VARIANT,))
    done = small.run("install", "two", str(small.prefix))
    assert done.returncode == 2
    assert "error: two: lock is missing\n  lockfiles/two holds no lock\n" in done.stderr
    assert "hint: envbuild lock two\n" in done.stderr


def test_a_lock_that_was_changed_by_hand(small: Lab) -> None:
    path = small.root / "lockfiles/one/conda-lock.yml"
    path.write_bytes(path.read_bytes().replace(b"sha256: ", b"sha256: 00"))
    said = told(small)
    assert "error: one: lock is broken\n" in said
    assert "lockfiles/one/conda-lock.yml was changed since it was locked\n" in said


def test_a_profile_that_is_not_there(small: Lab) -> None:
    done = small.run("install", "on", str(small.prefix))
    assert done.returncode == 2
    assert "one" in done.stderr.partition("hint: ")[2]


def test_a_profile_without_conda(small: Lab) -> None:
    small.profile("plain")
    done = small.run("lock", "plain", UV_DEFAULT_INDEX="http://127.0.0.1:9/simple")
    assert done.returncode == 0, done.stderr
    done = small.run("install", "plain", str(small.prefix))
    assert done.returncode == 2
    assert "error: plain has no conda part: its environment is an image" in done.stderr
    assert "hint: envbuild render plain" in done.stderr
    assert small.left() == []


def test_a_variant_that_is_not_there(small: Lab) -> None:
    said = told(small, 2, "--variant", "cpu")
    assert f"error: one has no variant 'cpu'\n  hint: variants: {VARIANT}" in said


def test_variants_for_other_machines(small: Lab) -> None:
    other, far = f"linux-{OTHER}-cpu", f"linux-{OTHER}-cu128"
    small.conda_profile("one", variants=(other, far))
    small.lock()
    assert f"error: {other} and {far} are for another machine than this one (" in told(small)
    said = told(small, 2, "--variant", far)
    assert f"error: {far} is for another machine than this one (" in said


# --- Interrupted ----------------------------------------------------------------------------------


@pytest.fixture
def silent(small: Lab, world: Path, serve: Serve) -> Served:
    """A server that never sends the last package."""
    return behind(small, world, serve, {TOOL: conda_server.silent})


def until_asked(served: Served) -> None:
    deadline = time.monotonic() + 20
    while not served.asked(TOOL):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_while_a_package_is_fetched(
    small: Lab, silent: Served, sign: signal.Signals
) -> None:
    process = small.start("install", "one", str(small.prefix))
    until_asked(silent)
    started = time.monotonic()
    process.send_signal(sign)
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - started < 5
    assert process.returncode == 130, said
    assert said.strip() == "error: interrupted: nothing is half written"
    assert small.left() == []
    assert not list((small.root / "rattler").rglob("*.part"))


def test_killed_while_a_package_is_fetched(small: Lab, silent: Served) -> None:
    process = small.start("install", "one", str(small.prefix))
    until_asked(silent)
    process.kill()
    process.communicate(timeout=30)
    assert not small.prefix.exists()


def test_interrupted_while_uv_works(warm: Lab) -> None:
    uv = warm.fake_uv("touch uv-runs\nexec sleep 60")
    before = set(Path(warm.root).iterdir())
    process = warm.start("install", "one", str(warm.prefix), ENVBUILD_UV=uv, TMPDIR=str(warm.root))
    deadline = time.monotonic() + 20
    while not list(warm.root.glob("envbuild-*/uv-runs")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    assert any(name.startswith("env.envbuild-") for name in warm.left())
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert warm.left() == []
    assert {path for path in warm.root.iterdir() if path.name.startswith("envbuild-")} == set()
    assert set(warm.root.iterdir()) - before <= {warm.root / "rattler", warm.root / ".envbuild"}


def test_killed_while_uv_works(warm: Lab) -> None:
    uv = warm.fake_uv("touch uv-runs\nexec sleep 2")
    process = warm.start("install", "one", str(warm.prefix), ENVBUILD_UV=uv, TMPDIR=str(warm.root))
    deadline = time.monotonic() + 20
    while not list(warm.root.glob("envbuild-*/uv-runs")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=30)
    assert not warm.prefix.exists()
    assert [name.startswith("env.envbuild-") for name in warm.left()] == [True]
    warm.prefix.mkdir()
    assert warm.install().returncode == 0
