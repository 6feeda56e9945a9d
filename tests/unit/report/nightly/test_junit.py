"""A night as JUnit's XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from envbuild.history.model import Diagnosis, Part
from envbuild.report.nightly.junit import junit
from tests.support.nights import hostile, night, profile, stage, variant

KNOWN = Diagnosis(id="numpy-abi", title="Another NumPy", fix="Pin it")


def suites(one) -> ET.Element:
    return ET.fromstring(junit(one))


def example() -> ET.Element:
    smoke = stage(
        "smoke",
        "fail",
        "1 of 3 failed",
        seconds=9.0,
        hint="look",
        tail=("Traceback", "boom"),
        diagnosis=(KNOWN,),
        parts=(
            Part(name="import torch", status="fail", reason="no", seconds=2, place="p.py:3"),
            Part(name="import numpy", status="pass", seconds=1),
            Part(name="gpu", status="not-run", reason="this machine has no GPU"),
        ),
    )
    own = (stage("check", "warn", "a waiver is idle"), stage("lock"))
    one = profile(stages=own, variants=(variant(stage("build"), smoke),))
    return suites(night(profiles=[one, profile("two", stages=(), variants=())]))


def test_suites_are_profiles_and_variants():
    root = example()
    assert (root.tag, root.get("name")) == ("testsuites", "envbuild nightly night-0")
    assert [suite.get("name") for suite in root] == ["one", "one.linux-amd64-cpu"]
    first = root[0]
    assert (first.get("hostname"), first.get("timestamp")) == ("host", "2026-11-18T11:06:40")
    assert [case.get("name") for case in first] == ["check", "lock"]
    assert first[0].findtext("system-out") == "warning: a waiver is idle"


def test_what_failed_says_why():
    _, suite = example()
    cases = {(case.get("classname"), case.get("name")): case for case in suite}
    whole = cases["one.linux-amd64-cpu", "smoke"].find("failure")
    assert whole is not None
    assert (whole.get("message"), whole.get("type")) == ("1 of 3 failed", "numpy-abi")
    assert whole.text == "numpy-abi: Another NumPy. Pin it\nlook\nTraceback\nboom"
    part = cases["one.linux-amd64-cpu.smoke", "import torch"].find("failure")
    assert part is not None
    assert (part.get("message"), part.get("type"), part.text) == ("no", "failed", "p.py:3")


def test_what_was_not_run_is_skipped_with_its_reason():
    _, suite = example()
    (skipped,) = suite.iter("skipped")
    assert skipped.get("message") == "this machine has no GPU"


def test_the_numbers_are_those_of_the_cases():
    root = example()
    for element in (root, *root):
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        assert element.get("failures") == str(len(list(element.iter("failure"))))
        assert element.get("skipped") == str(len(list(element.iter("skipped"))))
        assert element.get("errors") == "0"
        seconds = sum(float(case.get("time", "")) for case in cases)
        assert element.get("time") == f"{seconds:.3f}"
    assert root.get("time") == f"{2 + 2 + 2 + 9:.3f}"  # what the parts took is counted once


def test_a_night_without_profiles_is_a_report_too():
    root = suites(night(profiles=[]))
    assert (len(root), root.get("tests")) == (0, "0")


def test_a_hostile_night_is_whole_xml():
    root = suites(hostile())
    text = "".join(root.itertext()) + "".join(v for e in root.iter() for v in e.attrib.values())
    assert "<script>" in text
    assert not any(c in text for c in "\x1b\x00\u202e")


@given(st.text())
def test_any_text_is_whole_xml(text):
    one = stage("build", "fail", text, tail=(text,), parts=(Part(name=text, status="fail"),))
    root = suites(night(profiles=[profile(text, variants=(variant(one, name=text),))], name=text))
    assert root.get("failures") == "2"
