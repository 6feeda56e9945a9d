"""What ``envbuild bisect`` says of sides, tests and locks that it cannot search between."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from envbuild.history.blobs import lock_blob
from envbuild.history.folder import FolderHistory
from envbuild.history.model import SCHEMA, Night, ProfileNight, StageResult, Status
from envbuild.lock import folder as folders
from tests.support.index import PackageIndex
from tests.support.workspace import Folder

PASSES = ("--test", "true")
EARLY, LATE = "2024-06-01T00:00:00Z", "2026-01-01T00:00:00Z"


@pytest.fixture
def locked(folder: Folder, index: PackageIndex) -> Folder:
    """A profile whose good lock is in ``good`` and whose bad one stands."""
    for number in range(4):
        index.add(f"e{number}", "1.0").add(f"e{number}", "2.0", uploaded="2025-01-01T00:00:00Z")
    path = folder.profile("one", "e0", "e1", "e2", "e3")
    path.write_text(path.read_text().replace("as-of: 2026-01-01T00:00:00Z\n", ""))
    for moment in (EARLY, LATE):
        done = folder.run("lock", "-q", "--upgrade", "--exclude-newer", moment, "one")
        assert done.returncode == 0, done.stderr
        if moment == EARLY:
            shutil.copytree(folder.root / "lockfiles" / "one", folder.root / "good")
    return folder


def refused(folder: Folder, *words: str, code: int = 2) -> str:
    done = folder.run("bisect", *words)
    assert done.returncode == code, done.stdout + done.stderr
    assert not done.stdout
    return done.stderr


def test_wrong_usage(locked: Folder) -> None:
    assert "missing option '--test'" in refused(locked, "one")
    assert "--offline does not go with --online" in refused(
        locked, "one", *PASSES, "--online", "--offline"
    )
    assert "--timeout -1 is no time" in refused(locked, "one", *PASSES, "--timeout", "-1")
    assert "0 is not in the range" in refused(locked, "one", *PASSES, "--repeat", "0")
    assert "--test is empty" in refused(locked, "one", "--test", "")
    assert "cannot be read: No closing quotation" in refused(locked, "one", "--test", "a 'b")
    assert "no profile is called 'oen'" in refused(locked, "oen", *PASSES)
    assert "one has no variant 'linux'" in refused(locked, "one", *PASSES, "--variant", "linux")


def test_sides_that_are_none(locked: Folder) -> None:
    (locked.root / "empty").mkdir()
    for side, words in (
        ("./nowhere", "./nowhere holds no lock"),
        ("empty", "empty holds no lock"),
        ("HEAD", "this is no git repository"),
        ("HEAD:other", "'HEAD:other' is of another profile than one"),
    ):
        assert words in refused(locked, "one", *PASSES, "--good", side)
    said = refused(locked, "one", *PASSES)
    assert "no good lock of one is known: this is no git repository" in said
    assert "--good SIDE names one: a lock folder, a git revision" in said
    same = refused(locked, "one", *PASSES, "--good", "lockfiles/one")
    assert "lockfiles/one and lockfiles/one are the same lock" in same
    shutil.rmtree(locked.root / "lockfiles")
    assert "lockfiles/one holds no lock" in refused(locked, "one", *PASSES, "--good", "good")


def test_sides_that_are_not_what_they_are_said_to_be(locked: Folder) -> None:
    good = ("--good", "good")
    said = refused(locked, "one", *good, "--test", "true", code=1)
    assert "the bad side is not bad: it passes the test" in said
    assert "what broke is no longer there" in said
    said = refused(locked, "one", *good, "--test", "false", code=1)
    assert "the good side is not good: it fails the test too (exit status 1)" in said
    done = locked.run("bisect", "one", *good, "--test", "false", "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert not answer["found"]
    assert answer["reason"].startswith("the good side is not good")
    assert answer["hint"].startswith("name an older one")


def test_a_lock_that_is_not_of_the_profile(locked: Folder) -> None:
    path = locked.root / "envs" / "one.yaml"
    path.write_text(path.read_text().replace('"e0", ', ""))
    said = refused(locked, "one", *PASSES, "--good", "good")
    assert "lockfiles/one is not a lock of one as it stands: requirements: - e0" in said
    assert "--bad REVISION" in said


def test_tests_that_cannot_be_run(locked: Folder) -> None:
    said = refused(locked, "one", "--good", "good", "--test", "no-such-program x", code=3)
    assert "the test no-such-program cannot be started" in said
    said = refused(
        locked, "one", "--good", "good", "--test", "sleep 60", "--timeout", "0.2", code=1
    )
    assert "the good side is not good: it fails the test too (no end after 0.2 s)" in said


def test_an_index_that_is_gone_is_no_answer_about_a_lock(locked: Folder) -> None:
    broken = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_CACHE_DIR": "other"}
    grep = "grep -q 'e1==1' {}/linux-amd64-cu128.txt".format
    test = f'sh -c "{grep("$ENVBUILD_LOCK")}"'
    words = ("bisect", "one", "--good", "good", "--test", test)
    done = locked.run(*words, **broken)
    assert done.returncode == 3, done.stdout
    assert "the resolver could not be asked" in done.stderr
    assert "the same command goes on from here" in done.stderr
    again = locked.run(*words)
    assert again.stdout.startswith("one: e1 1.0 -> 2.0 broke it"), again.stderr
    assert "2 answers of an earlier run are used" in again.stderr


def test_a_state_that_is_damaged(locked: Folder) -> None:
    words = ("bisect", "one", "--good", "good", "--test", "true")
    locked.run(*words)
    (state,) = locked.root.glob(".envbuild/bisect/one/*/answers.json")
    state.write_text("{")
    said = refused(locked, *words[1:])
    assert "answers.json cannot be read" in said
    assert "--restart begins anew" in said
    assert "the bad side is not bad" in refused(locked, *words[1:], "--restart", code=1)


# --- The history ---------------------------------------------------------------------------------


def night(day: int, status: Status, lock: str) -> Night:
    stage = StageResult(stage="lock", status=status)
    profile = ProfileNight(profile="one", stages=(stage,), lock=lock)
    return Night(
        schema=SCHEMA,
        id=f"2026010{day}T000000Z-host-{day}",
        name=f"2026-01-0{day}",
        machine="host",
        began=float(day),
        ended=float(day) + 0.5,
        version="0",
        profiles=(profile,),
    )


def history(root: Path) -> FolderHistory:
    kept = FolderHistory(str(root / ".envbuild" / "history"), ".envbuild/history")
    for day, status, place in ((1, "pass", "good"), (2, "fail", "lockfiles/one")):
        digest, data = lock_blob(folders.read(str(root / place), place))
        kept.add(night(day, status, digest), {digest: data})  # type: ignore[arg-type]
    return kept


def test_without_sides_the_history_is_asked(locked: Folder) -> None:
    history(locked.root)
    test = "sh -c \"grep -q 'e2==1' $ENVBUILD_LOCK/linux-amd64-cu128.txt\""
    done = locked.run("bisect", "one", "--test", test)
    assert done.stdout.startswith("one: e2 1.0 -> 2.0 broke it"), done.stderr
    assert "between night 2026-01-01 and night 2026-01-02" in done.stdout
    named = locked.run("bisect", "one", "--test", test, "--good", "2026-01-01", "-n")
    assert named.stdout == (
        "one: 4 moves in 4 groups between night 2026-01-01 and night 2026-01-02\n"
        "  at most 4 tests, 2 of them for the sides themselves; more where a lock cannot be tested\n"
        "  1  e0 1.0 -> 2.0\n  2  e1 1.0 -> 2.0\n  3  e2 1.0 -> 2.0\n  4  e3 1.0 -> 2.0\n"
    )


def test_nights_that_have_no_lock(locked: Folder) -> None:
    kept = history(locked.root)
    kept.add(night(3, "fail", ""), {})
    said = refused(locked, "one", *PASSES, "--bad", "2026-01-03")
    assert "night 2026-01-03 kept no lock of one" in said
    gone = FolderHistory(str(locked.root / "elsewhere"), "elsewhere")
    gone.add(night(1, "pass", f"sha256:{'0' * 64}"), {})
    said = refused(locked, "one", *PASSES, "--history", "elsewhere")
    assert "the history no longer has the lock of one of the night 2026-01-01" in said
