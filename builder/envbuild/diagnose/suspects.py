"""The last lines of a log that look like a failure, for a log that shows nothing known."""

from __future__ import annotations

from envbuild.diagnose.sightings import Line
from envbuild.knowledge.patterns import machine

_SHOWN = 5
_WIDTH = 4000
_WORDS = (
    r"(?i)\b(?:\w*error|\w*exception|traceback|fatal|fail(?:ed|ure|s)|cannot|could not|unable to"
    r"|not found|denied|abort(?:ed|ing)?|killed|segmentation fault|core dumped|panic|no such"
    r"|unsupported|mismatch)\b"
)
_NONE = machine(r"(?i)\b(?:0|no) (?:errors?|failures?|failed)|errors?[:=] ?0\b|no errors? found")


class Suspects:
    """Remembers the last block of the log that holds such lines."""

    def __init__(self) -> None:
        self._search = machine(_WORDS)
        self._block = b""
        self._number = 1

    def read(self, text: bytes, begin: int, limit: int, *, number: int) -> None:
        """Look at a block; ``number`` is that of the line at ``begin``."""
        if self._search.search(text, begin, limit):
            self._block, self._number = text[begin:limit], number

    def lines(self) -> tuple[Line, ...]:
        """The last such lines."""
        found = []
        for offset, line in enumerate(self._block.split(b"\n")):
            if self._search.search(line) and not _NONE.search(line):
                found.append(Line(self._number + offset, line.rpartition(b"\r")[2][:_WIDTH]))
                del found[:-_SHOWN]
        return tuple(found)
