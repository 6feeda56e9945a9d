"""Questions to the world outside that are asked on threads of their own, each distinct one once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class StoppedError(Exception):
    """Nobody waits for answers any more."""


class Question(Generic[Answer]):
    """A question that is on its way."""

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._answered = threading.Event()
        self._answer: list[Answer] = []
        self._error: BaseException = StoppedError()
        threading.Thread(target=self._run, daemon=True).start()

    def answer(self) -> Answer:
        """Wait for the answer.

        Raises:
            StoppedError: :meth:`Questions.stop` was called before it came.
            Exception: whatever asking it raised.
        """
        self._answered.wait()
        if self._answer:
            return self._answer[0]
        raise self._error

    def give_up(self) -> None:
        """Let those go that wait for the answer."""
        self._answered.set()

    def _run(self) -> None:
        try:
            self._answer.append(self._ask())
        except BaseException as error:  # noqa: BLE001 (raised again by whoever waits)
            self._error = error
        self._answered.set()


class Questions:
    """The questions of one run."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._asked: dict[Hashable, Question[object]] = {}
        self._stopped = False

    def ask(self, key: Hashable, ask: Callable[[], Answer]) -> Question[Answer]:
        """A question that is on its way now; the one of before where it has the same key.

        Raises:
            StoppedError: :meth:`stop` was called.
        """
        with self._turn:
            if self._stopped:
                raise StoppedError
            found = self._asked.get(key)
            if found is None:
                found = self._asked[key] = Question(ask)
            return found  # type: ignore[return-value]  # one key has one kind of answer

    def stop(self) -> None:
        """Let everybody go that waits; a thread that still reads ends with the program."""
        with self._turn:
            self._stopped = True
            for question in self._asked.values():
                question.give_up()
