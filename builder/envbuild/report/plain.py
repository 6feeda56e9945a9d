"""Text from files, made safe for a terminal, for Markdown and as JSON. Pure."""

from __future__ import annotations

import re

import msgspec

_MARKED = re.compile(r"[\\`*_{}\[\]|~<>&]")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ]")
_NOT_ASCII = re.compile(r"[^\n -~]")


def printable(text: str) -> str:
    """The text on one line, with nothing in it that moves a cursor or changes colours."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def markdown(text: str) -> str:
    """The text as Markdown that shows it as it is: no markup, no mention, no link, no cell ends."""
    # A zero-width space after these keeps GitHub from making a mention or a link of what follows.
    shown = re.sub(r"@|#(?=\d)|://|www\.", lambda found: f"{found[0]}\u200b", printable(text))
    return _MARKED.sub(_entity, shown)


def code(text: str) -> str:
    """The text as Markdown code that may stand in a table cell; empty text stays empty."""
    shown = printable(text).strip()
    if not re.search(r"[\\`|]", shown):
        return f"`{shown}`" if shown else ""
    # Neither a backslash nor a fence makes these safe in a cell; as entities they are.
    return f"<code>{_NOT_PLAIN.sub(_entity, shown)}</code>"


def as_json(value: object) -> str:
    """A value as JSON that a terminal can show: what moves a cursor or changes colours is escaped.

    A byte of a path that is no UTF-8, which JSON cannot hold, is written as the six characters of
    ``\\udcff``.
    """
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        data = msgspec.json.encode(_encodable(msgspec.to_builtins(value)))
    text = msgspec.json.format(data, indent=2).decode()
    return _NOT_ASCII.sub(_escaped, text)


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encodable(one) for one in value]
    return value


def _escaped(found: re.Match[str]) -> str:
    """A character in a text of JSON; outside of texts JSON has none of these."""
    if found[0].isprintable():
        return found[0]
    units = found[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"
