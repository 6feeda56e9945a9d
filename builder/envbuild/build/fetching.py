"""Everything that a build takes from outside, fetched and checked before it begins.

The result is a folder for a builder that needs no network: what ``envbuild render`` wrote, and
beside each list the files that it names. It appears whole or not at all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct

from envbuild.build import condapackages, debs, interpreters, sources, staging, wheels
from envbuild.build.repositories import Repositories
from envbuild.build.staging import FILES, Material, NotHermetic, Staged
from envbuild.build.supply import Means, Supply, supply
from envbuild.engines.model import Engine
from envbuild.errors import InputError
from envbuild.lock import pylock, requirements
from envbuild.lock.conda import channels
from envbuild.lock.conda.channels import Settings
from envbuild.lock.folder import LockFolder
from envbuild.lock.model import VariantLock
from envbuild.lock.uv import Uv
from envbuild.names import canonical_name
from envbuild.profile.model import GitSource
from envbuild.profile.resolved import Variant
from envbuild.render.model import StepInput
from envbuild.speech import counted
from envbuild.tools import temporary
from envbuild.tools.downloads import Got
from envbuild.tools.proc import Runner
from envbuild.tools.trouble import cannot_write


class FetchTools(Struct, frozen=True, kw_only=True):
    """What is fetched with, and who is told how it goes.

    ``environ`` is the user's environment; ``uv`` and ``conda`` are called where they are needed.
    ``engine`` runs the base image's apt (None: nothing is known of Debian packages), ``images`` are
    the references that it is to take for build arguments (``BASE_IMAGE``). ``cache`` is the folder
    that keeps what was fetched; ``offline``: it has to suffice. ``beside`` is another store of
    files that is looked into before something is fetched (empty: none).
    """

    environ: Mapping[str, str]
    runner: Runner
    uv: Callable[[], Uv]
    conda: Callable[[], Settings]
    engine: Engine | None
    images: Mapping[str, str]
    cache: str
    offline: bool
    say: Callable[[str], None]
    live: Callable[[str], None]
    beside: str = ""


class Subject(Struct, frozen=True, kw_only=True):
    """The variant that is to be built, its lock folder, and the input folders of its build."""

    variant: Variant
    folder: LockFolder
    inputs: tuple[StepInput, ...]

    @property
    def locked(self) -> VariantLock:
        """The lock of the variant."""
        assert self.folder.header is not None  # a fresh lock has one
        return self.folder.header.variants[self.variant.name]


class Fetched(Struct, frozen=True, kw_only=True):
    """What was laid into each input folder, what still needs the network, and the seconds of it
    all. What several input folders share is in the seconds of the first of them."""

    inputs: tuple[Staged, ...]
    not_hermetic: tuple[NotHermetic, ...]
    seconds: float

    @property
    def hermetic(self) -> bool:
        """Whether the build needs no network."""
        return not self.not_hermetic


def stage(subject: Subject, *, context: str, into: str, tools: FetchTools) -> Fetched:
    """Make the folder ``into`` (nothing, or an empty folder, is there yet) from what was rendered
    into ``context``, with everything that the build needs.

    Raises:
        InputError: nothing was rendered, or the lock folder is not the one that it was rendered of.
        ToolError: something cannot be had, or is not what the lock says; ``into`` is as it was.
    """
    started = time.monotonic()
    if os.path.lexists(into) and not (os.path.isdir(into) and not os.listdir(into)):
        raise InputError(f"{into} is there already", hint="name a folder that is not there")
    with temporary.beside(into) as folder:
        staging.copy(context, folder, subject.variant.name)
        work = _Work(subject, tools, folder)
        for one in subject.inputs:
            work.input(one)
        try:
            os.rename(folder, into)
        except OSError as error:
            raise cannot_write(into, error) from None
    seconds = time.monotonic() - started
    return Fetched(inputs=tuple(work.staged), not_hermetic=tuple(work.open), seconds=seconds)


class _Work:
    """One context on its way."""

    def __init__(self, subject: Subject, tools: FetchTools, folder: str) -> None:
        self._subject = subject
        self._tools = tools
        self._folder = folder
        self._supply = _supply(tools)
        self._locked: dict[str, tuple[Got, ...]] | None = None
        self._kinds: Mapping[str, Callable[[StepInput], Iterator[Material]]] = {
            "wheels": self._packages,
            "sources": self._sources,
            "git": self._git,
            "apt": self._apt,
            "conda": self._conda,
            "python": self._python,
        }
        self.staged: list[Staged] = []
        self.open: list[NotHermetic] = []

    def input(self, one: StepInput) -> None:
        """Fill one input folder."""
        started = time.monotonic()
        before = len(self.open)
        material = tuple(self._kinds[one.kind](one))
        whole = len(self.open) == before
        if not whole:  # where `files` is, the step would ask for nothing beside it
            material = tuple(file for file in material if not file.path.startswith(f"{FILES}/"))
        marked = whole and (one.kind != "git" or self._source(one).install == "pip")
        folder = f"{self._folder}/{one.path}"
        count, size, fetched = staging.lay(folder, material, marked=marked)
        seconds = time.monotonic() - started
        self.staged.append(
            Staged(
                path=one.path,
                kind=one.kind,
                files=count,
                bytes=size,
                fetched=fetched,
                seconds=seconds,
            )
        )
        now = f", {fetched / 1e6:.0f} MB of them fetched" if fetched else ""
        self._tools.say(f"{one.path}: {counted(count, 'file')}, {size / 1e6:.1f} MB{now}")

    # --- Python packages -------------------------------------------------------------------------

    def _packages(self, one: StepInput) -> Iterator[Material]:
        """The files of every package that a requirement file names."""
        if self._locked is None:
            self._locked = self._every_package()
        for pin in requirements.parse(one.text):
            yield from map(_file, self._locked[pin.name])

    def _every_package(self) -> dict[str, tuple[Got, ...]]:
        """The files of all requirement files together: uv is asked once."""
        texts = [one.text for one in self._subject.inputs if one.kind in ("wheels", "sources")]
        pins = [pin for text in texts for pin in requirements.parse(text)]
        question = pylock.locked(self._subject.variant, self._subject.locked, pins)
        return wheels.locked(question, pins, self._supply)

    def _sources(self, one: StepInput) -> Iterator[Material]:
        integrity = {package.name: package.integrity for package in self._subject.locked.packages}
        stated = self._subject.variant.environment.python.build_from_source
        unisolated = {canonical_name(row.package) for row in stated if not row.isolation}
        yield from self._packages(one)
        assert self._locked is not None  # a moment ago
        needs = []
        for pin in requirements.parse(one.text):
            kind = integrity.get(pin.name)
            what = f"{pin.name} {pin.version}"
            if kind == "stub":
                self.open.append(NotHermetic(path=one.path, what=what, why=_STUB))
            if kind == "source" and pin.name not in unisolated:
                needs += [sources.of_archive(got.path, what) for got in self._locked[pin.name]]
        yield from self._build_wheels(needs, one)

    def _build_wheels(self, needs: Iterable[sources.Need], one: StepInput) -> Iterator[Material]:
        asked = self._subject.locked.input
        question = pylock.Question(
            python=asked.python,
            platform=asked.platform,
            as_of=asked.as_of,
            constraints=self._subject.variant.environment.python.build_constraints,
        )
        got, missing = sources.build_wheels(needs, question, self._supply, path=one.path)
        self.open += missing
        yield from map(_file, got)

    # --- What is no Python package ---------------------------------------------------------------

    def _git(self, one: StepInput) -> Iterator[Material]:
        tools = self._tools
        url, _, commit = one.text.strip().rpartition(" ")
        source = self._source(one)
        kept = Repositories(
            f"{tools.cache}/git", tools.environ, tools.runner, offline=tools.offline
        )
        tools.live(f"fetching {one.name} ...")
        found = kept.get(one.name, url, commit)
        for path in found.files:
            yield Material(
                source=f"{found.path}/{path}", path=f"repository/{path}", fetched=found.fetched
            )
        if source.install == "pip":
            texts = kept.texts(found, sources.READ, source.subdirectory)
            asked = sources.requirements(texts, one.name, editable=True)
            yield from self._build_wheels([sources.Need(what=one.name, requires=asked)], one)

    def _source(self, one: StepInput) -> GitSource:
        return next(row for row in self._subject.variant.environment.git if row.name == one.name)

    def _apt(self, one: StepInput) -> Iterator[Material]:
        engine, image = self._tools.engine, self._tools.images.get(one.image, "")
        if engine is None or not engine.capabilities.runs or not image:
            why = f"{engine.name} cannot run" if engine else "no engine is there to run"
            why = f"{why} the base image's apt, which knows what they need"
            self.open.append(NotHermetic(path=one.path, what="its Debian packages", why=why))
            return
        pins = self._subject.locked.apt
        archive = debs.Archive(
            engine=engine,
            image=image,
            platform=self._subject.variant.platform,
            snapshot=pins.snapshot if pins else "",
            environ=self._tools.environ,
        )
        packages = tuple(one.text.split())
        got, fetched = debs.closure(packages, archive, self._supply, stage=one.name)
        for file in got:
            yield Material(source=file.path, path=f"{FILES}/{file.name}", fetched=fetched)

    def _conda(self, _: StepInput) -> Iterator[Material]:
        tools = self._tools
        settings = tools.conda()
        cache = channels.cache_folder(tools.environ)
        access = settings.access(cache, offline=tools.offline, refresh=False)
        subject = self._subject
        for package in condapackages.packages(
            subject.locked, subject.folder, settings=settings, access=access, live=tools.live
        ):
            path = f"{FILES}/{package.name}"
            yield Material(source=package.path, path=path, fetched=package.fetched)

    def _python(self, one: StepInput) -> Iterator[Material]:
        mirror = self._tools.environ.get("UV_PYTHON_INSTALL_MIRROR", "")
        architecture = self._subject.variant.architecture
        found, got = interpreters.interpreter(one.text, architecture, self._supply, mirror=mirror)
        yield Material(
            source=got.path,
            path=f"{FILES}/{found.release}/{found.name}",
            fetched=got.origin == "network",
        )


_STUB = (
    "a placeholder: while it is built it fetches the wheel from its vendor's index, which the lock "
    "was not made with"
)


def _file(got: Got) -> Material:
    return Material(source=got.path, path=f"{FILES}/{got.name}", fetched=got.origin == "network")


def _supply(tools: FetchTools) -> Supply:
    return supply(
        Means(
            environ=tools.environ,
            runner=tools.runner,
            uv=tools.uv,
            cache=tools.cache,
            offline=tools.offline,
            live=tools.live,
            beside=tools.beside,
        )
    )
