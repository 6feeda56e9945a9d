"""What stages came to, from what their processes said."""

from __future__ import annotations

import pytest

from envbuild.nightly import image_verdicts, verdicts
from envbuild.nightly.calling import Called
from envbuild.report.plain import printable


def called(code: int = 0, data: object = None, *tail: str, **more: object) -> Called:
    return Called(code=code, data=data, seconds=2.0, tail=tail, **more)


FINDING = {
    "rule": "eula-not-stated",
    "severity": "error",
    "message": "it is not stated",
    "why": "it asks",
    "fixes": ["state it"],
    "mark": {"file": "envs/a.yaml", "line": 3, "column": 1},
    "waived": None,
}


def test_findings_are_parts_and_the_worst_is_the_reason():
    warning = FINDING | {"rule": "user-site", "severity": "warning", "message": "not set"}
    data = {"findings": [warning, FINDING, FINDING | {"waived": "known"}], "unpinned": {}}
    judged = verdicts.rules("check", called(1, data), strict=False)
    assert judged.result.status == "fail"
    assert judged.result.reason == "eula-not-stated: it is not stated (and 1 more)"
    assert judged.result.hint == "state it"
    assert [(one.status, one.place) for one in judged.result.parts] == [
        ("warn", "envs/a.yaml:3"),
        ("fail", "envs/a.yaml:3"),
    ]
    assert "  fix: state it" in judged.lines


@pytest.mark.parametrize(("strict", "code", "status"), [(False, 0, "warn"), (True, 1, "fail")])
def test_strict_makes_a_warning_a_failure(strict, code, status):
    data = {"findings": [FINDING | {"severity": "warning"}], "unpinned": {}}
    assert verdicts.rules("check", called(code, data), strict=strict).result.status == status


def test_what_is_not_pinned_is_a_warning_of_check_alone():
    data = {"findings": [], "unpinned": {"a": {"v": [{"what": "ubuntu:22.04", "why": "a tag"}]}}}
    assert verdicts.rules("check", called(0, data), strict=False).result.status == "warn"
    assert verdicts.rules("audit", called(0, data), strict=False).result.status == "pass"


def test_without_data_the_first_error_is_the_reason():
    tail = (
        "an error: x",
        "envs/a.yaml:3:5: error: unknown key",
        "  hint: did you mean x?",
        "error: 1",
    )
    judged = verdicts.rules("check", called(2, None, *tail), strict=False)
    assert judged.result.reason == "envs/a.yaml:3:5: unknown key"
    assert judged.result.hint == "did you mean x?"


def test_without_any_word_the_exit_status_is_said():
    assert verdicts.render(called(3)).result.reason == "it could not be rendered (exit status 3)"


@pytest.mark.parametrize(
    ("ended", "over", "status", "words"),
    [
        (called(-9), False, "fail", "SIGKILL"),
        (called(-11), False, "fail", "SIGSEGV"),
        (called(-2, timed_out=True), True, "not-run", "the night's time was over"),
        (called(-2, timed_out=True), False, "fail", "did not end by itself"),
        (called(4, None, "error: this is a bug in envbuild: KeyError"), False, "fail", "a bug"),
    ],
)
def test_what_did_not_end_of_its_own(ended, over, status, words):
    result = verdicts.unfinished("build", ended, over=over)
    assert result is not None
    assert result.status == status
    assert words in result.reason


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_what_ended_of_its_own_is_judged_by_what_it_said(code):
    assert verdicts.unfinished("build", called(code), over=False) is None


def test_a_lock_that_cannot_be_made():
    outcome = {"kind": "unsatisfiable", "text": "no\nsolution"}
    row = {"profile": "a", "status": "failed"}
    row |= {"variants": [{"variant": "v", "outcome": outcome, "seconds": 1.5}]}
    judged = verdicts.lock(called(1, [row], "error: a/v: no set of versions"), "a")
    assert judged.result.reason == "a/v: no set of versions"
    (part,) = judged.result.parts
    assert (part.status, part.reason, part.seconds) == ("fail", "unsatisfiable: no solution", 1.5)


def test_a_profile_that_cannot_be_begun():
    row = {"profile": "a", "status": "failed", "variants": [], "problems": ["envs/a.yaml:1:1: x"]}
    judged = verdicts.lock(called(2, [row]), "a")
    assert judged.result.reason == "envs/a.yaml:1:1: x"


def test_a_lock_of_another_profile_is_no_answer():
    row = {"profile": "b", "status": "written", "variants": []}
    assert verdicts.lock(called(0, [row]), "a").result.status == "fail"


BUILT = {
    "variant": "v",
    "status": "built",
    "reason": "new",
    "reference": "a:v-nightly",
    "identity": "sha256:1",
    "engine": "podman 4.3.1",
    "size": 2_000_000,
    "digest": "",
}


def test_an_image():
    judged = image_verdicts.build(called(0, [BUILT]), "v")
    assert judged.result.reason == "built, 2 MB: new"
    assert judged.image is not None
    assert (judged.image.reference, judged.image.size) == ("a:v-nightly", 2_000_000)


def test_an_image_that_was_not_built_has_its_diagnosis():
    row = {"variant": "v", "status": "failed", "message": "the engine failed", "hint": "look"}
    row |= {"diagnosis": [{"id": "disk-full", "title": "no space", "fix": "free some"}]}
    judged = image_verdicts.build(called(3, [row]), "v")
    assert (judged.result.status, judged.result.hint) == ("fail", "look")
    assert judged.result.diagnosis[0].fix == "free some"
    assert judged.image is None


def test_exit_0_without_an_image_is_not_passed():
    assert image_verdicts.build(called(0, []), "v").result.status == "fail"
    assert image_verdicts.build(called(0, [BUILT | {"identity": ""}]), "v").result.status == "fail"


def check(verdict: str, **more: object) -> dict[str, object]:
    return {"test": "t", "name": verdict, "id": f"t/{verdict}", "verdict": verdict, **more}


@pytest.mark.parametrize(
    ("verdicts_", "ok", "code", "status"),
    [
        (["pass", "not-run"], True, 0, "pass"),
        (["pass", "warn"], True, 0, "warn"),
        (["pass", "fail"], False, 1, "fail"),
        (["not-run", "not-run"], True, 0, "not-run"),
        (["pass"], False, 1, "fail"),
        (["pass"], True, 3, "fail"),
    ],
)
def test_tests_of_an_image(verdicts_, ok, code, status):
    data = {"reports": [{"ok": ok, "checks": [check(one) for one in verdicts_], "causes": []}]}
    assert image_verdicts.smoke(called(code, data)).result.status == status


def test_a_failed_test_has_its_cause_and_its_lines():
    failed = check("fail", reason="ImportError", lines=["Traceback", "x\x1b[31m"])
    cause = {"id": "numpy-mixed", "title": "NumPy is mixed", "fix": "pin it"}
    data = {"reports": [{"ok": False, "checks": [failed], "causes": [cause]}]}
    judged = image_verdicts.smoke(called(1, data))
    assert judged.result.reason == "NumPy is mixed (1 failed)"
    assert judged.lines[1:] == ("    | Traceback", "    | x?[31m")


def test_no_answer_about_an_image():
    judged = image_verdicts.smoke(called(2, None, "error: a has no lock"))
    assert judged.result.reason == "a has no lock"


HOSTILE = ["<script>", "\x1b]0;title\x07", "a\nb", "\u202e", "x" * 100_000, None, 7, [], {}, True]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_data_is_a_line_of_text(value):
    wrong = {"profile": "a", "status": value, "variants": [{"variant": value, "outcome": value}]}
    finding = FINDING | {"message": value, "rule": value, "mark": value, "fixes": value}
    rules = {"findings": [finding, value], "unpinned": {"a": {"v": [{"what": value}]}}}
    smoke = {"reports": [{"ok": value, "checks": [check("pass", reason=value)], "missing": value}]}
    tail = (str(value),)
    for judged in (
        verdicts.lock(called(1, [wrong], *tail), "a"),
        verdicts.rules("check", called(1, rules, *tail), strict=False),
        image_verdicts.build(called(1, [{"variant": "v", "message": value}], *tail), "v"),
        image_verdicts.build(called(0, [BUILT | {"reference": value, "size": value}]), "v"),
        image_verdicts.smoke(called(0, smoke, *tail)),
    ):
        texts = [judged.result.reason, *(part.reason for part in judged.result.parts)]
        assert all(printable(text) == text and len(text) < 600 for text in texts)


def test_a_flood_of_findings_is_bounded():
    data = {"findings": [FINDING] * 5000, "unpinned": {}}
    assert len(verdicts.rules("check", called(1, data), strict=False).result.parts) == 400
