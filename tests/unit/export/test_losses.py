"""What each format names as lost: all that the profile has and the format has no place for."""

import msgspec
import pytest

from envbuild.export import aspects, losses
from envbuild.export.model import FORMATS
from envbuild.lock.model import Provided, Relaxation
from tests.support.exports import CONDA, FULL, PLAIN, Locking, exported

PINS = {
    "alpha==1.0": "wheel",
    "beta==2": "source",
    "delta==4": "stub",
    "gamma==3": "vendor",
}
SAID = Locking(
    pins=PINS,
    provided=(Provided(name="numpy", by="isaac-sim"), Provided(name="setuptools", by="conda")),
    indexes=("vendor",),
)
IMAGE = (
    "the base image nvcr.io/nvidia/cuda:12.6.3-base-ubuntu22.04",
    "the image that packages are built in, nvcr.io/nvidia/cuda:12.6.3-devel-ubuntu22.04",
    "1 Python package of the base image: numpy",
    "5 apt packages: ffmpeg, g++, libegl1, libgl1 and 1 more",
    "the git source lib at 0123456789ab, /opt/lib",
    "the git source tasks at fedcba987654, /work/tasks",
    "that NVIDIA's licence terms are accepted",
    "the user lab (1001)",
    "the working folder /work",
    "the entrypoint python -m tasks",
    "the command --all",
)
ABOUT = (
    "the GPUs that it is for: sm_89, sm_90",
    "the driver: from 570, below 595",
    "1 bundled site: /opt/kit/*/pip_prebundle",
    "1 smoke test: packages",
    "1 contract: robot",
    "1 waived rule: some-rule",
)
SETTINGS = (
    "beside the locked packages, without isolation; with MAX_JOBS; "
    "with the apt packages ninja-build; after lib"
)
BUILDS = (
    f"how Beta is built: {SETTINGS}",
    "constraints of builds: setuptools<81",
    "what is fetched when 1 placeholder is built: delta",
    "the package index vendor",
)
WHEELS = "that what has wheels is never built from source"
NO_DEPS = "that Python packages are installed without looking at what they ask for"
PLAIN_IMAGE = (
    "the place of the environment, /opt/one",
    "the base image ubuntu:22.04",
    "the working folder /workspace",
)


def test_a_full_profile_as_requirements() -> None:
    assert losses.lost(exported(FULL, SAID), "requirements") == (
        "Python 3.11 itself",
        WHEELS,
        *BUILDS,
        "2 variables: HEADLESS, PLACE",
        *IMAGE,
        *ABOUT,
    )


def test_a_full_profile_as_pylock_keeps_what_must_be_a_wheel() -> None:
    assert losses.lost(exported(FULL, SAID), "pylock") == (
        "Python 3.11 itself",
        *BUILDS,
        "2 variables: HEADLESS, PLACE",
        *IMAGE,
        *ABOUT,
    )


def test_a_full_profile_as_pixi() -> None:
    assert losses.lost(exported(FULL, SAID), "pixi") == (
        "the hashes of 4 Python packages",
        "the Python 3.11 of the base image: pixi takes one of conda-forge",
        NO_DEPS,
        "that packaging==23.0 overrides what other packages ask for",
        WHEELS,
        *BUILDS,
        "that the $ in PLACE is a plain one",
        *IMAGE,
        *ABOUT,
    )


def test_a_full_profile_as_devcontainer() -> None:
    assert losses.lost(exported(FULL, SAID), "devcontainer") == (
        "the working folder /work: a mount would hide what is there, and /workspaces/one is opened",
        "the entrypoint python -m tasks",
        "the command --all",
        *ABOUT,
    )


def test_a_conda_half_in_each_format() -> None:
    subject = exported(CONDA)
    machine = "__archspec=x86_64, __cuda=12.6, __glibc=2.35, __linux=5.10, __unix=0"
    solved = f"the machine that was solved for: {machine}"
    variables = "2 variables: GREETING, HEADLESS"
    place, *image = PLAIN_IMAGE
    assert losses.lost(subject, "requirements") == (
        "2 conda packages: pip, python",
        WHEELS,
        place,
        variables,
        *image,
    )
    assert losses.lost(subject, "explicit") == (
        "1 Python package of the index, with all hashes, and how each is built and installed",
        "the conda packages of linux-aarch64",
        solved,
        place,
        variables,
        *image,
    )
    assert losses.lost(subject, "environment") == (
        "the hashes of 2 conda packages",
        "the conda packages of linux-aarch64",
        solved,
        NO_DEPS,
        "that pywin32 is left out",
        WHEELS,
        *PLAIN_IMAGE,
    )
    assert losses.lost(subject, "pixi") == (
        "the hashes of 1 Python package",
        "the conda packages of linux-aarch64",
        NO_DEPS,
        "that pywin32 is left out",
        WHEELS,
        place,
        "that the $ in GREETING is a plain one",
        *image,
    )


def test_nothing_is_said_of_what_a_profile_does_not_have() -> None:
    subject = exported(PLAIN, Locking(pins={}))
    assert losses.lost(subject, "requirements") == ("Python 3.11 itself", *PLAIN_IMAGE)
    assert losses.lost(subject, "devcontainer") == ()


def test_every_format_says_what_it_loses() -> None:
    assert set(losses._LOST) == set(FORMATS)
    listed = {aspect for rows in losses._LOST.values() for aspect in rows}
    named = {
        one
        for name, one in vars(aspects).items()
        if getattr(one, "__module__", "") == aspects.__name__ and not name.startswith("_")
    }
    assert listed == named


@pytest.mark.parametrize(
    ("archspec", "said"),
    [("zen4", ("the machine that was solved for: __archspec=zen4",)), ("x86_64", ())],
)
def test_a_processor_that_pixi_has_no_word_for(archspec: str, said: tuple[str, ...]) -> None:
    more = f"  virtual-packages: {{__archspec: {archspec}}}\npython:\n"
    assert aspects.machine_for_pixi(exported(CONDA.replace("python:\n", more, 1))) == said


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("override", "that x overrides what other packages ask for"),
        ("exclude", "that x is left out"),
        ("no-deps", "that x comes without what it asks for"),
        ("metadata", "that what x asks for is stated by the profile"),
    ],
)
def test_each_kind_of_what_is_set_aside(kind: str, line: str) -> None:
    subject = exported(PLAIN)
    row = msgspec.convert({"kind": kind, "requirement": "x", "reason": "r"}, Relaxation)
    locked = msgspec.structs.replace(subject.locked, relaxations=(row,))
    assert aspects.set_aside(msgspec.structs.replace(subject, locked=locked)) == (line,)


def test_a_copied_file_is_named_by_its_place() -> None:
    subject = exported(PLAIN)
    fields = {
        **msgspec.to_builtins(subject.variant.environment),
        "files": [{"source": "a", "path": "/etc/a"}],
    }
    environment = msgspec.convert(fields, type(subject.variant.environment))
    variant = msgspec.structs.replace(subject.variant, environment=environment)
    assert aspects.files(msgspec.structs.replace(subject, variant=variant)) == ("1 file: /etc/a",)
