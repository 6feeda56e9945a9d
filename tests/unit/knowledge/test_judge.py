"""Findings: merged, placed, waived; and the user's own rules, with their problems."""

from __future__ import annotations

import pytest

from envbuild.errors import InputError
from envbuild.knowledge import rulebook
from envbuild.knowledge.judge import judge
from tests.unit.knowledge.worlds import made

OWN = """\
schema: 1
rules:
  - id: no-pandas
    severity: warning
    title: pandas is not ours
    when: { requires: [pandas] }
    message: "{requirement} on Python {python}"
    why: we have polars
    fix: [polars]
    evidence: { source: our own handbook, date: 2026-01-31, confidence: claimed }
"""
LABEL = "knowledge/rules/own.yaml"
PANDAS = {"python": {"requirements": ["pandas>=2"]}}


def changed(old, new):
    assert OWN.count(old) == 1, old
    return OWN.replace(old, new)


def own(text=OWN):
    return rulebook.with_own({LABEL: text})


def problems(*texts):
    with pytest.raises(InputError) as caught:
        rulebook.with_own({f"{LABEL}{index}": text for index, text in enumerate(texts)})
    return [f"{problem} // {problem.hint}" for problem in caught.value.problems]


def waiving(*rules):
    return {"waive": [{"rule": rule, "reason": "we know"} for rule in rules]}


def test_an_own_rule_speaks_beside_the_shipped_ones():
    world = made(PANDAS, {"base": {"image": "nvcr.io/nvidia/isaac-sim:5.1.0"}})
    found = {one.rule: one for one in judge([world], own())}
    assert "bundle-not-named" in found
    assert found["no-pandas"].message == "pandas>=2 on Python 3.11"
    assert found["no-pandas"].source == "our own handbook (claimed 2026-01-31)"
    assert found["no-pandas"].mark == world.variant.marks["python", "requirements", 0]


def test_what_is_true_of_two_variants_is_said_once():
    worlds = [made(PANDAS, variant=f"linux-{arch}-cpu") for arch in ("amd64", "arm64")]
    (found,) = judge(worlds, own())
    assert found.variants == ("linux-amd64-cpu", "linux-arm64-cpu")


def test_the_worst_comes_first():
    world = made(
        PANDAS,
        {"entrypoint": ["sh", "-c", "x"], "hardware": {"gpus": ["sm_120"]}},
        variant="linux-amd64-cu126",
    )
    said = [(one.severity, one.rule) for one in judge([world], own())]
    assert said == [
        ("error", "cuda-of-gpu"),
        ("warning", "no-pandas"),
        ("warning", "entrypoint-by-shell"),
    ]


def test_a_waiver_keeps_the_finding_with_its_reason():
    (found,) = judge([made(PANDAS, waiving("no-pandas"))], own())
    assert (found.rule, found.waived) == ("no-pandas", "we know")


def test_a_waiver_of_no_rule():
    (found,) = judge([made(waiving("no-panda"))], own())
    assert (found.rule, found.severity) == ("waiver-unknown", "warning")
    assert found.fixes == ("did you mean no-pandas?",)


def test_a_waiver_that_waives_nothing():
    (found,) = judge([made(waiving("no-pandas"))], own())
    assert (found.rule, found.mark and found.mark.line) == ("waiver-idle", 14)


def test_a_waiver_that_one_variant_needs_is_not_idle():
    wanted = {"python": {"requirements": ["pandas ; platform_machine == 'aarch64'"]}}
    worlds = [
        made(wanted, waiving("no-pandas"), variant=f"linux-{arch}-cpu")
        for arch in ("amd64", "arm64")
    ]
    assert [one.waived for one in judge(worlds, own())] == ["we know"]


def test_without_a_lock_nobody_knows_whether_a_waiver_about_locks_is_idle():
    assert judge([made(waiving("bundled-again"))], own()) == ()
    (found,) = judge([made(waiving("bundled-again"), locked={})], own())
    assert found.rule == "waiver-idle"


def test_what_covers_another_says_it_alone_at_the_same_place():
    covering = OWN + OWN.split("rules:\n")[1].replace("no-pandas", "no-old-pandas").replace(
        "    why: we", "    covers: [no-pandas]\n    why: we"
    )
    assert [one.rule for one in judge([made(PANDAS)], own(covering))] == ["no-old-pandas"]


def test_values_that_cannot_be_told_are_said_so():
    text = changed("{requirement} on Python {python}", "torch is {torch}, {isaac-sim.numpy}")
    (found,) = judge([made(PANDAS)], own(text))
    assert found.message == "torch is (not known), (not known)"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "requires: [pandas]",
            "require: [pandas]",
            "6:13: rules.when: unknown key 'require' // did you mean requires? known here: all, any, architecture",
        ),
        (
            "requires: [pandas]",
            "requires: pandas",
            "6:13: rules.when.requires: expected a list; found 'pandas' // a list of one: [pandas]",
        ),
        (
            "requires: [pandas]",
            "requires: [pandas=2]",
            "6:24: 'pandas=2' is no package with versions: '=2' is no version specifier // numpy>=2, or numpy alo",
        ),
        (
            "requires: [pandas]",
            "isaac-sim: 5 and up",
            "6:13: '5 and up' are no versions: '5 and up' is no version specifier // write them as pip does: >=1.",
        ),
        (
            "requires: [pandas]",
            "compare: { value: isaac-sim.nunpy, is: equal, than: numpy }",
            "6:24: isaac-sim has no fact 'nunpy' // did you mean numpy? known: architectures, base, bundle, bundl",
        ),
        (
            "requires: [pandas]",
            "compare: { value: python, is: newer, than: 3.x }",
            "6:50: '==3.x' are no versions: Invalid version: '3.x' // write them as pip does: >=1.0,<2",
        ),
        (
            "requires: [pandas]",
            "known: [pyton]",
            "6:21: no value is called 'pyton' // did you mean python? known: architecture, cuda, distribution, dr",
        ),
        (
            "requires: [pandas]",
            "known: [isaac-simm.numpy]",
            "6:21: 'isaac-simm' in 'isaac-simm.numpy' is neither a product nor package // did you mean isaac-sim?",
        ),
        (
            "requires: [pandas]",
            "barred: { package: numpy, version: isaac-sim.nump }",
            "6:39: isaac-sim has no fact 'nump' // did you mean numpy? known: architectures, base, bundle, bundle",
        ),
        (
            "requires: [pandas]",
            "contract: { peer-numpy: two }",
            "6:25: 'two' are no versions: 'two' is no version specifier // write them as pip does: >=1.0,<2",
        ),
        (
            "requires: [pandas]",
            "not: { any: [{ bounded: ['~=2'] }] }",
            "6:38: '~=2' is no package with versions: no package name in '~=2' // numpy>=2, or numpy alone",
        ),
        (
            "requires: [pandas]",
            "not: {}",
            "6:13: an empty condition // say what must hold: isaac-sim: '>=5,<6'",
        ),
        (
            "requires: [pandas]",
            "",
            "6:5: an empty condition // say what must hold: isaac-sim: '>=5,<6'",
        ),
        (
            "{requirement} on",
            "{requirment} on",
            "7:5: {requirment} has no value here // did you mean {requirement}? the condition finds {package}, {r",
        ),
        (
            "    why: we",
            "    at: pyton.version\n    why: we",
            "8:5: a profile has no key 'pyton' // did you mean python?",
        ),
        (
            "    why: we",
            "    covers: [numpy-loos]\n    why: we",
            "8:14: no rule is called 'numpy-loos' // did you mean numpy-loose?",
        ),
        (
            "id: no-pandas",
            "id: numpy-loose",
            "3:5: the id 'numpy-loose' is that of a rule of envbuild's own // give yours another id; a profile ca",
        ),
        (
            "id: no-pandas",
            "id: waiver-idle",
            "3:5: the id 'waiver-idle' is that of a rule of envbuild's own // give yours another id; a profile ca",
        ),
        (
            "severity: warning",
            "severity: warn",
            "4:5: rules.severity: expected one of error, note, warning; found 'warn' // did you mean warning?",
        ),
        ("    why: we have polars\n", "", "3:5: rules: why is missing // why is a sentence"),
    ],
)
def test_problems_of_a_rule(old, new, said):
    assert old != "requires: [pandas]" or "requirement" not in new
    text = changed(old, new)
    if old == "requires: [pandas]":
        text = text.replace("{requirement} on ", "")
    (only,) = problems(text)
    assert only.startswith(f"{LABEL}0:{said}")


def test_all_problems_of_all_files_come_at_once():
    two = changed("requires: [pandas]", "requires: [pandas=2]").replace("{python}", "{pyton}")
    found = problems(two, "rules: [\n", OWN)
    assert [one.split(":")[0] for one in found] == [
        f"{LABEL}0",
        f"{LABEL}0",
        f"{LABEL}1",
        f"{LABEL}2",
    ]
    assert "stands twice" in found[-1]


def test_a_hostile_version_takes_no_time():
    assert problems(changed("[pandas]", f"[pandas=={'1.' * 90}x]"))
