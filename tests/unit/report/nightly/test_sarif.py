"""What failed in a night, as SARIF."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from envbuild.history.model import Diagnosis, Part
from envbuild.report import plain
from envbuild.report.nightly import sarif
from tests.support.nights import hostile, night, profile, stage, variant

FILES = {"one": "envs/robots/one.yaml"}
KNOWN = Diagnosis(id="numpy-abi", title="Another NumPy", fix="Pin it")


def results(*profiles, files=FILES):
    log = json.loads(msgspec.json.encode(sarif.log(night(profiles=profiles), files, version="1")))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for one in run["results"]:
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
        assert one["level"] in ("error", "warning")
        assert re.fullmatch("[0-9a-f]{32}", one["partialFingerprints"]["envbuild/v1"])
    assert len({rule["id"] for rule in rules}) == len(rules)
    return run["results"]


def place(result) -> tuple[str, int, int]:
    (found,) = result["locations"]
    where = found["physicalLocation"]
    region = where.get("region", {})
    return (
        where["artifactLocation"]["uri"],
        region.get("startLine", 0),
        region.get("startColumn", 0),
    )


def test_a_good_night_has_no_result():
    assert results(profile(), profile("two", "not-run")) == []


def test_a_failed_smoke_test_stands_at_the_file_of_its_profile():
    part = Part(name="import torch", status="fail", reason="no module")
    smoke = stage("smoke", "fail", "1 of 1 failed", parts=(part,))
    (one,) = results(profile(variants=(variant(smoke),)))
    assert place(one) == ("envs/robots/one.yaml", 1, 1)
    assert one["ruleId"] == "nightly/smoke/import-torch"
    assert one["message"]["text"] == "one/linux-amd64-cpu: smoke import torch: no module"


def test_a_finding_with_a_place_stands_there():
    part = Part(name="numpy-loose", status="warn", reason="it mixes", place="envs/x.yaml:7:3")
    (one,) = results(profile(stages=(stage("check", "warn", parts=(part,)),)))
    assert place(one) == ("envs/x.yaml", 7, 3)
    assert one["level"] == "warning"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ("envs/robots/one.yaml", 1, 1)),
        ("envs/x.yaml", ("envs/x.yaml", 1, 1)),
        ("envs/x.yaml:9", ("envs/x.yaml", 9, 1)),
        ("shipped:envs/x.yaml:9:2", ("envs/x.yaml", 9, 2)),
        ("a b:0:0", ("a%20b%3A0%3A0", 1, 1)),
        ("/opt/x.py", ("file:///opt/x.py", 0, 0)),
    ],
)
def test_places(text, found):
    part = Part(name="x", status="fail", place=text)
    (one,) = results(profile(stages=(stage("check", "fail", parts=(part,)),)))
    assert place(one) == found


def test_a_stage_that_failed_as_a_whole_is_one_result_with_its_diagnosis():
    failed = stage("build", "fail", "exit status 1", diagnosis=(KNOWN,))
    (one,) = results(profile("gone", variants=(variant(failed),)))
    assert (one["ruleId"], one["level"]) == ("numpy-abi", "error")
    assert one["message"]["text"].endswith("build: exit status 1. Fix: Pin it")
    assert place(one) == ("envs/gone.yaml", 1, 1)


def test_a_stage_that_failed_beside_a_warning_part_is_told_too():
    parts = (Part(name="x", status="warn"),)
    found = results(profile(stages=(stage("audit", "fail", "it stopped", parts=parts),)))
    assert [one["level"] for one in found] == ["error", "warning"]


def test_a_finding_stays_the_same_when_its_words_move():
    def prints(reason):
        (one,) = results(profile(stages=(stage("lock", "fail", reason),), variants=()))
        return one["partialFingerprints"]

    assert prints("numpy 1") == prints("numpy 2")


def test_no_more_than_a_forge_shows_and_the_failures_first():
    parts = tuple(
        Part(name=f"t{number}", status="warn" if number % 2 else "fail")
        for number in range(sarif.MOST + 2000)
    )
    found = results(profile(stages=(stage("check", "fail", parts=parts),)))
    assert len(found) == sarif.MOST
    assert sum(one["level"] == "error" for one in found) == (sarif.MOST + 2000) // 2


def test_a_hostile_night_is_plain_text():
    text = plain.as_json(sarif.log(hostile(), {}, version="1"))
    assert text.replace("\n", "").isprintable()
    assert not re.search(r"\\u(001b|0000|202e)", text)
    for rule in json.loads(text)["runs"][0]["tool"]["driver"]["rules"]:
        assert re.fullmatch(r"[A-Za-z0-9._/-]+", rule["id"])
