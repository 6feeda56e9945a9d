"""Who brings a package into a lock, and who limits it."""

from __future__ import annotations

import msgspec
from tests.support.locks import package, variant

from envbuild.lock.model import (
    LOCK_FORMAT,
    CondaHalf,
    CondaInput,
    CondaPackage,
    CondaTarget,
    Demand,
    FileDigest,
    Lock,
    Provided,
    Relaxation,
    VariantLock,
)
from envbuild.lock.why import Answer, Asker, Speaker, Why, why
from envbuild.profile.resolve import Source, resolve
from envbuild.profile.resolved import ResolvedProfile

TEXT = """\
schema: 1
name: one
summary: A profile of the tests
as-of: 2026-01-01T00:00:00Z
accept-eula: false
base:
  image: nvcr.io/nvidia/isaac-sim:5.1.0
  distribution: ubuntu-22.04
  provides: [isaac-sim-5-1-0]
apt: [ffmpeg]
python:
  version: "3.11"
  source: image
  interpreter: /isaac-sim/python.sh
  requirements:
    - Top[extra] >=1
    - torch==2.7.0
    - flash_attn
  constraints:
    - numpy <2
  overrides:
    - requirement: Packaging == 23.0
      reason: it runs with it
  exclude:
    - package: PyWin32
      reason: for Windows only
  no-deps:
    - package: top
      reason: its needs are listed
  build-from-source:
    - package: flash-attn
      reason: no wheel for it
variants:
  linux-amd64-cu128: {}
  linux-amd64-cu126: {}
"""
PROFILE = resolve("one", {"one": Source(name="one", file="envs/one.yaml", text=TEXT)})
LOCKED = variant(
    package("top", "1.5", "profile>=1"),
    package("middle", "2.0", "top>=2"),
    package("low", "3.0", "middle<4", "top", "profile (constraint)<9"),
    package("torch", "2.7.0", "profile==2.7.0"),
    package("torchvision", "0.22.0", "low", "torch companions"),
    package("flash-attn", "2.8", integrity="source"),
    provided=(
        Provided(name="numpy", by="bundle", version="1.26.0"),
        Provided(name="carried", by="numpy"),
    ),
    requirements=("flash-attn", "top[extra]>=1", "torch==2.7.0"),
    constraints=("numpy<2",),
    bundle=("idle==7", "numpy==1.26.0", "vague"),
    companions=("torchvision==0.22.*",),
    apt=("ffmpeg",),
    source_builds=("flash-attn",),
    stubs=("isaacsim",),
)
LOCKED = msgspec.structs.replace(
    LOCKED,
    relaxations=(
        Relaxation(kind="exclude", requirement="PyWin32", reason="for Windows only"),
        Relaxation(kind="no-deps", requirement="top", reason="its needs are listed"),
        Relaxation(kind="override", requirement="Packaging == 23.0", reason="it runs with it"),
    ),
)


def ask(name: str, *variants: VariantLock, profile: ResolvedProfile = PROFILE, **rules: str) -> Why:
    names = ("linux-amd64-cu128", "linux-amd64-cu126")
    lock = Lock(
        format=LOCK_FORMAT,
        profile="one",
        tools={},
        variants=dict(zip(names, variants or (LOCKED,), strict=False)),
    )
    return why(profile, lock, name, rules={names[0]: tuple(rules.items())})


def answer(name: str, **rules: str) -> Answer:
    (found,) = ask(name, **rules).answers
    return found


def place(text: str) -> str:
    """Where the profile has a text."""
    before = TEXT[: TEXT.index(text)]
    return f"envs/one.yaml:{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}"


TOP = Asker(by="profile", text="top[extra]>=1", place=place("Top[extra]"))


def test_every_chain_up_to_the_line_of_the_profile() -> None:
    found = answer("LOW")
    assert (found.status, found.version, found.integrity) == ("locked", "3.0", "wheel")
    assert found.asked == (
        Asker(
            by="middle",
            version="2.0",
            text="<4",
            askers=(Asker(by="top", version="1.5", text=">=2", again=True),),
        ),
        Asker(by="top", version="1.5", askers=(TOP,)),
    )


def test_what_the_profile_asks_for_itself() -> None:
    found = answer("top")
    assert found.asked == (TOP,)
    assert (
        found.held
        == (
            Speaker(
                kind="no-deps",
                text="top",
                place=place("package: top"),
                reason="its needs are listed",
            ),
        )
        or found.held[0].kind == "no-deps"
    )


def test_a_circle_of_packages_ends() -> None:
    locked = variant(package("a", "1", "b"), package("b", "1", "a", "profile"), requirements=("b",))
    (found,) = ask("a", locked).answers
    (b,) = found.asked
    assert [(asker.by, asker.again) for asker in b.askers] == [("profile", False), ("a", True)]
    assert b.askers[1].askers == ()


def test_a_chain_without_end_is_cut() -> None:
    long = [package(f"p{n}", "1", f"p{n + 1}x") for n in range(2000)]
    long = [
        msgspec.structs.replace(
            one, requested=(msgspec.structs.replace(one.requested[0], by=f"p{n + 1}"),)
        )
        for n, one in enumerate(long)
    ]
    (found,) = ask("p0", variant(*long)).answers
    depth, asker = 0, found.asked[0]
    while asker.askers:
        depth, asker = depth + 1, asker.askers[0]
    assert 50 < depth < 200


def test_what_the_image_brings() -> None:
    found = answer("numpy")
    base = place("isaac-sim-5-1-0")
    assert (found.status, found.version) == ("provided", "1.26.0")
    assert found.asked == (Asker(by="bundle", text="isaac-sim-5-1-0", place=base),)
    assert [(one.kind, one.text, one.place) for one in found.held] == [
        ("constraint", "numpy<2", place("numpy <2")),
        ("bundle", "numpy==1.26.0", base),
    ]
    carried = answer("carried")
    assert (carried.status, carried.version) == ("provided", "")
    assert [(one.by, one.version) for one in carried.asked] == [("numpy", "1.26.0")]
    assert carried.asked[0].askers[0].by == "bundle"


def test_what_the_image_brings_and_nobody_asks_for() -> None:
    assert (answer("idle").status, answer("idle").version, answer("idle").asked) == (
        "provided",
        "7",
        (),
    )
    assert "not known" in answer("vague").held[0].text


def test_every_other_speaker() -> None:
    spoken = {name: answer(name).held[0] for name in ("packaging", "pywin32", "torchvision")}
    assert spoken["packaging"].kind == "override"
    assert spoken["packaging"].reason == "it runs with it"
    assert spoken["packaging"].place.startswith(
        f"envs/one.yaml:{place('requirement: Pack').split(':')[1]}:"
    )
    assert spoken["pywin32"].kind == "exclude"
    assert spoken["torchvision"] == Speaker(
        kind="companion",
        text="torchvision==0.22.*",
        place=place("torch==2.7.0"),
        reason="fits torch==2.7.0",
    )
    assert answer("flash-attn").held[0].reason == "no wheel for it"
    assert answer("isaacsim").held[0].kind == "placeholder"
    assert answer("numpy", rule="NumPy is the bundle's").held[-1] == Speaker(
        kind="rule", text="NumPy is the bundle's", place="rule"
    )


def test_what_comes_from_elsewhere() -> None:
    assert (answer("ffmpeg").status, answer("ffmpeg").held[0].place) == ("apt", place("ffmpeg"))
    assert answer("pywin32").status == "excluded"
    assert not ask("pywin32").found


CONDA_TEXT = """\
schema: 1
name: one
summary: A profile of the tests
base:
  image: docker.io/library/ubuntu:24.04
  distribution: ubuntu-24.04
conda:
  channels: [conda-forge]
  packages:
    - conda-forge::LibStdCxx-ng>=12
    - pytorch =2.7
    - packaging
python:
  version: "3.11"
  source: conda
  prefix: /opt/env
  requirements: []
variants:
  linux-amd64-cu128: {}
"""
CONDA_PROFILE = resolve("one", {"one": Source(name="one", file="envs/one.yaml", text=CONDA_TEXT)})
CONDA_FILE = FileDigest(path="conda.txt", sha256="0" * 64)


def conda_package(name: str, version: str, python: str = "") -> CondaPackage:
    return CondaPackage(name=name, version=version, build="0", sha256="0" * 64, python=python)


CONDA = msgspec.structs.replace(
    variant(
        package("isaacsim-core", "5.1"),
        provided=(
            Provided(name="packaging", by="conda", version="23.0"),
            Provided(name="left", by="packaging"),
        ),
        conda=CondaInput(
            channels=("conda-forge",),
            packages=("conda-forge::LibStdCxx-ng>=12", "packaging", "pytorch =2.7"),
            targets=(CondaTarget(platform="linux-64", virtual_packages=("__glibc=2.39",)),),
        ),
    ),
    conda=CondaHalf(
        solver="py-rattler 0.28.0",
        packages=(
            conda_package("_libgcc_mutex", "0.1"),
            conda_package("libstdcxx-ng", "15.2.0"),
            conda_package("packaging", "23.0", "packaging"),
            conda_package("pytorch", "2.7.1", "torch"),
            conda_package("typing_extensions", "4.15.0", "typing-extensions"),
        ),
        explicit=(CONDA_FILE,),
        environment=CONDA_FILE,
        lock=CONDA_FILE,
        virtual=CONDA_FILE,
        demands=(
            Demand(
                package="packaging",
                bounds="==23.0",
                by=("isaacsim-core 5.1 (==23.0)", "low 3.0 (<24)"),
            ),
            Demand(package="pytorch", bounds=">=2.7", by=("low 3.0 (>=2.7)",)),
        ),
    ),
)


def conda_place(text: str) -> str:
    """Where the profile in conda has a text."""
    before = CONDA_TEXT[: CONDA_TEXT.index(text)]
    return f"envs/one.yaml:{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}"


def of_conda(name: str, **rules: str) -> Answer:
    (found,) = ask(name, CONDA, profile=CONDA_PROFILE, **rules).answers
    return found


def test_what_conda_brings() -> None:
    found = of_conda("libstdcxx-ng")
    assert (found.status, found.version, found.asked) == ("conda", "15.2.0", ())
    assert found.held == (
        Speaker(
            kind="conda",
            text="conda-forge::LibStdCxx-ng>=12",
            place=conda_place("conda-forge::LibStdCxx-ng>=12"),
        ),
    )
    assert ask("libstdcxx-ng", CONDA, profile=CONDA_PROFILE).found


def test_what_conda_brings_and_nobody_names() -> None:
    assert of_conda("-libgcc-mutex").version == "0.1"
    for asked in ("typing_extensions", "Typing.Extensions"):
        found = of_conda(asked)
        assert (found.status, found.version, found.held) == ("conda", "4.15.0", ())


def test_what_the_index_demands_of_condas_package() -> None:
    found = of_conda("packaging")
    assert (found.status, found.version) == ("conda", "23.0")
    assert found.held == (
        Speaker(kind="conda", text="packaging", place=conda_place("packaging")),
        Speaker(
            kind="conda",
            text="packaging ==23.0",
            reason="for isaacsim-core 5.1 (==23.0), low 3.0 (<24)",
        ),
    )


def test_condas_package_is_found_by_the_name_that_python_has_for_it() -> None:
    line = Speaker(kind="conda", text="pytorch =2.7", place=conda_place("pytorch =2.7"))
    demand = Speaker(kind="conda", text="pytorch >=2.7", reason="for low 3.0 (>=2.7)")
    rule = Speaker(kind="rule", text="it is said", place="rule")
    for asked in ("torch", "pytorch"):
        found = of_conda(asked, rule="it is said")
        assert (found.status, found.version) == ("conda", "2.7.1")
        assert found.held == (line, demand, rule)


def test_what_condas_package_asks_for_is_left_to_it() -> None:
    found = of_conda("left")
    assert (found.status, found.version, found.held) == ("provided", "", ())
    assert [(one.by, one.version, one.askers) for one in found.asked] == [("packaging", "23.0", ())]


def test_near_names_know_those_of_conda() -> None:
    found = ask("typing-extension", CONDA, profile=CONDA_PROFILE)
    assert (found.found, found.near) == (False, ("typing-extensions",))
    assert ask("pytorhc", CONDA, profile=CONDA_PROFILE).near == ("pytorch",)


def test_what_is_asked_of_conda_and_not_in_its_half() -> None:
    """A lock whose conda half lacks a package says so, and still names the line."""
    assert CONDA.conda is not None
    half = msgspec.structs.replace(CONDA.conda, packages=(), demands=())
    bare = msgspec.structs.replace(CONDA, provided=(), conda=half)
    (found,) = ask("packaging", bare, profile=CONDA_PROFILE).answers
    assert (found.status, found.version) == ("absent", "")
    assert [one.text for one in found.held] == ["packaging"]


def test_what_is_not_there_has_near_names() -> None:
    found = ask("nunpy")
    assert (found.found, found.near, found.answers[0].status) == (False, ("numpy",), "absent")
    assert ask("entirely-else").near == ()
    assert ask("numpy").near == ()


def test_equal_variants_are_said_once() -> None:
    (same,) = ask("low", LOCKED, LOCKED).answers
    assert same.variants == ("linux-amd64-cu128", "linux-amd64-cu126")
    found = ask("low", LOCKED, variant()).answers
    assert [(one.variants, one.status) for one in found] == [
        (("linux-amd64-cu128",), "locked"),
        (("linux-amd64-cu126",), "absent"),
    ]


def test_a_lock_that_says_more_than_the_profile_now() -> None:
    text = TEXT.replace("    - Top[extra] >=1\n", "")
    now = resolve("one", {"one": Source(name="one", file="envs/one.yaml", text=text)})
    (found,) = ask("top", profile=now).answers
    assert found.asked == (Asker(by="profile", text="top[extra]>=1"),)


def test_a_variant_that_the_profile_no_longer_has() -> None:
    lock = Lock(format=LOCK_FORMAT, profile="one", tools={}, variants={"linux-arm64-cpu": LOCKED})
    (found,) = why(PROFILE, lock, "low", rules={}).answers
    assert found.asked[1].askers[0].place == ""
