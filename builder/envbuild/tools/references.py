"""References of images (``nvcr.io/nvidia/isaac-sim:5.1.0@sha256:…``), and mirrors of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from envbuild.errors import InputError

_HUB = "docker.io"
_END = frozenset("/:@")
"""What may stand behind the part of a reference that a mirror names."""


class Reference(Struct, frozen=True, kw_only=True):
    """A reference in parts; ``tag`` and ``digest`` are empty where it has none."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    def text(self) -> str:
        """The reference, whole."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"


def parse(text: str) -> Reference:
    """The parts of a reference; short ones are Docker Hub's, as docker reads them."""
    rest, _, digest = text.partition("@")
    head, slash, tail = rest.partition("/")
    if slash and (any(c in head for c in ".:") or head == "localhost"):
        registry, path = head, tail
    else:
        registry, path = _HUB, rest
    repository, _, tag = path.partition(":")
    if registry == _HUB and "/" not in repository:
        repository = f"library/{repository}"
    return Reference(registry=registry, repository=repository, tag=tag, digest=digest)


class Mirror(Struct, frozen=True, kw_only=True):
    """Whatever begins with ``prefix`` is read from ``place`` instead."""

    prefix: str
    place: str


def mirrored(text: str, mirrors: Iterable[Mirror]) -> str:
    """The reference that a mirror has instead; the longest prefix counts.

    A prefix ends where a part of the reference ends: ``nvcr.io/nvidia`` is none of
    ``nvcr.io/nvidia-beta/x``. Without a mirror it is the text as it is.
    """
    whole = parse(text).text()
    fitting = [
        mirror
        for mirror in mirrors
        if whole.startswith(mirror.prefix) and whole[len(mirror.prefix) :][:1] in {"", *_END}
    ]
    if not fitting:
        return text
    best = max(fitting, key=lambda mirror: len(mirror.prefix))
    return best.place + whole[len(best.prefix) :]


MIRRORS = "ENVBUILD_MIRRORS"
"""The variable that names mirrors beside the option: some ``PREFIX=PLACE`` with blanks between."""


def mirrors(options: Iterable[str], environ: Mapping[str, str]) -> tuple[Mirror, ...]:
    """The mirrors of a user: of the option ``--mirror``, then of the variable ``ENVBUILD_MIRRORS``.

    Raises:
        InputError: one is not ``PREFIX=PLACE``.
    """
    named = [(text, "--mirror") for text in options]
    named += [(text, MIRRORS) for text in environ.get(MIRRORS, "").split()]
    found = [_mirror(text, origin) for text, origin in named]
    return tuple({mirror.prefix: mirror for mirror in reversed(found)}.values())[::-1]


def _mirror(text: str, origin: str) -> Mirror:
    prefix, equals, place = (part.strip().rstrip("/") for part in text.partition("="))
    if not equals or not prefix or not place or "://" in text or "@" in place:
        raise InputError(
            f"{origin} takes PREFIX=PLACE, not {text!r}",
            hint="as in docker.io=mirror.example.org/hub: names as images have them, without https://",
        )
    return Mirror(prefix=prefix, place=place)
