"""Known vulnerabilities, asked by the real pip-audit of a server that speaks OSV's protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.attest.conftest import Space
from tests.support.loopback import Request, Said, answering

FOUND = {
    "id": "GHSA-1",
    "summary": "bad \x1b[31mthing",
    "aliases": ["CVE-2026-1"],
    "affected": [
        {
            "package": {"name": "beta", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}],
        }
    ],
}


@contextmanager
def database(answer: object = None, *, status: int = 200) -> Iterator[tuple[str, list[object]]]:
    asked: list[object] = []

    def say(request: Request) -> Said:
        asked.append(json.loads(request.body))
        return Said(status=status, body=json.dumps(answer or {}).encode())

    with answering(say) as place:
        yield f"http://{place}/v1/query", asked


def test_what_is_found(space: Space) -> None:
    with database({"vulns": [FOUND]}) as (url, asked):
        said = space.run("vulnerabilities", "one", "--osv-url", url)
        assert asked == [{"package": {"name": "beta", "ecosystem": "PyPI"}, "version": "2.0"}]
        data = space.run("vulnerabilities", "one", "--osv-url", url, "--json")
        log = space.run("vulnerabilities", "one", "--osv-url", url, "--sarif")
    assert said.exit == 1
    assert said.stdout.splitlines() == [
        "beta 2.0: CVE-2026-1 (GHSA-1), fixed in 2.1",
        "  bad ?[31mthing",
    ]
    assert "1 known against 1 package" in said.stderr
    assert "not looked up: 1 Debian component, 1 image component" in said.stderr
    (one,) = json.loads(data.stdout)["answer"]["found"]
    assert (one["id"], one["aliases"]) == ("CVE-2026-1", ["GHSA-1"])
    (result,) = json.loads(log.stdout)["runs"][0]["results"]
    assert result["ruleId"] == "CVE-2026-1"
    assert data.exit == log.exit == 1


def test_what_is_ignored(space: Space) -> None:
    with database({"vulns": [FOUND]}) as (url, _):
        said = space.run(
            "vulnerabilities", "one", "--osv-url", url, "--ignore", "GHSA-1", "--ignore", "CVE-0"
        )
    assert said.exit == 0
    assert "fixed in 2.1: ignored" in said.stdout
    assert "--ignore CVE-0: nothing has that name" in said.stderr


def test_nothing_is_known(space: Space) -> None:
    with database() as (url, _):
        said = space.run("vulnerabilities", "one", "--osv-url", url)
    assert (said.exit, said.stdout) == (0, "")
    assert "0 known against 1 package" in said.stderr


@pytest.mark.parametrize(("answer", "status"), [({}, 500), ([1], 200), ({"other": 1}, 200)])
def test_a_database_that_does_not_answer_as_it_should(
    space: Space, answer: object, status: int
) -> None:
    with database(answer, status=status) as (url, _):
        said = space.run("vulnerabilities", "one", "--osv-url", url)
    assert said.exit == 3
    assert "not known: the database of vulnerabilities" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_database_that_is_not_there(space: Space) -> None:
    said = space.run("vulnerabilities", "one", "--osv-url", "http://me:pw@127.0.0.1:9/q")
    assert said.exit == 3
    assert "(http://***@127.0.0.1:9/q) cannot be reached" in said.stderr
    assert ":pw" not in said.stderr
    assert said.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sarif", "--json"), "--sarif does not go with --json"),
        (("--service", "pypi", "--osv-url", "x"), "--osv-url goes with --service osv"),
        (("--variant", "no"), "one has no variant 'no'"),
    ],
)
def test_what_cannot_be_asked(space: Space, arguments: tuple[str, ...], said: str) -> None:
    found = space.run("vulnerabilities", "one", *arguments)
    assert (found.exit, said in found.stderr) == (2, True)
