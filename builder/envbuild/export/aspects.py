"""What a variant and its lock have, each aspect as lines for people; none where there is nothing.

Pure; which aspects a format cannot carry stands in :mod:`envbuild.export.losses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envbuild.export import devcontainer, pixi
from envbuild.export import words as w
from envbuild.names import canonical_name
from envbuild.speech import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envbuild.export.model import Subject
    from envbuild.profile.model import SourceBuild

Lines = tuple[str, ...]

# --- Packages ------------------------------------------------------------------------------------


def python_half(subject: Subject) -> Lines:
    """The Python packages, with all that is said of them."""
    count = len(subject.pins)
    said = "with all hashes, and how each is built and installed"
    return (f"{counted(count, 'Python package')} of the index, {said}",) if count else ()


def python_hashes(subject: Subject) -> Lines:
    """The hashes of Python packages alone."""
    count = len(subject.pins)
    return (f"the hashes of {counted(count, 'Python package')}",) if count else ()


def conda_packages(subject: Subject) -> Lines:
    """The conda half."""
    half = subject.locked.conda
    return (_named("conda package", (one.name for one in half.packages)),) if half else ()


def conda_hashes(subject: Subject) -> Lines:
    """The hashes of conda packages alone."""
    half = subject.locked.conda
    return (f"the hashes of {counted(len(half.packages), 'conda package')}",) if half else ()


def other_platforms(subject: Subject) -> Lines:
    """What conda was solved for beside the variant's own platform."""
    asked = subject.locked.input.conda
    others = asked.targets[1:] if asked else ()
    return tuple(f"the conda packages of {target.platform}" for target in others)


def machine(subject: Subject) -> Lines:
    """What conda's solver took the machine for."""
    return _machine(pixi.machine(subject)) if subject.locked.input.conda else ()


def machine_for_pixi(subject: Subject) -> Lines:
    """What pixi has no word for; a plain processor is no demand."""
    carried = {"__cuda", "__glibc", "__linux", "__unix"}
    found = pixi.machine(subject)
    plain = found.get("__archspec") in ("x86_64", "aarch64")
    left = found.keys() - carried - ({"__archspec"} if plain else set())
    return _machine({name: found[name] for name in sorted(left)})


def _machine(found: dict[str, str]) -> Lines:
    named = ", ".join(f"{name}={value}" for name, value in sorted(found.items()))
    return (f"the machine that was solved for: {named}",) if named else ()


def interpreter(subject: Subject) -> Lines:
    """Python itself; a conda half has it among its packages."""
    if subject.locked.conda:
        return ()
    return (f"Python {subject.locked.input.python} itself",)


def interpreter_source(subject: Subject) -> Lines:
    """A Python that is not conda's."""
    if subject.locked.conda:
        return ()
    places = {"uv": "that uv installs", "image": "of the base image", "conda": "of conda"}
    python = subject.variant.environment.python
    return (f"the Python {python.version} {places[python.source]}: pixi takes one of conda-forge",)


def no_deps(subject: Subject) -> Lines:
    """That nothing but the locked packages is installed."""
    said = "that Python packages are installed without looking at what they ask for"
    return (said,) if subject.pins else ()


def set_aside(subject: Subject) -> Lines:
    """The bounds that the profile sets aside: who resolves again meets them again."""
    return tuple(f"that {w.set_aside(one)}" for one in subject.locked.relaxations)


def wheels_only(subject: Subject) -> Lines:
    """That a package is not compiled unasked."""
    has = any(package.integrity == "wheel" for package in subject.locked.packages)
    return ("that what has wheels is never built from source",) if has else ()


# --- Builds --------------------------------------------------------------------------------------


def builds(subject: Subject) -> Lines:
    """How a package is built, where that is anything but usual."""
    names = {one.name for one in subject.locked.packages if one.integrity != "wheel"}
    stated = subject.variant.environment.python.build_from_source
    mine = [build for build in stated if canonical_name(build.package) in names]
    told = [(build.package, tuple(_settings(build))) for build in mine]
    return tuple(f"how {name} is built: {'; '.join(said)}" for name, said in told if said)


def _settings(build: SourceBuild) -> Iterable[str]:
    if not build.isolation:
        yield "beside the locked packages, without isolation"
    if build.environment:
        yield f"with {', '.join(build.environment)}"
    if build.apt:
        yield f"with the apt packages {w.some(build.apt)}"
    if build.needs:
        yield f"after {', '.join(build.needs)}"


def build_constraints(subject: Subject) -> Lines:
    """What building is held to."""
    asked = subject.locked.input.build_constraints
    has = any(package.integrity != "wheel" for package in subject.locked.packages)
    return (f"constraints of builds: {', '.join(asked)}",) if asked and has else ()


def placeholders(subject: Subject) -> Lines:
    """What is fetched from a vendor while a placeholder is built."""
    stubs = [one.name for one in subject.locked.packages if one.integrity == "stub"]
    if not stubs:
        return ()
    built = "1 placeholder is" if len(stubs) == 1 else f"{len(stubs)} placeholders are"
    return (f"what is fetched when {built} built: {w.some(stubs)}",)


def vendor_indexes(subject: Subject) -> Lines:
    """The indexes that vendor's wheels come from."""
    return tuple(f"the package index {name}" for name in subject.locked.input.indexes)


# --- The image -----------------------------------------------------------------------------------


def base_image(subject: Subject) -> Lines:
    """The image that everything stands on, and the one that builds."""
    base = subject.variant.environment.base
    build = (f"the image that packages are built in, {base.build_image}",)
    return (f"the base image {base.image}", *(build if base.build_image else ()))


def provided(subject: Subject) -> Lines:
    """The Python packages that the base image brings; those of conda are conda's."""
    brought = [one.name for one in subject.locked.provided if one.by != "conda"]
    count = counted(len(brought), "Python package")
    return (f"{count} of the base image: {w.some(brought)}",) if brought else ()


def apt(subject: Subject) -> Lines:
    """The system's packages."""
    names = subject.variant.environment.apt
    return (_named("apt package", names),) if names else ()


def git(subject: Subject) -> Lines:
    """The git sources."""
    return tuple(
        f"the git source {one.name} at {(one.commit or '')[:12] or one.ref}, {one.path}"
        for one in subject.variant.environment.git
    )


def files(subject: Subject) -> Lines:
    """The copied files."""
    names = [one.path for one in subject.variant.environment.files]
    return (_named("file", names),) if names else ()


def licence(subject: Subject) -> Lines:
    """An accepted licence: it is accepted for an image, and nothing else."""
    accepted = subject.variant.environment.accept_eula
    return ("that NVIDIA's licence terms are accepted",) if accepted else ()


def user(subject: Subject) -> Lines:
    """Who the image runs as."""
    who = subject.variant.environment.user
    return (f"the user {who.name} ({who.uid})",) if who else ()


def working_folder(subject: Subject) -> Lines:
    """Where the image starts."""
    return (f"the working folder {subject.variant.environment.workdir}",)


def hidden_folder(subject: Subject) -> Lines:
    """A working folder that a mount would hide."""
    environment = subject.variant.environment
    opened = devcontainer.workspace_folder(environment)
    if opened == environment.workdir:
        return ()
    why = f"a mount would hide what is there, and {opened} is opened"
    return (f"the working folder {environment.workdir}: {why}",)


def start(subject: Subject) -> Lines:
    """What the image starts with."""
    environment = subject.variant.environment
    said = (("entrypoint", environment.entrypoint), ("command", environment.command))
    return tuple(f"the {name} {' '.join(listed)}" for name, listed in said if listed)


def variables(subject: Subject) -> Lines:
    """The variables."""
    names = sorted(subject.variant.environment.env)
    return (_named("variable", names),) if names else ()


def dollars(subject: Subject) -> Lines:
    """Values that a shell would change."""
    env = sorted(subject.variant.environment.env.items())
    changed = [name for name, value in env if "$" in value]
    return tuple(f"that the $ in {name} is a plain one" for name in changed)


def prefix(subject: Subject) -> Lines:
    """Where the packages are installed."""
    place = subject.variant.environment.python.prefix
    return (f"the place of the environment, {place}",) if place else ()


# --- What is said of it --------------------------------------------------------------------------


def gpus(subject: Subject) -> Lines:
    """The GPUs that it is for."""
    names = subject.variant.environment.hardware.gpus
    return (f"the GPUs that it is for: {', '.join(names)}",) if names else ()


def driver(subject: Subject) -> Lines:
    """The driver window."""
    window = subject.variant.environment.hardware.driver
    said = (("from", window.min), ("below", window.below))
    bounds = [f"{word} {value}" for word, value in said if value]
    return (f"the driver: {', '.join(bounds)}",) if bounds else ()


def bundled_sites(subject: Subject) -> Lines:
    """Where the image keeps packages of its own."""
    sites = subject.variant.environment.python.bundled_sites
    return (_named("bundled site", sites),) if sites else ()


def smoke(subject: Subject) -> Lines:
    """The smoke tests."""
    names = [one.name for one in subject.variant.environment.smoke]
    return (_named("smoke test", names),) if names else ()


def contracts(subject: Subject) -> Lines:
    """Who the environment talks to."""
    peers = [one.peer for one in subject.variant.environment.contracts]
    return (_named("contract", peers),) if peers else ()


def waivers(subject: Subject) -> Lines:
    """The rules that the profile sets aside."""
    rules = [one.rule for one in subject.variant.environment.waive]
    return (_named("waived rule", rules),) if rules else ()


def _named(noun: str, names: Iterable[str]) -> str:
    """``2 files: a, b``."""
    listed = list(names)
    return f"{counted(len(listed), noun)}: {w.some(listed)}"
