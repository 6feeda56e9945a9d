"""A channel's folder over HTTP on loopback, with faults at the paths that a table names."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from urllib.parse import unquote, urlsplit

from tests.support import conda_packages

PAGE = b"<!DOCTYPE html>\n<html><title>Sign in</title><body>Welcome to this network</body></html>\n"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered. ``declared`` is the length in the header if it is not the body's."""

    status: int = 200
    kind: str = "application/octet-stream"
    body: bytes = b""
    declared: int | None = None
    never: bool = False


Fault = Callable[[Reply, int], Reply]
"""From the right reply and how often the path was asked for before: the one that is sent."""


def html(_right: Reply, _before: int) -> Reply:
    """A page for people, as a portal in front of a network sends it."""
    return Reply(kind="text/html", body=PAGE)


def cut(right: Reply, _before: int) -> Reply:
    """The length of the whole, and the connection closed half way."""
    return replace(right, body=right.body[: len(right.body) // 2], declared=len(right.body))


def silent(right: Reply, _before: int) -> Reply:
    """Nothing, until the server ends."""
    return replace(right, never=True)


def missing(_right: Reply, _before: int) -> Reply:
    """404."""
    return Reply(status=404)


def flip(right: Reply, _before: int) -> Reply:
    """One byte changed in the middle."""
    head, tail = right.body[: len(right.body) // 2], right.body[len(right.body) // 2 :]
    changed = bytes(byte ^ 0xFF for byte in tail[:1])
    return replace(right, body=head + changed + tail[1:])


def truncated(right: Reply, _before: int) -> Reply:
    """Half of the file, sent as if it were the whole."""
    return replace(right, body=right.body[: len(right.body) // 2])


def garbage(right: Reply, _before: int) -> Reply:
    """Another package, whole and valid, in its place."""
    with tempfile.TemporaryDirectory() as folder:
        other = conda_packages.stub(Path(folder), "other", "1.0").read_bytes()
    return replace(right, body=other)


def busy(times: int | None) -> Fault:
    """503 for the first requests of a path, then the file; None: always 503."""

    def fault(right: Reply, before: int) -> Reply:
        return Reply(status=503) if times is None or before < times else right

    return fault


@dataclass
class Served:
    """A running server; ``requests`` are the method and the path of each it got, in order."""

    url: str
    requests: list[tuple[str, str]] = field(default_factory=list)

    def asked(self, pattern: str) -> list[str]:
        """The paths that were fetched and that a pattern matches, as often as they were."""
        return [p for method, p in self.requests if method == "GET" and fnmatchcase(p, pattern)]


class _Server(ThreadingHTTPServer):
    """Remembers its open connections, and can end them all."""

    daemon_threads = False

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.ending = threading.Event()
        self.open: set[socket] = set()
        self.lock = threading.Lock()

    def process_request(self, request: socket, client_address: object) -> None:
        with self.lock:
            self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket) -> None:
        with self.lock:
            self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say what went wrong, unless it is that the client left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def end(self) -> None:
        """Return once no thread and no socket is left."""
        self.ending.set()
        self.shutdown()
        with self.lock:
            for request in self.open:
                with suppress(OSError):  # the client may have left by now
                    request.shutdown(SHUT_RDWR)
        self.server_close()


@contextmanager
def serving(folder: Path, faults: Mapping[str, Fault] | None = None) -> Iterator[Served]:
    """Serve a folder on a free port of 127.0.0.1 while the block runs.

    ``faults`` go by path below the folder, as ``linux-64/repodata.json``, or by pattern, as
    ``*/numpy-*.conda``; the first that matches counts.
    """
    lock = threading.Lock()

    def answer(method: str, path: str) -> Reply:
        with lock:
            before = [asked for _, asked in served.requests].count(path)
            served.requests.append((method, path))
        file = folder / path
        right = Reply(body=file.read_bytes()) if file.is_file() else Reply(status=404)
        for pattern, fault in (faults or {}).items():
            if fnmatchcase(path, pattern):
                return fault(right, before)
        return right

    server = _Server(_handler(answer))
    served = Served(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield served
    finally:
        server.end()
        thread.join()


def _handler(answer: Callable[[str, str], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server: _Server

        def do_GET(self) -> None:
            reply = answer(self.command, unquote(urlsplit(self.path).path).lstrip("/"))
            if reply.never:
                self.server.ending.wait()
                return
            length = len(reply.body) if reply.declared is None else reply.declared
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(reply.body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
