"""What is asked of an image, and what it says, as frozen values."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

Verdict = Literal["pass", "warn", "fail", "not-run"]

Need = Literal["gpu", "rt-cores"]

PLAN_SCHEMA = 1

# --- What is asked: written as JSON for the probes, so the names are theirs -----------------------

Step = dict[str, Any]
"""``check`` (its name), ``do`` (what the probes call it), and what that takes."""


class StaticPlan(Struct, frozen=True, kw_only=True):
    """What the static stage looks at.

    ``packages`` and ``provided`` are names with versions: those of the lock, and those that the
    image is known to bring. ``cores`` are places of Kit's core library, ``preset`` variables of
    the image that its launcher sets itself.
    """

    checks: tuple[str, ...]
    packages: dict[str, str]
    provided: dict[str, str]
    bundled_sites: tuple[str, ...]
    numpy: str
    simulator: bool
    cores: tuple[str, ...]
    preset: tuple[str, ...] = ()


class Trial(Struct, frozen=True, kw_only=True):
    """One test as the probes run it: ``deadline`` and ``close`` in seconds, ``logs`` the folders
    where Kit writes its own."""

    name: str
    steps: tuple[Step, ...]
    deadline: float
    close: float
    logs: tuple[str, ...] = ()


class Plan(Struct, frozen=True, kw_only=True):
    """All that the probes are told. ``seed`` is that of the hashes, ``numpy`` the version that must
    run (empty: any), ``network`` whether the container has one."""

    schema: int
    seed: str
    numpy: str
    network: bool
    static: StaticPlan
    tests: tuple[Trial, ...]


class Planned(Struct, frozen=True, kw_only=True):
    """One test as the report will show it.

    ``number`` is its place in the plan; None where it is not run, for ``reason``, which with
    ``unmet`` is that the machine lacks something.
    """

    name: str
    checks: tuple[str, ...]
    number: int | None = None
    reason: str = ""
    unmet: Need | None = None


class Intent(Struct, frozen=True, kw_only=True):
    """A plan, and every test of the report in its order; ``interpreter`` starts the probes.

    ``left_out`` are checks of the static stage that are not run, each with the reason.
    """

    profile: str
    variant: str
    interpreter: str
    plan: Plan
    tests: tuple[Planned, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def seconds(self) -> float:
        """The longest that the container may take."""
        tests = sum(test.deadline + test.close + 30.0 for test in self.plan.tests)
        return tests + 600.0


# --- What comes back ------------------------------------------------------------------------------


class Told(Struct, frozen=True, kw_only=True):
    """A result as a probe writes it."""

    check: str
    verdict: Verdict
    reason: str = ""
    seconds: float = 0.0
    lines: tuple[str, ...] = ()


class VerdictFile(Struct, frozen=True, kw_only=True):
    """The verdict file of a test."""

    schema: Literal[1]
    results: tuple[Told, ...]


class Left(Struct, frozen=True, kw_only=True):
    """A process that a test has left behind."""

    pid: int
    name: str
    command: str


class Ended(Struct, frozen=True, kw_only=True):
    """What became of the process of a test.

    ``code`` is negative for a signal. ``stopped`` says that it had to be ended, while it ran or
    while it closed. ``seconds`` to the verdict, ``closing`` from there to the end. ``full`` are
    folders without room; ``threads`` what the kernel said of those of a process that was ended.
    """

    code: int
    stopped: Literal["", "run", "close"]
    seconds: float
    closing: float
    killed_for_memory: bool
    full: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    threads: tuple[str, ...] = ()


class Traces(Struct, frozen=True, kw_only=True):
    """What one test left: None or empty where a file is not there.

    ``verdict`` and ``journal`` are as they were read; ``logs`` are texts by the name of their
    file, ``stacks`` those of the threads at the deadline.
    """

    ended: Ended | None = None
    verdict: bytes | None = None
    journal: bytes = b""
    logs: tuple[tuple[str, bytes], ...] = ()
    stacks: str = ""


class Ran(Struct, frozen=True, kw_only=True):
    """What came back from a container: ``code`` is that of the supervisor, negative for a signal;
    ``output`` the last lines that are not the probes' own."""

    code: int
    timed_out: bool
    seconds: float
    python: str = ""
    static: tuple[Told, ...] | None = None
    tests: tuple[Traces, ...] = ()
    output: str = ""


# --- What is said ---------------------------------------------------------------------------------


class CheckResult(Struct, frozen=True, kw_only=True):
    """One check: ``test/name``. ``diagnosis`` is the id of the cause that explains a failure."""

    test: str
    name: str
    verdict: Verdict
    reason: str = ""
    seconds: float = 0.0
    diagnosis: str = ""
    lines: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """As the command line and JUnit name it."""
        return f"{self.test}/{self.name}"


class Cause(Struct, frozen=True, kw_only=True):
    """One diagnosis, whatever message of it came first.

    ``checks`` are those that it explains, ``also`` the signatures that are the same failure or
    follow from it, ``lines`` what the logs say.
    """

    id: str
    title: str
    cause: str
    proves: tuple[str, ...]
    fix: str
    fix_for: str
    checks: tuple[str, ...]
    also: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


class SmokeReport(Struct, frozen=True, kw_only=True):
    """What works in an image.

    ``folder`` holds the logs; ``missing`` are the required needs for want of which a test was not
    run. ``lock`` is the digest of the lock that it was held against, ``content`` that of the
    image's layers and settings, the same in every engine; ``shard`` the part that was run,
    and ``lost`` are those that have no result in a report of all.
    """

    profile: str
    variant: str
    image: str
    engine: str
    checks: tuple[CheckResult, ...]
    causes: tuple[Cause, ...] = ()
    missing: tuple[Need, ...] = ()
    python: str = ""
    seconds: float = 0.0
    folder: str = ""
    lock: str = ""
    content: str = ""
    shard: str = ""
    lost: tuple[str, ...] = ()

    def count(self, verdict: Verdict) -> int:
        """How many checks have a verdict."""
        return sum(one.verdict == verdict for one in self.checks)

    @property
    def ok(self) -> bool:
        """Whether no check failed, and neither a thing that was required is missing, nor a part."""
        return not self.count("fail") and not self.missing and not self.lost
