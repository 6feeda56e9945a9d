"""What holds for every history, on real files and in a real git repository."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.errors import InputError
from envbuild.history import blobs
from envbuild.history.store import Merged, OtherNightError, Pruned
from tests.history.histories import history
from tests.support.nights import hostile, night, profile, stage, variant, with_log

pytestmark = pytest.mark.git


@pytest.fixture(params=["folder", "git"])
def kind(request):
    return request.param


@pytest.fixture
def empty(kind, tmp_path):
    return history(kind, tmp_path / "here")


def ids(found) -> list[str]:
    return [one.id for one in found.nights().nights]


def test_a_history_that_is_not_there_is_empty(empty, tmp_path):
    kept = empty.nights()
    assert (kept.nights, kept.broken) == ((), ())
    assert empty.blob("sha256:" + "0" * 64) is None
    assert empty.prune(3) == Pruned()
    assert not (tmp_path / "here/nightly").exists()


def test_what_is_added_comes_back(empty):
    one, logs = with_log("the log\nof a build\n", 1)
    zero = night(0)
    empty.add(one, logs)
    empty.add(zero, {})
    assert empty.nights().nights == (zero, one)
    (digest,) = logs
    assert empty.blob(digest) == b"the log\nof a build\n"
    assert empty.blob("sha256:" + "0" * 64) is None
    assert [empty.blob(bad) for bad in ("", "sha256:..", "../x", digest + "\n")] == [None] * 4


def test_a_hostile_night_comes_back_as_it_was(empty):
    empty.add(hostile(), {})
    assert empty.nights().nights == (hostile(),)


def test_bytes_that_are_no_text_come_back(empty):
    data = bytes(range(256)) * 3
    failed = stage("build", "fail", log=blobs.digest(data))
    odd = night(0, [profile(variants=(variant(failed),))])
    empty.add(odd, {blobs.digest(data): data})
    assert empty.blob(blobs.digest(data)) == data


def test_the_same_night_may_come_again_and_another_of_its_id_may_not(empty):
    empty.add(night(0), {})
    empty.add(night(0), {})
    with pytest.raises(OtherNightError, match="holds another night 20261118T000000Z-host"):
        empty.add(night(0, notes=("another",)), {})
    assert empty.nights().nights == (night(0),)


def test_what_a_night_does_not_name_is_not_taken(empty):
    with pytest.raises(ValueError, match="does not name"):
        empty.add(night(0), {"sha256:" + "0" * 64: b"x"})
    with pytest.raises(InputError, match="is no id"):
        empty.add(night(0, id="../../x"), {})
    assert ids(empty) == []


def test_the_newest_alone_can_be_asked_for(empty):
    for day in range(5):
        empty.add(night(day), {})
    assert [one.name for one in empty.nights(2).nights] == ["night-3", "night-4"]


def test_nights_are_ordered_by_when_they_began(empty):
    late = msgspec.structs.replace(night(5), id=night(0).id)  # its clock was wrong
    empty.add(late, {})
    empty.add(night(3), {})
    assert [one.began for one in empty.nights().nights] == [night(3).began, late.began]


# --- Pruning -------------------------------------------------------------------------------------


def test_pruning_takes_the_oldest_nights_and_what_only_they_named(empty):
    shared, own, kept = {}, {}, {}
    for day, (text, into) in enumerate((("a", own), ("b", shared), ("b", shared), ("c", kept))):
        found, logs = with_log(text, day)
        empty.add(found, logs)
        into.update(logs)
    done = empty.prune(2)
    assert (done.names, done.nights, done.blobs) == (("night-0", "night-1"), 2, 1)
    assert done.size > 0
    assert [one.name for one in empty.nights().nights] == ["night-2", "night-3"]
    assert [empty.blob(digest) is None for digest in (*own, *shared, *kept)] == [True, False, False]
    assert empty.prune(2) == Pruned()


def test_pruning_counts_nights_and_not_their_parts(empty):
    for day in range(3):
        for machine in ("a", "b", "c"):
            empty.add(night(day, machine=machine), {})
    done = empty.prune(2)
    assert (done.names, done.nights) == (("night-0",), 3)
    assert len(ids(empty)) == 6


def test_less_than_one_night_cannot_be_kept(empty):
    empty.add(night(0), {})
    with pytest.raises(InputError, match="at least one night"):
        empty.prune(0)
    assert len(ids(empty)) == 1


# --- Merging -------------------------------------------------------------------------------------


@pytest.mark.parametrize("other_kind", ["folder", "git"])
def test_histories_of_three_machines_come_together(empty, other_kind, tmp_path):
    others = [history(other_kind, tmp_path / name) for name in ("a", "b", "c")]
    logs = {}
    for number, other in enumerate(others):
        for day in range(2):
            machine = "abc"[number]
            one, log = with_log(f"{machine}{day}", day, machine=machine, name=f"night-{day}")
            other.add(one, log)
            logs |= log
    same, log = with_log("of all", 7)
    for other in others:
        other.add(same, log)
    done = [empty.merge(other) for other in others]
    assert [len(one.nights) for one in done] == [3, 2, 2]
    assert [one.blobs for one in done] == [3, 2, 2]
    assert len(ids(empty)) == 7
    assert all(empty.blob(digest) for digest in (*logs, *log))
    assert [empty.merge(other) for other in others] == [Merged()] * 3


def test_of_two_nights_of_one_id_ours_stays(empty, kind, tmp_path):
    other = history(kind, tmp_path / "there")
    empty.add(night(0), {})
    other.add(night(0, notes=("theirs",)), {})
    other.add(night(1), {})
    done = empty.merge(other)
    assert (done.conflicts, done.nights) == ((night(0).id,), (night(1).id,))
    assert empty.nights().nights == (night(0), night(1))


def test_a_log_that_was_lost_comes_back_by_a_merge(tmp_path):
    ours, theirs = history("folder", tmp_path / "a"), history("git", tmp_path / "b")
    found, logs = with_log("x")
    ours.add(found, {})
    theirs.add(found, logs)
    assert ours.merge(theirs) == Merged(blobs=1)
    assert ours.blob(next(iter(logs))) == b"x"


def test_a_history_with_itself(empty):
    empty.add(night(0), {})
    assert empty.merge(empty) == Merged()
