"""How ``envbuild lock`` fails: every message through the command line, against a real index."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.index import PackageIndex, serving
from tests.support.workspace import Folder


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """An index with a small world: alpha asks for beta, gamma cannot live with new betas."""
    world = (
        PackageIndex()
        .add("alpha", "1.0", requires=("beta>=2",))
        .add("alpha", "2.0", requires=("beta>=2",), uploaded="2027-01-01T00:00:00Z")
        .add("beta", "1.0")
        .add("beta", "2.0")
        .add("gamma", "1.0", requires=("beta<2",))
        .add("delta", "1.0")
        .add("delta", "1.1")
    )
    with serving(world) as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path, index: PackageIndex) -> Folder:
    return Folder(tmp_path / "ws", UV_DEFAULT_INDEX=index.url)


def test_a_lock_is_written_and_then_unchanged(folder: Folder) -> None:
    folder.profile("one", "alpha")
    first = folder.run("lock")
    assert first.returncode == 0, first.stderr
    assert "lock one/linux-amd64-cu128: 2 packages" in first.stderr
    text = folder.read("lockfiles/one/linux-amd64-cu128.txt").decode()
    assert "alpha==1.0 \\\n    --hash=sha256:" in text
    assert "    # via alpha\n" in text
    before = folder.locked("one")
    again = folder.run("lock", "--force")
    assert again.stderr.splitlines()[-1] == "1 profile: 1 unchanged"
    assert folder.locked("one") == before


def test_the_index_is_in_no_file(folder: Folder, index: PackageIndex) -> None:
    folder.profile("one", "alpha")
    folder.run("lock")
    assert not any(b"127.0.0.1" in data for data in folder.locked("one").values())
    assert index.requests > 0


def test_existing_pins_are_kept_until_they_are_let_go(folder: Folder, index: PackageIndex) -> None:
    folder.profile("one", "delta<1.1")
    folder.run("lock")
    folder.profile("one", "delta", "beta")
    assert folder.run("lock").returncode == 0
    assert b"delta==1.0" in folder.read("lockfiles/one/linux-amd64-cu128.txt")
    moved = folder.run("lock", "--upgrade-package", "delta")
    assert moved.returncode == 0
    assert b"delta==1.1" in folder.read("lockfiles/one/linux-amd64-cu128.txt")


def test_the_header_says_who_asked_with_which_bounds(folder: Folder) -> None:
    folder.profile("one", "alpha")
    folder.run("lock")
    header = json.loads(folder.read("lockfiles/one/envbuild.lock.json"))
    packages = {p["name"]: p for p in header["variants"]["linux-amd64-cu128"]["packages"]}
    assert packages["beta"]["requested"] == [{"by": "alpha", "bounds": ">=2"}]


def test_an_unsatisfiable_profile_is_explained_and_the_others_are_written(folder: Folder) -> None:
    folder.profile("bad", "alpha", "delta", "gamma")
    folder.profile("good", "delta")
    done = folder.run("lock")
    assert done.returncode == 1
    assert "bad/linux-amd64-cu128: no set of versions satisfies every requirement" in done.stderr
    assert "envs/bad.yaml:13:18: alpha (required by the profile)" in done.stderr
    assert "envs/bad.yaml:13:36: gamma (required by the profile)" in done.stderr
    assert "delta (required" not in done.stderr
    assert "way out 1, solved here" in done.stderr
    assert "- requirement: beta==" in done.stderr
    assert not folder.locked("bad")
    assert folder.locked("good")


def test_a_failed_profile_keeps_its_old_lock(folder: Folder) -> None:
    folder.profile("one", "alpha")
    folder.run("lock")
    before = folder.locked("one")
    folder.profile("one", "alpha", "gamma")
    assert folder.run("lock").returncode == 1
    assert folder.locked("one") == before


def test_a_package_that_no_index_has(folder: Folder) -> None:
    folder.profile("one", "alpha", "no-such-thing")
    done = folder.run("lock")
    assert done.returncode == 1
    assert "a package is in no index that was asked" in done.stderr
    assert "no index has no-such-thing" in done.stderr
    assert "envs/one.yaml:13:27: no-such-thing" in done.stderr


def test_a_version_published_after_the_moment(folder: Folder) -> None:
    folder.profile("one", "alpha==2.0")
    done = folder.run("lock")
    assert done.returncode == 1
    assert "published at 2027-01-01T00:00:00Z: an as-of after that moment has it" in done.stderr


def test_an_unreachable_index(folder: Folder) -> None:
    folder.profile("one", "alpha")
    done = folder.run("lock", UV_DEFAULT_INDEX="http://127.0.0.1:9/simple")
    assert done.returncode == 3
    assert "the package index cannot be reached" in done.stderr
    assert "UV_DEFAULT_INDEX names" in done.stderr


def test_no_network_and_an_empty_cache(folder: Folder) -> None:
    folder.profile("one", "alpha")
    done = folder.run("lock", "--offline")
    assert done.returncode == 3
    assert "the cache does not hold everything, and the network is off" in done.stderr
    assert "run once without --offline" in done.stderr


def test_offline_after_online_gives_the_same_bytes(folder: Folder, index: PackageIndex) -> None:
    folder.profile("one", "alpha")
    folder.run("lock")
    before, asked = folder.locked("one"), index.requests
    done = folder.run("lock", "--offline", "--force")
    assert done.returncode == 0, done.stderr
    assert folder.locked("one") == before
    assert index.requests == asked


def test_the_index_of_pips_settings_is_asked(folder: Folder, index: PackageIndex) -> None:
    folder.profile("one", "delta")
    del folder.environment["UV_DEFAULT_INDEX"]
    config = folder.root / "home" / ".config" / "pip"
    config.mkdir(parents=True)
    (config / "pip.conf").write_text(f"[global]\nindex-url = {index.url}\n")
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    assert b"delta==1.1" in folder.read("lockfiles/one/linux-amd64-cu128.txt")


def test_the_index_of_uvs_settings_is_asked_and_its_switches_are_not(
    folder: Folder, index: PackageIndex
) -> None:
    folder.profile("one", "delta")
    del folder.environment["UV_DEFAULT_INDEX"]
    config = folder.root / "home" / ".config" / "uv"
    config.mkdir(parents=True)
    (config / "uv.toml").write_text(
        f'resolution = "lowest"\n[[index]]\nname = "company"\nurl = "{index.url}"\ndefault = true\n'
    )
    done = folder.run("lock", UV_RESOLUTION="lowest")
    assert done.returncode == 0, done.stderr
    assert b"delta==1.1" in folder.read("lockfiles/one/linux-amd64-cu128.txt")


def test_uv_is_missing(folder: Folder) -> None:
    folder.profile("one", "alpha")
    done = folder.run("lock", ENVBUILD_UV="/no/such/uv")
    assert done.returncode == 3
    assert "uv is missing: /no/such/uv" in done.stderr
    assert "pip install" in done.stderr


def test_uv_is_too_old(folder: Folder, tmp_path: Path) -> None:
    folder.profile("one", "alpha")
    old = tmp_path / "uv"
    old.write_text("#!/bin/sh\necho uv 0.4.1\n")
    old.chmod(0o755)
    done = folder.run("lock", ENVBUILD_UV=str(old))
    assert done.returncode == 3
    assert "uv 0.4.1 is too old: 0.13.0 is needed" in done.stderr


def test_a_requirement_that_is_none(folder: Folder) -> None:
    folder.profile("one", "alpha >> 3")
    done = folder.run("lock")
    assert done.returncode == 2
    assert "envs/one.yaml:13:18: error: 'alpha >> 3' is not a requirement" in done.stderr
    assert "write it as pip does" in done.stderr


@pytest.mark.parametrize("data", [b"", b"{", b'{"format": 1, "pro', b"[]", b"\xff\xfe"])
def test_a_broken_header(folder: Folder, data: bytes) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    (folder.root / "lockfiles/one/envbuild.lock.json").write_bytes(data)
    done = folder.run("lock")
    assert done.returncode == 2
    assert "lockfiles/one/envbuild.lock.json cannot be read" in done.stderr
    assert "envbuild lock --force" in done.stderr
    assert folder.run("lock", "--force").returncode == 0
    assert folder.run("lock", "--check").returncode == 0


def test_a_lock_of_a_newer_format(folder: Folder) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    path = folder.root / "lockfiles/one/envbuild.lock.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 99'))
    done = folder.run("lock", "--check")
    assert done.returncode == 2
    assert "has format 99; this envbuild reads up to 1" in done.stderr


def test_check_says_which_input_moved(folder: Folder) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    assert folder.run("lock", "--check").returncode == 0
    folder.profile("one", "delta<1.1", "beta")
    done = folder.run("lock", "--check")
    assert done.returncode == 1
    assert "one: lock is stale" in done.stderr
    assert "requirements: - delta, + beta, + delta<1.1" in done.stderr


def test_check_notices_an_edited_requirement_file(folder: Folder) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    path = folder.root / "lockfiles/one/linux-amd64-cu128.txt"
    path.write_text(path.read_text().replace("1.1", "1.0"))
    done = folder.run("lock", "--check")
    assert done.returncode == 1
    assert "lockfiles/one/linux-amd64-cu128.txt was changed since it was locked" in done.stderr
    path.unlink()
    assert "linux-amd64-cu128.txt is missing" in folder.run("lock", "--check").stderr


def test_a_comment_does_not_make_a_lock_stale(folder: Folder) -> None:
    path = folder.profile("one", "delta")
    folder.run("lock")
    path.write_text(f"# a comment\n{path.read_text()}")
    assert folder.run("lock", "--check").returncode == 0


def test_dry_run_writes_nothing_and_gives_reasons(folder: Folder, index: PackageIndex) -> None:
    folder.profile("one", "delta")
    done = folder.run("lock", "--dry-run")
    assert done.stdout == "run  lock one/linux-amd64-cu128  not locked yet\n"
    assert not folder.locked("one")
    assert index.requests == 0


def test_an_unknown_package_cannot_be_upgraded(folder: Folder) -> None:
    folder.profile("one", "delta")
    done = folder.run("lock", "-P", "detla")
    assert done.returncode == 2
    assert "no chosen profile locks 'detla'" in done.stderr
    assert "did you mean delta?" in done.stderr


def test_a_moment_that_is_none(folder: Folder) -> None:
    folder.profile("one", "delta")
    done = folder.run("lock", "--exclude-newer", "yesterday")
    assert done.returncode == 2
    assert "'yesterday' is not a moment" in done.stderr


def test_an_undeclared_index(folder: Folder) -> None:
    folder.profile("one", "delta")
    done = folder.run("lock", "--index", "nvidia")
    assert done.returncode == 2
    assert "one declares no index 'nvidia'" in done.stderr


def mount(folder: Folder, *options: str) -> None:
    """Mount something at the lock folders, where this machine lets us."""
    done = subprocess.run(
        ["mount", *options, "lockfiles"],
        cwd=folder.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must be able to mount: {done.stderr}")
        pytest.skip(f"not run: mount is not allowed here ({done.stderr.strip()})")


def test_a_read_only_folder(folder: Folder) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    before = folder.locked("one")
    folder.profile("one", "delta<1.1")
    mount(folder, "--bind", "lockfiles")
    try:
        mount(folder, "-o", "remount,ro,bind")
        done = folder.run("lock")
    finally:
        subprocess.run(["umount", "lockfiles"], cwd=folder.root, check=True)
    assert done.returncode == 3
    assert "lockfiles/one cannot be written: read-only file system" in done.stderr
    assert folder.locked("one") == before


def test_a_full_disk(folder: Folder) -> None:
    folder.profile("one", "delta")
    (folder.root / "lockfiles").mkdir()
    mount(folder, "-t", "tmpfs", "-o", "size=16k", "tmpfs")
    try:
        (folder.root / "lockfiles/filler").write_bytes(b"x" * 12288)
        done = folder.run("lock")
        left = folder.locked("one")
    finally:
        subprocess.run(["umount", "lockfiles"], cwd=folder.root, check=True)
    assert done.returncode == 3
    assert "lockfiles/one cannot be written: no space left on device" in done.stderr
    assert "free some space" in done.stderr
    assert left == {}


def test_two_at_once_wait_for_each_other(folder: Folder) -> None:
    for number in range(6):
        folder.profile(f"p{number}", "alpha", "delta")
    both = [folder.start("lock", "--force"), folder.start("lock", "--force")]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert any("waiting for another envbuild" in text for text in said), said
    assert folder.run("lock", "--check").returncode == 0


def slow_uv(place: Path) -> Path:
    """A uv that says its version and then takes its time, as a slow index makes it."""
    script = place / "slow-uv"
    script.write_text(
        '#!/bin/sh\ncase "$1" in --version) echo uv 0.13.8;; *) exec sleep 60;; esac\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def test_ctrl_c_leaves_the_old_locks(folder: Folder, tmp_path: Path) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    before = folder.locked("one")
    process = folder.start("lock", "--force", ENVBUILD_UV=str(slow_uv(tmp_path)))
    time.sleep(1.0)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert time.monotonic() - started < 10
    assert "interrupted: nothing is half written" in err
    assert folder.locked("one") == before


def test_kill_9_in_the_middle_leaves_old_or_new(folder: Folder) -> None:
    folder.profile("one", "delta<1.1")
    folder.run("lock")
    old = folder.locked("one")
    folder.profile("one", "delta", "beta")
    folder.run("lock", "--upgrade")
    new = folder.locked("one")
    assert old != new
    for delay in (0.15, 0.25, 0.3, 0.35, 0.4, 0.5):
        folder.profile("one", "delta<1.1")
        assert folder.run("lock", "--upgrade").returncode == 0
        assert folder.locked("one") == old
        folder.profile("one", "delta", "beta")
        process = folder.start("lock", "--upgrade")
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        folder.run("lock", "--check")
        assert folder.locked("one") in (old, new)


def test_check_does_not_go_with_what_would_change_the_answer(folder: Folder) -> None:
    folder.profile("one", "delta")
    done = folder.run("lock", "--check", "--upgrade")
    assert done.returncode == 2
    assert "--check does not go with --upgrade" in done.stderr


def test_a_changed_reason_is_taken_over_without_a_solver(folder: Folder) -> None:
    path = folder.profile("one", "delta")
    relaxed = "  overrides: [{requirement: beta==1.0, reason: because}]\nvariants:"
    path.write_text(path.read_text().replace("variants:", relaxed))
    assert folder.run("lock").returncode == 0
    path.write_text(path.read_text().replace("because", "for another reason"))
    done = folder.run("lock", "--check")
    assert done.returncode == 1
    assert "reasons of relaxations were changed" in done.stderr
    assert folder.run("lock", ENVBUILD_UV="/no/such/uv").returncode == 0
    assert b"for another reason" in folder.read("lockfiles/one/envbuild.lock.json")
    assert folder.run("lock", "--check").returncode == 0


def test_a_gpu_that_the_cuda_cannot_make_code_for(folder: Folder) -> None:
    path = folder.profile("one", "delta")
    text = path.read_text().replace("cu128", "cu126")
    path.write_text(f"{text}hardware:\n  gpus: [sm_90, sm_120]\n")
    done = folder.run("lock")
    assert done.returncode == 1
    assert "envs/one.yaml:17:17: error: CUDA 12.6 makes no code for sm_120" in done.stderr
    assert not folder.locked("one")


def test_the_speakers_of_a_profile_are_quoted_with_their_bounds(folder: Folder) -> None:
    path = folder.profile("one", "delta")
    path.write_text(path.read_text().replace("variants:", "  constraints: [delta<1.1]\nvariants:"))
    assert folder.run("lock").returncode == 0
    header = json.loads(folder.read("lockfiles/one/envbuild.lock.json"))
    (delta,) = header["variants"]["linux-amd64-cu128"]["packages"]
    assert delta["requested"] == [
        {"by": "profile"},
        {"by": "profile (constraint)", "bounds": "<1.1"},
    ]
