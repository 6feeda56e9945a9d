"""What an environment is made of, from values."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.errors import InputError
from envbuild.install.host import for_machine, older_glibc
from envbuild.install.recipe import Recipe, recipe, wanted
from envbuild.lock.conda.channels import Settings
from envbuild.lock.folder import LockFolder
from envbuild.lock.model import LOCK_FORMAT, CondaHalf, CondaPackage, FileDigest, Lock, VariantLock
from envbuild.profile.resolve import Source, resolve
from envbuild.profile.resolved import Variant
from tests.support import conda_values, locks

PROFILE = """\
schema: 1
name: one
summary: A profile of the tests
base: {image: ubuntu:22.04, distribution: ubuntu-22.04}
conda: {channels: [world], packages: []}
accept-eula: true
env: {GREETING: hello}
apt: [git]
git:
  - name: maker
    url: https://github.com/example/maker
    commit: "6666666666666666666666666666666666666666"
    path: /opt/maker
    install: cmake
user: {name: robot, uid: 1000}
python:
  version: "3.11"
  source: conda
  prefix: /opt/env
  requirements: []
  build-constraints: [setuptools<80]
  indexes:
    - {name: used, url: "https://used.example/simple", packages: [torch]}
    - {name: idle, url: "https://idle.example/simple", packages: [other]}
  build-from-source:
    - {package: Alpha, reason: tests}
    - {package: beta, reason: tests, isolation: false, environment: {FLAG: "1"}}
    - {package: gamma, reason: tests, environment: {OTHER: "2"}}
    - {package: delta, reason: tests}
    - {package: gone, reason: tests, needs: [maker]}
smoke:
  - {name: usual, imports: [alpha]}
  - {name: card, imports: [alpha], needs: gpu}
variants:
  linux-amd64-cpu: {}
  linux-arm64-cpu: {}
"""

HASH = f"--hash=sha256:{'0' * 64}"
SOURCES = "".join(f"{name}==1.0 \\\n    {HASH}\n" for name in ("alpha", "beta", "delta", "gamma"))
FILE = FileDigest(path="conda-lock.yml", sha256="0" * 64)


def variants(text: str = PROFILE) -> dict[str, Variant]:
    profile = resolve("one", {"one": Source(name="one", file="envs/one.yaml", text=text)})
    return {variant.name: variant for variant in profile.variants}


def kept(*extra: str, channels: tuple[str, ...] = ("world",), conda: bool = True) -> LockFolder:
    half = CondaHalf(
        solver="x",
        packages=(
            CondaPackage(name="python", version="3.11.7", build="0", sha256="0" * 64),
            CondaPackage(name="pip", version="24.0", build="0", sha256="0" * 64, python="pip"),
        ),
        explicit=(FILE,),
        environment=FILE,
        lock=FILE,
        virtual=FILE,
    )
    asked = conda_values.wanted(channels=channels)
    locked = VariantLock(
        digest="d",
        input=msgspec.structs.replace(locks.INPUT, conda=asked, indexes=("used",)),
        wheels=FileDigest(path="wheels.txt", sha256="0" * 64),
        sources=FileDigest(path="sources.txt", sha256="0" * 64),
        packages=tuple(
            locks.package(name, "1.0", integrity="source") for name in ("alpha", *extra)
        ),
        conda=half if conda else None,
    )
    header = Lock(format=LOCK_FORMAT, profile="one", tools={}, variants={"linux-amd64-cpu": locked})
    texts = {"wheels.txt": b"# none\n", "sources.txt": SOURCES.encode()}
    return LockFolder(label="lockfiles/one", header=header, texts=texts)


def made(folder: LockFolder, text: str = PROFILE) -> Recipe:
    assert folder.header is not None
    return recipe(variants(text)["linux-amd64-cpu"], folder.header, folder)


def test_a_recipe_holds_what_the_lock_and_the_profile_say() -> None:
    found = made(kept())
    assert (found.profile, found.variant, found.digest) == ("one", "linux-amd64-cpu", "d")
    assert found.expected == {"alpha": "1.0"}
    assert found.of_conda == {"pip": "24.0"}
    assert found.build_constraints == ("setuptools<80",)
    assert found.indexes == {"used": "https://used.example/simple"}
    assert [test.name for test in found.tests] == ["usual"]
    assert found.variables == {
        "ACCEPT_EULA": "Y",
        "OMNI_KIT_ACCEPT_EULA": "YES",
        "GREETING": "hello",
    }


def test_what_is_built_plainly_goes_first_and_together_what_needs_the_environment_last() -> None:
    parts = [part for part in made(kept()).parts if part.build]
    steps = [part.build for part in parts]
    assert [(step.packages, step.isolation, dict(step.environment)) for step in steps] == [
        (("alpha", "delta"), True, {}),
        (("gamma",), True, {"OTHER": "2"}),
        (("beta",), False, {"FLAG": "1"}),
    ]
    for part, step in zip(parts, steps, strict=True):
        assert [name for name in step.packages if f"{name}==1.0" not in part.text] == []
        assert part.text.count("--hash=") == len(step.packages)


def test_what_only_an_image_can_build_is_refused() -> None:
    with pytest.raises(InputError, match="gone is built with maker, which only an image"):
        made(kept("gone"))


def test_a_lock_without_conda_is_refused() -> None:
    with pytest.raises(InputError, match="one has no conda part"):
        made(kept(conda=False))


def test_a_path_of_the_image_would_hide_the_environment() -> None:
    found = made(kept(), PROFILE.replace("env: {", 'env: {PATH: "/opt/env/bin:/bin", '))
    assert "PATH" not in found.variables
    assert found.left_out == (
        "1 system package: git",
        "the checkout maker (https://github.com/example/maker at 666666666666)",
        "its PATH (/opt/env/bin:/bin)",
        "the account robot",
    )


# --- Where packages are read ----------------------------------------------------------------------


def read(url: str, *channels: str, settings: Settings | None = None) -> tuple[str, str, str]:
    """Channel, subdir and address of a package."""
    record = msgspec.structs.replace(conda_values.record("tool", "1.0"), url=url, channel="")
    folder = kept(channels=channels)
    assert folder.header is not None
    locked = folder.header.variants["linux-amd64-cpu"]
    (one,) = wanted(conda_values.solved(record), locked, settings or Settings())
    return one.record.channel, one.record.subdir, one.url


FILE_NAME = "linux-64/tool-1.0-0.conda"


@pytest.mark.parametrize("channels", [("world", "world/label/dev"), ("world/label/dev", "world")])
def test_a_label_is_no_subdir_of_its_channel(channels: tuple[str, ...]) -> None:
    settings = Settings(mirrored={"world": "https://a.example/w", "world/label/dev": "file:///dev"})
    url = f"https://conda.anaconda.org/world/label/dev/{FILE_NAME}"
    found = read(url, *channels, settings=settings)
    assert found == ("world/label/dev", "linux-64", f"file:///dev/{FILE_NAME}")
    plain = read(f"https://conda.anaconda.org/world/{FILE_NAME}", *channels, settings=settings)
    assert plain == ("world", "linux-64", f"https://a.example/w/{FILE_NAME}")


def test_a_channel_may_be_an_address() -> None:
    url = "https://conda.example/team"
    found = read(f"{url}/{FILE_NAME}", "world", url)
    assert found == (url, "linux-64", f"{url}/{FILE_NAME}")


def test_a_package_of_no_channel_is_refused() -> None:
    with pytest.raises(InputError, match=r"lies in none of the lock's channels \(world\)"):
        read(f"https://conda.anaconda.org/worldly/{FILE_NAME}", "world")


# --- This machine ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("machine", "name"),
    [("x86_64", "linux-amd64-cpu"), ("AMD64", "linux-amd64-cpu"), ("aarch64", "linux-arm64-cpu")],
)
def test_the_first_variant_for_a_machine(machine: str, name: str) -> None:
    assert for_machine(variants().values(), machine).name == name


def test_no_variant_for_a_machine() -> None:
    message = (
        r"linux-amd64-cpu and linux-arm64-cpu are for another machine than this one \(riscv64\)"
    )
    with pytest.raises(InputError, match=message):
        for_machine(variants().values(), "riscv64")


@pytest.mark.parametrize(
    ("here", "warned"),
    [("2.34", True), ("2.9", True), ("2.35", False), ("2.40", False), ("", False)],
)
def test_an_older_c_library(here: str, warned: bool) -> None:
    assert bool(older_glibc(conda_values.target(), here)) is warned
