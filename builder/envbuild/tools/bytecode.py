"""Python's bytecode files: what of them depends on the moment at which they were compiled.

A header has 16 bytes (PEP 552): a magic number, flags, then for the usual kind the time and the
size of the source, each modulo 2**32; Python compiles anew where they are not the source's. With
the lowest flag set a hash of the source stands there, which no time changes.
"""

from __future__ import annotations

HEADER = 16

_WORD = 4
_FLAGS = slice(4, 8)
_TIME = slice(8, 12)
_MODULUS = 2**32


def source_of(path: str) -> str | None:
    """The source that belongs to bytecode by its path (PEP 3147); None for any other file."""
    folder, _, name = path.rpartition("/")
    if not name.endswith(".pyc"):
        return None
    above, slash, last = folder.rpartition("/")
    if last != "__pycache__":
        return path[:-1]
    return f"{above}{slash}{name.partition('.')[0]}.py"


def time_of(header: bytes) -> int | None:
    """The time in a header; None where there is a hash, or no header."""
    if len(header) < HEADER or header[2:4] != b"\r\n" or any(header[_FLAGS]):
        return None
    return int.from_bytes(header[_TIME], "little")


def is_of(header: bytes, seconds: int) -> bool:
    """Whether the header holds this time of a source."""
    return time_of(header) == seconds % _MODULUS


def with_time(header: bytes, seconds: int) -> bytes:
    """The header, or more of the file, with another time of its source."""
    word = (seconds % _MODULUS).to_bytes(_WORD, "little")
    return header[: _TIME.start] + word + header[_TIME.stop :]
