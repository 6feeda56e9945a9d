"""Text of a log without what moves a cursor, changes colours, hides or reorders. Pure."""

from __future__ import annotations

import re

from envbuild.tools.proc import masked

_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, movements
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # titles, links, strings for a device
    r"|\x1b[ -/]*[0-~]?"  # the short ones
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_TAB = "    "


def lines(data: bytes) -> list[str]:
    """The lines of a log: what was overwritten in its line is gone, what cannot be shown stands
    as ``?``, secrets are masked."""
    text = masked(_SEQUENCE.sub("", data.decode("utf-8", "replace")))
    return [_line(one) for one in text.split("\n")]


def _line(text: str) -> str:
    shown = text.rstrip("\r").rpartition("\r")[2].replace("\t", _TAB)
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in shown)
