"""What is known, as one kind of line: the facts of every topic, and which lines a word finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from envbuild.knowledge import facts, rulebook, signaturebook
from envbuild.knowledge.model import Correction
from envbuild.knowledge.reading import Evidence
from envbuild.knowledge.rulebook import Rulebook
from envbuild.knowledge.signaturebook import Signature
from envbuild.report.statements import FACTS, Entry, Value

_SHORT = 60
"""Characters of a list that stands in one line."""


def _rules(book: Rulebook) -> Iterator[Entry]:
    for ready in book.rules.values():
        rule = ready.rule
        says: tuple[tuple[str, Value], ...] = (
            (rule.severity, rule.title),
            ("why", rule.why),
            ("ways out", rule.fix),
        )
        yield from _said("rules", rule.id, says, rule.evidence)


def _signatures(known: Iterable[Signature]) -> Iterator[Entry]:
    for one in known:
        says: tuple[tuple[str, Value], ...] = (
            ("generic" if one.generic else "failure", one.title),
            ("cause", one.cause),
            ("messages", tuple(message.pattern for message in one.messages)),
            ("way out", one.fix),
        )
        yield from _said("signatures", one.id, says, one.evidence)


def _said(
    topic: str, subject: str, says: Iterable[tuple[str, Value]], evidence: Evidence
) -> Iterator[Entry]:
    for name, value in says:
        yield Entry(
            topic=topic,
            subject=subject,
            name=name,
            value=value,
            source=evidence.source,
            date=evidence.date,
            confidence=evidence.confidence,
        )


class Topics:
    """Every topic by name; each is read when it is asked for. ``rules`` and ``signatures`` are
    those to list."""

    def __init__(
        self,
        rules: Callable[[], Rulebook] = rulebook.shipped,
        signatures: Callable[[], Iterable[Signature]] = signaturebook.shipped,
    ) -> None:
        self._read: dict[str, Callable[[], Iterable[Entry]]] = {
            **FACTS,
            "rules": lambda: _rules(rules()),
            "signatures": lambda: _signatures(signatures()),
        }

    def names(self) -> tuple[str, ...]:
        """The topics."""
        return tuple(self._read)

    def entries(self, topic: str) -> tuple[Entry, ...]:
        """Every statement of a topic, in its own order.

        Raises:
            KeyError: there is no such topic.
            InputError: a file that the user wrote cannot be used.
        """
        return tuple(self._read[topic]())


MEANINGS = {
    "isaac-sim": "releases of Isaac Sim: Python, packages, CUDA, glibc, drivers, names",
    "isaac-lab": "releases of Isaac Lab: their simulator, parts and pins",
    "gr00t": "generations of GR00T: what their project files pin",
    "bundles": "what an image brings: the version of every package",
    "gpus": "GPU architectures: the CUDA that can first compile for them",
    "torch": "torch on the public index: its CUDA and the GPUs it has code for",
    "companions": "what works with a torch, among the packages compiled against it",
    "placeholders": "packages that the public index holds only as placeholders",
    "distributions": "base distributions: their glibc",
    "layers": "which piece of an image's wheels a package stands in: 1 moves least",
    "libraries": "shared libraries: the packages that have them",
    "numpy-pairs": "two versions of NumPy in one process: the first imported, then a bundle's",
    "corrections": "statements that go around, held against what was found",
    "rules": "what may not meet, and the ways out",
    "signatures": "what a message in a log means, and the way out",
}
"""What each topic is about."""


def subjects(found: Iterable[Entry]) -> tuple[str, ...]:
    """What the entries are about, each once."""
    return tuple(dict.fromkeys(entry.subject for entry in found))


def of_subject(topic: str, found: tuple[Entry, ...], name: str) -> tuple[Entry, ...]:
    """The entries about one subject; a release may be written as a longer version of it."""
    wanted = (facts.release_of(topic, name) if topic in facts.KINDS else None) or name
    return tuple(entry for entry in found if entry.subject == wanted)


def search(found: Iterable[Entry], words: Iterable[str]) -> tuple[Entry, ...]:
    """The entries in whose subject, name, value or remark every word stands."""
    wanted = [word.lower() for word in words]
    return tuple(entry for entry in found if _has(_text(entry), wanted))


def _has(text: str, words: Iterable[str]) -> bool:
    return all(word in text for word in words)


def _text(entry: Entry) -> str:
    parts = (entry.topic, entry.subject, entry.name, *lines(entry.value), entry.remark)
    return " ".join(parts).lower()


def lines(value: Value) -> tuple[str, ...]:
    """A value as lines of text: one for a text or a short list, else one for each item."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, dict):
        return tuple(f"{key}: {text}" for key, text in value.items())
    joined = ", ".join(value)
    return (joined,) if len(joined) <= _SHORT else value


def claim(name: str) -> Correction:
    """A checked claim by its name.

    Raises:
        KeyError: there is none of that name.
    """
    for row in facts.corrections():
        if row.id == name:
            return row
    raise KeyError(name)
