"""A server on loopback that gives the answers of a table: registries and archives with faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.registry.images import Image
from tests.support import loopback
from tests.support.loopback import Request as Asked
from tests.support.loopback import Said

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

    def answer(asked: Asked) -> Said:
        served.asked.append(asked)
        known = served.answers.get(asked.path.partition("?")[0], Said(404))
        return known(asked) if callable(known) else known

    with loopback.answering(answer) as served.place:
        yield served
