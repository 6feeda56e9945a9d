"""Parts of a file that lies behind an address: as a file to read in, where the server allows it.

What was read in parts was not hashed: nobody can say that it is the file of a sha256. It serves to
look into a large file for what little of it matters, and never to install from.
"""

from __future__ import annotations

import os
import re
import time
from collections import OrderedDict
from collections.abc import Iterator

from envbuild.tools import addresses
from envbuild.tools.downloads import Access, Wanted
from envbuild.tools.net import Http, NetError, Response

BLOCK = 1 << 18
"""Bytes that are asked for at once, and kept: the end of a zip with the directory of a few thousand
members is as long."""

_KEPT = 64
"""Blocks that are kept: 16 MB."""

_AHEAD = 16
"""Blocks that are asked for together at most, where one is read behind the other: 4 MB."""

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_SPAN = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class ChangedError(NetError):
    """A file became another one while it was read."""


class Ranged:
    """A file behind an address. ``size`` are its bytes, ``came`` those that came so far."""

    def __init__(self, want: Wanted, access: Access, http: Http) -> None:
        self._want = want
        self._access = access
        self._http = http
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._place = 0
        self._state: tuple[int, str, str] | None = None
        self._ahead, self._next = 1, -1
        self.came = 0

    @property
    def size(self) -> int:
        """How many bytes the whole file has."""
        return self._state[0] if self._state else 0

    def begin(self) -> bool:
        """Ask for the end of the file; whether the server gives parts of it.

        Raises:
            NetError: the server cannot be reached.
        """
        first = max(0, (self._want.size or 0) - BLOCK) // BLOCK
        return self._fetch(first, 2)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place; where that is."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes from there; all that are left with a negative number.

        Raises:
            NetError: a part cannot be had, or the file is another one by now.
        """
        last = self.size if size < 0 else min(self.size, self._place + size)
        parts = [
            self._part(number, last) for number in range(self._place // BLOCK, -(-last // BLOCK))
        ]
        data = b"".join(parts)
        self._place += len(data)
        return data

    def _part(self, number: int, last: int) -> bytes:
        """What is wanted of a block."""
        if number not in self._blocks:
            self._ahead = min(_AHEAD, 2 * self._ahead) if number == self._next else 1
            needed = -(-last // BLOCK) - number
            if not self._fetch(number, max(needed, self._ahead)):
                raise self._trouble("the server gives no more parts of it")
        self._blocks.move_to_end(number)
        start = number * BLOCK
        return self._blocks[number][max(0, self._place - start) : last - start]

    # --- Asking ----------------------------------------------------------------------------------

    def _fetch(self, number: int, count: int) -> bool:
        """Ask for some blocks; False where the server gives no parts."""
        begin, pause = number * BLOCK, self._access.pause
        count = min(count, _AHEAD)
        end = (
            begin + count * BLOCK if self._state is None else min(begin + count * BLOCK, self.size)
        )
        for left in reversed(range(self._access.retries + 1)):
            try:
                data = self._once(begin, end)
            except ChangedError:
                raise
            except NetError as error:
                if not left:
                    raise self._trouble(error.message, error.detail, error.hint) from None
                time.sleep(pause)
                pause *= 2
                continue
            if data is None:
                return False
            for place, block in _blocks(data, number):
                self._blocks[place] = block
            self._next = number + count
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
            return True
        raise AssertionError  # the last turn of the loop returns or raises

    def _once(self, begin: int, end: int) -> bytes | None:
        url = self._want.url
        headers = {
            "Accept-Encoding": "identity",
            "Range": f"bytes={begin}-{end - 1}",
            **self._access.credentials.headers(url),
        }
        with self._http.get(addresses.bare(url), headers) as answer:
            if answer.status in _PASSING:
                raise NetError(f"it answers {answer.status}", detail=url)
            span = _SPAN.fullmatch(answer.headers.get("content-range", ""))
            if answer.status != 206 or not span or "content-encoding" in answer.headers:
                return None
            first, last, size = map(int, span.groups())
            self._hold(answer, size)
            if (first, last) != (begin, min(end, size) - 1):
                return None
            data = answer.read(end - begin)
        self.came += len(data)
        if len(data) != last - first + 1:
            raise NetError("the answer was cut off", detail=url)
        return data

    def _hold(self, answer: Response, size: int) -> None:
        """The file is the same as with the first answer.

        Raises:
            ChangedError: it is not.
        """
        tags = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
        if self._state is None:
            self._state = (size, *tags)
        if self._state != (size, *tags):
            raise ChangedError(self._said("it is another file by now"), hint="run it again")

    def _trouble(self, why: str, detail: str = "", hint: str | None = None) -> NetError:
        return NetError(self._said(why), detail=detail, hint=hint)

    def _said(self, why: str) -> str:
        host = addresses.host(self._want.url)
        return f"{self._want.what}: {self._want.name} cannot be read from {host}: {why}"


def _blocks(data: bytes, number: int) -> Iterator[tuple[int, bytes]]:
    for place in range(0, len(data), BLOCK):
        yield number + place // BLOCK, data[place : place + BLOCK]


def opened(want: Wanted, access: Access, http: Http) -> Ranged | None:
    """A file to read in parts, its end already there; None where the server gives no parts.

    Raises:
        NetError: the server cannot be reached.
    """
    file = Ranged(want, access, http)
    return file if file.begin() else None
