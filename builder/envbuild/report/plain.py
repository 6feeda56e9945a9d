"""Text from files, made safe for a terminal and for Markdown. Pure."""

from __future__ import annotations

import re

_MARKED = re.compile(r"[\\`*_{}\[\]|~<>&]")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ]")


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


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"
