"""Reasons of failed builds, from logs as the builders really write them."""

from __future__ import annotations

import pytest

from envbuild.engines.failing import failure
from envbuild.engines.model import Engine
from envbuild.errors import ToolError
from envbuild.tools.proc import Command, Outcome

from .table import BUILDAH, BUILDKIT, BUILDX, PODMAN

LONG = " && ".join(f"echo {n}" for n in range(200))


def error(engine: Engine, log: str, *, code: int = 1, timed_out: bool = False) -> ToolError:
    command = Command(argv=(*engine.program, "build"))
    outcome = Outcome(
        command=command, code=code, stdout="", stderr="", seconds=9.0, timed_out=timed_out
    )
    return failure(engine, outcome, lines=tuple(log.splitlines()), log="/l")


PODMAN_LOG = f"""\
STEP 1/3: FROM base
STEP 2/3: RUN true
--> 1234
STEP 3/3: RUN --mount=type=bind,source=a,target=/b {LONG}
Collecting numpy
ERROR: No matching distribution found for numpy==9
Error: building at STEP "RUN --mount=type=bind,source=a,target=/b {LONG}": while running runtime: exit status 1
"""


@pytest.mark.parametrize("engine", [PODMAN, BUILDAH], ids=["podman", "buildah"])
def test_podman_and_buildah(engine: Engine) -> None:
    found = error(engine, PODMAN_LOG)
    assert found.message.startswith(
        f"{engine.name} could not build the image at RUN --mount=type=bind,source=a"
    )
    assert found.message.endswith("…: exit status 1")
    assert len(found.message) < 160
    assert found.output.splitlines() == [
        "Collecting numpy",
        "ERROR: No matching distribution found for numpy==9",
    ]


def test_the_streams_of_podman_come_in_any_order() -> None:
    first, *lines = reversed(PODMAN_LOG.splitlines())
    log = "\n".join((*reversed(lines[1:]), first, lines[0]))
    assert error(PODMAN, log).message.endswith("…: exit status 1")


BUILDKIT_LOG = """\
#1 [internal] load build definition from Dockerfile
#1 sha256:00
#1 DONE 0.0s

#5 [base 2/3] RUN echo beside
#5 sha256:01
#6 [other 2/2] RUN pip install numpy==9
#6 sha256:02
#6 0.345 Collecting numpy
#5 0.400 beside
#6 0.845 ERROR: No matching distribution found for numpy==9
#6 ERROR: executor failed running [/bin/sh -c pip install numpy==9]: exit code: 1

#5 [base 2/3] RUN echo beside
#5 CANCELED
------
 > [other 2/2] RUN pip install numpy==9:
#6 0.345 Collecting numpy
#6 0.845 ERROR: No matching distribution found for numpy==9
------
executor failed running [/bin/sh -c pip install numpy==9]: exit code: 1
"""

BUILDX_LOG = """\
#0 building with "default" instance using docker driver
#6 [stage-0 2/2] RUN pip install numpy==9
#6 0.345 Collecting numpy
#6 0.845 ERROR: No matching distribution found for numpy==9
#6 ERROR: process "/bin/sh -c pip install numpy==9" did not complete successfully: exit code: 1
------
 > [stage-0 2/2] RUN pip install numpy==9:
0.345 Collecting numpy
------
Dockerfile:2
--------------------
   2 | >>> RUN pip install numpy==9
--------------------
ERROR: failed to solve: process "/bin/sh -c pip install numpy==9" did not complete successfully: exit code: 1

View build details: docker-desktop://dashboard/build/x
"""


@pytest.mark.parametrize(
    ("engine", "log"), [(BUILDKIT, BUILDKIT_LOG), (BUILDX, BUILDX_LOG)], ids=["20", "26"]
)
def test_buildkit_shows_the_failing_step_alone(engine: Engine, log: str) -> None:
    found = error(engine, log)
    assert found.message == (
        "docker could not build the image at RUN pip install numpy==9: exit code: 1"
    )
    assert found.output.splitlines()[:2] == [
        "Collecting numpy",
        "ERROR: No matching distribution found for numpy==9",
    ]
    assert "beside" not in found.output


def test_a_failure_before_the_first_step() -> None:
    found = error(PODMAN, "Error: short-name resolution failed\n", code=125)
    assert found.message == "podman could not build the image: short-name resolution failed"
    found = error(BUILDX, '#1 DONE 0.0s\nERROR: failed to solve: target stage "x" not found\n')
    assert found.message.endswith(': failed to solve: target stage "x" not found')


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("write /x: no space left on device", "the disk is full"),
        ("reading manifest: unauthorized: access denied", "log in to the registry"),
        ("cgroups in hybrid mode not supported", "install runc"),
        ("granting entitlement network.host is not allowed", "docker buildx use default"),
    ],
)
def test_ways_out(said: str, hint: str) -> None:
    found = error(PODMAN, f"STEP 1/1: RUN x\n{said}\nError: exit status 1")
    assert hint in (found.hint or "")
    assert (found.hint or "").endswith("; the whole log: /l")


def test_no_end_and_no_words() -> None:
    assert error(PODMAN, "STEP 1/1: RUN x", timed_out=True).message.endswith(": no end after 9 s")
    killed = "podman could not build the image: it was ended by SIGKILL after 9 s"
    assert error(PODMAN, "", code=-9).message == killed
    assert error(PODMAN, "STEP 1/1: RUN x", code=-99).message.endswith("signal 99 after 9 s")
