"""Guards over all tests: what a unit test may not touch, and what a test may not leave behind."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

HERE = Path(__file__).parent
ROOT = HERE.parent
UNIT = HERE / "unit"

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")  # a loaded machine is no reason to fail

_OUTSIDE = ("subprocess.Popen", "os.exec", "os.fork", "os.posix_spawn", "os.system", "socket.")
"""The audit events of a process or a socket."""


class _Guard:
    """Refuses processes and sockets while it is ``armed``, and remembers that it had to."""

    def __init__(self) -> None:
        self.armed = False
        self.seen: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.armed and event.startswith(_OUTSIDE):
            self.seen.append(f"{event}{arguments[:2]}")
            raise RuntimeError(f"a unit test may not do this: {event}")


_guard = _Guard()


@pytest.fixture(autouse=True)
def _unit_tests_stay_inside(request: pytest.FixtureRequest) -> Iterator[None]:
    """A unit test that starts a process or opens a socket fails, even if it hides the error."""
    _guard.armed = UNIT in request.path.parents
    _guard.seen.clear()
    yield
    _guard.armed = False
    if _guard.seen:
        pytest.fail(f"this unit test reached outside: {_guard.seen}")


@pytest.fixture(autouse=True)
def _environment_is_left_alone() -> Iterator[None]:
    """A test that leaves other environment variables behind than it found fails."""
    before = _variables()
    yield
    after = _variables()
    changed = {name for name in before.keys() | after if before.get(name) != after.get(name)}
    os.environ.update(before)
    for name in after.keys() - before.keys():
        del os.environ[name]
    assert not changed, f"the test left these variables changed: {sorted(changed)}"


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


def pytest_configure() -> None:
    """Take signals as a shell in front does: under nohup or a shell's `&` they come ignored,
    and every process that a test starts would inherit that."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Where several processes share the tests: one takes all that make and keep images, because
    they stand on the same ones; of the others, each takes a file."""
    return _Scheduler(config, log)


class _Scheduler(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        images = nodeid.startswith(("tests/container/", "tests/replica/"))
        return "images" if images else nodeid.partition("::")[0]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot do, saying why; in CI a missing means is an error."""
    for mark, missing in (("container", _no_engine), ("git", _no_git), ("network", _no_index)):
        reason = missing() if item.get_closest_marker(mark) else None
        if reason is not None and os.environ.get("CI") == "true":
            pytest.fail(f"not run: {reason}; CI must run it", pytrace=False)
        elif reason is not None:
            pytest.skip(f"not run: {reason}")


def _no_git() -> str | None:
    return None if shutil.which("git") else "git is not installed"


@cache
def _no_engine() -> str | None:
    """Why no image can be built here; None when one can."""
    if shutil.which("podman") or shutil.which("docker"):
        return None
    return "neither podman nor docker is installed"


@cache
def _no_index() -> str | None:
    """Why no package can be resolved here; None when one can.

    envbuild itself is asked, so that the index is the one that it would use.
    """
    from envbuild.cli.uvtool import prepare_tool
    from envbuild.errors import EnvbuildError
    from envbuild.tools import proc, temporary

    try:
        tool, origin = prepare_tool(offline=False, refresh=False)
    except EnvbuildError as error:
        return error.message
    with temporary.scratch({"requirements.in": "tomli-w\n"}) as folder:
        argv = (tool.executable, "pip", "compile", "requirements.in", "--python", tool.python)
        environment = (*tool.environment, ("UV_HTTP_RETRIES", "1"))
        outcome = proc.run(
            proc.Command(
                argv=(*argv, "--quiet", "--no-cache"),
                environment=environment,
                cwd=folder,
                timeout=60.0,
            )
        )
    if outcome.code:
        last = outcome.stderr.strip().splitlines()[-1:] or ["no answer"]
        return f"the index that {origin} names cannot be reached ({last[0].strip()})"
    return None
