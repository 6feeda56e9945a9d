"""Files of one site that several distributions have recorded, each with another content. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from envbuild.scan.installed import recorded
from envbuild.scan.installed.recorded import Row
from envbuild.scan.model import Distribution
from envbuild.scan.tree import Tree

_STUB = 512
"""Bytes of an ``__init__.py`` that declares a namespace and does no more."""

_CARELESS = re.compile(
    r"(?:tests?|docs?|examples?|scripts?|benchmarks?)/.*|[^/]+(?<!\.py)(?<!\.so)"
)
"""What wheels put beside packages by mistake: tests, licences. Nobody imports it."""


def find(
    tree: Tree, files: recorded.Site, here: Sequence[Distribution]
) -> Mapping[tuple[int, ...], list[str]]:
    """The paths that some of a site's distributions contest, by the numbers of these.

    A site has 100,000 recorded files and more: only those of folders that several distributions
    share are held.
    """
    names = [one.name for one in here]
    numbers = [number for number, name in enumerate(names) if names.count(name) == 1]
    shared = _shared(tree, here, numbers)
    claims: dict[str, dict[int, Row]] = {}
    for number in numbers if shared else ():
        for row in _rows(tree, here[number]):
            if row.name.rpartition("/")[0] in shared:
                claims.setdefault(row.name, {})[number] = row
    found: dict[tuple[int, ...], list[str]] = {}
    for rows in claims.values():
        if _differ(list(rows.values())):
            path = files.path(next(iter(rows.values())))
            if path:
                found.setdefault(tuple(rows), []).append(path)
    return found


def _shared(tree: Tree, here: Sequence[Distribution], numbers: Sequence[int]) -> frozenset[str]:
    """The folders that several distributions have recorded files in."""
    first: dict[str, int] = {}
    shared: set[str] = set()
    for number in numbers:
        lines = recorded.record(tree, here[number]).splitlines()
        for folder in {line.partition(",")[0].rpartition("/")[0].lstrip('"') for line in lines}:
            if first.setdefault(folder, number) != number:
                shared.add(folder)
    return frozenset(shared)


def _rows(tree: Tree, one: Distribution) -> Iterator[Row]:
    for row in recorded.rows(recorded.record(tree, one)):
        if not row.is_beside and not row.is_metadata and not _CARELESS.fullmatch(row.name):
            yield row


def _differ(rows: Sequence[Row]) -> bool:
    if len(rows) < 2 or all(_is_stub(row) for row in rows):
        return False
    digests = {row.digest for row in rows if row.digest}
    sizes = {row.size for row in rows if row.size >= 0}
    return len(digests) > 1 or len(sizes) > 1


def _is_stub(row: Row) -> bool:
    return row.name.endswith("/__init__.py") and 0 <= row.size <= _STUB
