"""How ``envbuild lock`` locks: what it writes, keeps and checks, against a real index."""

from __future__ import annotations

import json

import pytest

from tests.support.index import PackageIndex
from tests.support.workspace import Folder


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


def test_a_requirement_that_is_none(folder: Folder) -> None:
    folder.profile("one", "alpha >> 3")
    done = folder.run("lock")
    assert done.returncode == 2
    assert "envs/one.yaml:13:18: error: 'alpha >> 3' is not a requirement" in done.stderr
    assert "write it as pip does" in done.stderr


def test_check_says_which_input_moved(folder: Folder) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    assert folder.run("lock", "--check").returncode == 0
    folder.profile("one", "delta<1.1", "beta")
    done = folder.run("lock", "--check")
    assert done.returncode == 1
    assert "one: lock is stale" in done.stderr
    assert "requirements: - delta, + beta, + delta<1.1" in done.stderr


def test_a_comment_does_not_make_a_lock_stale(folder: Folder) -> None:
    path = folder.profile("one", "delta")
    folder.run("lock")
    path.write_text(f"# a comment\n{path.read_text()}")
    assert folder.run("lock", "--check").returncode == 0


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


def test_check_does_not_go_with_what_would_change_the_answer(folder: Folder) -> None:
    folder.profile("one", "delta")
    done = folder.run("lock", "--check", "--upgrade")
    assert done.returncode == 2
    assert "--check does not go with --upgrade" in done.stderr


def test_a_gpu_that_the_cuda_cannot_make_code_for(folder: Folder) -> None:
    path = folder.profile("one", "delta")
    text = path.read_text().replace("cu128", "cu126")
    path.write_text(f"{text}hardware:\n  gpus: [sm_90, sm_120]\n")
    done = folder.run("lock")
    assert done.returncode == 2
    assert "envs/one.yaml:17:17: error: CUDA 12.6 makes no code for sm_120" in done.stderr
    assert not folder.locked("one")


@pytest.mark.parametrize(
    "text", ["alpha @ https://example.org/alpha.whl", "alpha@git+https://example.org/alpha"]
)
def test_an_address_is_no_requirement_of_a_lock(folder: Folder, text: str) -> None:
    folder.profile("one", "beta", text)
    done = folder.run("lock")
    assert done.returncode == 2
    assert f"envs/one.yaml:13:26: error: {text!r} names an address" in done.stderr
    assert "a repository belongs under git: (with its commit)" in done.stderr
    assert "python.indexes" in done.stderr
    assert not folder.locked("one")


def test_an_address_in_stated_metadata(folder: Folder) -> None:
    path = folder.profile("one", "beta")
    stated = (
        "\n  metadata:\n    - {name: beta, source: read, requires-dist: ['x @ https://x.org/x']}\n"
    )
    path.write_text(path.read_text().replace("\nvariants:", f"{stated}variants:"))
    done = folder.run("lock")
    assert done.returncode == 2
    assert "envs/one.yaml:15:50: error: 'x @ https://x.org/x' names an address" in done.stderr


@pytest.mark.parametrize("text", ["https://example.org/alpha.whl", "./alpha", "-e ."])
def test_a_bare_address_is_refused_where_it_stands(folder: Folder, text: str) -> None:
    folder.profile("one", text)
    done = folder.run("lock")
    assert done.returncode == 2
    assert done.stderr.count("envs/one.yaml:13:18: error: ") == 1
    assert "is not a requirement" in done.stderr or "requirement as pip takes it" in done.stderr


def test_a_folder_that_cannot_be_listed(folder: Folder) -> None:
    """A link to itself: what root may not read either."""
    folder.profile("one", "delta")
    assert folder.run("lock").returncode == 0
    (folder.root / "Dockerfiles").mkdir()
    (folder.root / "Dockerfiles" / "one").symlink_to("one")
    for command in (("render",), ("render", "--check")):
        done = folder.run(*command)
        assert done.returncode == 2
        assert "Dockerfiles/one" in done.stderr
        assert "bug" not in done.stderr
    (folder.root / "lockfiles").rename(folder.root / "aside")
    (folder.root / "lockfiles").symlink_to("lockfiles")
    done = folder.run("lock", "--check")
    assert done.returncode == 2
    assert "lockfiles cannot be read: too many levels of symbolic links" in done.stderr.lower()


def test_a_file_to_copy_that_is_not_there(folder: Folder) -> None:
    path = folder.profile("one", "delta")
    path.write_text(path.read_text() + "files: [{source: nofile, path: /opt/x}]\n")
    done = folder.run("lock")
    assert done.returncode == 2
    assert "envs/one.yaml:16:10: error: envs/nofile does not exist" in done.stderr
    assert "hint: its path is relative to the file of the profile" in done.stderr


def test_a_uv_that_is_killed(folder: Folder) -> None:
    folder.profile("one", "delta")
    killed = folder.fake_uv("kill -9 $$")
    done = folder.run("lock", ENVBUILD_UV=killed)
    assert done.returncode == 3
    assert "uv was killed" in done.stderr
    assert "hint: the system kills what takes too much memory: try --jobs 1" in done.stderr
