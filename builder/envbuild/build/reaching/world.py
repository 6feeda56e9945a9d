"""The questions of a variant: everything that its lock names, each with the way to ask for it."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.build import interpreters, planning
from envbuild.build.reaching import addresses
from envbuild.build.reaching.model import HERE, Answer, Asked
from envbuild.build.reaching.packages import Index
from envbuild.build.repositories import Repositories
from envbuild.errors import EnvbuildError
from envbuild.lock import pylock, requirements
from envbuild.lock.apt.sources import sources
from envbuild.tools.manifests import Document, decoded
from envbuild.tools.net import NetError
from envbuild.tools.references import parse

if TYPE_CHECKING:
    from envbuild.build.fetching import Subject
    from envbuild.build.supply import Supply
    from envbuild.lock.conda.channels import Settings
    from envbuild.lock.pin_world import Doors
    from envbuild.render.model import StageImage, StepInput
    from envbuild.tools.net import Http
    from envbuild.tools.registry import Registry

_GIT_GONE = (
    "not our ref",
    "couldn't find remote ref",
    "repository not found",
    "does not appear to be a git repository",
)


class World(Struct, frozen=True, kw_only=True):
    """The ways to everything outside, with the settings of a user."""

    environ: Mapping[str, str]
    http: Http
    registry: Registry
    doors: Doors
    supply: Supply
    conda: Callable[[], Settings]
    repositories: Repositories


def questions(subject: Subject, images: tuple[StageImage, ...], world: World) -> Iterator[Asked]:
    """Everything that the lock of a variant names."""
    for image in images:
        yield from _image(subject, image, world)
    texts = [one.text for one in subject.inputs if one.kind in ("wheels", "sources")]
    pins = [pin for text in texts for pin in requirements.parse(text)]
    if pins:
        question = pylock.locked(subject.variant, subject.locked, pins)
        yield from Index(question, pins, world.supply, world.http).asked()
    for one in subject.inputs:
        if one.kind == "git":
            yield _git(one, world)
        elif one.kind == "conda":
            yield from _conda(subject, world)
        elif one.kind == "python":
            yield _python(one, subject, world)
    debs = {line: one for one in subject.inputs if one.kind == "apt" for line in one.text.split()}
    if debs:
        archive = _Archive(subject, images, world)
        for line in sorted(debs):
            yield archive.asked(line)


# --- Images --------------------------------------------------------------------------------------


def _image(subject: Subject, image: StageImage, world: World) -> Iterator[Asked]:
    reference = planning.read_from(image.reference, image.digest, ())
    architecture = subject.variant.architecture
    asked = parse(image.reference)

    def ask() -> Answer:
        try:
            manifest = world.registry.raw(reference, architecture)[-1]
            read = decoded(manifest.data, Document, reference)
            for part in (*((read.config,) if read.config else ()), *read.layers):
                world.registry.part(reference, part.digest)[1].close()
        except NetError as error:
            return _of_registry(error)
        return HERE if image.digest else Answer(state="here", warning="no digest in the lock")

    yield Asked(
        kind="image",
        name=f"{asked.registry}/{asked.repository}",
        version=asked.tag,
        ask=ask,
        file=reference,
        hashes=(image.digest.removeprefix("sha256:"),) if image.digest else (),
    )


def _of_registry(error: NetError) -> Answer:
    if error.status in (404, 410):
        return Answer(state="gone", detail=error.detail or error.message)
    if error.other_bytes:
        return Answer(state="moved", detail=error.message)
    return addresses.unreached(error)


# --- Commits, conda packages, interpreters -------------------------------------------------------


def _git(one: StepInput, world: World) -> Asked:
    url, _, commit = one.text.strip().rpartition(" ")

    def ask() -> Answer:
        outcome = world.repositories.probe(url, commit)
        if outcome.code == 0:
            return HERE
        said = (outcome.stderr or outcome.stdout).strip()
        last = said.splitlines()[-1] if said else f"exit code {outcome.code}"
        gone = any(sign in said.lower() for sign in _GIT_GONE)
        return Answer(state="gone" if gone else "unknown", detail=last)

    return Asked(kind="git", name=one.name, version=commit, ask=ask)


def _conda(subject: Subject, world: World) -> Iterator[Asked]:
    from envbuild.install.recipe import wanted  # 60 ms that only a conda half needs
    from envbuild.tools import condalock

    locked = subject.locked
    if locked.conda is None:
        return
    data = subject.folder.texts[locked.conda.lock.path]
    records = condalock.records(data, label="conda-lock.yml")
    for one in wanted(records, locked, world.conda()):
        record = one.record
        yield Asked(
            kind="conda",
            name=record.name,
            version=record.version,
            ask=functools.partial(addresses.probe, one.url, None, world.http, None),
            file=os.path.basename(one.url),
            hashes=(record.sha256,),
        )


def _python(one: StepInput, subject: Subject, world: World) -> Asked:
    mirror = world.environ.get("UV_PYTHON_INSTALL_MIRROR", "")

    def ask() -> Answer:
        try:
            found = interpreters.published(
                one.text, subject.variant.architecture, world.supply, mirror=mirror
            )
        except EnvbuildError as error:
            return Answer(state="unknown", detail=error.message)
        return addresses.probe(found.url, None, world.http, world.supply.access.credentials)

    version = one.text.split()[-1]
    return Asked(kind="python", name="python", version=version, ask=ask)


# --- Debian packages -----------------------------------------------------------------------------


class _Archive:
    """The archives that the base image names, read once."""

    def __init__(self, subject: Subject, images: tuple[StageImage, ...], world: World) -> None:
        self._subject = subject
        self._images = {one.argument: one for one in images}
        self._world = world
        self._said: tuple[dict[str, frozenset[str]], str] | None = None
        self._turn = threading.Lock()

    def asked(self, line: str) -> Asked:
        """A package of a list (``name=version``, or ``name``)."""
        name, _, version = line.partition("=")
        return Asked(kind="deb", name=name, version=version, ask=lambda: self._of(name, version))

    def _of(self, name: str, version: str) -> Answer:
        with self._turn:
            if self._said is None:
                self._said = self._read()
        versions, trouble = self._said
        there = versions.get(name, frozenset())
        if version in there or (there and not version):
            return HERE
        if trouble:
            return Answer(state="unknown", detail=trouble)
        newer = f", which has {max(there)}" if there else ""
        return Answer(state="gone", detail=f"no archive of the base image has it{newer}")

    def _read(self) -> tuple[dict[str, frozenset[str]], str]:
        """The versions of every package that is asked for; and what could not be read."""
        base = self._images["BASE_IMAGE"]
        architecture = self._subject.variant.architecture
        reference = planning.read_from(base.reference, base.digest, ())
        doors = self._world.doors
        try:
            system = doors.system(reference, doors.manifest(reference, architecture))
        except NetError as error:
            return {}, addresses.unreached(error).detail
        lines = [
            line for one in self._subject.inputs if one.kind == "apt" for line in one.text.split()
        ]
        names = sorted({line.partition("=")[0] for line in lines})
        pins = self._subject.locked.apt
        moment = pins.as_of if pins else self._subject.locked.input.as_of
        found = {name: {system.installed[name]} for name in names if name in system.installed}
        trouble = ""
        for source in sources(system.lists, architecture):
            try:
                suite = doors.suite(source, architecture, names=names, moment=moment)
            except NetError as error:
                trouble = trouble or (
                    "" if error.status == 404 else addresses.unreached(error).detail
                )
                continue
            for name, some in suite.versions.items():
                found.setdefault(name, set()).update(some)
        return {name: frozenset(some) for name, some in found.items()}, trouble
