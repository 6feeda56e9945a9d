"""A report as JUnit's XML, which every CI shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from envbuild.smoke.model import CheckResult, SmokeReport


def junit(reports: Iterable[SmokeReport]) -> bytes:
    """One suite an image, one case a check; what was not run is skipped, with the reason."""
    listed = tuple(reports)
    suites = ET.Element("testsuites", name="envbuild smoke")
    for report in listed:
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=f"{report.profile}.{report.variant}",
            tests=str(len(report.checks) + len(report.lost)),
            failures=str(report.count("fail")),
            errors=str(len(report.lost)),
            skipped=str(report.count("not-run")),
            time=f"{report.seconds:.3f}",
        )
        for check in report.checks:
            _case(suite, report, check)
        for name in report.lost:
            place = f"{report.profile}.{report.variant}.shards"
            case = ET.SubElement(suite, "testcase", classname=place, name=name, time="0.000")
            ET.SubElement(case, "error", message=f"shard {name} has no result", type="shard")
    ET.indent(suites)
    text: str = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _case(suite: ET.Element, report: SmokeReport, check: CheckResult) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"{report.profile}.{report.variant}.{check.test}",
        name=check.name,
        time=f"{check.seconds:.3f}",
    )
    cause = next((one for one in report.causes if one.id == check.diagnosis), None)
    about = f"{check.diagnosis}: {cause.title}. {cause.fix}" if cause else ""
    details = "\n".join(filter(None, (about, *check.lines)))
    if check.verdict == "fail":
        kind = check.diagnosis or "failed"
        failure = ET.SubElement(case, "failure", message=_plain(check.reason), type=kind)
        failure.text = _plain(details)
    elif check.verdict == "not-run":
        ET.SubElement(case, "skipped", message=_plain(check.reason))
    elif check.verdict == "warn":
        ET.SubElement(case, "system-out").text = _plain(f"warning: {check.reason}\n{details}")


def _plain(text: str) -> str:
    """The text in characters that XML may hold."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
