"""Which profiles, which night, and what is left of an earlier one."""

from __future__ import annotations

import pytest

from envbuild.errors import InputError
from envbuild.history.model import SCHEMA, Night
from envbuild.nightly import opening
from envbuild.nightly.ledger import Ledger, Name
from envbuild.nightly.model import Kept, Wishes
from envbuild.nightly.opening import Asked
from envbuild.nightly.verdicts import result
from envbuild.plan import Shard

NOW = 1_795_316_400.0


def asked(**more: object) -> Asked:
    return Asked(wishes=Wishes(), machine="Robot 7", **more)


def night(began: float) -> Night:
    return Night(
        schema=SCHEMA, id="20261122T030000Z-a-0001", name="n", machine="a", began=began,
        ended=began, version="1", profiles=(),
    )  # fmt: skip


def test_a_night_has_its_time_and_its_machine_in_its_id():
    begun = opening.begin(asked(), (), "q", now=NOW)
    assert begun.id.startswith("20261122T030000Z-robot-7-")
    assert begun.name == begun.id
    assert begun.moment == "2026-11-22T03:00:00Z"


def test_the_parts_of_a_night_share_a_name():
    begun = opening.begin(asked(shard=Shard(index=1, count=2)), (), "q", now=NOW)
    assert begun.name == "2026-11-22"
    assert opening.begin(asked(night="spring"), (), "q", now=NOW).name == "spring"


@pytest.mark.parametrize("name", ["a/b", "..", "-x", "a b", "x" * 200, "a\n"])
def test_a_name_that_is_none(name):
    with pytest.raises(InputError, match="is no name"):
        opening.begin(asked(night=name), (), "q", now=NOW)


def test_a_clock_that_went_back_does_not_move_the_night_before_the_last():
    begun = opening.begin(asked(), [night(NOW + 5000)], "q", now=NOW)
    assert begun.began > NOW + 5000
    assert begun.clock == NOW
    assert "the clock says" in begun.notes[0]


@pytest.mark.parametrize(
    ("question", "later", "why"),
    [
        ("q", 3600.0, ""),
        ("q", -60.0, ""),
        ("other", 0.0, "it was asked for something else"),
        ("q", 90_000.0, "it is more than a day old"),
        ("q", -90_000.0, "it is more than a day old"),
    ],
)
def test_what_is_taken_up_again(question, later, why):
    begun = opening.begin(asked(), (), "q", now=NOW)
    assert opening.resumable(begun, question, now=NOW + later) == why


def test_another_wish_is_another_question():
    one = opening.question(asked(), ["a"])
    assert one == opening.question(asked(), ["a"])
    others = (
        opening.question(asked(), ["a", "b"]),
        opening.question(asked(night="x"), ["a"]),
        opening.question(asked(shard=Shard(index=1, count=2)), ["a"]),
        opening.question(Asked(wishes=Wishes(engine="docker"), machine="m"), ["a"]),
    )
    assert len({one, *others}) == 5


def test_profiles_that_are_gone_lose_their_folders(tmp_path):
    for name in ("kept", "gone"):
        (tmp_path / name / "envs").mkdir(parents=True)
    told = opening.forget_removed(str(tmp_path), ["kept"])
    assert told == ("not in this workspace any more: gone",)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert opening.forget_removed(str(tmp_path / "none"), []) == ()


def test_a_ledger_forgets_and_remembers(tmp_path):
    ledger = Ledger(str(tmp_path / "running"))
    assert ledger.begun() is None
    begun = opening.begin(asked(), (), "q", now=NOW)
    ledger.begin(begun)
    name = Name(profile="a", stage="build", variant="v")
    kept = Kept(result=result("build", "pass", "built"))
    ledger.keep(name, kept, {"sha256:ab": b"lock"})
    assert ledger.begun() == begun
    assert ledger.kept(name) == kept
    assert ledger.kept(Name(profile="a", stage="build", variant="v", mode="committed")) is None
    assert ledger.blob("a", "sha256:ab") == b"lock"
    ledger.clear()
    assert not (tmp_path / "running").exists()
    ledger.clear()


@pytest.mark.parametrize("cut", [0, 1, 50])
def test_a_night_that_was_cut_in_the_middle_is_none(tmp_path, cut):
    ledger = Ledger(str(tmp_path / "running"))
    ledger.begin(opening.begin(asked(), (), "q", now=NOW))
    path = tmp_path / "running/night.json"
    path.write_bytes(path.read_bytes()[:cut])
    assert ledger.begun() is None
