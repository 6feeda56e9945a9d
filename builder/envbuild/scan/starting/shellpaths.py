"""The PYTHONPATH that a shell script sets, read from its text: nothing is run.

Understood is what launchers of Isaac Sim, and those who patch them, write: assignments, lists with
globs, ``if`` with tests of files and variables, ``source``, the folder of the script by ``cd``,
``dirname`` and ``pwd``, and filters with ``grep -v``. The rest is passed over.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from envbuild.scan.starting.shellvalues import LONGEST, UNKNOWN, Values
from envbuild.scan.starting.shellwords import Command, commands
from envbuild.scan.tree import Tree

_ASSIGNED = re.compile(r"(\w+)(\+?)=(.*)", re.DOTALL)
_OPENING = frozenset({"if", "for", "while", "until", "case", "select", "{"})
_CLOSING = frozenset({"fi", "done", "esac", "}"})
_STEPS = 5_000
_DEPTH = 8
_PARTS = 4
"""Commands that are followed, scripts that source each other, and parts of a path from its first
glob on."""


class Reading(NamedTuple):
    """The folders of PYTHONPATH, and whether all of them are known."""

    folders: tuple[str, ...]
    sure: bool


def pythonpath(tree: Tree, script: str, variables: Mapping[str, str]) -> Reading:
    """PYTHONPATH after a script, as it is started (or sourced) with variables."""
    values = Values(tree, dict(variables))
    _Shell(tree, values).source(script)
    entries = [one for one in values.variables.get("PYTHONPATH", "").split(":") if one]
    known = [one for one in entries if UNKNOWN not in one]
    folders = [path for one in known for path in expanded(tree, one)]
    return Reading(tuple(dict.fromkeys(folders)), sure=len(known) == len(entries))


def expanded(tree: Tree, pattern: str) -> Iterator[str]:
    """The paths of a tree that fit a pattern with globs; a path without them as it is."""
    plain, parts = posixpath.normpath(pattern), []
    if not plain.startswith("/"):
        return
    while any(char in plain for char in "*?["):
        plain, last = posixpath.split(plain)
        parts.append(fnmatch.translate(last))
    if len(parts) > _PARTS:
        return
    if parts:
        yield from tree.matching(plain, parts[::-1])
    else:
        yield plain


class _Over(Exception):  # noqa: N818 (no error: the script ends)
    """The script has ended, or is not followed any further."""


class _Shell:
    """Follows the commands of scripts, and keeps what they assign."""

    def __init__(self, tree: Tree, values: Values) -> None:
        self._tree = tree
        self._values = values
        self._steps = 0

    def source(self, script: str) -> None:
        """Follow a script of the tree; one that is not there is passed over."""
        text, scripts = self._tree.text(script), self._values.scripts
        if text is None or len(scripts) >= _DEPTH:
            return
        scripts.append(script)
        try:
            self._all(commands(text))
        except _Over:
            if self._steps > _STEPS and len(scripts) > 1:
                raise
        finally:
            scripts.pop()

    def _all(self, every: Sequence[Command]) -> bool | None:
        """Follow commands; whether the last one succeeded, None where that is not known."""
        place, status = 0, None
        while place < len(every):
            self._steps += 1
            if self._steps > _STEPS:
                raise _Over
            command, word = every[place], every[place].words[0]
            end = _end(every, place) if word in _OPENING or word == "function" else place
            if (command.joined == "&&" and status is False) or (
                command.joined == "||" and status is not False
            ):
                pass
            elif word == "for":
                self._for(every[place : end + 1])
            elif word == "if":
                self._if(every[place : end + 1])
            elif word == "{":
                end = place
            elif end == place:
                status = self._one(command)
            place = end + 1
        return status

    def _for(self, block: Sequence[Command]) -> None:
        words = block[0].words
        if len(words) < 4 or words[2] != "in":
            return
        for word in words[3:]:
            value = self._values.expand(word)
            for one in expanded(self._tree, value) if value.startswith("/") else (value,):
                self._values.variables[words[1]] = one
                self._all(block[1:-1])

    def _if(self, block: Sequence[Command]) -> None:
        """The first branch whose condition holds; what cannot be told does not hold."""
        holds: bool | None = None
        part: list[Command] = [Command(block[0].words[1:])] if block[0].words[1:] else []
        depth = 0
        for one in block[1:]:
            word = one.words[0]
            if depth == 0 and word == "then":
                holds, part = self._all(part), []
            elif depth == 0 and word in ("elif", "else", "fi"):
                if holds:
                    self._all(part)
                    return
                part = [Command(one.words[1:])] if one.words[1:] else []
                holds = True if word == "else" else None
            else:
                depth += (word in _OPENING) - (word in _CLOSING)
                part.append(one)

    def _one(self, command: Command) -> bool | None:
        words = command.words
        if words[0] == "!":
            status = self._one(Command(words[1:])) if words[1:] else None
            return None if status is None else not status
        if words[0] in ("[", "[["):
            return self._test(
                [self._values.expand(one) for one in words[1:] if one not in ("]", "]]")]
            )
        if words[0] in ("source", ".") and words[1:]:
            self.source(self._values.expand(words[1]))
        elif words[0] in ("exec", "exit", "return"):
            raise _Over
        elif words[0] == "unset":
            for one in words[1:]:
                self._values.variables.pop(one, None)
        elif words[0] in ("export", "declare", "readonly", "local", "typeset"):
            self._assign(words[1:], at_once=True)
        elif all(map(_ASSIGNED.fullmatch, words)):
            self._assign(words)
        else:
            return None
        return True

    def _assign(self, words: Sequence[str], *, at_once: bool = False) -> None:
        """Assignments one after the other, or (those of ``export``) of what was there before."""
        variables = self._values.variables
        before = dict(variables) if at_once else variables
        for found in map(_ASSIGNED.fullmatch, words):
            if found:
                old = variables.get(found[1], "") if found[2] else ""
                self._values.variables = before
                value = old + self._values.expand(found[3])
                self._values.variables = variables
                variables[found[1]] = value
                if len(value) > LONGEST:
                    raise _Over

    def _test(self, words: Sequence[str]) -> bool | None:
        match words:
            case ["!", *rest]:
                status = self._test(rest)
                return None if status is None else not status
            case [("-d" | "-e" | "-L"), path] if self._tree.is_folder(path):
                return True
            case [("-f" | "-e" | "-r" | "-s"), path]:
                return self._tree.is_file(path)
            case [("-d" | "-L"), _]:
                return False
            case ["-n", text] | [text]:
                return text != ""
            case ["-z", text]:
                return text == ""
            case [left, ("=" | "=="), right]:
                return left == right
            case [left, "!=", right]:
                return left != right
        return None


def _end(every: Sequence[Command], place: int) -> int:
    """Where a block ends that begins at a place: its last command, or that of the script."""
    depth = 0
    for number in range(place, len(every)):
        word = every[number].words[0]
        depth += (word in _OPENING) - (word in _CLOSING)
        if depth <= 0 and (number > place or word != "function"):
            return number
    return len(every) - 1
