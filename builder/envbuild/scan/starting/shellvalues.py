"""The words of a shell script as values: variables, the script's own folder, filtered lists."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from envbuild.scan.starting.shellwords import Command, after, commands
from envbuild.scan.tree import Tree

UNKNOWN = "\0"
"""Stands in a value for what only running the script would tell."""

LONGEST = 1 << 18
"""Characters of a value that is kept."""

_DEPTH = 16
"""Substitutions within each other that are followed."""

_READ = 1 << 22
"""Characters of words that are looked at, each as often as a loop comes to it."""

_NAME = re.compile(r"\w+")
_PARAMETER = re.compile(r"(\w+)(?:\[[^\]]*\])?(?:(:?[-+=])(.*))?", re.DOTALL)
_REDIRECTION = re.compile(r"\d+|\d*[<>].*")
_EXPANDING = re.compile(r"[$`\\'\"]")


class Values:
    """The variables of scripts. ``scripts`` are those that are being followed, each sourced by
    the one before."""

    def __init__(self, tree: Tree, variables: dict[str, str]) -> None:
        self._tree = tree
        self._depth = 0
        self._read = 0
        self.variables = variables
        self.scripts: list[str] = []

    def expand(self, word: str, *, quoted: bool = False) -> str:
        """A word as bash has it, without splitting and globs."""
        if not _EXPANDING.search(word) and not word.startswith("~/"):
            return word
        self._read += len(word)
        if self._depth > _DEPTH or self._read > _READ:
            return UNKNOWN
        self._depth += 1
        try:
            text = "".join(self._units(word, quoted=quoted))
        finally:
            self._depth -= 1
        return text if len(text) <= LONGEST else UNKNOWN

    def _units(self, word: str, *, quoted: bool) -> list[str]:
        found, place, size = [], 0, 0
        if word.startswith("~/") and not quoted:
            found, place = [self.variables.get("HOME", UNKNOWN)], 1
        while place < len(word) and size <= LONGEST:
            char = word[place]
            name = _NAME.match(word, place + 1) if char == "$" else None
            if name:
                found.append(self._value(name[0]))
                place = name.end()
            else:
                end = place + 1 if quoted and char == "'" else after(word, place)
                found.append(self._unit(word[place:end]))
                place = end
            size += len(found[-1])
        return found

    def _unit(self, unit: str) -> str:
        if len(unit) < 2:
            return unit
        match unit[0], unit[1]:
            case '"', _:
                return self.expand(unit[1:-1], quoted=True)
            case "'", _:
                return unit[1:-1]
            case "\\", _:
                return unit[1:]
            case "$", "(":
                return self._answer(unit[2:-1])
            case "`", _:
                return self._answer(unit[1:-1])
            case "$", "{":
                return self._parameter(unit[2:-1])
        return unit

    def _value(self, name: str) -> str:
        if name in ("BASH_SOURCE", "0"):
            return self.scripts[-1] if self.scripts else UNKNOWN
        return self.variables.get(name, "")

    def _parameter(self, text: str) -> str:
        found = _PARAMETER.fullmatch(text)
        if not found:
            return UNKNOWN
        value, sign = self._value(found[1]), found[2] or ""
        if sign.endswith("+"):
            return self.expand(found[3]) if value else ""
        return value or (self.expand(found[3]) if sign else "")

    # What a command would print -------------------------------------------------

    def _answer(self, text: str) -> str:
        """What commands would print. ``cd`` tells where ``pwd`` is; filters change what comes."""
        here, said = "/", ""
        for command in commands(text):
            words = _without_redirections(command.words)
            if not words:
                continue
            name, rest = words[0], [self.expand(one) for one in words[1:]]
            last = rest[-1] if rest else ""
            if name == "cd":
                here = self._real(posixpath.join(here, last), links=False)
            elif name == "pwd":
                said = here
            elif name == "dirname":
                said = posixpath.dirname(last)
            elif name in ("realpath", "readlink"):
                said = self._real(posixpath.join(here, last), links=True)
            else:
                said = _filtered(command, name, rest, said=said)
        return said

    def _real(self, path: str, *, links: bool) -> str:
        if UNKNOWN in path:
            return UNKNOWN
        place = self._tree.place(path) if links else None
        return place.path if place and place.state == "here" else posixpath.normpath(path)


def _without_redirections(words: Sequence[str]) -> list[str]:
    """A command without where its output goes (``2>/dev/null``, ``> /dev/null``)."""
    found: list[str] = []
    skip = False
    for one in words:
        if skip:
            skip = False
        elif _REDIRECTION.fullmatch(one):
            skip = one.endswith(("<", ">"))
        else:
            found.append(one)
    return found


def _filtered(command: Command, name: str, rest: Sequence[str], *, said: str) -> str:
    """What ``echo`` prints, or what a filter leaves of it: entries between colons, as ``tr`` makes
    lines of them and lines of it."""
    if name in ("echo", "printf"):
        return " ".join(one for one in rest if not one.startswith(("-", "%")))
    if command.joined not in ("|", "|&"):
        return UNKNOWN
    if name == "grep" and rest:
        without = any(one.startswith("-") and "v" in one for one in rest[:-1])
        entries = [one for one in said.split(":") if (rest[-1] in one) is not without]
        return ":".join(entries)
    return said if name in ("tr", "sed") else UNKNOWN
