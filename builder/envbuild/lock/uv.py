"""One call of ``uv pip compile``: its files and arguments, and what its answer means.

The caller's switches never reach uv: platform, Python, moment and options are all on the command
line, and a configuration file of our own replaces the user's, whose indexes alone are taken over
(:mod:`envbuild.lock.indexes`).
"""

from __future__ import annotations

import signal
from collections.abc import Iterable
from typing import Literal

import tomli_w
from msgspec import Struct

from envbuild.errors import ToolError
from envbuild.lock.model import SolverInput
from envbuild.tools import typed, versions
from envbuild.tools.proc import Command, Outcome, Runner

MINIMUM = (0, 13, 0)
"""The oldest uv that this command line was run with: 0.13.8; flags are the same since 0.13."""

MEMORY = {"_RJEM_MALLOC_CONF": "thp:always"}
"""uv's allocator takes large pages: most of a warm resolution goes into page faults, and with these
it takes 0.9 of the time and 36 MB more (measured with ``bench lock``'s calls, two at a time)."""

OUTPUT = "lock.txt"
_REQUIREMENTS = "requirements.in"
TIMEOUT = 900.0
"""Seconds for one resolution; the slowest measured here took 15 from an empty cache."""

FailureKind = Literal[
    "unsatisfiable",
    "not-found",
    "build",
    "network",
    "offline",
    "input",
    "interrupted",
    "killed",
    "failed",
]


class Failure(Struct, frozen=True, kw_only=True):
    """Why uv gave no answer; ``text`` is what it printed, whole."""

    kind: FailureKind
    text: str


class Uv(Struct, frozen=True, kw_only=True):
    """The uv that is used, and how it is started.

    ``python`` is an absolute path (a bare name may be taken for a request to download one);
    ``configuration`` are the user's index settings as uv.toml keys; ``indexes`` the addresses of
    the vendor indexes that a question names; ``offline`` forbids the network; ``refresh`` asks the
    index again for everything.
    """

    executable: str
    python: str
    environment: tuple[tuple[str, str], ...]
    configuration: dict[str, object]
    indexes: dict[str, str] = {}
    offline: bool = False
    refresh: bool = False


def version(executable: str, environment: tuple[tuple[str, str], ...], runner: Runner) -> str:
    """The version of a uv.

    Raises:
        ToolError: it is missing, does not answer, or is older than :data:`MINIMUM`.
    """
    hint = "pip install 'uv>=0.13.8,<0.14' beside envbuild, or name one in ENVBUILD_UV"
    pattern = r"^uv (\d+)\.(\d+)\.(\d+)"
    found = versions.ask(executable, environment, runner, pattern=pattern, hint=hint)
    if tuple(int(part) for part in found.groups()) < MINIMUM:
        wanted = ".".join(str(part) for part in MINIMUM)
        raise ToolError(f"uv {found[0][3:]} is too old: {wanted} is needed", hint=hint)
    return found[0].removeprefix("uv ")


def files(asked: SolverInput, uv: Uv, *, pins: str) -> dict[str, str]:
    """The files of one call by name; ``pins`` is the text whose versions are preferred."""
    configuration = {
        **uv.configuration,
        "dependency-metadata": [typed.decode(row, dict) for row in asked.metadata],
    }
    texts = {_REQUIREMENTS: (*asked.requirements, *asked.provided)}
    texts |= {name: lines for _, name, lines in _lists(asked)}
    written = {name: "".join(f"{line}\n" for line in lines) for name, lines in texts.items()}
    return {**written, "uv.toml": tomli_w.dumps(configuration), OUTPUT: pins}


def _lists(asked: SolverInput) -> list[tuple[str, str, tuple[str, ...]]]:
    """The option, the file and the lines of every list that is not empty."""
    lists = (
        ("--constraints", "constraints.txt", asked.constraints),
        ("--constraints", "bundle.txt", asked.bundle),
        ("--constraints", "installed.txt", asked.installed),
        ("--constraints", "companions.txt", asked.companions),
        ("--overrides", "overrides.txt", asked.overrides),
        ("--excludes", "excludes.txt", asked.exclude),
        ("--build-constraints", "build-constraints.txt", asked.build_constraints),
    )
    return [row for row in lists if row[2]]


def command(
    asked: SolverInput, uv: Uv, *, folder: str, upgrade: tuple[str, ...] | None = ()
) -> Command:
    """The call that resolves ``asked`` in ``folder``; ``upgrade`` None moves everything."""
    argv = [uv.executable, "pip", "compile", _REQUIREMENTS, "--config-file", "uv.toml"]
    argv += ["--python", uv.python, "--python-version", asked.python]
    argv += ["--python-platform", asked.platform, "--exclude-newer", asked.as_of]
    for option, name, _ in _lists(asked):
        argv += [option, name]
    argv += ["--only-binary", ":all:"]
    for name in (*asked.source_builds, *asked.stubs):
        argv += ["--no-binary", name]
    for name in asked.indexes:
        argv += ["--index", f"{name}={uv.indexes[name]}"]
    argv += ["--generate-hashes", "--no-header", "--quiet", "--color", "never"]
    argv += ["--output-file", OUTPUT]
    if upgrade is None:
        argv.append("--upgrade")
    for name in upgrade or ():
        argv += ["--upgrade-package", name]
    argv += ["--offline"] if uv.offline else []
    argv += ["--refresh"] if uv.refresh else []
    return compile_command(argv, uv, folder=folder)


_SWITCHES = {
    "UV_PYTHON_DOWNLOADS": "never",
    "UV_HTTP_RETRIES": "1",
    "UV_NO_PROGRESS": "1",
    "NO_COLOR": "1",
    "TZ": "UTC",
}


def compile_command(argv: Iterable[str], uv: Uv, *, folder: str) -> Command:
    """A resolution by this command line, in the environment that every one of them has."""
    environment = {**dict(uv.environment), **MEMORY, **_SWITCHES}
    return Command(
        argv=tuple(argv), environment=tuple(environment.items()), cwd=folder, timeout=TIMEOUT
    )


_SIGNS: tuple[tuple[str, FailureKind], ...] = (
    ("network was disabled", "offline"),
    ("Failed to build", "build"),
    ("build backend", "build"),
    ("Failed to fetch", "network"),
    ("error sending request", "network"),
    ("dns error", "network"),
    ("Could not connect", "network"),
    ("not found in the package registry", "not-found"),
    ("No solution found", "unsatisfiable"),
    ("Couldn't parse requirement", "input"),
)
"""Words of uv 0.13 by which its failures are told apart: exit codes do not (1 is an unsatisfiable
request, a failed build and a miss in the cache; 2 is wrong input and an unreachable index)."""


def failure(outcome: Outcome) -> Failure:
    """What a call that ended with another status than 0 means."""
    text = (outcome.stderr + outcome.stdout).strip()
    if outcome.timed_out:
        return Failure(kind="network", text=f"no answer after {TIMEOUT:.0f} s\n{text}")
    if outcome.code < 0:
        text = text or f"ended by signal {-outcome.code}"
        killed = outcome.code == -signal.SIGKILL
        return Failure(kind="killed" if killed else "interrupted", text=text)
    for sign, kind in _SIGNS:
        if sign in text:
            return Failure(kind=kind, text=text)
    return Failure(kind="failed", text=text or f"exit code {outcome.code}")
