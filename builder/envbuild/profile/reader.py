"""YAML text to a tree of plain values with a place for each.

Read by our own rules: only ``true``/``false``, null and decimal integers are not text, so that
``python: 3.10`` stays ``3.10`` and ``on`` stays ``on``; two equal keys, anchors, aliases, tags and
several documents are problems. Parser events are read one by one rather than composed nodes: they
say which tags were written, show anchors that nobody uses, and let deep nesting end the reading
before it costs anything.
"""

from __future__ import annotations

import re

import yaml
from msgspec import Struct

from envbuild.errors import InputError, Mark, Problem
from envbuild.profile import syntax
from envbuild.profile.resolved import KeyPath

Plain = str | int | bool | None | list["Plain"] | dict[str, "Plain"]

DEPTH = 20
"""The most levels of nesting; the format itself has six."""

ENOUGH = 100
"""Reading a file ends after so many problems."""

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


class Tree(Struct, frozen=True, kw_only=True):
    """A mapping as read, and the place of every key and list item in it; ``()`` is its begin.

    ``removed`` has the places of the keys that a null took away when layers were merged.
    """

    value: dict[str, Plain]
    marks: dict[KeyPath, Mark]
    removed: dict[KeyPath, Mark] = {}


class Scan(Struct, frozen=True, kw_only=True):
    """What one file gave. ``tree`` is None where a problem left no whole tree to look at."""

    tree: Tree | None
    problems: tuple[Problem, ...]


def read(text: str, file: str) -> Tree:
    """The tree of one YAML document; ``file`` is how the user would name it.

    Raises:
        InputError: with every problem found.
    """
    found = scan(text, file)
    if found.tree is None or found.problems:
        raise InputError(f"{file} cannot be read", problems=found.problems)
    return found.tree


def scan(text: str, file: str) -> Scan:
    """As :func:`read`, but the tree is given beside problems that leave it whole."""
    unreadable = syntax.unreadable(text, file)
    if unreadable:
        return Scan(tree=None, problems=unreadable)
    builder = _Builder(file)
    try:
        builder.build(text)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        builder.problems += syntax.explained(error, text, file)
        builder.whole = False
    except _EnoughError:
        builder.whole = False
    value = builder.root
    if builder.whole and not isinstance(value, dict):
        wrong = "the file is empty" if value is None else "expected keys and values"
        builder.problems.append(
            Problem(message=wrong, mark=builder.top, hint="its first line is: schema: 1")
        )
    problems = tuple(sorted(builder.problems, key=_place))
    if builder.whole and isinstance(value, dict):
        return Scan(tree=Tree(value=value, marks=builder.marks), problems=problems)
    return Scan(tree=None, problems=problems)


def _place(problem: Problem) -> tuple[int, int]:
    return (problem.mark.line, problem.mark.column) if problem.mark else (0, 0)


class _EnoughError(Exception):
    """Nothing that comes later in the file can be told apart from what is wrong already."""


class _Open:
    """A mapping or list that is being filled; ``key`` is the key whose value comes next."""

    __slots__ = ("key", "path", "value")

    def __init__(self, value: dict[str, Plain] | list[Plain], path: KeyPath) -> None:
        self.value = value
        self.path = path
        self.key: str | None = None


class _Builder:
    """Builds the value from parser events, remembering places and problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.top = Mark(file, 1, 1)
        self.root: Plain = None
        self.marks: dict[KeyPath, Mark] = {(): self.top}
        self.problems: list[Problem] = []
        self.whole = True
        self._documents = 0
        self._open: list[_Open] = []

    def problem(self, mark: Mark, message: str, hint: str) -> None:
        self.problems.append(Problem(message=message, mark=mark, hint=hint))
        if len(self.problems) >= ENOUGH:
            raise _EnoughError

    def build(self, text: str) -> None:
        parser = _LOADER(text)
        while (event := parser.get_event()) is not None:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._begin(event, {})
            elif kind is yaml.SequenceStartEvent:
                self._begin(event, [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._open.pop()
            elif kind is yaml.AliasEvent:
                self._refuse_alias(event)
            elif kind is yaml.DocumentStartEvent:
                self._document(event)

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self.problem(
                self._mark(event), "a second document begins here", "keep one profile in a file"
            )
            raise _EnoughError

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if event.anchor is not None or event.tag is not None:
            self._refuse_extras(event)
        into = self._open[-1] if self._open else None
        if into is not None and into.key is None and isinstance(into.value, dict):
            self._key(into, event.value, event)
        else:
            self._place(_plain(event), event)

    def _key(self, into: _Open, name: str, event: yaml.ScalarEvent) -> None:
        here = (*into.path, name)
        into.key = name
        if here in self.marks:
            first = self.marks[here].line
            self.problem(
                self._mark(event), f"{name!r} stands twice, first on line {first}", "keep one"
            )
        else:
            self.marks[here] = self._mark(event)

    def _begin(
        self, event: yaml.CollectionStartEvent, value: dict[str, Plain] | list[Plain]
    ) -> None:
        if event.anchor is not None or event.tag is not None:
            self._refuse_extras(event)
        if len(self._open) >= DEPTH:
            message = f"nested more than {DEPTH} levels deep"
            self.problem(self._mark(event), message, "close the brackets that are open")
            raise _EnoughError
        into = self._open[-1] if self._open else None
        if into is not None and isinstance(into.value, dict):
            if into.key is None:
                self.problem(self._mark(event), "a key must be text", "write: key: value")
                raise _EnoughError
            first = into.value.get(into.key)
            if isinstance(first, dict) and isinstance(value, dict):
                value = first  # a repeated mapping goes on, so that none of its keys is missed
        self._open.append(_Open(value, self._place(value, event)))

    def _place(self, value: Plain, event: yaml.NodeEvent) -> KeyPath:
        """Put a value where it belongs; the path of that."""
        if not self._open:
            self.root = value
            return ()
        into = self._open[-1]
        if isinstance(into.value, list):
            item: KeyPath = (*into.path, len(into.value))
            self.marks[item] = self._mark(event)
            into.value.append(value)
            return item
        key, into.key = into.key, None
        assert key is not None
        into.value[key] = value
        return (*into.path, key)

    def _refuse_extras(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        self.whole = False
        if event.anchor is not None:
            self._refuse_sharing(event, f"&{event.anchor}")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.problem(
                self._mark(event),
                f"the tag {tag} is not part of the format",
                "remove it; quotes make a value text",
            )

    def _refuse_alias(self, event: yaml.AliasEvent) -> None:
        self.whole = False
        self._refuse_sharing(event, f"*{event.anchor}")
        into = self._open[-1] if self._open else None
        if into is not None and into.key is None and isinstance(into.value, dict):
            raise _EnoughError
        self._place(None, event)

    def _refuse_sharing(self, event: yaml.NodeEvent, word: str) -> None:
        self.problem(
            self._mark(event),
            f"{word}: anchors and aliases are not part of the format",
            "write the value out, share it by extends, or quote it if it is text",
        )

    def _mark(self, event: yaml.Event) -> Mark:
        place = event.start_mark
        assert place is not None
        return Mark(self.file, place.line + 1, place.column + 1)


def _plain(event: yaml.ScalarEvent) -> Plain:
    text: str = event.value
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INTEGER.fullmatch(text) else text
