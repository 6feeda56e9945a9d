"""A history as a folder: what becomes of files that are damaged, and what is in it."""

from __future__ import annotations

import os
import random

import pytest

from envbuild.errors import InputError, ToolError
from envbuild.history import sealing
from tests.history.histories import history
from tests.support.nights import night, with_log


@pytest.fixture
def here(tmp_path):
    return history("folder", tmp_path)


def files(root) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_it_is_a_plain_folder(here, tmp_path):
    found, logs = with_log("text")
    here.add(found, logs)
    digits = next(iter(logs)).removeprefix("sha256:")
    assert files(tmp_path / "nightly") == [
        f"logs/{digits[:2]}/{digits}.txt.zst",
        f"nights/{found.id}.json",
    ]
    assert (tmp_path / f"nightly/nights/{found.id}.json").read_bytes() == sealing.sealed(found)


def test_files_that_were_cut_or_edited_are_named_and_the_rest_is_read(here, tmp_path):
    for day in range(6):
        here.add(night(day), {})
    nights = sorted((tmp_path / "nightly/nights").iterdir())
    dice = random.Random(7)
    whole = nights[0].read_bytes()
    nights[0].write_bytes(whole[: dice.randrange(1, len(whole))])
    nights[1].write_bytes(nights[1].read_bytes().replace(b"pass", b"fail"))
    nights[2].write_bytes(b"")
    nights[3].rename(nights[3].with_name("renamed.json"))
    nights[4].with_name("notes.txt").write_text("mine")
    nights[4].with_name(".hidden").write_text("")
    kept = here.nights()
    assert [one.name for one in kept.nights] == ["night-4", "night-5"]
    assert kept.broken == (
        "nights/.hidden: its name is no id of a night",
        f"nights/{night(0).id}.json: it is cut off",
        f"nights/{night(1).id}.json: it was edited, or is no night: its seal does not fit",
        f"nights/{night(2).id}.json: it is empty",
        "nights/notes.txt: its name is no id of a night",
        f"nights/renamed.json: it holds the night '{night(3).id}': it was renamed",
    )


def test_a_file_that_cannot_be_read_is_named(here, tmp_path):
    here.add(night(0), {})
    (tmp_path / f"nightly/nights/{night(1).id}.json").mkdir()
    kept = here.nights()
    assert len(kept.nights) == 1
    assert kept.broken == (f"nights/{night(1).id}.json cannot be read: is a directory",)


def test_pruning_leaves_what_it_cannot_read_and_what_that_names(here, tmp_path):
    logs = {}
    for day in range(4):
        found, log = with_log(f"log {day}", day)
        here.add(found, log)
        logs[day] = next(iter(log))
    path = tmp_path / f"nightly/nights/{night(0).id}.json"
    path.write_bytes(path.read_bytes()[:-40])
    foreign = tmp_path / "nightly/logs/readme.txt"
    foreign.write_text("mine")
    done = here.prune(1)
    assert done.names == ("night-1", "night-2")
    assert path.exists()
    assert foreign.exists()
    assert [here.blob(logs[day]) is not None for day in range(4)] == [True, False, False, True]


@pytest.mark.parametrize("damage", [b"", b"x", b"\x28\xb5\x2f\xfd", "cut"])
def test_a_damaged_log_is_as_one_that_is_not_there_and_comes_again(here, tmp_path, damage):
    found, logs = with_log("text " * 1000)
    here.add(found, logs)
    (path,) = (tmp_path / "nightly/logs").rglob("*.zst")
    path.write_bytes(path.read_bytes()[:-3] if damage == "cut" else damage)
    assert here.blob(next(iter(logs))) is None
    here.add(found, logs)
    assert here.blob(next(iter(logs))) == b"text " * 1000


def test_a_log_under_the_name_of_another_is_not_believed(here, tmp_path):
    found, logs = with_log("one", 0)
    other, more = with_log("two", 1)
    here.add(found, logs)
    here.add(other, more)
    first, second = sorted((tmp_path / "nightly/logs").rglob("*.zst"))
    first.write_bytes(second.read_bytes())
    assert sorted(here.blob(digest) is None for digest in (*logs, *more)) == [False, True]


def test_what_a_killed_process_left_is_cleared_by_the_next(here, tmp_path):
    here.add(night(0), {})
    staging = tmp_path / "nightly/.new"
    staging.mkdir()
    (staging / "0").write_bytes(b"half")
    assert here.nights().nights == (night(0),)
    here.add(night(1), {})
    assert not staging.exists()


def test_a_folder_that_holds_something_else_is_left_alone(here, tmp_path):
    place = tmp_path / "nightly"
    place.mkdir()
    (place / "thesis.tex").write_text("")
    for act in (here.nights, lambda: here.add(night(0), {}), lambda: here.prune(1)):
        with pytest.raises(InputError, match="nightly is no history: it holds no nights"):
            act()
    assert files(place) == ["thesis.tex"]
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file is not a folder"):
        history("folder", tmp_path, "file").nights()


def test_the_default_place_ignores_itself_in_git(tmp_path):
    here = history("folder", tmp_path, "")
    here.add(night(0), {})
    assert here.place == ".envbuild/history"
    assert (tmp_path / ".envbuild/.gitignore").read_text() == "*\n"


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ToolError, match="cannot be written: not a directory"):
        history("folder", tmp_path, "file/history").add(night(0), {})


def test_a_link_in_place_of_the_staging_is_not_followed(here, tmp_path):
    here.add(night(0), {})
    target = tmp_path / "precious"
    target.mkdir()
    (target / "file").write_text("")
    os.symlink(target, tmp_path / "nightly/.new")
    with pytest.raises(ToolError, match="is no folder"):
        here.add(night(1), {})
    assert (target / "file").exists()
