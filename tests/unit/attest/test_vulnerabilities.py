"""What is looked up, what an answer means, and what is ignored."""

from __future__ import annotations

import json

import pytest

from envbuild.attest import vulnerabilities
from envbuild.attest.bill import bill
from envbuild.attest.vulnerabilities import Asked, Known
from envbuild.errors import ToolError
from envbuild.report import sarif
from envbuild.tools.proc import Command, Outcome
from tests.unit.attest.samples import subject

KNOWN = Known(
    package="alpha", version="1.0", id="CVE-1", aliases=("GHSA-1",), fixed=("1.1",), text="bad"
)


def test_what_is_looked_up_and_what_is_left() -> None:
    asked = subject()
    versions, left = vulnerabilities.wanted(bill(asked), asked.locked)
    assert versions == {"alpha": "1.0", "beta": "2.0", "numpy": "1.26.0", "pip": "1.0"}
    assert left == {"conda": 2, "deb": 2, "git": 2, "image": 1, "pypi": 1}


def answer(stdout: str, *, code: int = 1, stderr: str = "") -> list[Command]:
    """What pip-audit was called with, for an answer of it."""
    seen: list[Command] = []

    def runner(command: Command) -> Outcome:
        seen.append(command)
        return Outcome(command=command, code=code, stdout=stdout, stderr=stderr, seconds=0.0)

    found, skipped = vulnerabilities.ask(
        {"alpha": "1.0"},
        Asked(service="osv", url="http://127.0.0.1:1/q"),
        environ={"PATH": "/bin", "PIP_INDEX_URL": "x"},
        runner=runner,
    )
    assert found == (KNOWN,)
    assert skipped == ("gone: not found",)
    return seen


def test_an_answer_is_read() -> None:
    said = {
        "dependencies": [
            {"name": "gone", "skip_reason": "not found"},
            {
                "name": "alpha",
                "version": "1.0",
                "vulns": [
                    {
                        "id": "CVE-1",
                        "fix_versions": ["1.1"],
                        "aliases": ["GHSA-1"],
                        "description": "bad",
                    }
                ],
            },
        ],
        "fixes": [],
    }
    (command,) = answer(json.dumps(said))
    assert command.argv[1:3] == ("-m", "pip_audit")
    assert {"--no-deps", "--disable-pip", "--osv-url=http://127.0.0.1:1/q"} <= set(command.argv)
    assert "PIP_INDEX_URL" not in dict(command.environment)


def test_no_answer_is_no_knowledge() -> None:
    with pytest.raises(ToolError, match="not known: the database of vulnerabilities") as caught:
        answer("", stderr="Traceback\n  File x\nConnectionError: no route\n")
    assert caught.value.output == "ConnectionError: no route"
    assert caught.value.exit_code == 3


def test_nothing_to_ask_asks_nobody() -> None:
    def refuse(_: Command) -> Outcome:
        raise AssertionError

    assert vulnerabilities.ask({}, Asked(service="osv"), environ={}, runner=refuse) == ((), ())


def test_ignored_by_any_of_its_names() -> None:
    (marked,), unused = vulnerabilities.judged((KNOWN,), ("ghsa-1", "CVE-9"))
    assert (marked.ignored, unused) == ("GHSA-1", ("CVE-9",))
    assert vulnerabilities.judged((KNOWN,), ()) == ((KNOWN,), ())


def test_as_sarif() -> None:
    (marked,), _ = vulnerabilities.judged((KNOWN,), ("CVE-1",))
    log = sarif.written(
        vulnerabilities.told((KNOWN, marked), bill(subject()).components, "lockfiles/one/x.json"),
        version="1",
    )
    first, second = log.runs[0].results
    assert first.message.text == "alpha 1.0 has CVE-1; fixed in 1.1"
    assert [one.justification for one in second.suppressions] == ["--ignore CVE-1"]
    assert first.locations[0].physical_location.artifact_location.uri == "lockfiles/one/x.json"
