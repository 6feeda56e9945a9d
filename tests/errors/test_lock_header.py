"""Lock folders that are broken, edited, newer or left over."""

from __future__ import annotations

import json

import msgspec
import pytest

from envbuild.lock.folder import decode, encode
from tests.support.workspace import Folder

HEADER = "lockfiles/one/envbuild.lock.json"


def edit(folder: Folder, old: str, new: str) -> None:
    path = folder.root / HEADER
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


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
    edit(folder, '"format": 3', '"format": 4')
    for argv in (("lock", "--check"), ("lock",), ("lock", "--dry-run"), ("render",)):
        done = folder.run(*argv)
        assert done.returncode == 2
        assert "has format 4; this envbuild reads up to 3" in done.stderr


def older(folder: Folder) -> None:
    """A header of format 1, where the conda part of an input was a list of texts."""
    path = folder.root / HEADER
    header = json.loads(path.read_text())
    del header["seal"]
    header["format"] = 1
    (variant,) = header["variants"].values()
    variant["input"]["conda"] = ["channel conda-forge", "python=3.11"]
    path.write_text(json.dumps(header))


@pytest.mark.parametrize(
    "argv", [("lock",), ("lock", "--check"), ("lock", "--dry-run"), ("render",)]
)
def test_a_lock_of_an_older_format(folder: Folder, argv: tuple[str, ...]) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    whole = folder.locked("one")
    older(folder)
    before = folder.locked("one")
    done = folder.run(*argv)
    assert done.returncode == 2
    assert f"{HEADER} has format 1, of an older envbuild" in done.stderr
    assert "restore it from version control, or write it anew with: envbuild lock --force one" in (
        done.stderr
    )
    assert "cannot be read" not in done.stderr
    assert folder.locked("one") == before
    assert folder.run("lock", "--force", "one").returncode == 0
    assert folder.locked("one") == whole


def test_an_older_lock_without_a_conda_part_is_still_fresh(folder: Folder) -> None:
    """What it says is read as it was, so its digest and its seal hold."""
    folder.profile("one", "delta")
    folder.run("lock")
    path = folder.root / HEADER
    made = decode(path.read_bytes(), HEADER)
    path.write_bytes(encode(msgspec.structs.replace(made, format=1)))
    before = folder.locked("one")
    for argv in (("lock", "--check"), ("lock",), ("render",)):
        done = folder.run(*argv)
        assert (done.returncode, "format" in done.stderr) == (0, False)
    assert folder.locked("one") == before


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


@pytest.mark.parametrize("argv", [("lock",), ("lock", "--check"), ("lock", "--dry-run")])
def test_a_header_edited_by_hand(folder: Folder, argv: tuple[str, ...]) -> None:
    folder.profile("one", "alpha")
    folder.run("lock")
    whole = folder.locked("one")
    edit(folder, '"bounds": ">=2"', '"bounds": ">=1"')
    done = folder.run(*argv)
    assert done.returncode == 2
    assert f"{HEADER} is broken: edited by hand" in done.stderr
    assert "envbuild lock --force one" in done.stderr
    assert folder.run("lock", "--force").returncode == 0
    assert folder.locked("one") == whole


def test_a_header_with_another_form_says_the_same(folder: Folder) -> None:
    folder.profile("one", "alpha")
    folder.run("lock")
    path = folder.root / HEADER
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert folder.run("lock", "--check").returncode == 0


def test_a_header_of_before_seals_is_sealed_by_the_next_lock(folder: Folder) -> None:
    folder.profile("one", "alpha")
    folder.run("lock")
    whole = folder.locked("one")
    seal = json.loads(whole["envbuild.lock.json"])["seal"]
    edit(folder, f'  "seal": "{seal}",\n', "")
    done = folder.run("lock", "--check")
    assert done.returncode == 1
    assert "lockfiles/one is not sealed" in done.stderr
    assert folder.run("lock", ENVBUILD_UV="/no/such/uv").returncode == 0
    assert folder.locked("one") == whole


def test_a_half_merged_header(folder: Folder) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    edit(folder, '  "profile"', '<<<<<<< HEAD\n  "profile"')
    done = folder.run("lock", "--check")
    assert done.returncode == 2
    assert f"{HEADER} cannot be read: it holds the marks of a merge conflict" in done.stderr


def test_force_does_not_write_over_a_lock_of_a_newer_format(folder: Folder) -> None:
    folder.profile("one", "delta")
    folder.run("lock")
    edit(folder, '"format": 3', '"format": 99')
    before = folder.locked("one")
    done = folder.run("lock", "--force")
    assert done.returncode == 2
    assert "has format 99; this envbuild reads up to 3" in done.stderr
    assert "upgrade envbuild" in done.stderr
    assert folder.locked("one") == before


def test_a_broken_header_does_not_stop_the_others(folder: Folder) -> None:
    for name in ("a", "one", "z"):
        folder.profile(name, "delta")
    folder.run("lock", "a", "one")
    (folder.root / HEADER).write_text("{")
    done = folder.run("lock")
    assert done.returncode == 2
    assert done.stderr.count("cannot be read") == 1
    assert done.stderr.splitlines()[-1] == "3 profiles: 1 written, 1 unchanged, 1 failed"
    assert folder.locked("z")
    checked = folder.run("lock", "--check")
    assert checked.returncode == 2
    assert "1 of 3 locks are not fresh" in checked.stderr
    assert folder.run("list").returncode == 0
    rows = {row["profile"]: row for row in json.loads(folder.run("lock", "--json").stdout)}
    assert [rows[name]["status"] for name in ("a", "one", "z")] == [
        "unchanged",
        "failed",
        "unchanged",
    ]
    assert "cannot be read" in rows["one"]["problems"][0]


def test_check_gives_json_for_whatever_is_wrong(folder: Folder) -> None:
    for name in ("fine", "one", "wrong", "moved", "new"):
        folder.profile(name, "delta")
    folder.run("lock", "fine", "one", "moved")
    (folder.root / HEADER).write_text("{")
    folder.profile("moved", "beta")
    (folder.root / "envs/wrong.yaml").write_text("schema: 1\nnmae: wrong\n")
    done = folder.run("lock", "--check", "--json")
    assert done.returncode == 2
    states = json.loads(done.stdout)
    assert {name: state["status"] for name, state in states.items()} == {
        "fine": "fresh",
        "moved": "stale",
        "new": "missing",
        "one": "broken",
        "wrong": "invalid",
    }
    assert any("envs/wrong.yaml:2:1" in reason for reason in states["wrong"]["reasons"])
    assert "wrong: the profile is invalid" in done.stderr
    assert folder.run("lock", "--check", "no-such").returncode == 2


def test_folders_of_profiles_that_are_gone_are_mentioned(folder: Folder) -> None:
    folder.profile("gone", "delta")
    path = folder.profile("one", "delta")
    folder.run("lock")
    path.rename(folder.root / "envs/two.yaml")
    (folder.root / "envs/two.yaml").write_text(
        (folder.root / "envs/two.yaml").read_text().replace("name: one", "name: two")
    )
    (folder.root / "lockfiles/notes").mkdir()
    for argv, status in ((("lock", "--check"), 1), (("lock",), 0), (("lock", "--dry-run"), 0)):
        done = folder.run(*argv)
        assert done.returncode == status, done.stderr
        assert "hint: lockfiles/one belongs to no profile" in done.stderr
        assert "notes" not in done.stderr
        assert "gone belongs" not in done.stderr
    assert "belongs to no" not in folder.run("lock", "two").stderr
    assert "belongs to no" not in folder.run("-q", "lock").stderr
