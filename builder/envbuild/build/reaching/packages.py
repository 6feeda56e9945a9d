"""Whether the user's package index still has what locks name: uv is asked, as a build asks it.

uv answers for all packages or for none. Where it refuses, halves are asked until what is gone
stands alone: so the settings of uv and pip, their indexes and logins, count as they do in a build.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from envbuild.build import wheels
from envbuild.build.reaching import addresses
from envbuild.build.reaching.model import HERE, Answer, Asked
from envbuild.errors import EnvbuildError
from envbuild.lock import pylock, uv

if TYPE_CHECKING:
    from envbuild.build.supply import Supply
    from envbuild.build.wheels import Chosen
    from envbuild.lock.requirements import Pin
    from envbuild.tools.net import Http

_YANKED = re.compile(
    r"^warning: `([^`=]+)==([^`]+)` is yanked(?: \(reason: \"(.*)\"\))?", re.MULTILINE
)
_OTHER = Answer(state="moved", detail="the index has other files of it than the lock")


class Index:
    """The index, asked once for all packages of a lock, when the first is wanted."""

    def __init__(
        self, question: pylock.Question, pins: Iterable[Pin], supply: Supply, http: Http
    ) -> None:
        self._question = question
        self._pins = tuple(pins)
        self._supply = supply
        self._http = http
        self._turn = threading.Lock()
        self._said: dict[str, pylock.Package | Answer] | None = None
        self._yanked: dict[str, str] = {}

    def asked(self) -> Iterator[Asked]:
        """Every package of the lock."""
        for pin in self._pins:
            source = pin.name in self._question.sources
            yield Asked(
                kind="sdist" if source else "wheel",
                name=pin.name,
                version=pin.version,
                ask=functools.partial(self._of, pin),
                hashes=tuple(one.removeprefix("sha256:") for one in pin.hashes),
            )

    def _of(self, pin: Pin) -> Answer:
        with self._turn:
            if self._said is None:
                self._said = dict(self._ask(self._pins))
        found = self._said.get(pin.name, Answer(state="gone", detail="the index does not name it"))
        if isinstance(found, Answer):
            return found
        chosen = self._chosen(pin, found)
        if not chosen:
            return _OTHER
        answers = [
            addresses.probe(one.url, one.size, self._http, self._supply.access.credentials)
            for one in chosen
        ]
        answer = next((one for one in answers if one != HERE), HERE)
        return msgspec.structs.replace(answer, warning=self._yanked.get(pin.name, ""))

    def _chosen(self, pin: Pin, package: pylock.Package) -> tuple[Chosen, ...]:
        hashes = frozenset(pin.hashes)
        if pin.name in self._question.sources:
            return wheels.choose_source(package, hashes)
        ranks = wheels.supported(self._question.python, self._question.platform)
        return wheels.choose(package, hashes, ranks)

    def _ask(self, pins: tuple[Pin, ...]) -> Iterator[tuple[str, pylock.Package | Answer]]:
        """What the index says of each, by name."""
        question = msgspec.structs.replace(
            self._question, pins=tuple((pin.name, pin.version) for pin in pins)
        )
        try:
            text = pylock.ask(question, self._supply.uv(), self._supply.runner, heard=self._hear)
            for package in pylock.packages(text):
                yield package.name, package
        except pylock.RefusedError as error:
            failure = uv.failure(error.outcome)
            if failure.kind not in ("unsatisfiable", "not-found", "build"):
                lines = failure.text.strip().splitlines() or ["uv does not answer"]
                detail = f"the package index does not answer: {lines[-1].strip()}"
                for pin in pins:
                    yield pin.name, Answer(state="unknown", detail=detail)
            elif len(pins) == 1:
                said = f"the index has no {pins[0].name} {pins[0].version} for this Python"
                yield pins[0].name, Answer(state="gone", detail=said)
            else:
                half = len(pins) // 2
                yield from self._ask(pins[:half])
                yield from self._ask(pins[half:])
        except EnvbuildError as error:
            for pin in pins:
                yield pin.name, Answer(state="unknown", detail=error.message)

    def _hear(self, said: str) -> None:
        for name, _, reason in _YANKED.findall(said):
            self._yanked[name] = f"yanked: {reason}" if reason else "yanked"
