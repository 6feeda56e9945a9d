"""The test of ``envbuild bisect``: a command of the user's, or the smoke test of a built image."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from envbuild.cli import bisect_words
from envbuild.cli.bisect_images import Images
from envbuild.errors import InputError, ToolError
from envbuild.nightly import calling
from envbuild.nightly.bisecting.trying import Ran
from envbuild.nightly.calling import Called
from envbuild.tools import files, following, proc
from envbuild.tools.following import Follower
from envbuild.tools.proc import Command

SMOKE = "smoke"
IMAGE = "{image}"
_UNTESTABLE = 125
"""The exit status by which a test says that it cannot judge, as for ``git bisect run``."""

_INTERRUPTED = (-2, 130)
_STAGES = ("render", "build", "smoke", "test")

Stage = Literal["render", "build", "smoke", "test"]


class Test(Struct, frozen=True, kw_only=True):
    """What is asked of each lock of ``profile`` in the scratch workspace ``root``.

    ``words`` is the command, empty for the smoke test. ``image``: one is built first, of
    ``variant``. ``options`` go to ``envbuild build``. ``timeout`` in seconds, for each program that
    is called.
    """

    profile: str
    root: str
    words: tuple[str, ...]
    image: bool
    variant: str
    options: tuple[str, ...] = ()
    timeout: float = 3600.0


def command_words(text: str) -> tuple[str, ...]:
    """The words of ``--test``; none for the smoke test.

    Raises:
        InputError: it is empty, or a quote is not closed.
    """
    if text == SMOKE:
        return ()
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise InputError(f"--test {text!r} cannot be read: {error}") from None
    if not words:
        raise InputError("--test is empty", hint="--test smoke, or --test 'python3 check.py'")
    return words


class Testing:
    """Tests the lock that stands in the scratch workspace, one at a time."""

    def __init__(
        self,
        test: Test,
        images: Images,
        *,
        environ: Mapping[str, str],
        line: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._test = test
        self._images = images
        self._profile = test.profile
        self._root = test.root
        self._environ = environ
        self._own = calling.own(environ)
        self._line = line
        self._follow: Follower = following.follow

    def run(self, log: str, failing: str) -> Ran:
        """Test once. ``log`` is the path of a file that all is added to; ``failing`` is the stage
        in which the bad side fails.

        Raises:
            ToolError: the log cannot be written, or a program is missing.
            KeyboardInterrupt: somebody ended what was called.
        """
        began = time.monotonic()
        stage, why, bad = self._chain(log, failing)
        verdict: Literal["good", "bad", "untestable"] = "bad" if bad else "good"
        if bad is None:
            verdict = "untestable"
        elif bad and failing and _STAGES.index(stage) < _STAGES.index(failing):
            verdict, why = "untestable", f"{stage} fails, which is another failure: {why}"
        seconds = time.monotonic() - began
        return Ran(verdict=verdict, why=why, stage=stage, seconds=seconds, log=log)

    def _chain(self, log: str, failing: str) -> tuple[Stage, str, bool | None]:
        """The stage that it ended in, why, and whether that is bad (None: it cannot be told)."""
        name = ""
        if self._test.image:
            name = self._images.name()
            for stage, words in self._making(name):
                called = self._call(words, log)
                if called.code:
                    return stage, _reason(called, stage), True
            self._images.built()
            if failing == "build":
                return "build", "the image is built", False
        if self._test.words:
            return self._command(log, name)
        return self._smoke(log)

    def _making(self, name: str) -> tuple[tuple[Stage, tuple[str, ...]], ...]:
        test = self._test
        build = ("build", self._profile, "--variant", test.variant, "--tag", name)
        options = ("--engine", self._images.engine.name, *test.options, "--json")
        return ("render", ("render", self._profile)), ("build", (*build, *options))

    def _smoke(self, log: str) -> tuple[Stage, str, bool | None]:
        words = ("smoke", self._profile, "--variant", self._test.variant)
        called = self._call((*words, "--engine", self._images.engine.name, "--json"), log)
        if called.code not in (0, 1) and not called.timed_out:
            raise ToolError(
                f"the smoke test could not be run: {_reason(called, 'smoke')}",
                hint="nothing is lost: the same command goes on from here",
            )
        said = "".join(f"{line}\n" for line in _lines(called.data))
        if said:
            place, name = os.path.split(log)
            before = files.read_if_exists(log) or b""
            files.write_tree(place, {name: before + said.encode()})
        return "smoke", _reason(called, "smoke"), bool(called.code)

    def _call(self, words: tuple[str, ...], log: str) -> Called:
        asked = calling.Asked(root=self._root, words=words, log=log, timeout=self._test.timeout)
        called = calling.call(self._own, asked, line=self._line)
        if called.stopped or (called.code in _INTERRUPTED and not called.timed_out):
            raise KeyboardInterrupt
        return called

    def _command(self, log: str, reference: str) -> tuple[Stage, str, bool | None]:
        words = tuple(word.replace(IMAGE, reference) for word in self._test.words)
        environment = dict(self._environ) | {
            "ENVBUILD_LOCK": os.path.abspath(f"{self._root}/lockfiles/{self._profile}"),
            "ENVBUILD_WORKSPACE": os.path.abspath(self._root),
            "ENVBUILD_PROFILE": self._profile,
            "ENVBUILD_VARIANT": self._test.variant,
        }
        environment |= {"ENVBUILD_IMAGE": reference} if reference else {}
        command = Command(
            argv=words, environment=tuple(environment.items()), timeout=self._test.timeout
        )
        outcome = self._follow(command, log, self._line)
        if outcome.missing:
            raise ToolError(f"the test {words[0]} cannot be started", hint="--test 'PROGRAM WORDS'")
        if outcome.timed_out:
            return "test", f"no end after {self._test.timeout:g} s", True
        if outcome.stopped or outcome.code in _INTERRUPTED:
            raise KeyboardInterrupt
        if outcome.code == _UNTESTABLE:
            return "test", "the test says that it cannot judge (exit status 125)", None
        said = [line for line in (outcome.stdout + outcome.stderr).splitlines() if line.strip()]
        last = f": {bisect_words.line(said[-1])}" if said and outcome.code else ""
        ended = f"signal {-outcome.code}" if outcome.code < 0 else f"exit status {outcome.code}"
        return "test", f"{ended}{last}", outcome.code != 0


def _reason(called: Called, stage: str) -> str:
    """The last thing that was said of a stage, on one line."""
    if called.timed_out:
        return f"{stage} did not end in time"
    failed = tuple(_failed(called.data))
    if failed:
        return bisect_words.line("; ".join(failed[:3]))
    if not called.code:
        return "passes"
    said = [line for line in called.tail if line.strip()]
    errors = [line for line in said if line.startswith("error: ")]
    return bisect_words.line((errors or said or [f"exit status {called.code}"])[-1])


def _failed(data: object) -> list[str]:
    """What failed, as the answers of build and smoke say it."""
    found = [f"{one.get('id')}: {one.get('reason')}" for one in _checks(data)]
    for row in data if isinstance(data, list) else ():
        match row:
            case {"status": "failed", "message": str(message)}:
                found.append(message)
    return found


def _lines(data: object) -> Iterator[str]:
    """What the smoke test says of each check that failed, for the log."""
    for one in _checks(data):
        yield f"{one.get('id')}: {one.get('reason')}"
        lines = one.get("lines")
        for line in lines if isinstance(lines, list) else ():
            yield proc.masked(str(line))


def _checks(data: object) -> list[dict[str, object]]:
    """The checks that failed, of what smoke says."""
    found: list[dict[str, object]] = []
    match data:
        case {"reports": [*reports]}:
            for report in reports:
                listed = report.get("checks") if isinstance(report, dict) else None
                every = listed if isinstance(listed, list) else []
                found += [one for one in every if isinstance(one, dict)]
    return [one for one in found if one.get("verdict") == "fail"]
