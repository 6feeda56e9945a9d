"""Files from addresses into the store: several at a time, hashed as they come, and gone on with
where a server let go half way.

Proxies and certificates are those of :mod:`envbuild.tools.net`; user names and passwords come from
the addresses of the indexes, or from the user's netrc.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from envbuild.errors import EnvbuildError, ToolError
from envbuild.tools import addresses
from envbuild.tools.net import Http, NetError
from envbuild.tools.proc import masked
from envbuild.tools.store import Part, Store, WrongHashError

if TYPE_CHECKING:
    from envbuild.tools.credentials import Credentials

_TOGETHER = 8
"""Files that are fetched at a time."""

_PASSING = frozenset({408, 416, 425, 429, 500, 502, 503, 504})
"""What a server says when it may say otherwise in a moment."""

_LONGEST = 30.0
"""Seconds that a server may ask for before the next try."""

_SMALL = 4 << 20
"""Bytes of a text; the hashes of a release of Pythons are a quarter of that."""

_TICK = 0.1
"""Seconds between two words about how far it is."""


class Wanted(Struct, frozen=True, kw_only=True):
    """A file: where it is (``https:``, ``http:`` or ``file:``), its sha256 (64 hex digits; empty
    where nobody says it), what it is called, and for whom it is wanted, for messages. ``size`` in
    bytes where it is known."""

    url: str
    sha256: str
    name: str
    what: str
    size: int | None = None


class Got(Struct, frozen=True, kw_only=True):
    """A file that is there; ``origin`` says where it was."""

    path: str
    sha256: str
    name: str
    size: int
    origin: Literal["store", "disk", "network"]


class Access(Struct, frozen=True, kw_only=True):
    """How files are reached: the user's environment (proxies, certificates), credentials, how often
    and with which first pause (seconds, doubled each time) what failed in passing is tried again.
    ``progress`` is told the bytes that came and the files that are left."""

    environ: Mapping[str, str]
    credentials: Credentials
    offline: bool = False
    retries: int = 3
    pause: float = 0.5
    progress: Callable[[int, int], None] = lambda _bytes, _left: None


def fetch(wanted: Iterable[Wanted], store: Store, access: Access) -> tuple[Got, ...]:
    """Every file, in the order in which they were asked for.

    The first failure ends all: what came of the others is kept for another time.

    Raises:
        ToolError: one cannot be had, or is not what its hash says.
    """
    listed = tuple(wanted)
    return _Fetch(listed, store, access).run() if listed else ()


def present(wanted: Iterable[Wanted], store: Store) -> tuple[Got | None, ...]:
    """What of it is in the store already, hashed a moment ago; addresses are not looked at."""
    from concurrent.futures import ThreadPoolExecutor

    def one(want: Wanted) -> Got | None:
        found = store.find(want.sha256, want.name)
        return _got(want, found, "store") if found else None

    with ThreadPoolExecutor(min(_TOGETHER, os.cpu_count() or 1)) as pool:
        return tuple(pool.map(one, tuple(wanted)))


def text(url: str, access: Access) -> str | None:
    """A small text at an address; None where there is none, or nobody answers."""
    try:
        if addresses.is_file(url):
            with open(addresses.path(url), "rb") as file:
                return file.read(_SMALL).decode(errors="replace")
        if access.offline:
            return None
        with Http(access.environ).get(
            addresses.bare(url), access.credentials.headers(url)
        ) as answer:
            return answer.read(_SMALL).decode(errors="replace") if answer.status == 200 else None
    except (OSError, NetError):
        return None


class _StoppedError(Exception):
    """Another download has failed."""


class _Fetch:
    """One round of downloads, by threads of its own."""

    def __init__(self, listed: tuple[Wanted, ...], store: Store, access: Access) -> None:
        self._listed = listed
        self._store = store
        self._access = access
        self._todo: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._got: dict[int, Got] = {}
        self._failed: list[BaseException] = []
        self._stop = threading.Event()
        self._bytes = 0
        # The largest first: else one that is begun last keeps the others waiting.
        for number in sorted(range(len(listed)), key=lambda i: -(listed[i].size or 0)):
            self._todo.put(number)

    def run(self) -> tuple[Got, ...]:
        count = min(_TOGETHER, len(self._listed))
        workers = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                while worker.is_alive():
                    worker.join(_TICK)
                    self._access.progress(self._bytes, len(self._listed) - len(self._got))
        finally:
            self._stop.set()
        if self._failed:
            raise self._failed[0]
        return tuple(self._got[number] for number in range(len(self._listed)))

    def _work(self) -> None:
        http = Http(self._access.environ)
        while not self._stop.is_set():
            try:
                number = self._todo.get_nowait()
            except queue.Empty:
                return
            try:
                self._got[number] = self._one(self._listed[number], http)
            except _StoppedError:
                return
            except BaseException as error:  # noqa: BLE001 (raised again by who waits)
                self._failed.append(error)
                self._stop.set()

    def _one(self, want: Wanted, http: Http) -> Got:
        found = self._store.find(want.sha256, want.name) if want.sha256 else None
        if found:
            return _got(want, found, "store")
        if addresses.is_file(want.url):
            try:
                path = self._store.add(addresses.path(want.url), want.sha256, want.name)
            except WrongHashError as error:
                raise _other(want, error.found) from None
            return _got(want, path, "disk")
        if self._access.offline:
            raise ToolError(
                f"{want.what}: {want.name} is not in the cache, and the network is off",
                hint="without --offline it is fetched",
            )
        with self._store.writing(want.sha256, want.name, stop=self._stop.is_set) as part:
            if part.file is None:
                return _got(want, part.path, "store")
            path = self._patiently(want, part, http)
        return _got(want, path, "network")

    def _patiently(self, want: Wanted, part: Part, http: Http) -> str:
        """The file, by as many tries as are allowed; a try goes on where the one before ended."""
        pause = self._access.pause
        for left in reversed(range(self._access.retries + 1)):
            resumed = part.size > 0
            wait = pause
            try:
                self._stream(want, part, http)
                return part.finish()
            except WrongHashError as error:
                if not (resumed and left):
                    raise _other(want, error.found) from None
            except _PassingError as error:
                if not left:
                    raise error.final from None
                wait = min(max(pause, error.wait), _LONGEST)
            if self._stop.wait(wait):
                raise _StoppedError
            pause *= 2
        raise AssertionError  # the last try has returned or raised

    def _stream(self, want: Wanted, part: Part, http: Http) -> None:
        headers = {"Accept-Encoding": "identity", **self._access.credentials.headers(want.url)}
        if part.size:
            headers["Range"] = f"bytes={part.size}-"
        try:
            answer = http.get(addresses.bare(want.url), headers)
        except NetError as error:
            raise _unreached(want, error) from None
        with answer:
            if answer.status == 416:
                part.restart()
            if answer.status not in (200, 206):
                wait = _seconds(answer.headers.get("retry-after"))
                raise _status(want, answer.status, wait=wait)
            begins = answer.headers.get("content-range", "").startswith(f"bytes {part.size}-")
            if part.size and not (answer.status == 206 and begins):
                part.restart()
            try:
                for data in answer.chunks():
                    part.write(data)
                    self._bytes += len(data)  # for people: an addition that is lost does no harm
                    if self._stop.is_set():
                        raise _StoppedError
            except NetError as error:
                raise _PassingError(_unreached(want, error)) from None


class _PassingError(Exception):
    """What another try may cure; ``final`` is the error if it does not, ``wait`` are the seconds
    that the server asked for."""

    def __init__(self, final: EnvbuildError, *, wait: float = 0.0) -> None:
        super().__init__(final.message)
        self.final = final
        self.wait = wait


def _got(want: Wanted, path: str, origin: Literal["store", "disk", "network"]) -> Got:
    size = os.path.getsize(path)
    sha256 = want.sha256 or os.path.basename(os.path.dirname(path))
    return Got(path=path, sha256=sha256, name=want.name, size=size, origin=origin)


def _status(want: Wanted, status: int, *, wait: float) -> Exception:
    error = _refused(want, status)
    return _PassingError(error, wait=wait) if status in _PASSING else error


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdigit() else 0.0


# --- Words ---------------------------------------------------------------------------------------


def _other(want: Wanted, found: str) -> ToolError:
    place = addresses.host(want.url) or addresses.path(want.url)
    return ToolError(
        f"{want.what}: {place} has another {want.name} than the lock",
        hint="name the index that the lock was made with, or lock again",
        output=f"locked: sha256 {want.sha256}\nfound:  sha256 {found}",
    )


def _refused(want: Wanted, status: int) -> ToolError:
    hints = {
        401: "the index wants credentials: in its address, or in the netrc file",
        403: "the index refuses you: credentials belong into its address, or the netrc file",
        404: "the file is gone: name an index that has it, or lock again",
        407: "the proxy wants credentials: in HTTPS_PROXY",
        416: "run it again",
    }
    return ToolError(
        f"{want.what}: {addresses.host(want.url)} answers {status} for {want.name}",
        hint=hints.get(status),
        output=masked(want.url),
    )


def _unreached(want: Wanted, error: NetError) -> ToolError:
    host = addresses.host(want.url)
    return ToolError(
        f"{want.what}: {want.name} cannot be fetched from {host}: {error.message}",
        hint=error.hint or "the network, or a mirror of the index (UV_DEFAULT_INDEX)",
        output=error.detail,
    )
