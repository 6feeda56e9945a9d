"""When a conda half stands, and what of it is kept when it does not."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest
from tests.support import conda_values
from tests.support.conda_values import record, solved

from envbuild.errors import InputError
from envbuild.lock import planning
from envbuild.lock.assemble import Answer, Sources, folder_files
from envbuild.lock.conda.packages import Half
from envbuild.lock.folder import HEADER, LockFolder, decode
from envbuild.lock.model import Demand
from envbuild.lock.planning import Job, Options
from envbuild.profile.resolved import ResolvedProfile

NOW = "2026-05-01T00:00:00Z"
DEMAND = Demand(package="packaging", bounds="<24,>=23", by=("x 1.0",))
RECORDS = (
    record("python", "3.11.7"),
    record("packaging", "23.0", "python"),
    record("tool", "1.0"),
)


def profile(*packages: str, as_of: str = "2026-01-01T00:00:00Z", **parts: str) -> ResolvedProfile:
    return conda_values.profile(*(packages or ("tool",)), top=f"as-of: {as_of}\n", **parts)


def job(one: ResolvedProfile, folder: LockFolder, **options: object) -> Job:
    (found,) = planning.plan(one, folder, msgspec.convert(options, Options), now=NOW)
    return found


EMPTY = LockFolder(label="lockfiles/one", header=None, texts={})


def read_nothing(_data: bytes) -> Mapping[str, tuple[object, ...]]:
    raise AssertionError


@pytest.fixture(scope="module")
def locked() -> LockFolder:
    """The lock of the profile, under one demand."""
    first = job(profile(), EMPTY)
    half = Half.of(solved(*RECORDS), own="linux-64", solver="py-rattler 0.28.0")
    answer = Answer(
        variant=first.question.variant,
        asked=first.question.asked,
        pins=(),
        packages=(),
        provided=(),
        conda=msgspec.structs.replace(half, demands=(DEMAND,)),
    )
    texts = folder_files(
        "one",
        {first.question.variant.name: answer},
        kept=EMPTY,
        copied={},
        sources=Sources(tools=lambda: {"envbuild": "0"}, read=read_nothing),
    )
    header = decode(texts[HEADER], "lockfiles/one/envbuild.lock.json")
    return LockFolder(label="lockfiles/one", header=header, texts=texts)


def kept(one: Job) -> set[str]:
    return {keep.name for keep in one.question.conda.keep.get("linux-64", ())}


EVERY = {"python", "packaging", "tool"}


def test_without_a_lock_there_is_nothing_to_keep() -> None:
    one = job(profile(), EMPTY)
    assert one.step.reason == "not locked yet"
    assert not one.question.conda.stands
    assert one.question.conda.half is None


def test_an_unchanged_profile_is_skipped(locked: LockFolder) -> None:
    one = job(profile(), locked)
    assert (one.step.action, one.step.reason) == ("skip", "unchanged")
    assert one.question.conda.stands


def test_a_half_stands_when_only_the_python_requirements_moved(locked: LockFolder) -> None:
    one = job(profile(requirements="alpha"), locked)
    assert one.step.action == "run"
    assert one.question.conda.stands
    assert one.question.conda.demands == (DEMAND,)


def test_a_half_stands_through_force(locked: LockFolder) -> None:
    one = job(profile(), locked, force=True)
    assert one.step.reason == "forced"
    assert one.question.conda.stands


def test_to_refresh_is_to_solve_again_with_what_is_kept(locked: LockFolder) -> None:
    one = job(profile(), locked, force=True, refresh=True)
    assert not one.question.conda.stands
    assert kept(one) == EVERY
    assert one.question.conda.demands == (DEMAND,)


def test_another_specification_is_solved_with_what_is_kept(locked: LockFolder) -> None:
    one = job(profile("tool", "other"), locked)
    assert one.step.reason == "conda packages: + other"
    assert not one.question.conda.stands
    assert kept(one) == EVERY
    assert one.question.conda.demands == ()


def test_another_moment_is_solved_with_what_is_kept(locked: LockFolder) -> None:
    one = job(profile(as_of="2026-02-01T00:00:00Z"), locked)
    assert not one.question.conda.stands
    assert kept(one) == EVERY


def test_other_channels_are_solved_from_nothing(locked: LockFolder) -> None:
    one = job(profile(channels="world, far"), locked)
    assert one.step.reason == "conda channels: + far"
    assert one.question.conda.keep == {}


def test_a_named_package_alone_may_move(locked: LockFolder) -> None:
    one = job(profile(), locked, upgrade_packages=("tool",))
    assert one.step.reason == "tool may move"
    assert kept(one) == EVERY - {"tool"}
    assert one.question.conda.demands == (DEMAND,)


def test_a_named_package_of_the_index_leaves_conda_alone(locked: LockFolder) -> None:
    one = job(profile(requirements="alpha"), locked, upgrade_packages=("alpha",))
    assert one.question.conda.stands


def test_everything_may_move(locked: LockFolder) -> None:
    one = job(profile(), locked, upgrade=True)
    assert one.step.reason == "everything may move"
    assert not one.question.conda.stands
    assert one.question.conda.keep == {}
    assert one.question.conda.demands == ()


def test_another_solver_is_asked_with_what_is_kept(locked: LockFolder) -> None:
    one = job(profile(), locked, solver="micromamba")
    assert one.step.reason == "conda packages by micromamba, were by py-rattler 0.28.0"
    assert not one.question.conda.stands


@pytest.mark.parametrize("path", ["conda-lock.yml", "environment.yml", "linux-64.explicit.txt"])
def test_an_edited_file_is_written_anew(locked: LockFolder, path: str) -> None:
    texts = {**locked.texts, path: locked.texts[path] + b"\n"}
    one = job(profile(), msgspec.structs.replace(locked, texts=texts))
    assert one.step.reason == f"{path} is not what was locked"
    assert not one.question.conda.stands
    assert one.question.conda.keep == {}


def test_a_missing_file_is_written_anew(locked: LockFolder) -> None:
    texts = {path: data for path, data in locked.texts.items() if path != "conda-lock.yml"}
    one = job(profile(), msgspec.structs.replace(locked, texts=texts))
    assert one.step.reason == "conda-lock.yml is not what was locked"


def test_a_machine_that_changed_is_said_by_its_platform(locked: LockFolder) -> None:
    one = job(profile(more='  virtual-packages: {__glibc: "2.31"}\n'), locked)
    assert one.step.reason == "conda linux-64: - __glibc=2.35, + __glibc=2.31"


def test_only_packages_that_are_locked_or_asked_for_may_be_named(locked: LockFolder) -> None:
    jobs = (job(profile("tool", "other"), locked),)
    planning.refuse_unknown_packages(("packaging", "python", "other"), jobs)
    with pytest.raises(InputError) as caught:
        planning.refuse_unknown_packages(("pakaging",), jobs)
    assert caught.value.message == "no chosen profile locks 'pakaging'"
    assert caught.value.hint == "did you mean packaging?"
