"""Two layers, entry by entry: what differs, and why. Contents are read in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from msgspec import Struct

from envbuild.build import causes
from envbuild.tools import bytecode, packing, tars


class Difference(Struct, frozen=True, kw_only=True):
    """One thing that differs. ``path`` is the file's, or what of the configuration; ``layer``
    counts from 1 (0: it is in no layer); ``detail`` says how."""

    cause: causes.Name
    path: str
    layer: int = 0
    detail: str = ""


class Side(Struct, frozen=True, kw_only=True):
    """An unpacked layer, and what messages call it."""

    file: IO[bytes]
    label: str


_Found = tuple[causes.Name, str]


def layers(old: Side, new: Side, *, number: int) -> Iterator[Difference]:
    """What differs between two layers; nothing only where every byte is equal.

    Raises:
        InputError: one of them cannot be read.
    """
    before, after = _index(old), _index(new)
    found = False
    for path in sorted(before.keys() | after.keys()):
        was, now = before.get(path), after.get(path)
        if was is None or now is None:
            pair = [_one_sided(path, missing=now is None)]
        else:
            pair = _Pair(old, new, was, now=now).causes()
        for cause, detail in pair:
            found = True
            yield Difference(cause=cause, path=path, layer=number, detail=detail)
    if list(before) != list(after) and before.keys() == after.keys():
        yield Difference(cause="order", path="", layer=number)
    elif not found and not _equal_files(old.file, new.file):
        yield Difference(cause="encoding", path="", layer=number)


def _index(side: Side) -> dict[str, tars.Entry]:
    """The entries by their paths; what comes twice counts as it comes last."""
    found: dict[str, tars.Entry] = {}
    for entry in tars.scan(side.file, side.label):
        found.pop(entry.path, None)
        found[entry.path] = entry
    return found


def _one_sided(path: str, *, missing: bool) -> _Found:
    where = "only in the first" if missing else "only in the second"
    known = causes.of_path(path)
    return (known, where) if known else ("missing" if missing else "extra", "")


class _Pair:
    """The entries of one path in both layers."""

    def __init__(self, old: Side, new: Side, was: tars.Entry, *, now: tars.Entry) -> None:
        self._files = (old.file, new.file)
        self._was = was
        self._now = now

    def causes(self) -> list[_Found]:
        """Why they differ; the time alone only where nothing else does."""
        was, now = self._was, self._now
        if was.kind != now.kind:
            return [("kind", f"{was.kind} -> {now.kind}")]
        found = [*self._content()]
        if was.link != now.link:
            found.append(("link", f"{was.link} -> {now.link}"))
        if was.device != now.device:
            found.append(("kind", f"device {was.device} -> {now.device}"))
        if was.owner != now.owner:
            found.append(("owner", f"{_owner(was)} -> {_owner(now)}"))
        if was.mode != now.mode:
            found.append(("mode", f"{was.mode:04o} -> {now.mode:04o}"))
        if was.attributes != now.attributes:
            names = sorted({key for key, _ in {*was.attributes} ^ {*now.attributes}})
            found.append(("attributes", ", ".join(names)))
        if not found and was.time != now.time:
            found.append(("time", f"{_seconds(was)} -> {_seconds(now)}"))
        return found

    def _content(self) -> Iterator[_Found]:
        place = self._first_difference(0)
        if place is None:
            return
        path = self._was.path
        sizes = (self._was.size, self._now.size)
        detail = f"from byte {place}"
        detail += f", {sizes[0]} -> {sizes[1]} bytes" if sizes[0] != sizes[1] else ""
        if bytecode.source_of(path) is not None:
            yield self._bytecode(detail)
        else:
            yield causes.of_path(path) or "content", detail

    def _bytecode(self, detail: str) -> _Found:
        headers = [
            _read(file, entry.data, min(entry.size, bytecode.HEADER))
            for file, entry in zip(self._files, (self._was, self._now), strict=True)
        ]
        was, now = (bytecode.time_of(header) for header in headers)
        if was is None or now is None:
            return ("compiled" if headers[0] == headers[1] else "content"), detail
        if bytecode.with_time(headers[0], now) != headers[1]:
            return "content", detail
        if self._first_difference(bytecode.HEADER) is None:
            return "bytecode", f"of a source from {was} -> {now}"
        return "compiled", detail

    def _first_difference(self, skipped: int) -> int | None:
        """The first byte behind ``skipped`` ones in which the contents differ."""
        (one, other), was, now = self._files, self._was, self._now
        shorter = min(was.size, now.size)
        for place in range(skipped, shorter, packing.PIECE):
            size = min(packing.PIECE, shorter - place)
            left = _read(one, was.data + place, size)
            right = _read(other, now.data + place, size)
            if left != right:
                return place + _first(left, right)
        return None if was.size == now.size else shorter


def _first(left: bytes, right: bytes) -> int:
    """The first place where two differ: halves are compared, which takes no step for each byte."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _read(file: IO[bytes], place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


def _equal_files(old: IO[bytes], new: IO[bytes]) -> bool:
    old.seek(0)
    new.seek(0)
    while True:
        left, right = old.read(packing.PIECE), new.read(packing.PIECE)
        if left != right:
            return False
        if not left:
            return True


def _owner(entry: tars.Entry) -> str:
    uid, gid, user, group = entry.owner
    named = f" ({user}:{group})" if user or group else ""
    return f"{uid}:{gid}{named}"


def _seconds(entry: tars.Entry) -> str:
    whole, part = divmod(entry.time, 10**9)
    return f"{whole}.{part:09}" if part else str(whole)
