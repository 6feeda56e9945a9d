"""The order in which jobs are done."""

from __future__ import annotations

import threading

import msgspec
from tests.support import locks
from tests.support.workspace import PROFILE

from envbuild.lock import planning
from envbuild.lock.folder import LockFolder
from envbuild.lock.model import Provided
from envbuild.lock.working import Pending
from envbuild.profile.resolve import Source, resolve


def job(name: str, *, added: int, provided: int = 0) -> planning.Job:
    """A job whose lock of before added so many packages, and left so many to the image."""
    text = PROFILE.format(name=name, requirements="numpy")
    profile = resolve(name, {name: Source(name=name, file=f"envs/{name}.yaml", text=text)})
    empty = LockFolder(label=name, header=None, texts={})
    (new,) = planning.plan(profile, empty, planning.Options(), now="")
    before = locks.variant(
        *(locks.package(f"p{number}", "1.0") for number in range(added)),
        provided=tuple(
            Provided(name=f"q{number}", version="1.0", by="profile") for number in range(provided)
        ),
    )
    return msgspec.structs.replace(new, previous=before)


def taken(pending: Pending) -> str:
    found = pending.take()
    return found[1].step.target.partition("/")[0] if found else ""


def test_the_largest_of_all_goes_first() -> None:
    pending = Pending(1)
    for one in (
        job("small", added=2),
        job("large", added=9),
        job("overlay", added=1, provided=5),
    ):
        pending.add(one)
    assert pending.close() == 3
    assert [taken(pending) for _ in range(4)] == ["large", "overlay", "small", ""]


def test_whoever_has_no_solver_waits_until_all_are_known() -> None:
    pending = Pending(1)
    pending.add(job("first", added=1))
    assert taken(pending) == "first"
    pending.add(job("small", added=2))
    order: list[str] = []
    other = threading.Thread(target=lambda: order.append(taken(pending)))
    other.start()
    other.join(0.05)
    assert other.is_alive()
    pending.add(job("large", added=9))
    pending.close()
    other.join(20)
    assert order == ["large"]


def test_whoever_has_a_solver_goes_on_at_once() -> None:
    pending = Pending(1)
    pending.add(job("first", added=1))
    assert taken(pending) == "first"
    pending.done()
    pending.add(job("small", added=2))
    assert taken(pending) == "small"
