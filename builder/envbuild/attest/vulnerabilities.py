"""What is known against the versions of a lock: asked by pip-audit, the ecosystem's own program.

Nothing is looked up here, and no database is kept: what cannot be asked is not known.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.attest.extra import missing
from envbuild.attest.model import Bill, Component
from envbuild.errors import ToolError
from envbuild.lock.model import VariantLock
from envbuild.report.sarif import Told
from envbuild.tools import temporary, typed
from envbuild.tools.env import solver_environment
from envbuild.tools.proc import Command, Outcome, Runner, masked

_SECONDS = 1800.0
"""How long all questions may take together: one is asked for each package."""

_ANSWER = 15
"""Seconds that the database has for each question (pip-audit's own default)."""


class Asked(Struct, frozen=True, kw_only=True):
    """Who is asked: pip-audit's word for it (``osv``, ``pypi``), and the address of a database that
    speaks OSV's protocol, empty for the public one."""

    service: str
    url: str = ""


class Known(Struct, frozen=True, kw_only=True):
    """One thing that is known against a version. ``ignored`` is how the user named it, empty where
    it counts."""

    package: str
    version: str
    id: str
    aliases: tuple[str, ...]
    fixed: tuple[str, ...]
    text: str
    ignored: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """What was found; ``asked`` is how many packages were looked up, ``skipped`` are those that
    could not be, ``left`` those of other ecosystems, which this database does not look up."""

    found: tuple[Known, ...]
    asked: int
    skipped: tuple[str, ...]
    left: Mapping[str, int]


# --- Asking --------------------------------------------------------------------------------------


def wanted(bill: Bill, locked: VariantLock) -> tuple[dict[str, str], dict[str, int]]:
    """The versions that are looked up by their names on PyPI, and how many components of each other
    kind are not. conda's build of a Python package is looked up as that package, and a build for
    one CUDA (``2.7.0+cu128``) as its release."""
    found = {
        one.name: one.version.partition("+")[0]
        for one in bill.components
        if one.kind == "pypi" and one.version
    }
    python = {one.name: one.python for one in locked.conda_packages if one.python}
    left: dict[str, int] = {}
    for one in bill.components:
        if one.kind == "conda" and one.name in python:
            found.setdefault(python[one.name], one.version)
        elif one.kind != "pypi" or not one.version:
            left[one.kind] = left.get(one.kind, 0) + 1
    return dict(sorted(found.items())), dict(sorted(left.items()))


def ask(
    versions: Mapping[str, str], asked: Asked, *, environ: Mapping[str, str], runner: Runner
) -> tuple[tuple[Known, ...], tuple[str, ...]]:
    """What is known against some versions, and what could not be looked up.

    Raises:
        ToolError: pip-audit is not installed, or the database cannot be reached.
    """
    if importlib.util.find_spec("pip_audit") is None:
        raise missing("pip-audit")
    if not versions:
        return (), ()
    lines = "".join(f"{name}=={version}\n" for name, version in versions.items())
    with temporary.scratch({"requirements.txt": lines}) as folder:
        outcome = runner(_command(folder, asked, environ))
    try:
        said = typed.decode(outcome.stdout, _Report)
    except msgspec.MsgspecError:
        raise _failed(asked, outcome) from None
    skipped = (f"{one.name}: {one.skip_reason}" for one in said.dependencies if one.skip_reason)
    return tuple(_known(said)), tuple(skipped)


def _command(folder: str, asked: Asked, environ: Mapping[str, str]) -> Command:
    argv = (sys.executable, "-m", "pip_audit", f"--requirement={folder}/requirements.txt")
    options = ("--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off")
    more = ("--aliases=on", "--desc=on", f"--timeout={_ANSWER}", f"--cache-dir={folder}/answers")
    place = (f"--osv-url={asked.url}",) if asked.url else ()
    who = (f"--vulnerability-service={asked.service}", *place)
    return Command(
        argv=(*argv, *options, *more, *who),
        environment=tuple(solver_environment(environ).items()),
        timeout=_SECONDS,
    )


class _Vulnerability(Struct, frozen=True):
    id: str
    fix_versions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    description: str = ""


class _Dependency(Struct, frozen=True):
    name: str
    version: str = ""
    vulns: tuple[_Vulnerability, ...] = ()
    skip_reason: str = ""


class _Report(Struct, frozen=True):
    dependencies: tuple[_Dependency, ...]


def _known(said: _Report) -> Iterator[Known]:
    for dependency in sorted(said.dependencies, key=lambda one: one.name):
        for one in sorted(dependency.vulns, key=lambda one: one.id):
            yield Known(
                package=dependency.name,
                version=dependency.version,
                id=one.id,
                aliases=tuple(sorted(one.aliases)),
                fixed=one.fix_versions,
                text=one.description,
            )


def _failed(asked: Asked, outcome: Outcome) -> ToolError:
    place = asked.url or f"pip-audit's {asked.service}"
    return ToolError(
        f"not known: the database of vulnerabilities ({masked(place)}) cannot be reached",
        hint="this needs a network; --osv-url names another place that speaks OSV's protocol",
        command=outcome.command.text(),
        output=_last(outcome),
    )


def _last(outcome: Outcome) -> str:
    """The last line that pip-audit said: before it stands its own call stack."""
    if outcome.timed_out:
        return f"no answer within {_SECONDS:.0f} seconds"
    lines = (outcome.stderr or outcome.stdout).strip().splitlines()
    return lines[-1] if lines else f"it ended with {outcome.code}"


# --- Judging -------------------------------------------------------------------------------------


def judged(
    found: Iterable[Known], ignore: Iterable[str]
) -> tuple[tuple[Known, ...], tuple[str, ...]]:
    """The findings with those marked that the user ignores, by any of their names; and the names
    that fit none of them."""
    names = {name.lower(): name for name in ignore}
    used: set[str] = set()
    marked = []
    for one in found:
        hits = [name for name in (one.id, *one.aliases) if name.lower() in names]
        used |= {name.lower() for name in hits}
        marked.append(msgspec.structs.replace(one, ignored=hits[0]) if hits else one)
    return tuple(marked), tuple(names[name] for name in names if name not in used)


def told(found: Iterable[Known], components: Iterable[Component], lock: str) -> Iterator[Told]:
    """The findings for a SARIF log; ``lock`` is the path of the lock's header."""
    from envbuild.errors import Mark

    purls = {one.name: one.purl for one in components if one.kind == "pypi"}
    for one in found:
        fix = f"fixed in {', '.join(one.fixed)}" if one.fixed else "no fixed version is known"
        yield Told(
            rule=one.id,
            level="error",
            title=f"{one.id}: {one.package}",
            why=one.text or one.id,
            help=f"{fix}: envbuild lock --upgrade-package {one.package}",
            message=f"{one.package} {one.version} has {one.id}; {fix}",
            identity=f"{one.id}\n{purls.get(one.package, one.package)}",
            places=(Mark(lock, 1, 1),),
            waived=f"--ignore {one.ignored}" if one.ignored else None,
        )
