"""What a lock says, as frozen values.

``envbuild.lock.json`` is a :class:`Lock` as canonical JSON; beside it stand the requirement files
that it names. Every value here is written and read by msgspec with no conversion between.
"""

from typing import Literal

from msgspec import Struct

LOCK_FORMAT = 3
"""2: the conda half is solved; before, a lock held its specifications as text. 3: images, Debian
packages and git sources are pinned too."""

HEADER = "envbuild.lock.json"


class Value(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename="kebab",
    omit_defaults=True,
):
    """A frozen value of the lock file; fields at their default are not written."""


class CondaTarget(Value, frozen=True, kw_only=True):
    """A platform as conda names it (``linux-64``), and what such a machine has: its virtual
    packages as ``name=version`` or ``name=version=build``, sorted."""

    platform: str
    virtual_packages: tuple[str, ...]


class CondaInput(Value, frozen=True, kw_only=True):
    """What the conda solver sees: channels in their order, specifications sorted, and the targets,
    the variant's own platform first."""

    channels: tuple[str, ...]
    packages: tuple[str, ...]
    targets: tuple[CondaTarget, ...]


class SolverInput(Value, frozen=True, kw_only=True):
    """What one variant's lock depends on: its digest decides whether the lock is stale.

    All but ``image``, ``apt``, ``conda`` and ``git`` is exactly what uv sees; those four are what
    the rest of the image is pinned from. ``installed`` are the Python packages of a conda half, as
    constraints: an answer on the way to a lock, which is not part of its digest.
    Requirements are normalised and sorted; ``constraints`` are the profile's, ``bundle`` those
    that the image's own packages impose (a name alone: the package is there, its version is not
    known), ``companions`` those that torch imposes on what is compiled against it; ``provided``
    are requirements that the image already satisfies. ``source_builds`` may be source-only;
    ``stubs`` are placeholders of a vendor index that is not asked. ``metadata`` are static
    statements as canonical JSON. ``indexes`` are the named indexes that are asked beside the
    user's own. ``as_of`` is the moment after which the index is not believed (RFC 3339, UTC).
    """

    image: str
    python: str
    platform: str
    as_of: str
    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    bundle: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    provided: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    build_constraints: tuple[str, ...] = ()
    source_builds: tuple[str, ...] = ()
    stubs: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    apt: tuple[str, ...] = ()
    conda: CondaInput | None = None
    git: tuple[str, ...] = ()
    installed: tuple[str, ...] = ()


class Request(Value, frozen=True, kw_only=True):
    """Who asked for a package (``profile`` or a package name), and with which bounds."""

    by: str
    bounds: str = ""


class LockedPackage(Value, frozen=True, kw_only=True):
    """One package of a lock.

    ``integrity``: ``wheel`` (its hash covers what is installed), ``source`` (its hash covers the
    source distribution, built in the image), ``stub`` (its hash covers a placeholder that fetches
    the real wheel from the vendor when it is installed: the content is not pinned), ``vendor``
    (its hashes cover the vendor's wheel and the public placeholder: the content is pinned where the
    vendor's index answers).
    ``system`` are the apt packages that its build needs.
    """

    name: str
    version: str
    requested: tuple[Request, ...]
    integrity: Literal["wheel", "source", "stub", "vendor"] = "wheel"
    system: tuple[str, ...] = ()


class Provided(Value, frozen=True, kw_only=True):
    """A package that the image brings: left out of the lock. ``version`` empty: not known."""

    name: str
    by: str
    version: str = ""


class Relaxation(Value, frozen=True, kw_only=True):
    """A bound that the profile sets aside, and why."""

    kind: Literal["override", "exclude", "no-deps", "metadata"]
    requirement: str
    reason: str


class FileDigest(Value, frozen=True, kw_only=True):
    """A file of the lock folder and its sha256 (64 hex digits)."""

    path: str
    sha256: str


class Unpinned(Value, frozen=True, kw_only=True):
    """Something that the image needs and that this lock does not pin, and why."""

    what: str
    why: str


class Unknown(Value, frozen=True, kw_only=True):
    """A question about the image that no fact answers, and why it stays open."""

    what: str
    why: str


class CondaPackage(Value, frozen=True, kw_only=True):
    """One package of the conda half; ``python`` is the Python package that it is, if it is one."""

    name: str
    version: str
    build: str
    sha256: str
    python: str = ""


class Demand(Value, frozen=True, kw_only=True):
    """What Python packages of the index ask of a package that conda would bring.

    ``package`` and ``bounds`` are conda's (``packaging``, ``==23.0``); ``by`` is who asks.
    """

    package: str
    bounds: str
    by: tuple[str, ...]


class CondaHalf(Value, frozen=True, kw_only=True):
    """The conda packages of a variant, and the files that hold them.

    ``solver`` is who solved it, name and version. ``explicit`` are the files for ``@EXPLICIT``
    installs, one a target, the variant's own platform first. ``environment``, ``lock`` and
    ``virtual`` are ``environment.yml``, ``conda-lock.yml`` and conda-lock's specification of the
    virtual packages; variants of equal specifications share them.
    """

    solver: str
    packages: tuple[CondaPackage, ...]
    explicit: tuple[FileDigest, ...]
    environment: FileDigest
    lock: FileDigest
    virtual: FileDigest
    demands: tuple[Demand, ...] = ()

    def files(self) -> tuple[FileDigest, ...]:
        """Every file that it consists of."""
        return (*self.explicit, self.environment, self.lock, self.virtual)


class ImagePin(Value, frozen=True, kw_only=True):
    """An image that a build stands on or takes a program from.

    ``role``: the ``base``, the image that native code is compiled in (``build``), or the one that
    ``uv`` or ``micromamba`` comes from. ``reference`` names it with its tag; ``digest``
    (``sha256:…``) is that of the manifest for the variant's platform, or the one that the profile
    gives.
    """

    role: Literal["base", "build", "uv", "micromamba"]
    reference: str
    digest: str


class AptPins(Value, frozen=True, kw_only=True):
    """Debian packages in exact versions, as the archive of the base image had them.

    ``archive`` is what that archive calls itself (``Ubuntu 24.04 noble``), ``as_of`` the moment
    (RFC 3339, UTC) whose state was read. ``snapshot`` is the moment as apt's ``--snapshot`` takes
    it (``20260212T000000Z``); empty where the archive keeps no old states: then a version may be
    gone when an image is built, and the build says so. ``packages`` are ``name=version``, sorted.
    """

    archive: str
    as_of: str
    packages: tuple[str, ...]
    snapshot: str = ""


class GitPin(Value, frozen=True, kw_only=True):
    """The commit (40 hex digits) of a git source of the profile.

    ``url`` and ``ref`` are what was asked for it; empty where the profile itself gives the commit.
    """

    name: str
    commit: str
    url: str = ""
    ref: str = ""


class VariantLock(Value, frozen=True, kw_only=True):
    """The lock of one variant.

    ``digest`` is the sha256 of ``input`` as canonical JSON under a version tag. ``wheels`` and
    ``sources`` are requirement files for pip and uv, every entry hashed: what installs from a
    wheel, and what is built from source (None: nothing is). ``conda`` is what stands below both.
    ``images``, ``apt`` and ``git`` pin what is no Python package; what of it could not be asked is
    among ``unpinned``.
    """

    digest: str
    input: SolverInput
    wheels: FileDigest
    sources: FileDigest | None = None
    packages: tuple[LockedPackage, ...] = ()
    provided: tuple[Provided, ...] = ()
    conda: CondaHalf | None = None
    images: tuple[ImagePin, ...] = ()
    apt: AptPins | None = None
    git: tuple[GitPin, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    unpinned: tuple[Unpinned, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def conda_packages(self) -> tuple[CondaPackage, ...]:
        """The packages of the conda half; none where there is no such half."""
        return self.conda.packages if self.conda else ()

    @property
    def has_wheels(self) -> bool:
        """Whether anything is in the file of wheels."""
        return any(package.integrity == "wheel" for package in self.packages)

    def image(self, role: str) -> ImagePin | None:
        """The pin of the image of a role; None where it is not pinned."""
        return next((pin for pin in self.images if pin.role == role), None)


class Lock(Value, frozen=True, kw_only=True):
    """A profile's lock: one part for each variant, and the tools that made it.

    ``seal`` is the sha256 of the header without it, so that an edit by hand is noticed; empty in
    a header of a time before seals.
    """

    format: int
    profile: str
    tools: dict[str, str]
    variants: dict[str, VariantLock]
    files: tuple[FileDigest, ...] = ()
    seal: str = ""
