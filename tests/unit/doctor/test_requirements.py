"""What installed distributions require, held against what wins beside them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envbuild.doctor import asking, requirements
from envbuild.doctor.asking import Wish
from envbuild.doctor.case import Case
from envbuild.doctor.model import Finding, Install
from envbuild.scan.model import CondaPackage
from tests.unit.doctor.scans import ARCHIVE, ENV, SITE, case, copy

PIP = "/opt/lab/bin/python -m pip install"


def only(found: tuple[Finding, ...]) -> Finding:
    (one,) = found
    return one


def test_those_who_ask_for_one_package_are_one_finding() -> None:
    found = requirements.findings(
        case(
            copy("requests", "2.31.0"),
            copy("a", "1", "requests>=2.32"),
            copy("b", "2", "requests>=2.30,!=2.31.0"),
            copy("c", "3", "requests"),
            products=(),
        )
    )
    one = only(found)
    assert (one.id, one.severity, one.sure) == ("requirement-unmet", "warning", "heuristic")
    assert one.what == "requests 2.31.0 is not what 2 distributions need"
    assert one.why == "a 1 requires requests>=2.32; b 2 requires requests!=2.31.0,>=2.30"
    assert one.hits == ("a 1", "b 2")
    assert one.where[0] == f"{SITE}/requests-2.31.0.dist-info"
    assert one.repair == (f"{PIP} 'requests>=2.32,!=2.31.0,>=2.30'",)
    assert one.actions == ()


def test_what_is_not_there() -> None:
    one = only(requirements.findings(case(copy("a", "1", "Some.Thing>=2"), products=())))
    assert one.what == "some-thing is not there, and a 1 needs it"
    assert (one.severity, one.sure) == ("warning", "proven")
    assert one.expect == ("No module named 'some_thing'",)
    assert one.repair == (f"{PIP} 'some-thing>=2'",)


def test_what_the_same_ones_miss_is_one_finding() -> None:
    found = requirements.findings(
        case(copy("a", "1", "x==1", "y", "z>=2"), copy("b", "1", "z<3"), products=())
    )
    assert [one.what for one in found] == [
        "2 packages are not there, and a 1 needs them",
        "z is not there, and 2 distributions need it",
    ]
    assert [one.repair for one in found] == [(f"{PIP} x==1 y",), (f"{PIP} 'z>=2,<3'",)]
    python = f"{ENV}/bin/python"
    pinned = Install(site=SITE, distribution="x", version="1", found="", python=python)
    assert [one.actions for one in found] == [(pinned,), ()]


def test_an_exact_pin_can_be_put_back() -> None:
    found = requirements.findings(
        case(copy("torch", "2.8.0"), copy("torchvision", "0.22.0", "torch==2.7.0"), products=())
    )
    one = only(found)
    assert one.severity == "error"
    assert one.actions == (
        Install(
            site=SITE,
            distribution="torch",
            version="2.7.0",
            found="2.8.0",
            python=f"{ENV}/bin/python",
        ),
    )


@pytest.mark.parametrize(
    ("name", "found", "line", "severity"),
    [
        ("torch", "2.7.1", "torch==2.7.0", "warning"),
        ("torch", "2.7.0+cu128", "torch==2.7.0", ""),
        ("numpy", "1.26.0", "numpy>=2", "error"),
        ("numpy", "2.3.1", "numpy<2.3", "warning"),
        ("numpy", "2.3.1", "numpy>=2.3.2", "warning"),
        ("numpy", "2.0.0rc1", "numpy>=1.20", ""),
        ("scipy", "1.11", "scipy>=1.12", "warning"),
    ],
)
def test_only_what_is_known_to_break_is_an_error(
    name: str, found: str, line: str, severity: str
) -> None:
    asked = copy("torchvision" if name == "torch" else "other", "1", line)
    said = requirements.findings(case(copy(name, found), asked, products=()))
    assert [one.severity for one in said] == ([severity] if severity else [])


@pytest.mark.parametrize(
    "line",
    [
        'gone>=1; python_version < "3.9"',
        'gone; sys_platform == "win32"',
        'gone; extra == "all"',
        'gone; platform_machine == "aarch64"',
        "this is no requirement",
        "gone; " + "(" * 5000 + 'python_version > "3"' + ")" * 5000,
        "gone @",
        'gone; no_such_marker == "1"',
        "a",
        "a==1",
    ],
)
def test_what_does_not_hold_here_asks_for_nothing(line: str) -> None:
    assert not requirements.findings(case(copy("a", "1", line), products=()))


def test_the_noise_of_the_simulators_pins_is_nothing() -> None:
    found = requirements.findings(
        case(
            copy("isaacsim-kernel", "5.1.0.0", "psutil==5.9.8", "typing-extensions==4.12.2"),
            copy("psutil", "7.0.0"),
            copy("typing-extensions", "4.15.0"),
            copy("packaging", "23.0"),
            copy("wheel", "0.47.0", "packaging>=24.0"),
            copy("fastapi", "0.115.7", "starlette<0.46"),
            copy("starlette", "0.47.0"),
        )
    )
    assert not found


def test_another_who_asks_for_the_same_is_no_noise() -> None:
    one = only(
        requirements.findings(
            case(copy("psutil", "5.9.8"), copy("a", "1", "psutil>=7"), products=())
        )
    )
    assert one.what == "psutil 5.9.8 is not what a 1 needs"


def test_numpy_is_told_where_numpy_is_judged() -> None:
    found = requirements.findings(
        case(
            copy("numpy", "2.2.6"),
            copy("isaacsim-kernel", "5.1.0.0", "numpy==1.26.0"),
            copy("nvidia-srl-usd", "1.0", "numpy<2.0.0,>=1.23"),
        )
    )
    assert not found


def test_numpy_of_the_bundle_stays_and_who_wants_another_goes() -> None:
    found = requirements.findings(
        case(
            copy("numpy", "1.26.0"),
            copy("isaacsim-kernel", "5.1.0.0", "numpy==1.26.0"),
            copy("opencv-python", "4.12.0.88", "numpy<2.3.0,>=2"),
        )
    )
    one = only(found)
    assert one.severity == "error"
    assert one.repair == (
        f"{PIP} 'opencv-python<=4.11.0.86'",
        "NumPy stays: the bundle's. Else do without opencv-python",
    )
    assert one.actions == ()


def test_pins_that_contradict_each_other() -> None:
    found = requirements.findings(
        case(copy("x", "3"), copy("a", "1", "x==1"), copy("b", "1", "x==2"), products=())
    )
    assert only(found).repair == ("no x fits all of a, b: take other releases of them",)


def test_what_bundles_ask_for_is_not_asked() -> None:
    assert not requirements.findings(case(copy("a", "1", "gone", site=ARCHIVE)))


def test_conda_brings_some_without_metadata() -> None:
    base = case(copy("a", "1", "torch>=2"), products=())
    row = CondaPackage(name="pytorch", version="2.7.0", build="0", prefix=ENV)
    scan = msgspec.structs.replace(base.scan, conda=(row,))
    assert not requirements.findings(Case(scan=scan))


def test_the_best_known_release_that_takes_numpy_1() -> None:
    assert asking.with_numpy_1("opencv-python") == "<=4.11.0.86"
    assert asking.with_numpy_1("rerun-sdk") == "<0.24"
    assert asking.with_numpy_1("nobody") == ""


@pytest.mark.parametrize(
    ("versions", "wanted"), [("==1.2", "1.2"), ("==1.*", ""), (">=1,<2", ""), ("", "")]
)
def test_a_pin_leaves_one_version(versions: str, wanted: str) -> None:
    assert asking.pin(Wish(name="x", versions=versions)) == wanted


@pytest.mark.parametrize(
    ("versions", "version", "admitted"),
    [
        ("", "no version at all", True),
        (">=1", "no version at all", False),
        (">=1", "1.0rc1", False),
        (">=1.0rc1", "1.0rc1", True),
        ("==2.7.0", "2.7.0+cu128", True),
        (">=1", "9" * 5000, False),
        (f">={'9' * 5000}", "1", False),
    ],
)
def test_what_a_bound_admits(versions: str, version: str, admitted: bool) -> None:
    assert asking.admits(versions, version) is admitted


@given(st.lists(st.text(max_size=40) | st.from_regex(r"[a-c]([<>=!~]=[0-9.*]+)?(;.*)?")))
def test_whatever_metadata_says_is_no_crash(lines: list[str]) -> None:
    found = requirements.findings(case(copy("a", "1", *lines), copy("b", "x?"), products=()))
    assert all(one.id == "requirement-unmet" for one in found)
