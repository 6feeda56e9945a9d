"""Whether layers of an image hold what they must not. They are read as streams; nothing is
unpacked, and memory does not grow with them.

An image is a folder in OCI's layout, or an archive, as an engine saves it.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

from msgspec import Struct

from envbuild.build.secrets import Certificate, Needle
from envbuild.errors import InputError
from envbuild.tools import oci, packing, tars
from envbuild.tools.overlaid import OPAQUE, WHITEOUT

_CHUNK = 1 << 20
_FEW = 8
"""A bundle of so many certificates is a company's own: none of them may be in a layer. In a longer
one, which has the public ones too, each of these may come with a package (certifi)."""

_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
_LEFT = ("run/envbuild/", "run/secrets/")
"""Where secrets and input are mounted while an image is built; nothing of it stays."""


class Hidden(Struct, frozen=True, kw_only=True):
    """What must not be found: pieces of secrets, and the certificates that a build was given."""

    needles: tuple[Needle, ...] = ()
    certificates: tuple[Certificate, ...] = ()


def in_config(config: Mapping[str, Any], hidden: Hidden) -> tuple[str, ...]:
    """What of the hidden is said in a configuration: in its history, variables, labels."""
    few = hidden.certificates if len(hidden.certificates) <= _FEW else ()
    found = []
    for place, text in _strings(config, ""):
        data = text.encode(errors="replace")
        found += [f"{one.name} is in {place}" for one in hidden.needles if one.content in data]
        if any(one.line in data for one in few):
            found.append(f"a certificate of the bundle is in {place}")
    return tuple(dict.fromkeys(found))


def _strings(value: Any, place: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 (JSON)
    """Every text of a configuration, with its place in words: ``config.Env``, ``history``."""
    if isinstance(value, str):
        yield f"the image's configuration ({place})", value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(inner, f"{place}.{key}".strip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, place)


def in_layers(image: oci.SavedImage, hidden: Hidden, *, below: int) -> tuple[str, ...]:
    """What of the hidden is in a file of the layers above the first ``below`` ones, which are the
    base image's; what was left of mounts; whether the system's certificates are gone.

    Raises:
        InputError: a layer cannot be read.
    """
    found: list[str] = []
    removed = False
    for layer in image.layers[below:]:
        walk = _Layer(image, layer, hidden)
        found += walk.faults()
        removed = (removed or walk.removes) and not walk.brings
    if removed:
        found.append(f"/{_BUNDLE} of the base image is deleted")
    return tuple(dict.fromkeys(found))


class _Layer:
    """One layer, read once, and a second time where a certificate was seen."""

    def __init__(self, image: oci.SavedImage, layer: oci.Layer, hidden: Hidden) -> None:
        self._image = image
        self._layer = layer
        self._hidden = hidden
        few = len(hidden.certificates) <= _FEW
        self._seen = hidden.certificates if few else hidden.certificates[:1]
        self._all = () if few else hidden.certificates
        self.removes = False
        self.brings = False

    def faults(self) -> Iterator[str]:
        """Every fault of the layer, with the file that it is in."""
        suspects = []
        for name, member, file in self._members():
            self._note(name)
            if not member.size or file is None:
                continue
            if name.startswith(_LEFT):
                yield f"/{name} was left there ({member.size} bytes)"
            wanted = [(one.name, one.content) for one in self._hidden.needles]
            wanted += [("", part) for one in self._seen for part in (one.line, one.der)]
            names = _found(file, wanted)
            yield from (f"{one} is in /{name}" for one in sorted(names - {""}))
            if "" in names:
                suspects.append(name)
        if suspects:
            yield from self._certificates(suspects)

    def _note(self, name: str) -> None:
        folder, _, last = name.rpartition("/")
        if last == OPAQUE:
            self.removes |= _BUNDLE.startswith(f"{folder}/")
        elif last.startswith(WHITEOUT):
            hides = f"{folder}/{last.removeprefix(WHITEOUT)}".lstrip("/")
            self.removes |= hides == _BUNDLE or _BUNDLE.startswith(f"{hides}/")
        self.brings |= name == _BUNDLE

    def _certificates(self, suspects: list[str]) -> Iterator[str]:
        """The files with a certificate of a short bundle, or with every one of a long one."""
        said = "the certificates of --ca-bundle are in"
        if not self._all:
            yield from (f"{said} /{name}" for name in suspects)
            return
        for name, _, file in self._members():
            if name in suspects and file is not None:
                wanted = [(str(n), one.line) for n, one in enumerate(self._all)]
                wanted += [(str(n), one.der) for n, one in enumerate(self._all)]
                if len(_found(file, wanted)) == len(self._all):
                    yield f"{said} /{name}"

    def _members(self) -> Iterator[tuple[str, tarfile.TarInfo, IO[bytes] | None]]:
        """The members of the layer, each with its bytes if it is a file."""
        try:
            with (
                self._image.opened(self._layer) as stored,
                packing.plain(stored) as plain,
                tarfile.open(fileobj=plain, mode="r|", bufsize=_CHUNK) as tar,
            ):
                while member := tar.next():
                    tar.members = []  # type: ignore[attr-defined]  # half a million in Isaac Sim
                    name = tars.path_of(member.name)
                    yield name, member, tar.extractfile(member) if member.isreg() else None
        except (tarfile.TarError, OSError, *packing.DAMAGE) as error:
            raise InputError(f"{self._image.label} cannot be read: {str(error).lower()}") from None


def _found(file: IO[bytes], wanted: list[tuple[str, bytes]]) -> set[str]:
    """The names of the pieces that a file holds. A name may have several pieces."""
    names: set[str] = set()
    longest = max((len(piece) for _, piece in wanted), default=0)
    rest = b""
    while wanted and (chunk := file.read(_CHUNK)):
        text = rest + chunk
        names |= {name for name, piece in wanted if name not in names and piece in text}
        rest = text[-longest:]
    return names
