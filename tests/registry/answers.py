"""A server on loopback that gives the answers of a table: registries and archives with faults."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.registry.images import Image


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Said:
    """An answer; ``cut``: how many bytes of it are sent before the connection ends."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


Answer = Said | Callable[[Asked], Said]


@dataclass
class Server:
    """What it answers, by path without the query, and what it was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    place: str = ""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.place}"

    def hold(self, repository: str, tag: str, *images: Image, by_tag: bytes = b"") -> None:
        """Answer as a registry that has some images; ``by_tag`` is an index of them."""
        base = f"/v2/{repository}"
        for one in images:
            kind = {"Content-Type": one.kind}
            self.answers[f"{base}/manifests/{one.digest}"] = Said(200, one.manifest, kind)
            for name, data in one.blobs.items():
                self.answers[f"{base}/blobs/{name}"] = Said(200, data)
        self.answers[f"{base}/manifests/{tag}"] = Said(200, by_tag or images[0].manifest)

    def paths(self) -> list[str]:
        """The paths that were asked for."""
        return [one.path for one in self.asked]


@contextmanager
def serving() -> Iterator[Server]:
    """A server while the block runs."""
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            asked = Asked(self.command, self.path, dict(self.headers), body)
            served.asked.append(asked)
            known = served.answers.get(self.path.partition("?")[0], Said(404))
            said = known(asked) if callable(known) else known
            self.send_response(said.status)
            for name, text in said.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body if said.cut is None else said.body[: said.cut])
            if said.cut is not None:
                self.close_connection = True

        do_POST = do_GET  # noqa: N815 (the name that the server looks for)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    served.place = f"127.0.0.1:{server.server_port}"
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
