"""A shell script as commands, and commands as words: enough of bash for scripts that set paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_OPERATORS = ("&&", "||", ";;", "|&", ";", "|", "&", "\n", "(", ")")
_JOINING = ("&&", "||", "|", "|&")
_KEYWORDS = frozenset({"do", "then", "else", "{", "!"})
"""Words that stand before a command and change nothing about it here."""


class Command(NamedTuple):
    """Words as they are written, and the operator before them (``&&``, ``||``, ``|``, ``;``)."""

    words: tuple[str, ...]
    joined: str = ";"


def commands(text: str) -> list[Command]:
    """The commands of a script in their order, as if it had no structure.

    What keeps the structure is there as a command (``then``, ``done``, ``}``) or as a command's
    first word (``if``, ``for``); a function's definition is ``function NAME``.
    """
    found: list[Command] = []
    words: list[str] = []
    joined = ";"
    for part, operator in _tokens(text.replace("\\\n", "")):
        if operator:
            if part == ")" and len(words) == 1 and joined == "(":
                words.insert(0, "function")
            elif part == "(" and len(words) == 1:
                joined = "("  # a function's definition, or an array: what follows tells
                continue
            joined, words = _ended(found, words, joined, operator=part)
        elif not words and part in _KEYWORDS:
            found.append(Command((part,), joined))
            joined = ";"
        else:
            words.append(part)
    _ended(found, words, joined, operator=";")
    return found


def _ended(
    found: list[Command], words: list[str], joined: str, *, operator: str
) -> tuple[str, list[str]]:
    """Keep a command, if there is one; how the next is joined, and its words, none as yet."""
    if words:
        found.append(Command(tuple(words), joined))
    elif operator == "\n" and joined in _JOINING:
        return joined, []  # a line may end behind && and go on in the next
    return (operator if operator in _JOINING else ";"), []


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Words and operators; of an operator, true."""
    place = 0
    while place < len(text):
        char = text[place]
        operator = next((one for one in _OPERATORS if text.startswith(one, place)), "")
        if operator:
            yield operator, True
            place += len(operator)
        elif char in " \t\r":
            place += 1
        elif char == "#":
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
        else:
            end = _word(text, place)
            yield text[place:end], False
            place = end


def _word(text: str, place: int) -> int:
    """Where a word ends that begins at a place."""
    while place < len(text) and text[place] not in " \t\r\n;|&()":
        place = after(text, place)
    return place


def after(text: str, place: int) -> int:
    """The place behind one unit: a character, an escaped one, a quotation or an expansion."""
    char, two = text[place], text[place : place + 2]
    if char == "\\":
        return min(place + 2, len(text))
    if char == "'":
        end = text.find("'", place + 1)
        return len(text) if end < 0 else end + 1
    if char == '"':
        return _closed(text, place + 1, '"')
    if char == "`":
        return _closed(text, place + 1, "`")
    if two == "$(":
        return _closed(text, place + 2, ")")
    if two == "${":
        return _closed(text, place + 2, "}")
    return place + 1


def _closed(text: str, place: int, end: str) -> int:
    """The place behind what closes a unit whose inside begins at a place."""
    open_ = [end]
    while place < len(text) and open_:
        char, two = text[place], text[place : place + 2]
        if char == open_[-1]:
            open_.pop()
        elif char == "\\" and open_[-1] != "'":
            place += 1
        elif open_[-1] == "'":
            pass
        elif two in ("$(", "${"):
            open_.append(")" if two == "$(" else "}")
            place += 1
        elif char == "(" and open_[-1] == ")":
            open_.append(")")
        elif char == "`" or (char in "\"'" and open_[-1] != '"'):
            open_.append(char)
        place += 1
    return min(place, len(text))
