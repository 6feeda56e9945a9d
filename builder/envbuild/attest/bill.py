"""The bill of materials of a variant, from its lock. Pure.

What the lock has stands in it with its hashes, and who asked for what as far as the lock knows;
what the lock leaves open is said. No address of an index is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.attest import purls
from envbuild.attest.model import Bill, Component
from envbuild.errors import InputError
from envbuild.lock import requirements
from envbuild.lock.folder import LockFolder, lock_digest
from envbuild.lock.model import FileDigest, LockedPackage, VariantLock
from envbuild.lock.overlay import CONDA
from envbuild.profile.resolved import Variant
from envbuild.render import inputs
from envbuild.tools.conda import Record

_PROFILE = "profile"
"""Who asked, where that is the profile itself."""


class Subject(Struct, frozen=True, kw_only=True):
    """A variant and the lock folder of its profile; ``records`` are those of its ``conda-lock.yml``
    for its own platform, and ``maker`` is the version of envbuild."""

    variant: Variant
    folder: LockFolder
    maker: str
    records: tuple[Record, ...] = ()

    @property
    def locked(self) -> VariantLock:
        """The lock of the variant.

        Raises:
            InputError: there is none.
        """
        assert self.folder.header is not None  # the caller has refused a folder without one
        return inputs.locked_variant(self.variant, self.folder.header)


def bill(subject: Subject) -> Bill:
    """The bill of materials of a variant.

    Raises:
        InputError: a file of the lock folder is not the one that the lock names.
        ToolError: the library that writes package URLs is not installed.
    """
    locked, variant = subject.locked, subject.variant
    found = (
        *_images(subject),
        *_python(subject),
        *_provided(locked),
        *_conda(subject),
        *_debian(subject),
        *_git(subject),
    )
    named: dict[tuple[str, str], str] = {(one.kind, one.name): one.purl for one in found}
    for package in locked.conda_packages:  # who asks for a Python package that conda brings
        if package.python:
            named.setdefault(("pypi", package.python), named["conda", package.name])
    asked = _asked(locked.packages, named)
    needs = dict(_of_conda(subject, named)) | asked
    return Bill(
        profile=variant.environment.name,
        variant=variant.name,
        platform=variant.platform,
        distribution=variant.environment.base.distribution,
        summary=variant.environment.summary,
        lock_digest=lock_digest(locked),
        moment=locked.input.as_of,
        maker=subject.maker,
        components=tuple(
            sorted(
                (msgspec.structs.replace(one, needs=needs.get(one.purl, ())) for one in found),
                key=lambda one: one.purl,
            )
        ),
        needs=needs.get(_PROFILE, ()),
        open=tuple(_open(locked)),
    )


def _open(locked: VariantLock) -> Iterator[str]:
    """What the lock leaves open, in words."""
    yield from sorted(f"{one.what}: {one.why}" for one in locked.unpinned)
    yield from sorted(f"{one.what}: {one.why}" for one in locked.unknown)


# --- What there is -------------------------------------------------------------------------------


def _images(subject: Subject) -> Iterator[Component]:
    assert subject.folder.header is not None  # see Subject.locked
    for one in inputs.images(subject.variant, subject.folder.header):
        role = one.argument.removesuffix("_IMAGE").lower()
        yield Component(
            kind="image",
            name=one.reference.partition("@")[0],
            version=one.digest,
            purl=purls.image(one.reference, one.digest),
            sha256=tuple(filter(None, (one.digest.removeprefix("sha256:"),))),
            integrity="" if one.digest else "unpinned",
            role=role,
            origin="base" if role == "base" else "lock",
        )


def _python(subject: Subject) -> Iterator[Component]:
    hashes = _hashes(subject)
    for one in subject.locked.packages:
        yield Component(
            kind="pypi",
            name=one.name,
            version=one.version,
            purl=purls.pypi(one.name, one.version),
            sha256=hashes.get(one.name, ()),
            integrity=one.integrity,
        )


def _hashes(subject: Subject) -> Mapping[str, tuple[str, ...]]:
    """The hashes of every file that the lock lets a package be installed from."""
    locked = subject.locked
    named: tuple[FileDigest, ...] = (
        locked.wheels,
        *((locked.sources,) if locked.sources else ()),
    )
    found: dict[str, tuple[str, ...]] = {}
    for file in named:
        text = inputs.file_text(file, subject.folder.texts)
        try:
            pins = requirements.parse(text)
        except ValueError as error:
            raise InputError(f"the lock folder's {file.path} cannot be read: {error}") from None
        for pin in pins:
            digests = (one.removeprefix("sha256:") for one in pin.hashes)
            found[pin.name] = tuple(sorted({*found.get(pin.name, ()), *digests}))
    return found


def _provided(locked: VariantLock) -> Iterator[Component]:
    """What the base image brings; what conda provides stands among conda's packages."""
    for one in locked.provided:
        if one.by != CONDA:
            yield Component(
                kind="pypi",
                name=one.name,
                version=one.version,
                purl=purls.pypi(one.name, one.version),
                origin="base",
                integrity="provided",
            )


def _conda(subject: Subject) -> Iterator[Component]:
    records = {one.sha256: one for one in subject.records}
    for one in subject.locked.conda_packages:
        record = records.get(one.sha256)
        yield Component(
            kind="conda",
            name=one.name,
            version=one.version,
            purl=purls.conda(
                one.name,
                one.version,
                build=one.build,
                channel=_channel(record.url, record.subdir) if record else "",
                subdir=record.subdir if record else "",
            ),
            sha256=(one.sha256,),
            integrity="package",
        )


def _channel(url: str, subdir: str) -> str:
    """The channel's name: what stands in front of the subdir in the address of a package."""
    above = url.partition(f"/{subdir}/")[0]
    return above.rpartition("/")[2]


def _debian(subject: Subject) -> Iterator[Component]:
    locked, variant = subject.locked, subject.variant
    pinned = dict(one.partition("=")[::2] for one in (locked.apt.packages if locked.apt else ()))
    names = {text.partition("=")[0] for text in locked.input.apt}
    for name in sorted(names | pinned.keys()):
        version = pinned.get(name, "")
        yield Component(
            kind="deb",
            name=name,
            version=version,
            purl=purls.deb(
                name,
                version,
                distribution=variant.environment.base.distribution,
                architecture=variant.architecture,
            ),
            integrity="version" if version else "unpinned",
        )


def _git(subject: Subject) -> Iterator[Component]:
    pinned = {pin.name: pin.commit for pin in subject.locked.git}
    for one in subject.variant.environment.git:
        commit = pinned.get(one.name) or one.commit or ""
        yield Component(
            kind="git",
            name=one.name,
            version=commit,
            purl=purls.git(one.name, one.url, commit),
            integrity="commit" if commit else "unpinned",
        )


# --- Who asked for it ----------------------------------------------------------------------------


def _asked(
    packages: Iterable[LockedPackage], named: Mapping[tuple[str, str], str]
) -> dict[str, tuple[str, ...]]:
    """What each component asked for, by its purl; what the profile asked for, as ``profile``.

    A git source asks as the package that it is, whose name may be another than the source's: then
    nobody is named.
    """
    found: dict[str, set[str]] = {}
    for package in packages:
        for request in package.requested:
            by = named.get(("pypi", request.by)) or named.get(("git", request.by))
            by = _PROFILE if request.by == _PROFILE else by
            if by:
                found.setdefault(by, set()).add(named["pypi", package.name])
    return {by: tuple(sorted(those)) for by, those in found.items()}


def _of_conda(
    subject: Subject, named: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    own = {one.sha256 for one in subject.locked.conda_packages}
    for record in subject.records:
        if record.sha256 in own:
            names = (one.split(maxsplit=1)[0] for one in record.depends if one.strip())
            those = {named["conda", name] for name in names if ("conda", name) in named}
            yield named["conda", record.name], tuple(sorted(those))
