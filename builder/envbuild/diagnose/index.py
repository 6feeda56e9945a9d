"""All signatures made into one search: the literals of every pattern in one machine.

A log is searched once, for literals of which one must stand wherever a pattern matches. Only the
lines that hold one are looked at with the patterns themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from envbuild.diagnose.lines import unwrapped
from envbuild.knowledge.patterns import Regex, anchors, compiled, machine, translated
from envbuild.knowledge.signaturebook import Message, Signature, watched

_NEVER = r"[^\x00-\xff]"
_BLANK = r"\s+(?:#\d+ \d+\.\d+ +)?"
"""White space, or the end of a line and the number that a builder puts before the next one."""


class Part(Struct, frozen=True, kw_only=True):
    """One message of a signature; ``second`` is what must follow within its lines.

    Without a signature it is a text that signatures ask the rest of the log for.
    """

    signature: Signature | None
    message: Message
    order: int
    regex: Regex
    second: Regex | None
    until: Regex | None
    wraps: bool


class Candidates(Struct, frozen=True, kw_only=True):
    """The parts that a literal announces; on a line without a match of ``any``, none is."""

    parts: tuple[Part, ...] = ()
    any: Regex | None = None
    wraps: bool = False


class Index:
    """The parts of all signatures, found by their literals; ``loose`` parts have none."""

    def __init__(self, signatures: Iterable[Signature]) -> None:
        self.signatures = tuple(signatures)
        parts = [*_parts(self.signatures)]
        by_anchor: dict[str, list[Part]] = {}
        loose = []
        for pattern, part in parts:
            literals = anchors(pattern)
            for literal in literals:
                by_anchor.setdefault(literal, []).append(part)
            if not literals:
                loose.append(part)
        self.loose = tuple(loose)
        self._by_anchor = by_anchor
        self._candidates: dict[bytes, Candidates] = {}
        self.literals = tuple(sorted(by_anchor))
        self.patterns = tuple(pattern for pattern, _ in parts)
        self.search: Regex = machine(_alternation(self.literals), longest=True)

    def candidates(self, literal: bytes) -> Candidates:
        """The parts that a literal announces, as the search found it in a log."""
        found = self._candidates.get(literal)
        if found is None:
            plain = b" ".join(unwrapped(literal).lower().split())
            found = self._candidates.get(plain)
            if found is None:
                found = self._candidates[plain] = self._prepared(plain.decode())
        return found

    def _prepared(self, literal: str) -> Candidates:
        prefixes = [one for one in self._by_anchor if literal.startswith(one)]
        parts = {part.order: part for one in prefixes for part in self._by_anchor[one]}
        texts = [translated(part.message.pattern) for part in parts.values()]
        together = "|".join(f"(?:{_unnamed(text)})" for text in texts)
        return Candidates(
            parts=tuple(parts.values()),
            any=machine(f"(?m)(?:{together})"),
            wraps=any(part.wraps for part in parts.values()),
        )


def _parts(signatures: Iterable[Signature]) -> Iterator[tuple[str, Part]]:
    signatures = tuple(signatures)
    asked = ((None, Message(pattern=text)) for text in watched(signatures))
    messages = ((one, message) for one in signatures for message in one.messages)
    for order, (signature, message) in enumerate((*messages, *asked), 1):
        part = Part(
            signature=signature,
            message=message,
            order=order,
            regex=compiled(message.pattern),
            second=compiled(message.then) if message.then else None,
            until=compiled(message.until) if message.until else None,
            wraps=" " in message.pattern,
        )
        yield message.pattern, part


def _unnamed(pattern: str) -> str:
    """The pattern with groups that have no names, so that it can stand beside others."""
    return re.sub(r"\(\?P?<\w+>", "(?:", pattern)


def _alternation(literals: Iterable[str]) -> str:
    escaped = (
        "".join(_BLANK if c == " " else c if c.isalnum() else f"\\x{{{ord(c):x}}}" for c in one)
        if one.isascii()
        else "".join(f"\\x{byte:02x}" for byte in one.encode())
        for one in literals
    )
    return f"(?i){'|'.join(escaped) or _NEVER}"
