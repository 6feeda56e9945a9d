"""A Dockerfile's text as instructions, read by the rules of moby/buildkit's parser.

Only the portable subset is read: parser directives that change how a file is read and
here-documents are refused, because builders in use do not agree on them.
"""

from __future__ import annotations

import functools
import re

from envbuild.render.model import Instruction

KEYWORDS = re.compile(
    "ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL"
    "|STOPSIGNAL|USER|VOLUME|WORKDIR"
)

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_HEREDOC = re.compile(r"[0-9]*<<-?[^<]+")
_QUOTED_WORD = re.compile(r"""(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+""")


class DockerfileError(ValueError):
    """The text is no Dockerfile of the portable subset; ``line`` is 1-based."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.message = message
        self.line = line


def parse(text: str) -> tuple[Instruction, ...]:
    """The instructions, continuations joined and comments dropped, as a builder does it.

    Raises:
        DockerfileError: at the first line that is not of the portable subset.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    _refuse_directives(lines)
    _refuse_control(text)
    found = []
    number = 0
    while number < len(lines):
        start = number
        line, number = _logical_line(lines, number)
        if line.strip():
            found.append(_instruction(line.strip(), start + 1))
    return tuple(found)


def _refuse_directives(lines: list[str]) -> None:
    """Directives stand at the very top, before any other comment or line."""
    for number, line in enumerate(lines, 1):
        directive = _DIRECTIVE.match(line)
        if directive is None:
            return
        if directive[1].lower() in {"escape", "syntax"}:
            raise DockerfileError(f"the parser directive {directive[1]!r} is not portable", number)


def _logical_line(lines: list[str], number: int) -> tuple[str, int]:
    """A line with its continuations, and the index of the line after it.

    Comments and empty lines inside a continued instruction are dropped, and do not end it.
    """
    start = number
    line = lines[number]
    number += 1
    if line.lstrip().startswith("#"):
        return "", number
    joined = ""
    while (head := _continued(line)) is not None:
        joined += head
        while number < len(lines) and _skipped(lines[number]):
            number += 1
        if number == len(lines):
            raise DockerfileError("the file ends inside an instruction", start + 1)
        line = lines[number]
        number += 1
    return joined + line, number


def _continued(line: str) -> str | None:
    """A line without the backslash that continues it; None where none does. Two are one that is
    meant."""
    bare = line.rstrip(" \t")
    return bare[:-1] if bare.endswith("\\") and not bare.endswith("\\\\") else None


def _skipped(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _refuse_control(text: str) -> None:
    found = _CONTROL.search(text)
    if found:
        number = text.count("\n", 0, found.start()) + 1
        raise DockerfileError(f"the control character U+{ord(found[0]):04X}", number)


@functools.lru_cache(maxsize=10_000)  # profiles share most lines, and so do a file and its twin
def _instruction(line: str, number: int) -> Instruction:
    keyword, rest = _first_word(line)
    keyword = keyword.upper()
    if not KEYWORDS.fullmatch(keyword):
        raise DockerfileError(f"unknown instruction {keyword[:40]!r}", number)
    flags = []
    while rest.startswith("--"):
        flag, rest = _first_word(rest)
        if any(c in flag for c in "\"'\\"):
            raise DockerfileError(f"a quote in the flag {flag[:60]!r}", number)
        flags.append(flag)
    if not rest:
        raise DockerfileError(f"{keyword} without arguments", number)
    if keyword in {"ADD", "COPY", "RUN"}:
        _refuse_heredoc(rest, number)
    return Instruction(keyword=keyword, arguments=rest, line=number, flags=tuple(flags))


def _first_word(text: str) -> tuple[str, str]:
    head, *rest = text.split(maxsplit=1)
    return head, rest[0].strip() if rest else ""


def _refuse_heredoc(rest: str, number: int) -> None:
    for word in _QUOTED_WORD.findall(rest):
        if _HEREDOC.fullmatch(word):
            raise DockerfileError(f"the here-document {word[:40]!r} is not portable", number)
