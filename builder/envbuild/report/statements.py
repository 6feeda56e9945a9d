"""Every statement of the facts as an entry: what it is about, and its evidence. Pure."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from envbuild.knowledge import facts
from envbuild.knowledge.model import Row, Subject

Value = str | tuple[str, ...] | dict[str, str]


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One statement with its evidence.

    ``subject`` is what it is about (a release, a package, a GPU), ``name`` the property.
    ``corrections`` are the names of the checked claims that belong to it.
    """

    topic: str
    subject: str
    name: str
    value: Value
    source: str
    date: str
    confidence: str
    remark: str = ""
    corrections: tuple[str, ...] = ()


def _entry(row: Row, where: tuple[str, str, str], value: Value, *, remark: str = "") -> Entry:
    topic, subject, name = where
    return Entry(
        topic=topic,
        subject=subject,
        name=name,
        value=value,
        source=row.source,
        date=row.date,
        confidence=row.confidence,
        remark=remark,
        corrections=_corrected(topic, subject, name),
    )


def _corrected(topic: str, subject: str, name: str) -> tuple[str, ...]:
    """The checked claims that belong to a statement, by their names."""
    return tuple(
        correction
        for about, correction in _about(topic)
        if about.release in ("", subject) and about.name == name
    )


@functools.cache
def _about(topic: str) -> tuple[tuple[Subject, str], ...]:
    return tuple(
        (about, row.id) for row in facts.corrections() for about in row.about if about.kind == topic
    )


def _releases(kind: str) -> Iterator[Entry]:
    for release in facts.releases(kind):
        for fact in sorted(facts.facts_of(kind, release), key=lambda fact: fact.name):
            yield _entry(fact, (kind, release, fact.name), fact.value)


def _bundles() -> Iterator[Entry]:
    for name in facts.bundle_names():
        row = facts.bundle(name)
        assert row is not None, name
        yield _entry(row, ("bundles", name, "python"), row.python, remark=row.notes)
        if row.torch_build:
            yield _entry(row, ("bundles", name, "torch build"), row.torch_build)
        if row.satisfies:
            yield _entry(row, ("bundles", name, "satisfies"), row.satisfies)
        for package, version in sorted(row.packages.items()):
            yield _entry(row, ("bundles", name, package), version)


def _gpus() -> Iterator[Entry]:
    for row in facts.gpus():
        yield _entry(row, ("gpus", row.architecture, "called"), row.called)
        yield _entry(row, ("gpus", row.architecture, "cuda"), f">={row.cuda}", remark=row.remark)


def _torch() -> Iterator[Entry]:
    for row in facts.torch_builds():
        subject = f"{row.version} {row.architecture}"
        yield _entry(row, ("torch", subject, "cuda"), row.cuda or "none: for the processor alone")
        if row.gpus:
            yield _entry(row, ("torch", subject, "gpus"), row.gpus)


def _companions() -> Iterator[Entry]:
    for row in facts.all_companions():
        package = row.requirement.split("=")[0].split("<")[0].split(">")[0]
        wanted = row.requirement.removeprefix(package)
        yield _entry(row, ("companions", f"torch {row.torch}", package), wanted)


def _placeholders() -> Iterator[Entry]:
    for row in facts.placeholders():
        for package in row.packages:
            where = ("placeholders", package, "versions without a wheel")
            yield _entry(row, where, row.versions, remark=f"the wheels: index {row.index}")


def _distributions() -> Iterator[Entry]:
    for row in facts.distributions():
        yield _entry(row, ("distributions", row.name, "glibc"), row.glibc)


def _layers() -> Iterator[Entry]:
    for row in facts.layers():
        for package in row.packages:
            where = ("layers", package, "piece")
            yield _entry(row, where, str(row.piece), remark=row.reason)


def _libraries() -> Iterator[Entry]:
    for row in facts.libraries():
        names = {"apt": row.apt, **row.renamed, "conda": row.conda, "python": row.python}
        yield _entry(
            row,
            ("libraries", row.library, "packages"),
            {where: name for where, name in names.items() if name},
        )


def _numpy_pairs() -> Iterator[Entry]:
    """Pair by pair, what is imported first as the subject."""
    for row in sorted(
        facts.numpy_pairs(), key=lambda row: (_numbers(row.site), _numbers(row.bundle))
    ):
        subject = f"{row.site} before {row.bundle}"
        mixed = f"mixed silently, {row.foreign} modules"
        if not row.fails:
            yield _entry(row, ("numpy-pairs", subject, "all modules"), mixed)
        for module, texts in row.fails.items():
            yield _entry(row, ("numpy-pairs", subject, module), texts)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _corrections() -> Iterator[Entry]:
    for row in facts.corrections():
        yield _entry(row, ("corrections", row.id, row.verdict), row.truth, remark=row.claim)


FACTS: dict[str, Callable[[], Iterable[Entry]]] = {
    "isaac-sim": lambda: _releases("isaac-sim"),
    "isaac-lab": lambda: _releases("isaac-lab"),
    "gr00t": lambda: _releases("gr00t"),
    "bundles": _bundles,
    "gpus": _gpus,
    "torch": _torch,
    "companions": _companions,
    "placeholders": _placeholders,
    "distributions": _distributions,
    "layers": _layers,
    "libraries": _libraries,
    "numpy-pairs": _numpy_pairs,
    "corrections": _corrections,
}
"""The topics that the facts have, and their entries."""
