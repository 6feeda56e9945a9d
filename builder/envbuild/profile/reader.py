"""YAML text to a tree of plain values with a place for each.

Read by our own rules: only ``true``/``false``, null and decimal integers are not text, so that
``python: 3.10`` stays ``3.10`` and ``on`` stays ``on``; two equal keys, anchors, tags and several
documents are problems. All problems of a file are reported together.
"""

from __future__ import annotations

import re

import yaml
from msgspec import Struct

from envbuild.errors import InputError, Mark, Problem
from envbuild.profile.model import KeyPath

Plain = str | int | bool | None | list["Plain"] | dict[str, "Plain"]

LIMIT = 1024 * 1024
"""The most characters of one profile; the longest shipped one has about 10,000."""

_DEPTH = 20
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_PLAIN_TAGS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"})


class Tree(Struct, frozen=True, kw_only=True):
    """A mapping as read, and the place of every key and list item in it."""

    value: dict[str, Plain]
    marks: dict[KeyPath, Mark]


def read(text: str, file: str) -> Tree:
    """The tree of one YAML document; ``file`` is how the user would name it.

    Raises:
        InputError: with every problem found.
    """
    reader = _Reader(file)
    value = reader.document(text)
    if reader.problems or not isinstance(value, dict):
        raise InputError(
            f"{file} cannot be read", problems=tuple(sorted(reader.problems, key=_place))
        )
    return Tree(value=value, marks=reader.marks)


def _place(problem: Problem) -> tuple[str, int, int]:
    mark = problem.mark
    return (mark.file, mark.line, mark.column) if mark else ("", 0, 0)


class _Reader:
    """Turns nodes into values, remembering places and problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.marks: dict[KeyPath, Mark] = {(): Mark(file, 1, 1)}
        self.problems: list[Problem] = []
        self._seen: set[int] = set()

    def document(self, text: str) -> Plain:
        if len(text) > LIMIT:
            self._problem("the file is too large for a profile", None)
            return None
        try:
            node = yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
            return None
        except (yaml.YAMLError, UnicodeError) as error:
            self._problem(f"not YAML: {str(error).splitlines()[0]}", None)
            return None
        if node is None:
            self._problem("the file is empty", None, hint="a profile starts with: schema: 1")
            return None
        if not isinstance(node, yaml.MappingNode):
            self._problem("expected keys and values", node, hint="such as: schema: 1")
            return None
        return self._value(node, ())

    def _value(self, node: yaml.Node, path: KeyPath) -> Plain:
        if id(node) in self._seen:
            self._problem(
                "anchors and aliases are not used in profiles",
                node,
                hint="say it again, or use extends",
            )
            return None
        self._seen.add(id(node))
        if node.tag not in _PLAIN_TAGS:
            self._problem(
                f"tags such as {node.tag} are not used in profiles",
                node,
                hint="remove it; quote a value to make it text",
            )
        if len(path) > _DEPTH:
            self._problem(f"nested more than {_DEPTH} levels deep", node)
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path)
        assert isinstance(node, yaml.ScalarNode)
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> Plain:
        found: dict[str, Plain] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._problem("a key must be text on one line", key)
                continue
            name = key.value
            here = (*path, name)
            if name in found:
                first = self.marks[here].line
                self._problem(
                    f"{name!r} stands twice, first on line {first}", key, hint="keep one of them"
                )
                continue
            self.marks[here] = self._mark(key)
            found[name] = self._value(value, here)
        return found

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath) -> Plain:
        items: list[Plain] = []
        for index, item in enumerate(node.value):
            here = (*path, index)
            self.marks[here] = self._mark(item)
            items.append(self._value(item, here))
        return items

    def _mark(self, node: yaml.Node) -> Mark:
        return Mark(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _problem(self, message: str, node: yaml.Node | None, *, hint: str | None = None) -> None:
        mark = self._mark(node) if node is not None else Mark(self.file, 1, 1)
        self.problems.append(Problem(message=message, mark=mark, hint=hint))

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        place = error.problem_mark or error.context_mark
        mark = Mark(self.file, place.line + 1, place.column + 1) if place else None
        message = error.problem or error.context or "not YAML"
        hint = None
        if "\\t" in message or "cannot start any token" in message:
            message, hint = "a tab cannot indent", "use spaces"
        elif "another document" in message or "single document" in message:
            message, hint = "a second document begins here", "one profile a file"
        self.problems.append(
            Problem(
                message=f"not YAML: {message}" if hint is None else message, mark=mark, hint=hint
            )
        )


def _scalar(node: yaml.ScalarNode) -> Plain:
    text: str = node.value
    if node.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INTEGER.fullmatch(text) else text
