"""What is said of a conda half that cannot be."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.support.conda_values import variant

from envbuild.lock.conda.agreement import Disagreed
from envbuild.lock.conda.asking import Trouble
from envbuild.lock.conda.inputs import conda_input
from envbuild.lock.conda.refusals import CondaRefusal, refusal
from envbuild.lock.model import Demand
from envbuild.profile.resolved import Variant
from envbuild.tools.conda import Failure

ONE = variant("numpy=2.2", "tool", channels="world, far")
GLIBC = "Cannot solve the request because of: tool >=1 cannot be installed\n"
GLIBC += "  └─ __glibc >=2.99, for which no candidates were found.\n"


def said(
    text: str,
    *,
    one: Variant = ONE,
    kind: str = "unsatisfiable",
    channel: str = "",
    subdir: str = "",
    names: Iterable[str] = (),
    empty: tuple[str, ...] = (),
    demanded: tuple[Demand, ...] = (),
) -> CondaRefusal:
    failure = Failure(kind=kind, text=text, channel=channel, subdir=subdir)  # type: ignore[arg-type]
    trouble = Trouble(platform="linux-64", failure=failure, names=tuple(names), empty=empty)
    asked = conda_input(one)
    assert asked is not None
    return refusal(one, asked, Disagreed(steps=("a",), demanded=demanded, trouble=trouble))


def test_a_conflict_names_the_platform_and_the_channels() -> None:
    found = said("numpy ==2.2 cannot be installed")
    assert found.kind == "unsatisfiable"
    assert found.cause == "conda: no set of packages for linux-64 satisfies every specification"
    assert found.lines == (
        "  numpy ==2.2 cannot be installed",
        "  channels: world, far; platform: linux-64",
    )
    assert found.steps == ("a",)


def test_the_lines_of_the_profile_that_are_spoken_of_are_shown() -> None:
    found = said("numpy ==2.2 cannot be installed")
    assert [str(problem) for problem in found.problems] == [
        "envs/one.yaml:9:14: conda: numpy=2.2 has a part in it"
    ]


def test_what_a_virtual_package_is_and_where_it_comes_from() -> None:
    assert "  __glibc is 2.35, of ubuntu-22.04" in said(GLIBC).lines


def test_a_virtual_package_of_the_profile() -> None:
    one = variant("tool", more='  virtual-packages: {__glibc: "2.31"}\n')
    assert "  __glibc is 2.31, as the profile says" in said(GLIBC, one=one).lines


def test_a_virtual_package_that_is_not_there() -> None:
    found = said("└─ __cuda >=12, for which no candidates were found.")
    assert "  __cuda is absent, of the variant linux-amd64-cpu" in found.lines


def test_the_cuda_of_the_variant() -> None:
    one = variant("tool", name="linux-amd64-cu128")
    found = said("└─ __cuda >=13, for which no candidates were found.", one=one)
    assert "  __cuda is 12.8, of the variant linux-amd64-cu128" in found.lines


def test_a_name_that_no_channel_has_gets_near_ones() -> None:
    found = said("No candidates were found for numpyy *.", names=("numpy", "numpydoc", "zlib"))
    assert found.hint == "world or far has no numpyy: did you mean numpy or numpydoc?"


def test_a_name_that_resembles_none() -> None:
    found = said("No candidates were found for qqq >=1.", names=("numpy",))
    assert found.hint == "world or far has no qqq"


def test_a_channel_without_the_platform_is_named() -> None:
    assert "  the channel far has nothing for linux-64" in said("x", empty=("far",)).lines


def test_a_conflict_with_the_index_names_both_sides() -> None:
    demand = Demand(package="numpy", bounds="<2", by=("tool 1.0 (<2)", "other 2.0 (<2.1)"))
    found = said("numpy ==2.2 conflicts", demanded=(demand,))
    assert found.kind == "conflict"
    assert found.cause == (
        "what the package index demands of conda's packages has no solution for linux-64"
    )
    assert found.lines[:4] == (
        "the package index:",
        "  tool 1.0 (<2), other 2.0 (<2.1) asks for numpy <2",
        "conda:",
        "  numpy ==2.2 conflicts",
    )
    assert len(found.problems) == 1


@pytest.mark.parametrize(
    ("kind", "cause", "hint"),
    [
        ("network", "conda: noarch of the channel far cannot be reached", "--offline"),
        (
            "offline",
            "conda: the cache does not hold noarch of the channel far",
            "without --offline",
        ),
        ("timeout", "conda: noarch of the channel far does not answer", "remote_read_timeout_secs"),
        ("data", "conda: noarch of the channel far does not hold what a channel must", "--refresh"),
        ("internal", "conda: the solver failed by a bug of its own", "conda/rattler"),
    ],
)
def test_a_channel_that_fails_is_named_with_a_way_on(kind: str, cause: str, hint: str) -> None:
    found = said("broken", kind=kind, channel="far", subdir="noarch")
    assert found.kind == kind
    assert found.cause.startswith(cause)
    assert hint in found.hint
    assert found.problems == ()


def test_a_channel_that_is_not_known_is_a_channel() -> None:
    assert said("x", kind="network").cause == "conda: a channel cannot be reached"


def test_a_specification_that_cannot_be_read_has_its_line() -> None:
    one = variant("tool>=>3")
    found = said("tool>=>3: unable to parse version spec: >=>3", one=one, kind="input")
    assert found.cause == "conda: a specification cannot be read"
    assert [str(problem).partition(": ")[0] for problem in found.problems] == ["envs/one.yaml:9:14"]


def test_long_reasoning_is_cut_and_says_so() -> None:
    found = said("\n".join(f"line {number}" for number in range(30)))
    assert found.lines[13] == "  line 13"
    assert found.lines[14] == "  … 16 more lines"


def test_credentials_of_a_mirror_are_not_shown() -> None:
    found = said("error for url (http://me:secret@a.example/x)", kind="network", channel="far")
    assert not any("secret" in line for line in found.lines)


def test_turns_that_ran_out_show_the_way() -> None:
    asked = conda_input(ONE)
    assert asked is not None
    found = refusal(ONE, asked, Disagreed(steps=("conda: 3", "uv: no")))
    assert found.kind == "turns"
    assert found.cause == "conda and the package index do not come to agree"
    assert found.lines == ("conda: 3", "uv: no")
