"""The door to py-rattler: stopping, limits, and what is no answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envbuild.tools import archives, linking, rattler, solving
from envbuild.tools.archives import Wanted
from envbuild.tools.conda import Access, Channel, Failure, Record, Request
from tests.support import conda_packages

SLOW = """\
import asyncio, sys, threading, time
from envbuild.tools import rattler
threading.Timer(0.3, rattler.stop_all).start()
started = time.monotonic()
for _ in range(2):  # what comes later ends at once
    try:
        rattler.run(lambda: asyncio.sleep(60), 60)
    except rattler.StoppedError:
        print("stopped")
print(time.monotonic() - started < 5)
"""


async def forever() -> None:
    import asyncio

    await asyncio.sleep(60)


def request(folder: Path, *specs: str) -> Request:
    channel = Channel(name="world", url=folder.as_uri())
    return Request(platform="linux-64", channels=(channel,), specs=specs)


def test_what_is_stopped_ends_at_once_and_nothing_begins_any_more() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLOW], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == ["stopped", "stopped", "True"]


def test_work_has_a_limit() -> None:
    with pytest.raises(TimeoutError):
        rattler.run(forever, 0.1)


def test_a_solution_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "TIMEOUT", 0.0)
    solver = solving.Solver(Access(cache=str(tmp_path / "cache"), retries=0))
    monkeypatch.setattr(solver, "_solve", lambda *_: forever())
    found = solver.solve(request(tmp_path, "tool"))
    assert found == Failure(kind="timeout", text="no answer after 0 s")


def test_a_bug_of_the_library_is_a_failure_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panic = type("RustPanic", (Exception,), {})

    async def fails(*_: object) -> None:
        raise panic("rust future panicked")

    solver = solving.Solver(Access(cache=str(tmp_path / "cache")))
    monkeypatch.setattr(solver, "_solve", fails)
    found = solver.solve(request(tmp_path, "tool"))
    assert found == Failure(kind="internal", text="rust future panicked")


def test_an_error_of_ours_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise KeyError("ours")

    solver = solving.Solver(Access(cache=str(tmp_path / "cache")))
    monkeypatch.setattr(solver, "_solve", fails)
    with pytest.raises(KeyError):
        solver.solve(request(tmp_path, "tool"))


def test_a_package_with_dependencies_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    bad = conda_packages.record("tool", "1.0", depends=["python >=>3"])
    folder = conda_packages.channel(tmp_path / "world", [bad])
    found = solving.Solver(Access(cache=str(tmp_path / "cache"))).solve(request(folder, "tool"))
    assert isinstance(found, Failure)
    assert found.kind == "unsatisfiable"
    assert "the dependency 'python >=>3' failed to parse" in found.text


def test_one_file_name_with_two_contents_in_one_cache(tmp_path: Path) -> None:
    """The packages of two channels, told apart by their hashes."""
    access = Access(cache=str(tmp_path / "cache"))
    for content in ("first", "second"):
        world = tmp_path / content / "world"
        path = conda_packages.stub(world, "tool", "1.0", files={"share/tool": content})
        found = conda_packages.index(world)
        said = solving.Solver(access).solve(request(found, "tool"))
        assert not isinstance(said, Failure)
        (record,) = said
        assert isinstance(record, Record)
        wanted = (Wanted(record=record, url=path.as_uri()),)
        fetched = archives.fetch(wanted, access, done=lambda _: None)
        prefix = tmp_path / content / "env"
        linking.link(fetched, str(prefix), prefix=str(prefix), access=access)
        assert (prefix / "share/tool").read_text() == content


@pytest.mark.parametrize(
    ("said", "again"),
    [
        (
            "HTTP status client error (404 Not Found) for url (http://127.0.0.1:42971/a.conda)",
            False,
        ),
        ("HTTP status client error (404 Not Found) for url (http://127.0.0.1:50300/429/a)", False),
        ("HTTP status client error (429 Too Many Requests) for url (http://127.0.0.1:1/a)", True),
        ("HTTP status server error (503 Service Unavailable) for url (http://127.0.0.1:1/a)", True),
        ("error sending request for url (http://127.0.0.1:404/a)", True),
    ],
)
def test_what_another_try_may_cure_is_not_read_from_the_address(said: str, again: bool) -> None:
    assert rattler.passing(said) is again


CALLED = """\
import sys
from envbuild.__main__ import main
from envbuild.tools import rattler
rattler.library()
sys.argv = ["envbuild", "knowledge"]
status = main()
print("and after it", status)
"""


def test_a_program_that_calls_the_command_line_goes_on(tmp_path: Path) -> None:
    """Only the console script may end the process at once."""
    done = subprocess.run(
        [sys.executable, "-c", CALLED], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("and after it 0\n")
