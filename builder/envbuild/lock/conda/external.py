"""Another solver: conda-lock with a conda, mamba or micromamba of the user's.

conda-lock is given the very files that stand in the lock folder. It is never left to look for a
solver: it would download one. What it cannot be told is left out and said: a moment in the past,
and packages to keep.
"""

from __future__ import annotations

import re
import sys

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.lock.conda import asking, lockfile, specs
from envbuild.lock.conda.asking import Ask, CondaSolver, Solved, Trouble
from envbuild.lock.conda.channels import Settings
from envbuild.lock.conda.lockfile import Environment
from envbuild.tools import condalock, files, temporary, versions
from envbuild.tools.conda import Failure, Record
from envbuild.tools.proc import Command, Outcome, Runner

_TIMEOUT = 1800.0
"""Seconds for one call of conda-lock, all platforms; genuine conda took 16 for two of 200
packages each."""


class Program(Struct, frozen=True, kw_only=True):
    """A conda, mamba or micromamba: its path, the name of its file, and its version."""

    path: str
    name: str
    version: str


def program(path: str, environment: tuple[tuple[str, str], ...], runner: Runner) -> Program:
    """The program at a path or of a name.

    Raises:
        ToolError: there is none, or it does not say its version.
    """
    hint = "--solver names a conda, mamba or micromamba that is installed; without it the solver "
    hint += "that envbuild brings is used"
    pattern = r"\d+(?:\.\d+)+"
    found = versions.ask(path, environment, runner, pattern=pattern, hint=hint)
    return Program(path=path, name=path.rpartition("/")[2], version=found[0])


def solver(
    found: Program,
    settings: Settings,
    environment: tuple[tuple[str, str], ...],
    runner: Runner,
) -> CondaSolver:
    """conda-lock with a program that was found."""

    def solve(ask: Ask) -> Solved | Trouble:
        packages = (*ask.wanted.packages, *(f"{one.package}{one.bounds}" for one in ask.demands))
        asked = Environment(
            channels=ask.wanted.channels,
            packages=specs.merged(packages),
            targets=ask.wanted.targets,
        )
        texts = {
            "environment.yml": lockfile.environment_text(asked, profile="envbuild", notes=()),
            "virtual-packages.yml": lockfile.virtual_text(asked),
        }
        with temporary.scratch(texts) as folder:
            outcome = runner(_command(found.path, folder, environment))
            if outcome.missing or outcome.code:
                return Trouble(platform=_platform(ask, outcome), failure=_failure(outcome))
            data = files.read_bytes(f"{folder}/conda-lock.yml")
        return _checked(ask, data, settings)

    return CondaSolver(name=lambda: f"{found.name} {found.version}", solve=solve)


def _command(path: str, folder: str, environment: tuple[tuple[str, str], ...]) -> Command:
    argv: tuple[str, ...] = (sys.executable, "-m", "conda_lock", "lock", "--conda", path)
    argv += ("--file", "environment.yml", "--virtual-package-spec", "virtual-packages.yml")
    argv += ("--lockfile", "conda-lock.yml")
    return Command(argv=argv, environment=environment, cwd=folder, timeout=_TIMEOUT)


def _checked(ask: Ask, data: bytes, settings: Settings) -> Solved | Trouble:
    channels = tuple(map(settings.channel, ask.wanted.channels))
    try:
        read = condalock.records(data, label="conda-lock's answer")
    except InputError as error:
        platform = ask.wanted.targets[0].platform
        return Trouble(platform=platform, failure=Failure(kind="failed", text=error.message))
    solved: dict[str, tuple[Record, ...]] = {}
    for target in ask.wanted.targets:
        records = asking.checked(read.get(target.platform, ()), channels)
        if isinstance(records, Failure):
            return Trouble(platform=target.platform, failure=records)
        solved[target.platform] = records
    return solved


def _platform(ask: Ask, outcome: Outcome) -> str:
    """The platform that conda-lock failed for, as it says."""
    named = re.search(r"for platform ([a-z0-9-]+)", outcome.stderr)
    return named[1] if named else ask.wanted.targets[0].platform


def _failure(outcome: Outcome) -> Failure:
    said = f"{outcome.stderr}\n{outcome.stdout}".strip()
    if outcome.timed_out:
        return Failure(kind="timeout", text=f"no answer after {_TIMEOUT:.0f} s\n{said}")
    if outcome.code < 0:
        return Failure(kind="interrupted", text=said)
    after = said.partition("Could not lock the environment for platform")[2]
    words = after.partition("Command: ")[0].partition("\n")[2].strip()
    return Failure(kind="unsatisfiable" if words else "failed", text=words or said)
