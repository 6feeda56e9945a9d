"""What a build would do, and why."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.build import planning
from envbuild.engines.model import Engine
from envbuild.errors import InputError
from envbuild.profile.resolve import Source, resolve
from envbuild.profile.resolved import Variant
from envbuild.tools.references import Mirror
from tests.unit.build.test_records import BUILT, ORIGIN

PROFILE = """\
schema: 1
name: arm
summary: Two machines
base: {image: "ubuntu:24.04", distribution: ubuntu-24.04}
python: {version: 3.12, source: uv, prefix: /opt/arm}
variants:
  linux-amd64-cu128: {}
  linux-amd64-cpu: {}
  linux-arm64-cu130: {}
"""
VARIANTS = resolve("arm", {"arm": Source(name="arm", file="envs/arm.yaml", text=PROFILE)}).variants


def names(variants: tuple[Variant, ...]) -> list[str]:
    return [one.name for one in variants]


# --- Which variants ------------------------------------------------------------------------------


def test_what_this_machine_can_run_is_built() -> None:
    wanted, left = planning.chosen(VARIANTS, (), "x86_64")
    assert names(wanted) == ["linux-amd64-cu128", "linux-amd64-cpu"]
    (other,) = left
    assert other.variant == "linux-arm64-cu130"
    assert "for linux/arm64, and this machine is linux/amd64" in other.reason
    assert names(planning.chosen(VARIANTS, (), "aarch64")[0]) == ["linux-arm64-cu130"]
    assert len(planning.chosen(VARIANTS, (), "riscv64")[1]) == 3


def test_a_named_variant_is_built_whatever_it_is_for() -> None:
    wanted, left = planning.chosen(VARIANTS, ("linux-arm64-cu130",), "x86_64")
    assert names(wanted) == ["linux-arm64-cu130"]
    assert left == ()


def test_a_platform_that_a_variant_is_not_for() -> None:
    planning.refuse_platform(VARIANTS, None)
    planning.refuse_platform(VARIANTS[:2], "linux/amd64")
    with pytest.raises(InputError, match="arm/linux-arm64-cu130 is for linux/arm64, not for"):
        planning.refuse_platform(VARIANTS, "linux/amd64")


# --- Names ---------------------------------------------------------------------------------------


def test_the_names_of_an_image() -> None:
    assert planning.tags("arm", "v", ()) == ("arm:v",)
    assert planning.tags("arm", "v", ("x/y:1", "r.example:5000/{profile}:{variant}", "x/y:1")) == (
        "x/y:1",
        "r.example:5000/arm:v",
    )


@pytest.mark.parametrize(
    "text",
    ["", "-x", "UPPER:1", "a b", "x:1@sha256:00", "x:", "http://x/y", "x//y", "x:1:2", "{p}"],
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(InputError, match="is no name of an image"):
        planning.tags("arm", "v", (text,))


def test_one_name_is_not_for_two_images() -> None:
    planning.refuse_shared(["x:1"], 1, option="--tag")
    planning.refuse_shared(["x:{variant}"], 3, option="--tag")
    with pytest.raises(InputError, match="--tag x:1 would be that of 3 images"):
        planning.refuse_shared(["x:{variant}", "x:1"], 3, option="--tag")


def test_what_can_be_pushed() -> None:
    named = ("arm:1", "localhost/arm:1", "r.example/arm", "h:5000/arm", "team/arm:1")
    assert planning.pushed(named) == ("localhost/arm:1", "r.example/arm", "h:5000/arm")
    with pytest.raises(InputError, match="--push needs a name with a registry"):
        planning.pushed(("arm:1", "team/arm:1"))


def test_repositories_of_layers() -> None:
    assert planning.repository("r.example/cache", option="--cache-to") == "r.example/cache"
    for text in ("cache", "-x/y", "r.example/", "r.example/a,b"):
        with pytest.raises(InputError, match="--cache-to takes a repository"):
            planning.repository(text, option="--cache-to")


# --- What the build is told ----------------------------------------------------------------------

DIGEST = "sha256:" + "0" * 64
MIRRORS = (Mirror(prefix="nvcr.io/nvidia", place="127.0.0.1:5000/m"),)


@pytest.mark.parametrize(
    ("reference", "digest", "wanted"),
    [
        ("nvcr.io/nvidia/isaac-sim:5.1.0", "", "127.0.0.1:5000/m/isaac-sim:5.1.0"),
        ("nvcr.io/nvidia/isaac-sim:5.1.0", DIGEST, f"127.0.0.1:5000/m/isaac-sim@{DIGEST}"),
        ("nvcr.io/nvidia/isaac-sim:5@" + DIGEST, DIGEST, f"127.0.0.1:5000/m/isaac-sim@{DIGEST}"),
        ("ubuntu:24.04", "", "ubuntu:24.04"),
        ("ubuntu:24.04", DIGEST, f"ubuntu@{DIGEST}"),
        ("r.example:5000/x", DIGEST, f"r.example:5000/x@{DIGEST}"),
    ],
)
def test_where_an_image_is_read_from(reference: str, digest: str, wanted: str) -> None:
    assert planning.read_from(reference, digest, MIRRORS) == wanted


def test_proxies_in_both_spellings() -> None:
    environ = {"https_proxy": "http://p:1", "NO_PROXY": "x", "HTTP_PROXY": "", "PATH": "/bin"}
    assert planning.proxies(environ) == {
        "HTTPS_PROXY": "http://p:1",
        "https_proxy": "http://p:1",
        "NO_PROXY": "x",
        "no_proxy": "x",
    }


def test_the_moment_of_a_lock() -> None:
    assert planning.epoch("1970-01-02T00:00:00Z") == 86400


# --- Why -----------------------------------------------------------------------------------------


def test_what_was_never_built_is_built() -> None:
    assert planning.reasons(None, ORIGIN) == ("not built here yet",)


def test_what_stands_is_left_alone() -> None:
    assert planning.reasons(BUILT, ORIGIN) == ()
    step = planning.build_step("arm/v", (), record=BUILT)
    assert step.action == "skip"
    assert step.reason.startswith("unchanged: arm:linux-amd64-cpu was built from the same")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("lock", "sha256:9", "the lock has changed"),
        ("rendered", "sha256:9", "the rendered files have changed"),
        ("images", ("A=c",), "other images"),
        ("engine", "docker 26", "built by podman 5, and now docker 26 builds"),
        ("network", "host", "it was built hermetic"),
    ],
)
def test_what_has_moved_is_named(field: str, value: object, words: str) -> None:
    (reason,) = planning.reasons(BUILT, msgspec.structs.replace(ORIGIN, **{field: value}))
    assert words in reason
    assert planning.build_step("arm/v", (reason,), record=BUILT).action == "run"


def test_an_image_below_that_has_moved_under_its_tag() -> None:
    below = msgspec.structs.replace(ORIGIN, images=("A=b sha256:1",))
    built = msgspec.structs.replace(BUILT, origin=below)
    assert planning.reasons(built, below) == ()
    assert planning.reasons(built, ORIGIN) == ()  # the engine does not have it any more
    (reason,) = planning.reasons(built, msgspec.structs.replace(ORIGIN, images=("A=b sha256:2",)))
    assert "other images" in reason


def test_the_steps_after_a_build() -> None:
    steps = planning.name_steps(("a:1", "r.example/a:1"), ("r.example/a:1",))
    assert [(one.kind, one.target) for one in steps] == [
        ("tag", "a:1"),
        ("tag", "r.example/a:1"),
        ("push", "r.example/a:1"),
    ]


def test_engines_by_name() -> None:
    podman = Engine(name="podman", builder="podman", program=("podman",), version="4.3.1")
    docker = Engine(name="docker", builder="buildx", program=("docker",), version="26.1.5")
    assert planning.engine_name(podman) == "podman 4.3.1"
    assert planning.engine_name(docker) == "docker 26.1.5 (buildx)"


def test_a_builder_builds_for_its_own_machines() -> None:
    wanted, left = planning.chosen(VARIANTS, (), "x86_64", builder=("linux/arm64",))
    assert names(wanted) == ["linux-arm64-cu130"]
    assert all("the builder's machines are linux/arm64" in one.reason for one in left)
    both = planning.chosen(VARIANTS, (), "x86_64", builder=("linux/arm64", "linux/amd64"))
    assert len(both[0]) == len(VARIANTS)
    named = planning.chosen(VARIANTS, ("linux-arm64-cu130",), "x86_64", builder=("linux/amd64",))
    assert names(named[0]) == ["linux-arm64-cu130"]
