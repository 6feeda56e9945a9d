"""A report as lines, as data, and as JUnit's XML."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from envbuild.smoke import junit, telling
from envbuild.smoke.model import Cause, CheckResult, SmokeReport

CAUSE = Cause(
    id="disk-full",
    title="The disk is full",
    cause="no space is left",
    proves=("it is full",),
    fix="free some",
    fix_for="",
    checks=("a/import:x",),
)
REPORT = SmokeReport(
    profile="one",
    variant="linux-amd64-cpu",
    image="one:x",
    engine="podman",
    seconds=3.25,
    checks=(
        CheckResult(test="static", name="packages", verdict="pass", reason="3 packages"),
        CheckResult(
            test="a",
            name="import:x",
            verdict="fail",
            reason="OSError: \x1b[31mfull",
            seconds=1.5,
            diagnosis="disk-full",
            lines=("Traceback", "OSError: full"),
        ),
        CheckResult(test="a", name="close", verdict="warn", reason="slow"),
        *(
            CheckResult(test="b", name=name, verdict="not-run", reason="needs a GPU (none)")
            for name in ("launch", "import:y")
        ),
    ),
    causes=(CAUSE,),
)


def test_one_line_a_check_and_one_for_what_is_not_run_for_one_reason():
    said = [text for text, _ in telling.lines(REPORT)]
    assert "  pass    static/packages: 3 packages" in said
    assert "  not run b/*: needs a GPU (none) (2 checks)" in said
    assert any(text.startswith("  FAIL    a/import:x [disk-full]: OSError") for text in said)
    assert "            | Traceback" in said
    assert "   fix: free some" in said


def test_a_long_traceback_is_cut_at_its_beginning():
    lines = tuple(f"line {number}" for number in range(50))
    one = CheckResult(test="a", name="x", verdict="fail", reason="r", lines=lines)
    said = [text for text, _ in telling.lines(SmokeReport(**_with(one)))]
    assert "            | line 49" in said
    assert "            | … 38 more lines (--json)" in said
    assert "            | line 0" not in said


def _with(*checks):
    return {"profile": "p", "variant": "v", "image": "i", "engine": "e", "checks": checks}


def test_the_summary_counts_each_verdict():
    said = telling.summary(REPORT)
    assert said == "one linux-amd64-cpu: 1 passed, 1 failed, 1 warn, 2 not run (3.2 s)"


def test_the_data_has_ids():
    data = telling.as_data(REPORT)
    assert [row["id"] for row in data["checks"]][:2] == ["static/packages", "a/import:x"]
    assert data["ok"] is False


def test_a_report_is_good_without_failures_and_with_what_is_required():
    good = SmokeReport(**_with(CheckResult(test="a", name="x", verdict="not-run")))
    assert good.ok
    assert not SmokeReport(**_with(), missing=("gpu",)).ok


def test_junit_has_a_case_for_each_check():
    text = junit.junit([REPORT])
    suite = ET.fromstring(text).find("testsuite")
    assert suite.attrib == {
        "name": "one.linux-amd64-cpu",
        "tests": "5",
        "failures": "1",
        "errors": "0",
        "skipped": "2",
        "time": "3.250",
    }
    cases = {case.get("name"): case for case in suite}
    failure = cases["import:x"].find("failure")
    assert failure.get("type") == "disk-full"
    assert failure.get("message") == "OSError: \ufffd[31mfull"
    assert "free some" in failure.text
    assert cases["launch"].find("skipped").get("message") == "needs a GPU (none)"
    assert "slow" in cases["close"].find("system-out").text
    assert cases["packages"].get("classname") == "one.linux-amd64-cpu.static"
