"""The headers of a tar's entries with other times.

Python's ``tarfile`` decodes an entry and writes another one; here an entry keeps the bytes that its
writer gave it (extended attributes, long names, sparse maps), so that only what is meant changes.
"""

from __future__ import annotations

from envbuild.tools import tars

_SPACES = b" " * 8


def stamped(headers: bytes, seconds: int) -> bytes:
    """The headers of one entry with another modification time, in whole seconds since 1970.

    ``headers`` are what lies between an entry's ``start`` and its ``data``. Times of access and of
    change are left out, and so are records that engines ignore.
    """
    parts = []
    place = 0
    while (kind := headers[place + 156 : place + 157]) in tars.EXTENSIONS:
        block = headers[place : place + tars.BLOCK]
        size = tars.number(block[124:136])
        text = headers[place + tars.BLOCK : place + tars.BLOCK + size]
        place += tars.BLOCK + tars.padded(size)
        if kind == b"x":
            parts.append(_extension(text))
        elif kind != b"g":
            parts.append(_timed(block, 0) + text + bytes(tars.padded(size) - size))
    own, rest = headers[place : place + tars.BLOCK], headers[place + tars.BLOCK :]
    if own[257:265] == b"ustar  \0":  # GNU's, with the times of access and change
        own = own[:345] + bytes(24) + own[369:]
    return b"".join((*parts, _timed(own, seconds), rest))


def _extension(text: bytes) -> bytes:
    """An extension header without times; nothing where nothing is left."""
    kept = b"".join(
        _record(key, value) for key, value in tars.records(text) if key not in tars.TIMES
    )
    if not kept:
        return b""
    fields = (b"PaxHeaders.0/entry".ljust(100, b"\0"), b"0000644\0", b"0000000\0" * 2)
    sized = b"".join((*fields, b"%011o\0" % len(kept), b"0" * 11 + b"\0", _SPACES, b"x"))
    block = (sized.ljust(257, b"\0") + b"ustar\00000").ljust(tars.BLOCK, b"\0")
    return _timed(block, 0) + kept + bytes(tars.padded(len(kept)) - len(kept))


def _timed(block: bytes, seconds: int) -> bytes:
    block = b"".join((block[:136], b"%011o\0" % seconds, _SPACES, block[156:]))
    return b"".join((block[:148], b"%06o\0 " % tars.checksum(block), block[156:]))


def _record(key: str, value: bytes) -> bytes:
    bare = b" %s=%s\n" % (key.encode("utf-8", "surrogateescape"), value)
    length = len(bare) + len(str(len(bare)))
    length = len(bare) + len(str(length))
    return b"%d%s" % (length, bare)
