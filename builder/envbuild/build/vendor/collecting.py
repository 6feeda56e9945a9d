"""The files of a variant, staged as for a build, into a vendored folder by their hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.build import fetching
from envbuild.build.staging import FILES
from envbuild.build.vendor import bundles, locations
from envbuild.build.vendor.model import FILES as STORE
from envbuild.build.vendor.model import Artifact, Gap, Input, Location, Piece
from envbuild.build.vendor.naming import named
from envbuild.tools import temporary
from envbuild.tools.store import Store, digest
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from envbuild.build.fetching import FetchTools, Subject
    from envbuild.render.model import StepInput

_REPOSITORY = "repository/"


class Collected(Struct, frozen=True, kw_only=True):
    """What the steps of a variant take: their input folders, the artifacts in them, what cannot be
    had as a file, and the bytes that came over the network now."""

    inputs: tuple[Input, ...]
    artifacts: tuple[Artifact, ...]
    gaps: tuple[Gap, ...]
    fetched: int


def lists_digest(inputs: Iterable[StepInput]) -> str:
    """The digest of the lists that a variant's steps are handed."""
    state = hashlib.sha256()
    for one in inputs:
        state.update(f"{one.path}\0{one.kind}\0{one.text}\0".encode())
    return f"sha256:{state.hexdigest()}"


def collect(subject: Subject, *, folder: str, tools: FetchTools) -> Collected:
    """Fetch everything that the steps of a variant take, into the vendored ``folder``.

    What the user's cache holds is linked, where both are on one disk.

    Raises:
        ToolError: something cannot be had, or is not what the lock says, or the disk is full.
    """
    work = _Work(subject, Store(f"{folder}/{STORE}"))
    held = f"{subject.variant.environment.name}.{subject.variant.name}.vendor"
    with (
        temporary.scratch({"Dockerfile": ""}) as context,  # what is rendered makes no difference
        temporary.beside(f"{tools.cache}/contexts/{held}") as place,
    ):
        found = fetching.stage(subject, context=context, into=place, tools=tools)
        inputs = tuple(work.input(one, f"{place}/{one.path}") for one in subject.inputs)
    return Collected(
        inputs=inputs,
        artifacts=tuple(work.artifacts.values()),
        gaps=tuple(Gap(path=one.path, what=one.what, why=one.why) for one in found.not_hermetic),
        fetched=sum(one.fetched for one in found.inputs),
    )


class _Work:
    """One variant on its way into the store."""

    def __init__(self, subject: Subject, store: Store) -> None:
        self._subject = subject
        self._store = store
        self.artifacts: dict[tuple[str, str], Artifact] = {}

    def input(self, one: StepInput, place: str) -> Input:
        """An input folder, with its files in the store."""
        pieces = []
        for path in _files(place):
            if f"{one.path}/{path}" == one.file or os.path.basename(path).startswith(".nothing"):
                continue
            if path.startswith(_REPOSITORY):
                pieces.append(self._git(one, place, path))
            else:
                pieces.append(self._file(one, place, path))
        return Input(
            path=one.path,
            kind=one.kind,
            pieces=tuple(pieces),
            marked=os.path.isdir(f"{place}/{FILES}"),
        )

    def _file(self, one: StepInput, place: str, path: str) -> Piece:
        """A wheel, a source distribution, a conda package, a Debian package, an interpreter."""
        name = os.path.basename(path)
        what = named(one.kind, name)
        kept, sha256 = self._take(f"{place}/{path}", name)
        self._note(
            kept,
            Artifact(
                kind=what.kind,
                name=what.name,
                version=what.version,
                sha256=sha256,
                size=os.path.getsize(kept),
                file="",
                locations=self._locations(one, what.name, path),
            ),
        )
        return Piece(path=path, sha256=sha256)

    def _locations(self, one: StepInput, package: str, path: str) -> tuple[Location, ...]:
        name = os.path.basename(path)
        what = named(one.kind, name)
        if what.kind == "conda":
            return self._conda().get(name, ())
        if what.kind == "deb":
            pins = self._subject.locked.apt
            moment = pins.snapshot if pins else ""
            return locations.deb(what.name, what.version, what.architecture, snapshot=moment)
        if what.kind == "python":
            return locations.python(path.split("/")[1], name)
        return locations.package(package, what.version, name, vendor=self._vendor(package))

    def _vendor(self, package: str) -> str:
        """The address of the profile's own index that has a package; empty for none."""
        locked = self._subject.locked
        if not any(one.name == package and one.integrity == "vendor" for one in locked.packages):
            return ""
        indexes = self._subject.variant.environment.python.indexes
        return next((one.url for one in indexes if one.name in locked.input.indexes), "")

    def _conda(self) -> Mapping[str, tuple[Location, ...]]:
        """The locations of the lock's conda packages, by the name of the file."""
        from envbuild.lock.conda.channels import known_address
        from envbuild.tools import condalock  # 60 ms that only a conda half needs

        locked = self._subject.locked
        if locked.conda is None or locked.input.conda is None:
            return {}
        target = locked.input.conda.targets[0].platform
        texts = self._subject.folder.texts
        records = condalock.records(texts[locked.conda.lock.path], label="conda-lock.yml")
        channels = locked.input.conda.channels
        found = {}
        for record in records.get(target, ()):
            above = [one for one in channels if record.url.startswith(f"{known_address(one)}/")]
            channel = max(above, key=len, default="")
            found[os.path.basename(record.url)] = locations.conda(channel, record.url)
        return found

    def _git(self, one: StepInput, place: str, path: str) -> Piece:
        """A file of a bare repository; its pack is kept as a bundle."""
        url, _, commit = one.text.strip().rpartition(" ")
        places = locations.git(url, commit)
        if not path.endswith(".pack"):
            kept, sha256 = self._take(f"{place}/{path}", os.path.basename(path).lstrip("."))
            skip, kind = 0, "git-file"
        else:
            name = bundles.filename(one.name, commit)
            kept, sha256, skip = bundles.make(f"{place}/{path}", commit, self._store, name=name)
            kind = "git"
        self._note(
            kept,
            Artifact(
                kind="git" if kind == "git" else "git-file",
                name=one.name,
                version=commit,
                sha256=sha256,
                size=os.path.getsize(kept),
                file="",
                locations=places,
            ),
        )
        return Piece(path=path, sha256=sha256, skip=skip)

    def _take(self, path: str, name: str) -> tuple[str, str]:
        """A file in the store, and its sha256: linked where that can be, else copied."""
        try:
            sha256 = digest(path)
        except OSError as error:
            raise cannot_write(path, error) from None
        found = self._store.find(sha256, name)
        return found or self._linked(path, sha256, name), sha256

    def _linked(self, path: str, sha256: str, name: str) -> str:
        target = f"{self._store.folder}/{sha256[:2]}/{sha256}/{name}"
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.link(path, target)
        except OSError:
            return self._store.add(path, sha256, name)
        return target

    def _note(self, kept: str, artifact: Artifact) -> None:
        from msgspec.structs import replace

        file = f"{STORE}/{os.path.relpath(kept, self._store.folder)}"
        self.artifacts[artifact.sha256, file] = replace(artifact, file=file)


def _files(folder: str) -> Iterator[str]:
    """The paths of all files below a folder, sorted."""
    found = []
    for place, _, names in os.walk(folder):
        found += [os.path.relpath(f"{place}/{name}", folder) for name in names]
    yield from sorted(found)
