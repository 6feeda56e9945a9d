"""A folder over HTTP on loopback that knows ranges, with faults that a table names."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote

from tests.support.loopback import Request, Said, answering


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request: its path, the byte that it begins at, the one that it ends before (None: with the
    file; 0 and None: all of it), its credentials, and how often the path was asked for before."""

    path: str
    begin: int
    end: int | None
    authorization: str
    before: int


Fault = Callable[[Asked, Said], Said]
"""From a request and the right answer to it: the one that is sent."""


@dataclass
class Served:
    """A running server and what it was asked for."""

    url: str
    asked: list[Asked] = field(default_factory=list)


def no_ranges(asked: Asked, right: Said) -> Said:
    """The whole file, whatever was asked for; the first time half of it."""
    whole = Said(body=right.headers["X-Whole"].encode("latin-1"))
    return Said(body=whole.body, cut=len(whole.body) // 2 if asked.before == 0 else None)


def cut_once(asked: Asked, right: Said) -> Said:
    """The first answer ends half way."""
    return Said(
        status=right.status,
        body=right.body,
        headers=right.headers,
        cut=len(right.body) // 2 if asked.before == 0 else None,
    )


def always_cut(_asked: Asked, right: Said) -> Said:
    """Every answer ends at once after its headers."""
    return Said(status=right.status, body=right.body, headers=right.headers, cut=0)


def status(number: int, *, times: int = 1000, **headers: str) -> Fault:
    """A status without a file, the first times."""

    def fault(asked: Asked, right: Said) -> Said:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return Said(status=number, headers=named) if asked.before < times else right

    return fault


@contextmanager
def serving(
    folder: Path, faults: Mapping[str, Fault] | None = None, *, login: str = ""
) -> Iterator[Served]:
    """Serve a folder while the block runs; ``faults`` by file name. A path that ends in a slash is
    its ``index.json``, a page of an index. ``login`` (``name:password``) is wanted with every request."""
    wanted = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
    served = Served(url="")
    lock = threading.Lock()

    def answer(request: Request) -> Said:
        path = unquote(request.path.lstrip("/"))
        path += "index.json" if request.path.endswith("/") else ""
        with lock:
            begin, _, last = request.headers.get("Range", "").removeprefix("bytes=").partition("-")
            asked = Asked(
                path=path,
                begin=int(begin or 0),
                end=int(last) + 1 if last else None,
                authorization=request.headers.get("Authorization", ""),
                before=[one.path for one in served.asked].count(path),
            )
            served.asked.append(asked)
        if wanted and asked.authorization != wanted:
            right = Said(status=401, headers={"WWW-Authenticate": 'Basic realm="tests"'})
        else:
            right = _right(folder / path, asked)
        said = (faults or {}).get(path, lambda _, right: right)(asked, right)
        headers = {name: text for name, text in said.headers.items() if name != "X-Whole"}
        if path.endswith("/index.json"):
            headers["Content-Type"] = "application/vnd.pypi.simple.v1+json"
        return replace(said, headers=headers)

    with answering(answer) as place:
        served.url = f"http://{place}"
        yield served


def _right(file: Path, asked: Asked) -> Said:
    if not file.is_file():
        return Said(status=404)
    data = file.read_bytes()
    whole = {"X-Whole": data.decode("latin-1")}
    if not asked.begin and asked.end is None:
        return Said(body=data, headers=whole)
    if asked.begin >= len(data):
        return Said(status=416, headers=whole)
    part = data[asked.begin : asked.end]
    last = asked.begin + len(part) - 1
    span = {"Content-Range": f"bytes {asked.begin}-{last}/{len(data)}"}
    return Said(status=206, body=part, headers={**whole, **span})
