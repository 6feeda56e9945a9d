"""A night as JSON data."""

from __future__ import annotations

import json

from envbuild.history.model import Image, Night
from envbuild.lock.moves import Move
from envbuild.report import plain
from envbuild.report.nightly import forms
from tests.support.nights import BEGAN, DAY, hostile, night, profile, stage, variant


def written(nights: list[Night], shown: Night, **more: object):
    form = forms.report(nights, shown, version="1.2.3", **more)  # type: ignore[arg-type]
    return json.loads(plain.as_json(form))


def test_the_form_of_a_night():
    image = Image(reference="one:latest", identity="sha256:1", engine="podman", size=7)
    move = Move(risk="abi", what="numpy", old="1.26.4", new="2.0.0", why="majors")
    failed = stage("smoke", "fail", "torch: no", hint="look", tail=("boom",), log_size=9)
    one = profile(
        variants=(variant(stage("build"), failed, image=image),), lock="sha256:2", moves=(move,)
    )
    nights = [night(0), night(1, [one, profile("two", "not-run")])]
    found = written(nights, nights[1], broken=("nights/x.json: it is cut off",))
    assert (found["format"], found["envbuild"]) == (1, "1.2.3")
    assert found["broken"] == ["nights/x.json: it is cut off"]
    shown = found["night"]
    assert shown["name"] == "night-1"
    assert shown["began"] == "2026-11-19T11:06:40Z"
    assert shown["seconds"] == 60
    assert shown["status"] == "fail"
    assert shown["counts"] == {"passed": 5, "warned": 0, "failed": 1, "not-run": 1}
    first, second = shown["profiles"]
    assert (first["status"], first["good"]) == ("fail", False)
    assert (first["last-good"], first["first-bad"]) == ("night-0", "night-1")
    assert first["moves"][0]["what"] == "numpy"
    (built,) = first["variants"]
    assert built["image"]["reference"] == "one:latest"
    assert [one["stage"] for one in built["stages"]] == ["build", "smoke"]
    assert built["stages"][1]["tail"] == ["boom"]
    assert built["stages"][1]["log-size"] == 9
    assert second["variants"][0]["status"] == "not-run"
    assert [one["name"] for one in found["history"]] == ["night-0", "night-1"]
    assert found["history"][1]["profiles"] == {"one": "fail", "two": "pass"}


def test_nights_after_the_one_that_is_shown_do_not_judge_it():
    nights = [night(0, [profile(status="fail")]), night(1)]
    (one,) = written(nights, nights[0])["night"]["profiles"]
    assert (one["last-good"], one["first-bad"]) == ("", "night-0")


def test_a_moment_is_rfc_3339_or_nothing():
    assert forms.moment(BEGAN + DAY) == "2026-11-19T11:06:40Z"
    assert [forms.moment(bad) for bad in (0.0, -1.0, 1e30, float("nan"))] == [""] * 4


def test_a_hostile_night_is_plain_text():
    one = hostile()
    text = plain.as_json(forms.report([one], one, version="1"))
    assert text.replace("\n", "").isprintable()
    assert json.loads(text)["night"]["name"] == one.name
