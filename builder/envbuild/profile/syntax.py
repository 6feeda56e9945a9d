"""What is wrong with text that is no YAML, in plain words.

The two parsers of PyYAML (libyaml and the one in Python) word their errors differently, so each
row names a piece of both. A sentence that no row knows is shown as the parser wrote it.
"""

from __future__ import annotations

import itertools
import re

import yaml

from envbuild.errors import Mark, Problem

LIMIT = 1024 * 1024
"""The most characters of one file; the longest shipped one has about 10,000."""

# Patterns for what is wrong: compiled when something is.
_BREAK = "\r\n|[\n\r\x85\u2028\u2029]"
_TAB = r"(?m)^ *\t[ \t]*(?=[^\s#])"
_FORBIDDEN = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
_SHOWN = 20
"""So many characters of one file that cannot stand in YAML are named."""

_QUOTE = ("the quote that opens here is not closed", "close it on the same line")
_COLUMN = (
    "the indentation fits nothing above it",
    "what belongs together begins in the same column; a value with ': ' in it needs quotes",
)
_ESCAPE = ("this escape is not known", "single quotes keep a backslash as it is")
_SENTENCES: tuple[tuple[str, str, str], ...] = (
    ("scanning a quoted scalar found unexpected", *_QUOTE),
    ("escape", *_ESCAPE),
    ("hexdecimal number", *_ESCAPE),
    ("while parsing a quoted scalar", *_QUOTE),
    (
        "mapping values are not allowed",
        "a colon cannot stand here",
        "quote a text that has ': ' in it, or check the indentation",
    ),
    (
        "sequence entries are not allowed",
        "a list item cannot begin here",
        "put it on a line of its own, in the column of the other items",
    ),
    ("mapping keys are not allowed", "a ? cannot stand here", "write: key: value"),
    ("could not find expected ':'", "this is neither a key nor a value", "write: key: value"),
    ("did not find expected '-' indicator", *_COLUMN),
    ("did not find expected key", *_COLUMN),
    ("expected <block end>", *_COLUMN),
    ("expected <document start>", *_COLUMN),
    ("expected '<document start>'", *_COLUMN),
    ("expected ',' or ']'", "the list that opens here is not closed", "[one, two]"),
    ("expected ',' or '}'", "the mapping that opens here is not closed", "{key: value}"),
    ("found a tab", "a tab cannot indent", "indent with spaces"),
    ("cannot start any token", "a value cannot begin with this character", "quote the value"),
    ("node content", "a value is expected here", "brackets come in pairs; quote one that is text"),
    ("tag", "tags are not part of the format", "quote a text that begins with !"),
    ("while scanning an a", "anchors and aliases are not part of the format", "quote it"),
    ("block scalar", "the text of | and > begins on the next line", "indent it with spaces"),
    ("directive", "a line cannot begin with %", "quote the value"),
)
_OPENED = frozenset(
    {
        _QUOTE[0],
        "the list that opens here is not closed",
        "the mapping that opens here is not closed",
        "this is neither a key nor a value",
    }
)
"""Messages about where something began, not where the parser noticed."""


def unreadable(text: str, file: str) -> tuple[Problem, ...]:
    """Why a text cannot be read at all: its size, a byte order mark, tabs that indent."""
    if len(text) > LIMIT:
        message = f"{len(text)} characters are too many; a file has at most {LIMIT}"
        return (Problem(message=message, mark=Mark(file, 1, 1), hint="is this the right file?"),)
    if text.startswith("\ufeff"):
        message, hint = "the file begins with a byte order mark", "save it as UTF-8 without one"
        return (Problem(message=message, mark=Mark(file, 1, 1), hint=hint),)
    tabs = list(re.finditer(_TAB, text)) if "\t" in text else []
    if not tabs:
        return ()
    more = f" and {len(tabs) - 1} more" if len(tabs) > 1 else ""
    first = text.index("\t", tabs[0].start())
    return (
        Problem(
            message=f"a tab indents this line{more}",
            mark=_mark(text, first, file),
            hint="indent with spaces",
        ),
    )


def explained(
    error: yaml.YAMLError | UnicodeEncodeError, text: str, file: str
) -> tuple[Problem, ...]:
    """A parser's error as problems with a place."""
    if isinstance(error, yaml.MarkedYAMLError):
        return (_sentence(error, file),)
    found = itertools.islice(re.finditer(_FORBIDDEN, text), _SHOWN)
    return tuple(
        Problem(
            message=f"the character U+{ord(character[0]):04X} cannot stand in YAML",
            mark=_mark(text, character.start(), file),
            hint="remove it, and save the file as UTF-8",
        )
        for character in found
    ) or (Problem(message=f"not YAML: {error}", mark=Mark(file, 1, 1)),)


def _sentence(error: yaml.MarkedYAMLError, file: str) -> Problem:
    said = " ".join(part for part in (error.context, error.problem) if part)
    known = ((message, hint) for piece, message, hint in _SENTENCES if piece in said)
    message, hint = next(known, (f"not YAML: {said}", None))
    places = (error.problem_mark, error.context_mark)
    place = next(filter(None, reversed(places) if message in _OPENED else places), None)
    mark = Mark(file, place.line + 1, place.column + 1) if place else Mark(file, 1, 1)
    return Problem(message=message, mark=mark, hint=hint)


def _mark(text: str, position: int, file: str) -> Mark:
    """The place of a character, with lines counted as YAML does."""
    line, start = 1, 0
    for found in re.compile(_BREAK).finditer(text, 0, position):
        line, start = line + 1, found.end()
    return Mark(file, line, position - start + 1)
