"""The arguments of an instruction as values, by the rules that builders unquote them with.

Source of the rules: moby/buildkit, frontend/dockerfile/parser/line_parsers.go (how a line is cut
into words) and frontend/dockerfile/shell/lex.go (how a word is unquoted).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BARE = re.compile(r"[^'\"\\$]+")
_SHELL_TOKEN = re.compile(
    r"""[ \t]+
    | (?P<operator> \|\|? | &&? | ;;? | [()] | [<>]{1,2} )
    | (?P<word> (?: '[^']*' | "(?:\\.|[^"\\])*" | \\. | [^ \t'"\\|&;()<>] )+ )
    | (?P<bad> . )""",
    re.VERBOSE,
)
_QUOTED_WORD = re.compile(
    r"""(?: '[^']*' | "(?:\\.|[^"\\])*" | \\.? | [^\s'"\\] )+ | (?P<open> ['"] )""",
    re.VERBOSE | re.DOTALL,
)
_PARTS = re.compile(r"""'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)|([^'"\\]+)""")
_EXPANDED = re.compile(r"(?<!\\)(?:\\\\)*([$`])")
ACTIVE = re.compile(r"[^A-Za-z0-9._/:@%=+,-]")
"""Every character that may mean something to a shell or a builder, and some that do not."""


def cut(text: str) -> tuple[str, ...]:
    """The words of a line, still quoted: blanks inside quotes do not part them.

    Raises:
        ValueError: a quote is not closed.
    """
    words: list[str] = []
    for found in _QUOTED_WORD.finditer(text):
        if found["open"]:
            raise ValueError(f"the quote {found['open']} is not closed")
        words.append(found[0])
    return tuple(words)


def unquote(word: str, variables: Mapping[str, str]) -> str:
    """A word without its quotes and escapes, with ``$NAME`` and ``${NAME}`` replaced.

    A variable that is not in ``variables`` is empty, as for a builder.

    Raises:
        ValueError: a quote is not closed, or ``${NAME...}`` has more than a name.
    """
    result = ""
    at = 0
    quoted = False
    while at < len(word):
        character = word[at]
        if character == '"':
            quoted = not quoted
            at += 1
        elif character == "'" and not quoted:
            end = word.find("'", at + 1)
            if end < 0:
                raise ValueError("the quote ' is not closed")
            result += word[at + 1 : end]
            at = end + 1
        elif character == "\\":
            text, at = _escaped(word, at, quoted=quoted)
            result += text
        elif character == "$":
            text, at = _variable(word, at, variables)
            result += text
        else:
            bare = _BARE.match(word, at)
            result += bare[0] if bare else character
            at = bare.end() if bare else at + 1
    if quoted:
        raise ValueError('the quote " is not closed')
    return result


def _escaped(word: str, at: int, *, quoted: bool) -> tuple[str, int]:
    following = word[at + 1 : at + 2]
    if quoted and following not in {'"', "$", "\\", ""}:
        return "\\", at + 1
    return following, at + 2


def _variable(word: str, at: int, variables: Mapping[str, str]) -> tuple[str, int]:
    braced = word.startswith("${", at)
    name = _NAME.match(word, at + (2 if braced else 1))
    if name is None:
        if braced:
            raise ValueError("an unfinished ${")
        return "$", at + 1
    if not braced:
        return variables.get(name[0], ""), name.end()
    if not word.startswith("}", name.end()):
        raise ValueError(f"${{{name[0]} is followed by more than a name")
    return variables.get(name[0], ""), name.end() + 1


def pairs(arguments: str, variables: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Names and values of an ``ENV`` or ``LABEL``.

    Raises:
        ValueError: a word is no ``name=value`` (the old form ``ENV name value`` is refused).
    """
    found = []
    for word in cut(arguments):
        name, separator, value = word.partition("=")
        if not separator or not name:
            raise ValueError(f"{word[:60]!r} is not name=value")
        found.append((unquote(name, variables), unquote(value, variables)))
    return tuple(found)


def exec_form(arguments: str) -> tuple[str, ...] | None:
    """The words of an exec form; None for a shell form.

    A builder takes what is not a JSON array of strings for a shell command.
    """
    try:
        value = json.loads(arguments)
    except ValueError:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return tuple(value)


class Token(NamedTuple):
    """A piece of a shell command: its text without quotes, and what in it the shell acts on.

    ``live`` is the operator itself, or the characters of a word that are expanded: ``$`` and a
    backtick unless quoted singly, and patterns, braces and the like outside all quotes.
    """

    text: str
    live: str


def shell_tokens(command: str) -> tuple[Token, ...]:
    """A shell command as tokens: enough to see whether two commands have the same shape.

    Raises:
        ValueError: a quote is not closed.
    """
    tokens = []
    for found in _SHELL_TOKEN.finditer(command):
        if found["bad"]:
            raise ValueError(f"a quote is not closed at {command[found.start() :][:30]!r}")
        if found["operator"]:
            tokens.append(Token("", found["operator"]))
        elif found["word"]:
            tokens.append(_word(found["word"]))
    return tuple(tokens)


def _word(word: str) -> Token:
    text = live = ""
    for single, double, escaped, bare in _PARTS.findall(word):
        if double:
            live += "".join(_EXPANDED.findall(double))
            text += re.sub(r'\\([\\"$`])', r"\1", double)
        else:
            live += "".join(ACTIVE.findall(bare))
            text += single or escaped or bare
    return Token(text, live)
