"""Doing a plan: every job that runs, in parallel, each answer or failure by itself."""

from __future__ import annotations

import heapq
import sys
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.lock import resolving
from envbuild.lock.conda.asking import CondaSolver
from envbuild.lock.resolving import Refusal, Workshop
from envbuild.tools import proc, rattler

if TYPE_CHECKING:
    from envbuild.lock.assemble import Answer
    from envbuild.lock.conda.asking import Ask, Solved, Trouble
    from envbuild.lock.planning import Job

__all__ = ["Done", "Refusal", "Workshop", "run"]

_SWITCH = 0.0005
"""Seconds after which a busy thread lets another go on. A hand that has an uv to start must not
wait the usual 5 ms for one that reads an answer: the processor stands still meanwhile."""


_HEAD_START = 0.02
"""Seconds for which preparing the next job waits for the first uv to be on its way: two threads
that share the interpreter would both be late."""


class Done(Struct, frozen=True, kw_only=True):
    """One job, finished: an answer or a refusal, and how long it took in seconds."""

    job: Job
    result: Answer | Refusal
    seconds: float


def run(
    jobs: Iterable[Job],
    workshop: Workshop,
    *,
    workers: int,
    on_done: Callable[[Done, int], None],
) -> tuple[Done, ...]:
    """Do the jobs whose step says run, at most ``workers`` uv or conda solvers at a
    time; in the order of the jobs.

    Twice as many hands take part: while one reads an answer, another's uv is on its way. The
    first is begun while ``jobs`` still prepares the next; of those that wait, the largest goes
    first, so that nobody is left alone with it at the end. ``on_done`` is told each, and how many
    are left. On an interrupt or an error every uv that was started is ended, and nothing is
    returned.
    """
    pending = Pending(max(1, workers))
    slots = _Slots(workshop.runner, max(1, workers))
    shared = msgspec.structs.replace(
        workshop, runner=slots.run, conda=lambda: slots.solver(workshop.conda())
    )
    finished: SimpleQueue[tuple[int, Done | BaseException]] = SimpleQueue()
    hands = [
        threading.Thread(target=_work, args=(pending, shared, finished), daemon=True)
        for _ in range(2 * max(1, workers))
    ]
    done: dict[int, Done] = {}
    usual = sys.getswitchinterval()
    try:
        sys.setswitchinterval(_SWITCH)
        for hand in hands:
            hand.start()
        for job in jobs:
            if job.step.action == "run":
                pending.add(job)
                slots.begun.wait(_HEAD_START)  # at once, but for the first
        count = pending.close()
        while len(done) < count:
            number, one = finished.get()
            done[number] = _whole(one)
            on_done(done[number], count - len(done))
    except BaseException:
        pending.drop()
        workshop.pinner.stop()
        rattler.stop_all()
        proc.stop_all()
        raise
    finally:
        sys.setswitchinterval(usual)
        for hand in hands:
            if hand.ident is not None:
                hand.join()
    return tuple(done[number] for number in range(count))


class _Slots:
    """At most so many programs and solvers at a time; ``begun``: the first is on its way."""

    def __init__(self, runner: proc.Runner, count: int) -> None:
        self._runner = runner
        self._free = threading.Semaphore(count)
        self.begun = threading.Event()

    def run(self, command: proc.Command) -> proc.Outcome:
        """Run a command when a slot is free."""
        with self._free:
            self.begun.set()
            return self._runner(command)

    def solver(self, found: CondaSolver) -> CondaSolver:
        """A conda solver that waits for a free slot, as programs do."""

        def solve(ask: Ask) -> Solved | Trouble:
            with self._free:
                self.begun.set()
                return found.solve(ask)

        return CondaSolver(name=found.name, solve=solve)


def _whole(one: Done | BaseException) -> Done:
    if isinstance(one, BaseException):
        raise one
    return one


class Pending:
    """Jobs that wait for a hand.

    A hand that no uv is free for takes none before all are known: it would hold a small one while
    a large one comes.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._change = threading.Condition()
        self._heap: list[tuple[int, int, Job]] = []
        self._count = 0
        self._busy = 0
        self._closed = False

    def add(self, job: Job) -> None:
        """One more waits."""
        with self._change:
            heapq.heappush(self._heap, (-_size(job), self._count, job))
            self._count += 1
            self._change.notify_all()

    def close(self) -> int:
        """No more will come; how many came."""
        with self._change:
            self._closed = True
            self._change.notify_all()
            return self._count

    def drop(self) -> None:
        """Forget what waits."""
        with self._change:
            self._heap.clear()
            self._closed = True
            self._change.notify_all()

    def take(self) -> tuple[int, Job] | None:
        """The largest that waits and its number; None when nothing will come any more."""
        with self._change:
            self._change.wait_for(self._ready)
            if not self._heap:
                return None
            self._busy += 1
            _, number, job = heapq.heappop(self._heap)
            return number, job

    def done(self) -> None:
        """One that was taken is finished."""
        with self._change:
            self._busy -= 1
            self._change.notify_all()

    def _ready(self) -> bool:
        return self._closed or (bool(self._heap) and self._busy < self._workers)


def _size(job: Job) -> int:
    """How large a resolution will be: as the last time, with what the image provides."""
    before = job.previous
    known = len(before.packages) + len(before.provided) if before else 0
    return known or len(job.question.asked.requirements)


def _work(
    pending: Pending,
    workshop: Workshop,
    finished: SimpleQueue[tuple[int, Done | BaseException]],
) -> None:
    while (taken := pending.take()) is not None:
        number, job = taken
        try:
            finished.put((number, _do(job, workshop)))
        except BaseException as error:  # noqa: BLE001 (raised again by whoever waits)
            finished.put((number, error))
            return
        pending.done()


def _do(job: Job, workshop: Workshop) -> Done:
    started = workshop.clock()
    result = resolving.result(job, workshop)
    return Done(job=job, result=result, seconds=workshop.clock() - started)
