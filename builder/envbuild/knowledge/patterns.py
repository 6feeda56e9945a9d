"""Patterns over the lines of logs: compiled by RE2, and what must stand where one matches.

RE2 needs time that grows with the text alone, whatever the pattern; it has no back-references and
no look-around, and refuses them. A blank in a pattern stands for any white space, a line end
included, so that a message is found where a terminal or a logger has wrapped it.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Protocol

import re2
from msgspec import Struct

_MEMORY = 16 << 20
"""Bytes that one compiled pattern may use; RE2's own limit is 8 MiB."""

_ANCHOR = 5
"""A literal shorter than this stands on too many lines to look for."""

_GROUP = re.compile(r"\((?:\?(?:P?<\w*>|[A-Za-z-]*[:)]))?")
"""What opens a group, or sets flags without opening one."""

_HINTS = (
    ("invalid escape sequence", "there are no back-references; a backslash itself is \\\\"),
    ("invalid perl operator", "there is no look-ahead and no look-behind: say what must match"),
    ("invalid repetition size", "at most {1000}"),
    ("missing", "\\( and \\[ stand for the characters themselves"),
    ("unexpected )", "\\) stands for the character itself"),
)


class Match(Protocol):
    """Where a pattern was found."""

    def span(self) -> tuple[int, int]:
        """The first byte, and the one after the last."""

    def group(self) -> bytes:
        """The whole text that matched."""

    def groupdict(self) -> Mapping[bytes, bytes | None]:
        """The named groups."""


class Regex(Protocol):
    """A compiled pattern."""

    groupindex: Mapping[bytes, int]

    def search(self, text: bytes, pos: int = ..., endpos: int = ...) -> Match | None:
        """The first match between two places of the text."""

    def finditer(self, text: bytes, pos: int = ..., endpos: int = ...) -> Iterator[Match]:
        """All matches that do not overlap."""


class PatternError(ValueError):
    """A pattern that cannot be used; ``hint`` says what to write, where that is known."""

    def __init__(self, message: str, hint: str | None) -> None:
        super().__init__(message)
        self.hint = hint


class _Token(Struct, frozen=True):
    """``kind`` is literal, blank, open, many (a repetition), or (a bar) or other."""

    kind: str
    text: str
    depth: int


@functools.lru_cache(maxsize=4096)
def compiled(pattern: str) -> Regex:
    """The pattern, to be searched in bytes; ``^`` and ``$`` are the ends of a line.

    Raises:
        PatternError: RE2 refuses it, or it matches where nothing stands.
    """
    try:
        found = machine(f"(?m){translated(pattern)}")
    except re2.error as error:
        said = error.args[0] if error.args else b""
        words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        hint = next((hint for start, hint in _HINTS if words.startswith(start)), None)
        raise PatternError(f"RE2 refuses the pattern: {words}", hint) from None
    if found.search(b"") or found.search(b"~"):
        raise PatternError("the pattern matches any line", "say what must stand there")
    return found


def translated(pattern: str) -> str:
    """The pattern as RE2 is given it: a blank is any white space."""
    tokens = [*_tokens(pattern), _Token("", "", 0)]
    text = ""
    for token, following in itertools.pairwise(tokens):
        blank = r"\s" if following.kind == "many" else r"\s+"
        text += blank if token.kind == "blank" else token.text
    return text


def machine(text: str, *, longest: bool = False) -> Regex:
    """RE2's own form of a text in its syntax, for bytes; with ``longest``, bars prefer no side.

    Raises:
        re2.error: it cannot be compiled.
    """
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MEMORY
    options.log_errors = False
    options.longest_match = longest
    found: Regex = re2.compile(text.encode(), options)
    return found


def anchors(pattern: str) -> tuple[str, ...]:
    """Literals of which one stands wherever the pattern matches; none when it has no such.

    They are in lower case and match in both; a blank in one stands for any white space.
    """
    found = _best([*_tokens(pattern)], 0)
    return tuple(dict.fromkeys(" ".join(text.lower().split()) for text in found))


def _best(tokens: list[_Token], depth: int) -> tuple[str, ...]:
    """The longest literals that every branch of these tokens has one of."""
    found: list[str] = []
    for branch in _branches(tokens, depth):
        choices = [*_choices(branch, depth)]
        best = max(choices, key=lambda texts: min(map(len, texts), default=0), default=())
        if not best or min(map(len, best)) < _ANCHOR:
            return ()
        found += best
    return tuple(found)


def _branches(tokens: list[_Token], depth: int) -> Iterator[list[_Token]]:
    branch: list[_Token] = []
    for token in tokens:
        if token.kind == "or" and token.depth == depth:
            yield branch
            branch = []
        else:
            branch.append(token)
    yield branch


def _choices(branch: list[_Token], depth: int) -> Iterator[tuple[str, ...]]:
    """Each piece of a branch that must stand there: a run of characters, or what a group has."""
    run = ""
    group: list[_Token] = []
    for token in (*branch, _Token("end", "", depth)):
        if token.depth > depth:
            opens = token.kind == "open" and token.depth == depth + 1
            if opens and (run or group):
                yield (run.strip(),)
                yield _best(group[1:-1], depth + 1)
                run, group = "", []
            group.append(token)
            continue
        optional = token.kind == "many" and token.text[0] != "+"
        if group:
            yield () if optional else _best(group[1:-1], depth + 1)
            group = []
        if token.kind in ("literal", "blank"):
            run += token.text.removeprefix("\\")
            continue
        yield ((run[:-1] if optional else run).strip(),)
        run = ""


def _tokens(pattern: str) -> Iterator[_Token]:
    place, depth = 0, 0
    while place < len(pattern):
        end = _end(pattern, place)
        text = pattern[place:end]
        kind = _kind(text)
        depth += kind == "open"
        yield _Token(kind, text, depth)
        depth -= text == ")"
        place = end


def _end(pattern: str, place: int) -> int:
    """Where the token that begins at a place ends."""
    first = pattern[place]
    if first == "\\":
        return place + 2
    if first == "(":
        head = _GROUP.match(pattern, place)
        return head.end() if head else place + 1
    if first == "[":
        after = place + 2 if pattern[place + 1 : place + 2] == "^" else place + 1
        after += pattern[after : after + 1] == "]"
        while after < len(pattern) and pattern[after] != "]":
            after += 2 if pattern[after] == "\\" else 1
        return after + 1
    if first == "{":
        close = pattern.find("}", place)
        return close + 1 if close > 0 else place + 1
    return place + 1


def _kind(text: str) -> str:
    if text[0] == "\\":
        return "other" if text[1:].isalnum() or not text[1:] else "literal"
    if text[0] == "(":
        return "other" if text[-1] == ")" else "open"
    kinds = {" ": "blank", "|": "or", "*": "many", "+": "many", "?": "many", "{": "many"}
    plain = "other" if text[0] in ")[.^$" else "literal"
    return kinds.get(text[0], plain)
