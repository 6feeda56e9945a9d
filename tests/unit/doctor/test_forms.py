"""What doctor found as data, SARIF and Markdown."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import given

from envbuild.doctor.model import Driver, Install
from envbuild.doctor.told import forms
from envbuild.report.plain import as_json
from envbuild.scan.binary import Binary, NumpyBuild
from envbuild.scan.model import Distribution, Module, Order
from tests.unit.doctor.test_telling import BUNDLE, HOSTILE, SITE, finding, numpy, told


def data(*findings, **changes):
    return json.loads(as_json(forms.data(told(*findings, **changes), version="1.2")))


def module(name, build=None, *, gpus=()):
    needed = ("libcudart.so.12", "libc.so.6") if gpus else ("libc.so.6",)
    demands = (("GLIBC", "2.34" if gpus else "2.9"),)
    binary = Binary(machine="x86_64", numpy=build, gpus=gpus, needed=needed, demands=demands)
    path = f"{SITE}/{name}.so"
    return Module(path=path, site=SITE, distribution="scipy", tag="cpython-311", binary=binary)


def test_the_data_says_its_form_and_counts():
    found = data(finding(), finding(severity="note"))
    assert (found["schema"], found["envbuild"]) == (1, "1.2")
    assert (found["errors"], found["warnings"], found["notes"]) == (1, 0, 1)
    assert found["driver"] is None
    assert [one["severity"] for one in found["findings"]] == ["error", "note"]


def test_the_data_is_the_same_however_long_it_took():
    assert data(finding(), seconds=1.0) == data(finding(), seconds=2.0)


def test_winners_stand_for_each_launcher():
    (won,) = data()["examined"]["winners"]
    assert won == {
        "package": "numpy",
        "launcher": "python",
        "launcher-path": "/opt/lab/bin/python",
        "before": {"version": "2.2.6", "path": f"{SITE}/numpy"},
        "after": {"version": "1.26.0", "path": f"{BUNDLE}/numpy"},
    }


def test_who_has_no_winner_has_null():
    alone = numpy("1.26.0", BUNDLE)
    order = Order(launcher="python", path="/p", python="3.11", before=(SITE,), after=(BUNDLE,))
    (won,) = data(distributions=(alone,), orders=(order,))["examined"]["winners"]
    assert (won["before"], won["after"]["version"]) == (None, "1.26.0")


def test_modules_are_counted_by_what_they_were_built_for():
    old = NumpyBuild(generation=1, how="cython")
    new = NumpyBuild(generation=2, how="c-api", since="1.9")
    newer = NumpyBuild(generation=2, how="c-api", since="1.23")
    modules = (module("a", old, gpus=("sm_90",)), module("b", new), module("c", newer), module("d"))
    assert data(modules=modules)["examined"]["built"] == [
        {
            "distribution": "scipy",
            "site": SITE,
            "modules": 4,
            "numpy-1": 1,
            "numpy-2": 2,
            "since": "1.23",
            "gpus": ["sm_90"],
            "cuda": ["12"],
            "tags": ["cpython-311"],
            "glibc": "2.34",
            "glibcxx": "",
        }
    ]


def test_actions_and_the_driver_are_in_the_data():
    action = Install(site=SITE, distribution="numpy", version="1.26.0", found="2.2.6")
    found = data(finding(actions=(action,)), driver=Driver(version="580.65.06"))
    assert found["findings"][0]["actions"][0]["type"] == "install"
    assert found["driver"] == {"version": "580.65.06", "gpus": []}


def sarif(*findings, **changes):
    log = forms.as_sarif(told(*findings, **changes), version="1.2")
    return json.loads(msgspec.json.encode(log))["runs"][0]


def test_sarif_points_at_files_without_a_line():
    (result,) = sarif(finding())["results"]
    places = [one["physicalLocation"]["artifactLocation"]["uri"] for one in result["locations"]]
    assert places == [f"file://{SITE}/numpy", f"file://{BUNDLE}/numpy"]
    assert "region" not in result["locations"][0]["physicalLocation"]
    text = result["message"]["text"]
    assert "Expect: AttributeError: module 'numpy' has no attribute '_no_nep50_warning'" in text
    assert "Fix: /opt/lab/bin/python -m pip install numpy==1.26.0 Or: a constraint keeps it" in text


def test_sarif_knows_a_finding_again_and_tells_two_apart():
    one, again, other = (
        sarif(found)["results"][0]["partialFingerprints"]["envbuild/v1"]
        for found in (finding(), finding(why="in other words"), finding(what="another"))
    )
    assert one == again != other


def test_sarif_of_nothing():
    run = sarif(site="1.26.0")
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])


def markdown(*findings, **changes):
    return forms.as_markdown(told(*findings, **changes), version="1.2")


def test_markdown_in_full():
    assert markdown(finding(where=("/a", "/b"))).splitlines() == [
        "### `envbuild doctor`: 1 finding: 1 error",
        "",
        (
            "/opt/lab: Isaac Sim 5.1.0 (pip) in a conda prefix, Python 3.11, 2 sites, "
            "2 distributions, 0 compiled modules"
        ),
        "",
        (
            "#### 1. error: NumPy 2.2.6 wins before the app starts, and 1.26.0 after it "
            "(`numpy-two-winners`)"
        ),
        "",
        "- **where**:",
        "  - `/a`",
        "  - `/b`",
        "- **why**: modules of one NumPy import modules of the other one",
        "- **expect**: `AttributeError: module 'numpy' has no attribute '_no_nep50_warning'`",
        "- **hits**: `isaacsim.sensors.camera`, `isaaclab&#95;assets`".replace("&#95;", "_"),
        "- **how sure**: proven",
        "- **fix**:",
        "  - `/opt/lab/bin/python -m pip install numpy==1.26.0`",
        "  - a constraint keeps it",
        "- **source**: IsaacLab#\u200b4224",
        "",
        "envbuild 1.2",
    ]


@pytest.mark.parametrize("text", ["a`b|c", "@someone", "<img src=x>", "[x](http://y)", "a\nb\n# c"])
def test_markdown_marks_nothing_up(text):
    shown = markdown(
        finding(what=text, where=(f"/{text}",), why=text, hits=(text,), expect=(text,))
    )
    outside = re.sub(r"`[^`\n]*`", "", shown)  # what is code marks nothing up
    for marked in ("<img", "@someone", "](http", "\n# c", "a`b"):
        assert marked not in outside


@given(HOSTILE, HOSTILE)
def test_no_name_breaks_a_form(name, label):
    odd = Distribution(name=name, version=name, site=SITE, package=f"/{name}")
    found = finding(
        what=name, where=(f"/{name}",), why=name, expect=(name,), hits=(name,), repair=(name,)
    )
    answer = told(found, label=label, distributions=(odd, odd), outside=(name,), lock=name)
    for shown in (
        as_json(forms.data(answer, version="1")),
        as_json(forms.as_sarif(answer, version="1")),
        forms.as_markdown(answer, version="1").replace("\u200b", ""),
    ):
        assert shown.replace("\n", "").isprintable()
        shown.encode()
