"""What a profile says, as frozen values.

These types are the one source of truth for the format: decoding, the JSON schema that editors use
(``envbuild schema``) and the reference page are all made from them. Field docs stand in ``Meta``.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from envbuild.profile.words import (
    AbsolutePath,
    AptName,
    CmakeOption,
    Commit,
    CondaChannel,
    CondaSpec,
    DriverVersion,
    EnvName,
    GitRef,
    GitUrl,
    GpuArchitecture,
    HttpUrl,
    ImageReference,
    IndexPattern,
    Line,
    Mode,
    Module,
    Moment,
    Name,
    PackageName,
    Port,
    PythonVersion,
    RelativePath,
    Requirement,
    Sha256,
    SiteGlob,
    Text,
    Uid,
    UserName,
    VirtualPackage,
)

SCHEMA_VERSION = 1


class Value(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A frozen value whose fields have kebab-case names in files."""


# --- The image that everything stands on ---------------------------------------------------------


class Base(Value, frozen=True, kw_only=True):
    """The base image.

    ``provides`` names bundles (``knowledge/facts/bundles.yaml``): what the image brings is a
    constraint for the resolver and is left out of the lock. ``build_image`` is where native code
    is compiled (the base itself when absent); ``digest`` pins ``image``.
    """

    image: ImageReference
    distribution: Literal["ubuntu-20.04", "ubuntu-22.04", "ubuntu-24.04", "debian-12", "unknown"]
    digest: Sha256 | None = None
    build_image: ImageReference | None = None
    provides: tuple[Name, ...] = ()


class User(Value, frozen=True, kw_only=True):
    """Who the image runs as. ``create`` adds the account; otherwise the base must have it."""

    name: UserName
    uid: Uid
    create: bool = False


# --- Python packages -----------------------------------------------------------------------------


class Override(Value, frozen=True, kw_only=True):
    """A requirement that replaces every bound that other packages put on its package."""

    requirement: Requirement
    reason: Text


class Exclusion(Value, frozen=True, kw_only=True):
    """A package that is left out, or whose own requirements are, and why."""

    package: PackageName
    reason: Text


class SourceBuild(Value, frozen=True, kw_only=True):
    """A package that may be built from its source distribution, and what the build needs.

    ``isolation: false`` builds against the locked environment itself (packages that compile
    against torch); ``apt`` are the system packages of the build stage only; ``needs`` names git
    sources built with cmake that must stand before; ``environment`` are variables of the build.
    """

    package: PackageName
    reason: Text
    isolation: bool = True
    apt: tuple[AptName, ...] = ()
    needs: tuple[Name, ...] = ()
    environment: dict[EnvName, Line] = {}


class Index(Value, frozen=True, kw_only=True):
    """A vendor's package index, asked only with ``envbuild lock --index NAME``."""

    name: Name
    url: HttpUrl
    packages: tuple[IndexPattern, ...]


class StaticMetadata(Value, frozen=True, kw_only=True):
    """What a package requires, stated here because its index cannot be asked.

    ``version`` absent: for every version. ``source`` says where the statement was read.
    """

    name: PackageName
    source: Text
    version: Line | None = None
    requires_dist: tuple[Requirement, ...] = ()
    requires_python: Line | None = None
    provides_extra: tuple[PackageName, ...] = ()


class Python(Value, frozen=True, kw_only=True):
    """The interpreter, where it comes from, and the Python packages.

    ``source`` is ``image`` (an interpreter that the base image has, named by ``interpreter``; with
    ``prefix`` its packages go into a virtual environment there, without it into the interpreter
    itself), ``uv`` (installed by uv, environment at ``prefix``) or ``conda`` (the environment at
    ``prefix``). ``exclude`` packages are
    never installed, whoever asks for them; ``no_deps`` packages are locked without what they ask
    for. Wheels are required
    for every package that ``build_from_source`` does not name.
    """

    version: PythonVersion
    source: Literal["image", "uv", "conda"]
    interpreter: AbsolutePath | None = None
    prefix: AbsolutePath | None = None
    bundled_sites: tuple[SiteGlob, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    overrides: tuple[Override, ...] = ()
    exclude: tuple[Exclusion, ...] = ()
    build_constraints: tuple[Requirement, ...] = ()
    build_from_source: tuple[SourceBuild, ...] = ()
    no_deps: tuple[Exclusion, ...] = ()
    indexes: tuple[Index, ...] = ()
    metadata: tuple[StaticMetadata, ...] = ()


class Conda(Value, frozen=True, kw_only=True):
    """Channels and packages of the conda environment at ``python.prefix``.

    Python and pip are added where ``packages`` does not name them. ``platforms`` are locked beside
    those of the variants. ``virtual_packages`` states what the target machine has; without it
    ``__glibc`` is that of the base's distribution, ``__cuda`` the variant's CUDA, ``__archspec``
    the platform's baseline, ``__linux`` 5.10. ``""`` says that there is none.
    """

    channels: tuple[CondaChannel, ...]
    packages: tuple[CondaSpec, ...]
    platforms: tuple[Literal["linux-64", "linux-aarch64"], ...] = ()
    virtual_packages: dict[VirtualPackage, Line] = {}


# --- Everything that is not a package ------------------------------------------------------------


class GitSource(Value, frozen=True, kw_only=True):
    """A git repository at a commit: the one given, else the one that ``ref`` is at when locked.

    ``install``: ``none`` leaves the checkout at ``path``; ``pip`` installs it without its
    dependencies (they belong in ``python.requirements``) and leaves the checkout; ``cmake`` builds
    it in a stage of its own and installs it to ``path``. ``ref`` is a branch or a tag; beside a
    ``commit`` it says where that was taken from, for people.
    """

    name: Name
    url: GitUrl
    path: AbsolutePath
    install: Literal["none", "pip", "cmake"]
    commit: Commit | None = None
    ref: GitRef | None = None
    subdirectory: RelativePath | None = None
    apt: tuple[AptName, ...] = ()
    options: tuple[CmakeOption, ...] = ()


class CopiedFile(Value, frozen=True, kw_only=True):
    """A file of the workspace that goes into the image; ``source`` is relative to the profile."""

    source: RelativePath
    path: AbsolutePath
    mode: Mode = "0644"


class Driver(Value, frozen=True, kw_only=True):
    """The driver window: ``min`` works, ``below`` no longer does."""

    min: DriverVersion | None = None
    below: DriverVersion | None = None


class Hardware(Value, frozen=True, kw_only=True):
    """What the image is for: GPU architectures as ``sm_90``, and the driver window."""

    gpus: tuple[GpuArchitecture, ...] = ()
    driver: Driver = Driver()


class SmokeTest(Value, frozen=True, kw_only=True):
    """What must work inside the built image.

    ``imports`` are tried in this order after ``launch`` has started the simulator (``none``: plain
    Python). ``before_launch`` is imported first: the order that breaks a shadowed NumPy.
    ``needs`` names the hardware; without it the test is *not run*, never passed. ``timeout`` is
    in seconds.
    """

    name: Name
    imports: tuple[Module, ...]
    needs: Literal["nothing", "gpu", "rt-cores"] = "nothing"
    launch: Literal["none", "simulation-app", "app-launcher"] = "none"
    before_launch: tuple[Module, ...] = ()
    extensions: tuple[Module, ...] = ()
    cameras: bool = False
    timeout: Annotated[int, Meta(ge=1, le=3600)] = 300


class Contract(Value, frozen=True, kw_only=True):
    """Who this environment talks to, and how the bytes are written."""

    peer: Name
    role: Literal["client", "server"]
    transport: Literal["zmq", "http", "websocket", "grpc", "ros2"]
    encoding: Literal["msgpack-npy", "pickle", "json", "protobuf", "cdr", "mjpeg"]
    port: Port | None = None


class Waiver(Value, frozen=True, kw_only=True):
    """A rule that this profile sets aside, and why it may."""

    rule: Name
    reason: Text


class Environment(Value, frozen=True, kw_only=True):
    """One variant of a profile with everything applied: the whole input of lock and render."""

    schema: Literal[1]
    name: Name
    summary: Text
    base: Base
    python: Python
    as_of: Moment | None = None
    conda: Conda | None = None
    apt: tuple[AptName, ...] = ()
    git: tuple[GitSource, ...] = ()
    files: tuple[CopiedFile, ...] = ()
    accept_eula: bool | None = None
    env: dict[EnvName, Line] = {}
    user: User | None = None
    workdir: AbsolutePath = "/workspace"
    entrypoint: Annotated[tuple[Line, ...], Meta(max_length=64)] = ()
    command: Annotated[tuple[Line, ...], Meta(max_length=64)] = ()
    hardware: Hardware = Hardware()
    smoke: tuple[SmokeTest, ...] = ()
    contracts: tuple[Contract, ...] = ()
    waive: tuple[Waiver, ...] = ()
