"""Types that several threads learn at once."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from envbuild.tools import typed

RACE = """
import sys, threading
from typing import Annotated, Literal
import msgspec
from envbuild.tools import typed

sys.setswitchinterval(1e-6)

def learn():
    class Part(msgspec.Struct, frozen=True):
        x: int
        y: tuple[str, ...] = ()
        z: Literal["a", "b"] = "a"
        q: Annotated[str, msgspec.Meta(pattern="^a")] = "a"
    kind = msgspec.defstruct("Whole", [("a", tuple[Part, ...]), ("b", dict[str, Part], {})])
    start = threading.Barrier(4)
    def one(number):
        start.wait()
        if number % 2:
            typed.convert({"a": [{"x": 1}]}, kind)
        else:
            typed.decode(b'{"a": [{"x": 1}]}', kind)
    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

for _ in range(200):
    learn()
print("all learnt")
"""


def test_threads_that_meet_a_new_type_at_once() -> None:
    """In a process of its own: without the turn, msgspec ends the whole interpreter here."""
    done = subprocess.run(
        [sys.executable, "-c", RACE], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "all learnt\n")


def test_a_value_that_does_not_fit_leaves_the_turn_free() -> None:
    for _ in range(2):
        with pytest.raises(msgspec.ValidationError):
            typed.convert("one", int)
    assert typed.convert("1", int, strict=False) == 1
    assert typed.decode('{"a": 1}', dict) == {"a": 1}
