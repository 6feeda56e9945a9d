"""A bisect through real locks: an index, a channel, and a fault that was put there on purpose."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bisected import CONDA, SINGLES, World, world

CHECK = """\
import os
import re
import sys

folder = os.environ["ENVBUILD_LOCK"]
texts = [open(f"{folder}/{name}").read() for name in os.listdir(folder) if name.endswith("txt")]
text = "".join(texts)
found = set(re.findall(r"(?m)^[a-z0-9-]+==[0-9.]+", text))
found |= {f"conda {a}=={b}" for a, b in re.findall(r"/([a-z0-9-]+?)-([0-9.]+)-0[.]conda", text)}
if "single-00>=2" in open(f"{folder}/envbuild.lock.json").read():
    found.add("the-profile==2.0")
open("asked.txt", "a").write(" ".join(sorted(found)) + "\\n")
if os.path.exists("slow"):
    import time
    time.sleep(0.3)
if os.path.exists("cannot") and open("cannot").read() in found:
    sys.exit(125)
if set(sys.argv[1:]) <= found:
    print("ImportError: numpy.core.multiarray failed to import")
    sys.exit(1)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world; what a test writes into its workspace, the next one does not see."""
    root = tmp_path_factory.mktemp("bisect") / "ws"
    with world(root) as found:
        (root / "check.py").write_text(CHECK)
        yield found


@pytest.fixture
def ws(made: World) -> Iterator[World]:
    yield made
    shutil.rmtree(made.folder.root / ".envbuild", ignore_errors=True)
    for name in ("asked.txt", "slow", "cannot"):
        (made.folder.root / name).unlink(missing_ok=True)


def words(*fault: str) -> tuple[str, ...]:
    """The command line for a fault of some packages in their new versions."""
    shown = " ".join(f"'{name}==2.0'" for name in fault)
    return ("bisect", "one", "--good", "good", "--test", f"python3 check.py {shown}")


def found(ws: World, *fault: str, more: tuple[str, ...] = ()) -> dict[str, Any]:
    done = ws.folder.run(*words(*fault), *more, "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["found"]
    return answer


def asked(ws: World) -> list[str]:
    return (ws.folder.root / "asked.txt").read_text().splitlines()


def suspects(answer: dict[str, Any]) -> set[str]:
    return {one["id"] for one in answer["suspects"]}


@pytest.mark.parametrize(
    ("fault", "group"),
    [
        (SINGLES[7], {SINGLES[7]}),
        ("brought", {"changing"}),
        ("conda libuser", {"conda libabi", "conda libuser"}),
        ("conda shared", {"conda shared", "wants-conda"}),
    ],
)
def test_the_move_that_broke_it_is_found(ws: World, fault: str, group: set[str]) -> None:
    answer = found(ws, fault)
    assert suspects(answer) == group
    assert answer["moves"] >= 30
    assert answer["tests"] == len(asked(ws)) <= 8


def test_what_no_lock_says_is_learnt_from_the_resolver(ws: World) -> None:
    answer = found(ws, "conda hidden-a")
    assert suspects(answer) == {"conda hidden-a", "conda hidden-b"}
    assert answer["inseparable"]
    assert "the resolver takes conda hidden-b" in answer["apart"][0]
    assert answer["tests"] <= 8


def test_each_lock_between_is_a_whole_one(ws: World) -> None:
    found(ws, SINGLES[2])
    (search,) = (ws.folder.root / ".envbuild" / "bisect" / "one").iterdir()
    steps = sorted((search / "steps").iterdir())
    assert len(steps) == len(asked(ws))
    real = ws.folder.root / "lockfiles" / "one"
    kept = ws.folder.root / "kept"
    real.rename(kept)
    try:
        for step in steps:
            shutil.copytree(step / "lock", real)
            done = ws.folder.run("lock", "--check", "one")
            assert done.returncode == 0, done.stderr
            shutil.rmtree(real)
    finally:
        kept.rename(real)


def test_the_last_good_lock_lacks_the_move_alone(ws: World) -> None:
    answer = found(ws, SINGLES[2])
    root = ws.folder.root
    done = ws.folder.run("diff", "--json", answer["lock"], str(last_bad(root, answer)))
    moved = {move["what"] for move in json.loads(done.stdout)["moves"]}
    assert moved == {SINGLES[2]}
    assert (root / answer["log"]).read_text().count("ImportError") == 1


def last_bad(root: Path, answer: dict[str, Any]) -> Path:
    return root / Path(answer["log"]).parent / "lock"


def test_a_killed_search_goes_on_where_it_was(ws: World) -> None:
    (ws.folder.root / "slow").touch()
    for answers in (2, 4):
        process = ws.folder.start(*words(SINGLES[9]))
        wait(ws, answers)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    before = len(asked(ws))
    done = ws.folder.run(*words(SINGLES[9]), "--json")
    assert json.loads(done.stdout)["suspects"][0]["id"] == SINGLES[9], done.stderr
    assert "answers of an earlier run are used" in done.stderr
    assert len(asked(ws)) - before <= 8 - 3
    again = ws.folder.run(*words(SINGLES[9]), "--json")
    assert again.stdout == done.stdout
    afresh = ws.folder.run(*words(SINGLES[9]), "--restart")
    assert "of an earlier run" not in afresh.stderr


def wait(ws: World, answers: int) -> None:
    """Until so many tests were begun."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        path = ws.folder.root / "asked.txt"
        if path.exists() and len(asked(ws)) >= answers:
            return
        time.sleep(0.02)
    pytest.fail("the tests did not come so far")


def test_an_interrupt_ends_the_test_too_and_says_130(ws: World) -> None:
    (ws.folder.root / "slow").touch()
    process = ws.folder.start(*words(SINGLES[9]))
    wait(ws, 2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err


def test_two_that_must_have_moved_are_both_named(ws: World) -> None:
    answer = found(ws, SINGLES[3], f"conda {CONDA[3]}", more=("--alone",))
    assert suspects(answer) == {SINGLES[3]}
    assert answer["partners"] == [f"conda {CONDA[3]} 1.0 -> 2.0"]
    assert answer["alone"] == "it does not break by itself"


def test_what_the_test_cannot_judge_is_told(ws: World) -> None:
    (ws.folder.root / "cannot").write_text(f"{SINGLES[5]}==1.0")
    done = ws.folder.run(*words(SINGLES[4]))
    assert done.returncode == 1
    assert "the good side is not good: it cannot be tested" in done.stderr
    trusted = ws.folder.run(*words(SINGLES[4]), "--trust", "--json")
    answer = json.loads(trusted.stdout)
    assert SINGLES[4] in suspects(answer)
    assert answer["tests"] < 25
    assert any("exit status 125" in one["heard"]["why"] for one in answer["steps"])


def test_the_words_for_people(ws: World) -> None:
    done = ws.folder.run(*words("right"))
    lines = done.stdout.splitlines()
    assert lines[0] == "one: left 1.0 -> 2.0 and right 1.0 -> 2.0 broke it together"
    assert "  together: left 2.0 asks for right ==2.0" in lines
    assert '  hold it: python: {constraints: ["left<=1.0"]}' in lines
    assert any(line.startswith("  asked for by: right: left 2.0 (==2.0)") for line in lines)
    assert any(
        "the bad side: bad: exit status 1: ImportError" in line for line in done.stderr.splitlines()
    )
    marked = ws.folder.run(*words("right"), "--markdown")
    assert marked.stdout.startswith("### one: left 1.0 -&#62; 2.0 and right")


def test_held_by_the_line_that_is_told_it_works_again(ws: World) -> None:
    answer = found(ws, SINGLES[1])
    root = ws.folder.root
    profile = root / "envs" / "one.yaml"
    before = profile.read_text()
    held = f'  constraints: ["{SINGLES[1]}<=1.0"]\n'
    assert answer["suspects"][0]["hold"] == f'python: {{constraints: ["{SINGLES[1]}<=1.0"]}}'
    shutil.copytree(root / "lockfiles" / "one", root / "bad")
    try:
        profile.write_text(before.replace("variants:\n", f"{held}variants:\n"))
        done = ws.folder.run("lock", "one")
        assert done.returncode == 0, done.stderr
        text = (root / "lockfiles" / "one" / "linux-amd64-cpu.txt").read_text()
        assert f"{SINGLES[1]}==1.0" in text
        # The profile has moved now, and of the good lock it is not known what it was made from.
        broken = ws.folder.run(*words(SINGLES[3]), "--bad", "lockfiles/one", "--json")
        answer = json.loads(broken.stdout)
        assert suspects(answer) == {SINGLES[3]}
    finally:
        profile.write_text(before)
        shutil.rmtree(root / "lockfiles" / "one")
        (root / "bad").rename(root / "lockfiles" / "one")


@pytest.mark.git
def test_between_two_revisions_whose_profiles_differ(ws: World, tmp_path: Path) -> None:
    root = tmp_path / "repo"
    for name in ("envs", "good", "lockfiles", "channel"):
        shutil.copytree(ws.folder.root / name, root / name)
    for name in ("check.py", "condarc"):
        shutil.copy(ws.folder.root / name, root / name)
    profile = root / "envs" / "one.yaml"
    new = profile.read_text()
    bad = root / "lockfiles" / "one"
    bad.rename(root / "bad")
    (root / "good").rename(bad)
    git(root, "init", "-q")
    git(root, "add", "envs", "lockfiles")
    git(root, "commit", "-q", "-m", "good")
    profile.write_text(new.replace("single-00,", "single-00>=2,"))
    ws.folder.environment["GIT_CONFIG_GLOBAL"] = os.devnull
    lock = run(ws, root, "lock", "--upgrade", "one")
    assert lock.returncode == 0, lock.stderr
    wanted = words("the-profile")
    done = run(ws, root, *wanted[:2], *wanted[4:], "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["good"] == "HEAD:lockfiles/one"
    assert suspects(answer) == {"the profile"}
    moves = [(one["what"], one["old"], one["new"]) for one in answer["suspects"][0]["moves"]]
    assert moves == [("requirement single-00", "single-00", "single-00>=2")]
    assert answer["tests"] <= 8


def git(root: Path, *words: str) -> None:
    named = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *named, *words], cwd=root, check=True, capture_output=True)


def run(ws: World, root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """envbuild in another folder, with the same index and channel."""
    before = ws.folder.root
    ws.folder.root = root
    try:
        return ws.folder.run(*words)
    finally:
        ws.folder.root = before
