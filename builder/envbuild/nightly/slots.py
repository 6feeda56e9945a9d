"""How many stages run at a time, who is next, and how much of the night none of them ran."""

from __future__ import annotations

import contextlib
import heapq
import threading
import time
from collections.abc import Callable, Iterator


class OverError(Exception):
    """No stage begins any more: the night's time is over, or it is being ended."""


class Slots:
    """Places for stages. Who has waited for one by the lower number is next, so that the first
    profiles come to their end before the last ones begin.

    ``limit`` is how long the night may take, in seconds by ``clock``; None: as long as it does.
    """

    def __init__(
        self, count: int, *, limit: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = count
        self._turn = threading.Condition()
        self._waiting: list[tuple[int, int]] = []
        self._tickets = 0
        self._clock = clock
        self._began = clock()
        self._limit = limit
        self._ended = False
        self._running = 0
        self._since = 0.0
        self._busy = 0.0

    def left(self, most: float) -> float:
        """The seconds that a stage may take that may take ``most``."""
        return most if self._limit is None else min(most, self._limit - self.passed())

    def passed(self) -> float:
        """Seconds since the night began here."""
        return self._clock() - self._began

    def idle(self) -> float:
        """Seconds in which no program ran that was called: the night's own work."""
        with self._turn:
            busy = self._busy + (self._clock() - self._since if self._running else 0.0)
        return max(0.0, self.passed() - busy)

    @property
    def ended(self) -> bool:
        """Whether the night is being ended from outside: what a stage says then is worth
        nothing."""
        return self._ended

    def end(self) -> None:
        """Let no stage begin any more."""
        with self._turn:
            self._ended = True
            self._turn.notify_all()

    @contextlib.contextmanager
    def taken(self, number: int) -> Iterator[None]:
        """A place, when it is one's turn.

        Raises:
            OverError: there will be none.
        """
        with self._turn:
            self._tickets += 1
            mine = (number, self._tickets)
            heapq.heappush(self._waiting, mine)
            try:
                while not (self._over() or (self._free and self._waiting[0] == mine)):
                    self._turn.wait(self._seconds())
            finally:
                self._waiting.remove(mine)
                heapq.heapify(self._waiting)
                self._turn.notify_all()
            if self._over():
                raise OverError
            self._free -= 1
        try:
            yield
        finally:
            with self._turn:
                self._free += 1
                self._turn.notify_all()

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """A program runs that was called: a stage, or one that is asked beforehand."""
        with self._turn:
            self._enter()
        try:
            yield
        finally:
            with self._turn:
                self._leave()

    def _over(self) -> bool:
        return self._ended or (self._limit is not None and self.passed() >= self._limit)

    def _seconds(self) -> float | None:
        """How long to sleep at most: whoever waits is woken when a place is free."""
        return None if self._limit is None else max(0.0, self._limit - self.passed())

    def _enter(self) -> None:
        if not self._running:
            self._since = self._clock()
        self._running += 1

    def _leave(self) -> None:
        self._running -= 1
        if not self._running:
            self._busy += self._clock() - self._since
