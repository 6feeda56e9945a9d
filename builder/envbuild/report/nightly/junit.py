"""A night as JUnit's XML, which every CI shows. Pure.

One suite a profile and one a variant; its stages are cases, and so are the parts that a stage
looked at. What was not run is skipped, with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from xml.etree import ElementTree as ET

from msgspec import Struct

from envbuild.history.model import Diagnosis, Night, StageResult, Status

_LAST_SECOND = 253402300799.0


class _Case(Struct, frozen=True, kw_only=True):
    """One case, of a stage or of a part of one."""

    group: str
    name: str
    status: Status
    reason: str
    seconds: float
    kind: str = ""
    details: str = ""


def junit(night: Night) -> bytes:
    """The report of a night, in UTF-8."""
    suites = ET.Element("testsuites", name=f"envbuild nightly {_plain(night.name)}")
    every: list[_Case] = []
    for profile in night.profiles:
        for name, stages in (
            (profile.profile, profile.stages),
            *((f"{profile.profile}.{one.variant}", one.stages) for one in profile.variants),
        ):
            if stages:
                cases = [case for stage in stages for case in _cases(name, stage)]
                _suite(suites, night, name, cases)
                every += cases
    for key, value in _counted(every).items():
        suites.set(key, value)
    ET.indent(suites)
    text: str = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _cases(suite: str, stage: StageResult) -> Iterable[_Case]:
    """A stage, then its parts. A time is counted once: what its parts took is not the stage's."""
    inner = sum(part.seconds for part in stage.parts)
    known = stage.diagnosis[0].id if stage.diagnosis else ""
    yield _Case(
        group=suite,
        name=stage.stage,
        status=stage.status,
        reason=stage.reason,
        seconds=max(stage.seconds - inner, 0.0),
        kind=known,
        details="\n".join(
            filter(None, (*map(_diagnosis, stage.diagnosis), stage.hint, *stage.tail))
        ),
    )
    for part in stage.parts:
        yield _Case(
            group=f"{suite}.{stage.stage}",
            name=part.name,
            status=part.status,
            reason=part.reason,
            seconds=part.seconds,
            details=part.place,
        )


def _diagnosis(one: Diagnosis) -> str:
    return " ".join(filter(None, (f"{one.id}: {one.title}.", one.fix)))


def _suite(suites: ET.Element, night: Night, name: str, cases: list[_Case]) -> None:
    about = {"hostname": _plain(night.machine), "timestamp": _moment(night.began)}
    suite = ET.SubElement(suites, "testsuite", {"name": _plain(name), **_counted(cases), **about})
    for case in cases:
        _write(suite, case)


def _write(suite: ET.Element, case: _Case) -> None:
    element = ET.SubElement(
        suite,
        "testcase",
        classname=_plain(case.group),
        name=_plain(case.name),
        time=f"{case.seconds:.3f}",
    )
    if case.status == "fail":
        kind = _plain(case.kind) or "failed"
        failure = ET.SubElement(element, "failure", message=_plain(case.reason), type=kind)
        failure.text = _plain(case.details)
    elif case.status == "not-run":
        ET.SubElement(element, "skipped", message=_plain(case.reason))
    elif case.status == "warn":
        said = f"warning: {case.reason}\n{case.details}".rstrip("\n")
        ET.SubElement(element, "system-out").text = _plain(said)


def _counted(cases: list[_Case]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.status == "fail" for case in cases)),
        "errors": "0",
        "skipped": str(sum(case.status == "not-run" for case in cases)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _moment(seconds: float) -> str:
    """As JUnit's schema wants it: no zone; it is UTC."""
    held = min(max(seconds, 0.0), _LAST_SECOND)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(held))


def _plain(text: str) -> str:
    """The text in characters that XML may hold."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
