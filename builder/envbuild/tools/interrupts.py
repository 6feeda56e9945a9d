"""Signals that end the program, put off over a few lines that must not be cut in two."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """What the handler of such a signal raises is raised at the end of the block.

    For the lines that start a child: interrupted between its start and the line that remembers
    it, nobody would be left to end it. Handlers run in the main thread alone, so in any other
    thread there is nothing to put off.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    handlers = {sign: signal.getsignal(sign) for sign in ENDING}
    for sign, handler in handlers.items():
        if callable(handler):
            signal.signal(sign, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        for sign, handler in handlers.items():
            if callable(handler):
                signal.signal(sign, handler)
    for number, frame in came:
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
