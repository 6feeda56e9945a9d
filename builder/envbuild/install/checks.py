"""What must hold of an environment before anybody gets it.

Its Python packages are exactly those of the lock, and what the profile imports without hardware
and without a simulator can be imported, by the environment's own interpreter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envbuild.errors import ToolError
from envbuild.install.recipe import Recipe
from envbuild.names import canonical_name
from envbuild.profile.model import SmokeTest
from envbuild.speech import counted
from envbuild.tools import typed
from envbuild.tools.proc import Command, Runner

_LIST = """\
import importlib.metadata, json
every = (d.metadata or {} for d in importlib.metadata.distributions())
found = [(m.get("Name"), m.get("Version")) for m in every]
found = [pair for pair in found if all(pair)]  # an empty .dist-info folder has neither
print(json.dumps(found))
"""


def check(recipe: Recipe, folder: str, *, runner: Runner) -> tuple[str, ...]:
    """What was checked, for people.

    Raises:
        ToolError: something does not hold, with everything that does not.
    """
    wrong = tuple(_drift(recipe, _installed(recipe, folder, runner)))
    if wrong:
        raise ToolError(
            f"the environment is not what was locked: {'; '.join(wrong)}",
            hint="nothing was installed",
        )
    count = len(recipe.expected) + len(recipe.of_conda)
    said = [f"{counted(count, 'Python package')}, exactly those of the lock"]
    for test in recipe.tests:
        _imports(recipe, test, folder, runner=runner)
        said.append(f"{test.name}: {', '.join((*test.before_launch, *test.imports))} imported")
    return tuple(said)


def _installed(recipe: Recipe, folder: str, runner: Runner) -> dict[str, list[str]]:
    outcome = runner(_python(recipe, folder, _LIST, timeout=120.0))
    if outcome.missing or outcome.code:
        raise ToolError(
            "the environment's own Python does not run here",
            command=outcome.command.text(),
            output=outcome.stdout + outcome.stderr,
            hint="nothing was installed",
        )
    found: dict[str, list[str]] = {}
    for name, version in typed.decode(outcome.stdout, list[tuple[str, str]]):
        found.setdefault(canonical_name(name), []).append(version)
    return found


def _drift(recipe: Recipe, found: Mapping[str, list[str]]) -> Iterator[str]:
    """Where packages and lock differ. What conda says is one may have no metadata (gdb is none)."""
    expected = {**recipe.of_conda, **recipe.expected}
    for name, version in sorted(expected.items()):
        have = found.get(name, [])
        if len(have) > 1:
            yield f"{name} is there {len(have)} times ({', '.join(have)})"
        elif have and not same(have[0], version):
            yield f"{name} is {have[0]}, locked is {version}"
        elif not have and name in recipe.expected:
            yield f"{name} {version} is missing"
    for name in sorted(found.keys() - expected.keys()):
        yield f"{name} {found[name][0]} is not in the lock"


def same(one: str, other: str) -> bool:
    """Whether two versions are one, however they are written."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def _imports(recipe: Recipe, test: SmokeTest, folder: str, *, runner: Runner) -> None:
    modules = (*test.before_launch, *test.imports)
    script = "".join(f"import {module}\n" for module in modules)
    outcome = runner(_python(recipe, folder, script, timeout=float(test.timeout)))
    if outcome.code or outcome.timed_out:
        late = f" after {test.timeout} s" if outcome.timed_out else ""
        raise ToolError(
            f"the profile's test {test.name!r} fails in the environment{late}",
            command=outcome.command.text(),
            output=outcome.stdout + outcome.stderr,
            hint="nothing was installed; envbuild explain may know the lines above",
        )


def _python(recipe: Recipe, folder: str, script: str, *, timeout: float) -> Command:
    environment = {
        "PATH": f"{folder}/bin:/usr/bin:/bin",
        "CONDA_PREFIX": folder,
        "LANG": "C.UTF-8",
        **recipe.variables,
    }
    argv = (f"{folder}/bin/python", "-I", "-B", "-c", script)
    return Command(argv=argv, environment=tuple(environment.items()), timeout=timeout)
