"""The licences of what a lock installs, from where they can be known: the metadata of each wheel,
source distribution and conda package. What nobody says is unknown, and is never guessed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.attest.model import Bill, Component
from envbuild.build import wheels
from envbuild.build.supply import Supply
from envbuild.build.wheels import Chosen
from envbuild.errors import EnvbuildError, InputError
from envbuild.lock import pylock
from envbuild.lock.requirements import Pin
from envbuild.scan.zipped import zips
from envbuild.scan.zipped.zipends import Seekable
from envbuild.tools import addresses, licences, ranges
from envbuild.tools.net import Http

_READER = 1
"""To be raised where licences are read otherwise: what was kept is read anew then."""

_SMALL = 4 << 20
"""Bytes of a file that is rather fetched as a whole than in parts."""

_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
_WORDS = re.compile(r"[A-Za-z0-9.+-]+")


class Licence(Struct, frozen=True, kw_only=True):
    """The licence of a component: ``text`` as its metadata has it, empty where it is not known, and
    then ``why``. ``source`` is where it was read."""

    component: Component
    text: str = ""
    source: str = ""
    why: str = ""


class Files(Struct, frozen=True, kw_only=True):
    """What files are had with: the supply of a build, and ``conda``, the folder of conda's
    packages. Nothing is fetched where the supply is offline."""

    supply: Supply
    http: Http
    conda: str


# --- Reading -------------------------------------------------------------------------------------


def read(
    bill: Bill, files: Files, *, question: pylock.Question, pins: Iterable[Pin]
) -> tuple[Licence, ...]:
    """The licence of every component of a bill, in its order. Where the index does not answer, what
    is not in the cache is unknown."""
    said, trouble = _of_index(files, question, tuple(pins))
    found = []
    for one in bill.components:
        if one.licence:
            found.append(Licence(component=one, text=one.licence, source="the image"))
        elif one.kind == "pypi" and one.origin == "lock":
            found.append(_of_python(one, said, trouble))
        elif one.kind == "conda":
            found.append(_of_conda(one, files.conda))
        else:
            found.append(Licence(component=one, why=_WHY.get(one.kind, "it is in the base image")))
    return tuple(found)


_WHY: Mapping[str, str] = {
    "deb": "Debian's licences stand in an image alone, as text",
    "git": "a repository has no metadata that says it",
    "image": "an image is made of many",
}


def _of_python(one: Component, said: Mapping[str, str], trouble: str) -> Licence:
    if one.name not in said:
        return Licence(component=one, why=trouble or "its file was not read")
    text = said[one.name]
    why = "" if text else "its metadata does not name one"
    return Licence(component=one, text=text, source="its metadata" if text else "", why=why)


def _of_conda(one: Component, folder: str) -> Licence:
    for digest in one.sha256:
        place = f"{folder}/archives/{digest}"
        for name in sorted(os.listdir(place)) if os.path.isdir(place) else ():
            if name.endswith((".conda", ".tar.bz2")):
                text = licences.of_conda(f"{place}/{name}")
                why = "" if text else "its record does not name one"
                source = "its record" if text else ""
                return Licence(component=one, text=text, source=source, why=why)
    return Licence(component=one, why="its file is not here: envbuild build fetches it")


def _of_index(
    files: Files, question: pylock.Question, pins: tuple[Pin, ...]
) -> tuple[dict[str, str], str]:
    """What the files of the locked packages say, by package, and why some of them were not read."""
    supply = files.supply
    said: dict[str, str] = {}
    chosen = wheels.known(question, pins, supply)
    for one in chosen or ():
        text = _here(one, supply)
        if text is not None:
            said[one.package] = text
    missing = chosen is None or any(one.package not in said for one in chosen)
    if not missing:
        return said, ""
    if supply.access.offline:
        return said, "its file is not here, and the network is off"
    try:
        for one in wheels.named(question, pins, supply):
            if one.package not in said:
                supply.live(f"reading what {one.package} says of its licence ...")
                said[one.package] = _there(one, files)
    except EnvbuildError as error:
        return said, error.message.splitlines()[0]
    return said, ""


def _here(one: Chosen, supply: Supply) -> str | None:
    """What a file says that was read before, or lies here; None where it does not."""
    kept: str | None = supply.answers.recall(_key(one), str)
    if kept is not None:
        return kept
    path = supply.store.find(one.sha256, one.name)
    return None if path is None else _keep(one, supply, _of_file(path, one.name))


def _there(one: Chosen, files: Files) -> str:
    """What a file says that lies elsewhere: read in parts where it is large and the server gives
    some, else fetched into the store, where a build finds it."""
    kept = _here(one, files.supply)
    if kept is not None:
        return kept
    wanted = one.wanted()
    large = one.size is None or one.size > _SMALL
    if large and one.name.endswith(".whl") and not addresses.is_file(one.url):
        part = ranges.opened(wanted, files.supply.access, files.http)
        if part:
            return _keep(one, files.supply, _of_wheel(part, one.name))
    (got,) = files.supply.fetch([wanted], one.name)
    return _keep(one, files.supply, _of_file(got.path, one.name))


def _key(one: Chosen) -> object:
    return ("licence", _READER, one.sha256)


def _keep(one: Chosen, supply: Supply, text: str) -> str:
    supply.answers.remember(_key(one), text)
    return text


def _of_file(path: str, name: str) -> str:
    if not name.endswith(".whl"):
        return licences.of_source(path)
    with open(path, "rb") as file:
        return _of_wheel(file, name)


def _of_wheel(file: Seekable, label: str) -> str:
    """What the metadata of a wheel says; nothing where the wheel can be read in two ways."""
    try:
        archive = zips.Archive(file, label)
        for member in archive.members:
            if member.kind == "file" and _METADATA.fullmatch(member.name):
                return licences.of_metadata(b"".join(archive.pieces(member)))
    except InputError:
        return ""
    return ""


# --- Judging -------------------------------------------------------------------------------------


def licensed(bill: Bill, found: Iterable[Licence]) -> Bill:
    """The bill with the licences in it."""
    by_purl = {one.component.purl: one.text for one in found}
    return msgspec.structs.replace(
        bill,
        components=tuple(
            msgspec.structs.replace(one, licence=by_purl.get(one.purl, one.licence))
            for one in bill.components
        ),
    )


def denied(found: Iterable[Licence], names: Iterable[str]) -> Iterator[Licence]:
    """Those whose licence names one of ``names``, in whatever case. In an expression
    (``MIT OR GPL-3.0-only``) each identifier counts: who may choose says so by not denying it."""
    refused = {name.lower() for name in names}
    for one in found:
        words = {word.lower() for word in _WORDS.findall(one.text)}
        if one.text.lower() in refused or words & refused:
            yield one


def tally(found: Iterable[Licence], key: Callable[[Licence], str]) -> dict[str, int]:
    """How many there are of each, the most first."""
    counts: dict[str, int] = {}
    for one in found:
        counts[key(one)] = counts.get(key(one), 0) + 1
    return dict(sorted(counts.items(), key=lambda row: (-row[1], row[0])))
