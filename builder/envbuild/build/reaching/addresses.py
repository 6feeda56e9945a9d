"""Whether a file is at an address: one byte of it is asked for, and its size is looked at."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from envbuild.build.reaching.model import HERE, Answer
from envbuild.tools import addresses
from envbuild.tools.net import NetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.tools.credentials import Credentials
    from envbuild.tools.net import Http

_GONE = frozenset({404, 410})
_SPAN = re.compile(r"bytes \d+-\d+/(\d+)")


def probe(url: str, size: int | None, http: Http, credentials: Credentials | None) -> Answer:
    """Whether there is a file at an address, of so many bytes where that is known."""
    host = addresses.host(url)
    if addresses.is_file(url):
        return _on_disk(addresses.path(url), size)
    headers = {"Accept-Encoding": "identity", "Range": "bytes=0-0"}
    headers |= credentials.headers(url) if credentials else {}
    try:
        with http.get(addresses.bare(url), headers) as answer:
            status, length = answer.status, _length(answer.status, answer.headers)
    except NetError as error:
        return unreached(error)
    if status in _GONE:
        return Answer(state="gone", detail=f"{host} answers {status}")
    if status not in (200, 206, 416):
        return Answer(state="unknown", detail=f"{host} answers {status}")
    return _sized(size, length, host)


def unreached(error: NetError) -> Answer:
    """Nobody answered, and what was said of that."""
    said = f"{error.message} ({error.detail})" if error.detail else error.message
    return Answer(state="unknown", detail=said)


def _on_disk(path: str, size: int | None) -> Answer:
    try:
        return _sized(size, os.path.getsize(path), path)
    except FileNotFoundError:
        return Answer(state="gone", detail=f"{path} is not there")
    except OSError as error:
        return Answer(state="unknown", detail=f"{path}: {error.strerror}")


def _sized(wanted: int | None, found: int | None, place: str) -> Answer:
    if wanted is None or found is None or wanted == found:
        return HERE
    return Answer(state="moved", detail=f"{place} has {found} bytes instead of {wanted}")


def _length(status: int, headers: Mapping[str, str]) -> int | None:
    """The size of the whole file, where an answer says it."""
    if status == 206:
        span = _SPAN.fullmatch(headers.get("content-range", ""))
        return int(span[1]) if span else None
    text = headers.get("content-length", "")
    return int(text) if status == 200 and text.isdigit() else None
