"""What a world knows of a variant: products, versions, bounds."""

from __future__ import annotations

import pytest

from envbuild.knowledge.ranges import admitted, wanted
from envbuild.knowledge.world import introduced
from tests.unit.knowledge.worlds import made


def _git(url, ref):
    row = {"name": "x", "url": url, "ref": ref, "commit": "0" * 40, "path": "/opt/x"}
    return {"git": [{**row, "install": "none"}]}


@pytest.mark.parametrize(
    ("piece", "products"),
    [
        ({}, (None, None, None, None)),
        ({"python": {"requirements": ["isaacsim==5.1.0.0"]}}, ("5.1.0", None, None, "pip")),
        ({"python": {"requirements": ["isaacsim==5.1"]}}, ("5.1.0", None, None, "pip")),
        ({"python": {"requirements": ["isaacsim>=5"]}}, (None, None, None, "pip")),
        ({"python": {"requirements": ["isaacsim>=5.0.1,<6"]}}, ("5.1.0", None, None, "pip")),
        (
            {"python": {"requirements": ["isaaclab[isaacsim]==2.3.0"]}},
            ("5.1.0", "2.3.0", None, "pip"),
        ),
        (
            {"python": {"requirements": ["isaaclab==2.3.2.post1"]}},
            (None, "2.3.2.post1", None, None),
        ),
        ({"base": {"image": "nvcr.io/nvidia/isaac-sim:5.0.0"}}, ("5.0.0", None, None, "image")),
        ({"base": {"provides": ["isaac-sim-2023-1-1"]}}, ("2023.1.1", None, None, "image")),
        ({"base": {"image": "nvcr.io/nvidia/isaac-lab:2.3.0"}}, ("5.1.0", "2.3.0", None, "image")),
        (_git("https://github.com/isaac-sim/IsaacLab", "v2.2.0"), (None, "2.2.0", None, None)),
        (_git("https://github.com/NVIDIA/Isaac-GR00T.git", "n1.6.1"), (None, None, "n1.6", None)),
        (_git("https://github.com/NVIDIA/Isaac-GR00T", "main"), (None, None, None, None)),
    ],
)
def test_products(piece, products):
    world = made(piece)
    assert (world.isaac_sim, world.isaac_lab, world.gr00t, world.simulator) == products


def test_a_lock_says_which_simulator_it_is():
    world = made(
        {"python": {"requirements": ["isaacsim>=5"]}}, locked={"isaacsim-kernel": "5.1.0.0"}
    )
    assert world.isaac_sim == "5.1.0"


def test_versions_come_from_the_lock_then_the_image_then_the_profile():
    pinned = {"python": {"requirements": ["numpy==1.26.4", "torch>=2.7"]}}
    image = {"base": {"provides": ["isaac-sim-5-1-0"]}}
    assert made(pinned).version("numpy") == "1.26.4"
    assert made(pinned).version("torch") is None
    assert made(pinned, image).version("numpy") == "1.26.0"
    assert made(pinned, image, locked={"numpy": "1.26.1"}).version("numpy") == "1.26.1"


def test_what_is_provided_counts_beside_the_bundle():
    world = made({"base": {"provides": ["isaac-sim-2023-1-1"]}})
    assert world.brought == {"numpy": "", "scipy": ""}
    assert world.version("numpy") is None


def test_overrides_set_other_bounds_aside():
    world = made(
        {
            "python": {
                "requirements": ["numpy>=2"],
                "constraints": ["numpy<2.3"],
                "overrides": [{"requirement": "numpy==1.26.0", "reason": "the bundle's"}],
            }
        }
    )
    assert [bound.kind for bound in world.bounds["numpy"]] == ["override"]
    assert world.version("numpy") == "1.26.0"


def test_a_package_that_is_left_out_has_no_bounds():
    python = {"requirements": ["pywin32"], "exclude": [{"package": "PyWin32", "reason": "none"}]}
    assert made({"python": python}).bounds == {}


def test_a_constraint_asks_for_nothing():
    world = made({"python": {"constraints": ["numpy==1.26.0"]}})
    assert world.asked("numpy") == ()
    assert world.version("numpy") is None


def test_peers_are_those_that_the_contracts_name():
    row = {"peer": "two", "role": "client", "transport": "zmq", "encoding": "json"}
    one, two, three = introduced([made({"contracts": [row]}), made(name="two"), made(name="three")])
    assert one.peers == {"two": (two,)}
    assert three.peers == {}


@pytest.mark.parametrize(
    ("one", "other", "within"),
    [
        (">=4.12", ">4.11.0.86", True),
        ("", ">=1", False),
        ("", "", True),
        ("==2.3.2", "<2.3.2.post1", True),
        ("==2.7.0+cu128", "==2.7.*", True),
        ("~=1.4.2", "<1.5", True),
        ("~=1.4.2", "<1.4.9", False),
        (">=2,<1", ">=0", False),
        (">1,<=1", "", False),
        (">=2,!=2.1", ">=2", True),
        ("===weird", ">=0", False),
        (">1", ">=1", True),
        (">=1", ">1", False),
    ],
)
def test_within(one, other, within):
    assert admitted(one).within(admitted(other)) is within


@pytest.mark.parametrize("wrong", [">=", "=2", "~=2", ">=2.*", "==x", "2.0"])
def test_no_specifier(wrong):
    with pytest.raises(ValueError):  # noqa: PT011 (each has words of its own)
        admitted(wrong)


def test_a_requirement_taken_apart():
    found = wanted("LeRobot[SmolVLA, pi] >=0.4,<0.5 ; python_version >= '3.11'")
    assert (found.name, found.extras) == ("lerobot", ("pi", "smolvla"))
    assert found.versions == admitted(">=0.4,<0.5")
    assert found.marker == "python_version >= '3.11'"
    assert wanted("numpy (>=2)").versions == admitted(">=2")
    assert wanted("x @ https://example.com/x-1.whl").versions == admitted("")
