"""Every shipped rule fires where it should, and is quiet beside that."""

from __future__ import annotations

from pathlib import Path

import pytest

from envbuild.knowledge import rulebook
from envbuild.knowledge.judge import judge
from envbuild.profile import reader
from tests.unit.knowledge.worlds import example, made

FILE = Path(__file__).with_name("rule-examples.yaml")
TOLD = reader.read(FILE.read_text(), FILE.name).value
EXAMPLES, PIECES = TOLD["rules"], TOLD["pieces"]
RULES = rulebook.shipped().rules


def test_every_rule_has_its_examples():
    assert set(EXAMPLES) == set(RULES)
    assert all(set(told) == {"fires", "quiet"} for told in EXAMPLES.values())


@pytest.mark.parametrize("rule", RULES)
def test_fires(rule):
    found = _of(rule, "fires")
    assert found, rule
    assert all("(not known)" not in one.message for one in found)
    assert all(one.mark is not None and one.fixes and one.why for one in found)


@pytest.mark.parametrize("rule", RULES)
def test_quiet(rule):
    assert _of(rule, "quiet") == []


def _of(rule, kind):
    """What one rule says, whatever others have to say at the same place."""
    alone = rulebook.Rulebook(rules={rule: RULES[rule]})
    return list(judge([example(EXAMPLES[rule][kind], PIECES)], alone))


def test_a_plain_profile_is_told_nothing():
    assert judge([made()], rulebook.shipped()) == ()


def test_lerobot_beside_isaac_sim_is_refused_once():
    told = {"with": ["lab-2-3"], "python": {"requirements": [*_LAB, "lerobot[smolvla]==0.4.4"]}}
    world = example(told, PIECES)
    (found,) = [one for one in judge([world], rulebook.shipped()) if "lerobot" in one.message]
    assert found.rule == "lerobot-beside-isaac-sim"
    assert found.severity == "error"
    assert "rerun-sdk>=0.24 wants NumPy 2" in found.message
    assert "packaging is pinned twice" in found.message
    relaxed, apart = found.fixes
    assert all(
        word in relaxed for word in ("packaging==23.0", "rerun-sdk==0.23.1", "torchcodec==0.5")
    )
    assert "two environments" in apart
    assert found.mark == world.variant.marks["python", "requirements", 2]


def test_the_proven_relaxations_are_let_pass():
    python = {
        "requirements": [*_LAB, "lerobot[smolvla]==0.4.4", "numpy==1.26.0"],
        "constraints": ["torchcodec==0.5"],
        "overrides": [
            {"requirement": "packaging==23.0", "reason": "it runs with it"},
            {"requirement": "rerun-sdk==0.23.1", "reason": "it imports with it"},
        ],
        "exclude": [{"package": "pywin32", "reason": "not for Linux"}],
    }
    found = judge([example({"with": ["lab-2-3"], "python": python}, PIECES)], rulebook.shipped())
    said = {one.rule for one in found}
    assert not {one for one in said if one.startswith(("lerobot", "numpy", "bundled"))}


_LAB = ("isaacsim[all,extscache]==5.1.0", "isaaclab==2.3.2.post1")


@pytest.mark.parametrize(
    ("wanted", "rules"),
    [
        ("numpy>=2", {"numpy-equals-bundle"}),
        ("numpy==1.26.4", {"numpy-equals-bundle"}),
        ("numpy<2", set()),  # the bundle is a constraint of the resolver, and leaves one
        ("numpy==1.26.0", set()),
        ("rerun-sdk>=0.24", {"numpy-2-wanted"}),
        ("opencv-contrib-python==4.12.0.88", {"numpy-2-wanted"}),
        ("rerun-sdk<0.24", set()),
        ("rerun-sdk", set()),
        ("pin==3.4.0", {"numpy-2-wanted"}),
        ("pin==2.7.0", set()),
        ("opencv-python>=4.12 ; platform_machine == 'aarch64'", set()),
        ("opencv-python>=4.12 ; platform_machine == 'x86_64'", {"numpy-2-wanted"}),
    ],
)
def test_numpy_in_a_process_with_isaac_sim(wanted, rules):
    told = {"with": ["image-5-1"], "python": {"requirements": [wanted]}}
    said = {one.rule for one in judge([example(told, PIECES)], rulebook.shipped())}
    assert {one for one in said if one.startswith(("numpy", "bundled"))} == rules


def test_a_numpy_beside_the_bundle_hides_no_other_package():
    told = {"with": ["image-5-1"], "python": {"requirements": ["numpy==1.26.4", "pillow>=12"]}}
    said = judge([example(told, PIECES)], rulebook.shipped())
    assert {(one.rule, one.message.split(" ")[0]) for one in said if one.severity == "error"} >= {
        ("numpy-equals-bundle", "NumPy"),
        ("bundled-otherwise", "pillow>=12"),
    }
    assert [one.rule for one in said].count("bundled-otherwise") == 1


def test_a_policy_on_numpy_1_cannot_have_what_needs_numpy_2():
    python = {"requirements": ["pandas>=3.1"], "constraints": ["numpy<2"]}
    (found,) = judge([made({"python": python})], rulebook.shipped())
    assert (found.rule, found.message[:11]) == ("numpy-2-wanted", "pandas>=3.1")


@pytest.mark.parametrize(
    ("gpu", "variant", "rules"),
    [
        ("sm_121", "linux-arm64-cu126", {"cuda-of-gpu"}),
        ("sm_121", "linux-arm64-cu128", {"cuda-compiles-for-gpu"}),
        ("sm_121", "linux-arm64-cu129", set()),
        ("sm_120", "linux-amd64-cu128", set()),
        ("sm_90", "linux-amd64-cu124", set()),
        ("sm_120", "linux-amd64-cpu", set()),
    ],
)
def test_cuda_of_blackwell(gpu, variant, rules):
    found = judge([made({"hardware": {"gpus": [gpu]}}, variant=variant)], rulebook.shipped())
    assert {one.rule for one in found} == rules
