"""The tests of a profile as they are run: both orders, and none that asks nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from envbuild.errors import InputError, Problem
from envbuild.profile.model import SmokeTest
from envbuild.profile.resolved import Variant

APP_FIRST, NUMPY_FIRST = "app-first", "numpy-first"

_NUMPY = "numpy"
_DEFAULT_TIMEOUT = SmokeTest(name="x", imports=()).timeout


def tests(variant: Variant, *, numpy: bool) -> tuple[SmokeTest, ...]:
    """The profile's tests, and for a simulator the order that they lack.

    A test that only starts the app passes on an image whose NumPy is mixed; one that imports NumPy
    first alone would miss what the app brings itself. ``numpy``: the image has one.

    Raises:
        InputError: there is no test, or one that has nothing to test.
    """
    own = variant.environment.smoke
    _refuse_empty(variant, own)
    launching = [test for test in own if test.launch != "none"]
    if not launching or not numpy:
        return own
    added = []
    app_first = [test for test in launching if not test.before_launch]
    if not app_first:
        added.append(replace(launching[0], name=_free(APP_FIRST, own), before_launch=()))
    if not any(_loads_numpy(test) for test in launching):
        model = next((test for test in launching if test.extensions), launching[0])
        name = _free(NUMPY_FIRST, own)
        added.append(replace(model, name=name, before_launch=(_NUMPY,)))
    return (*own, *added)


def deadline(test: SmokeTest, *, first: bool, cold: float | None, warm: float | None) -> float:
    """The seconds that a test has.

    Those of the command line for a simulator; else its own; else, of a simulator that leaves them
    at their default, 900 for the first start, whose caches are cold, and 300 later (starts of
    Isaac Sim: IsaacLab#4020, IsaacSim#505 and its README).
    """
    if test.launch == "none":
        return float(test.timeout)
    said = cold if first else warm
    if said is not None:
        return said
    if test.timeout != _DEFAULT_TIMEOUT:
        return float(test.timeout)
    return 900.0 if first else 300.0


def _loads_numpy(test: SmokeTest) -> bool:
    return any(name == _NUMPY or name.startswith(f"{_NUMPY}.") for name in test.before_launch)


def _free(name: str, taken: Iterable[SmokeTest]) -> str:
    names = {test.name for test in taken}
    number = 2
    free = name
    while free in names:
        free, number = f"{name}-{number}", number + 1
    return free


def _refuse_empty(variant: Variant, own: tuple[SmokeTest, ...]) -> None:
    if not own:
        raise InputError(
            f"{variant.environment.name} has no smoke tests",
            hint="smoke: takes a list of tests, each with a name and imports",
        )
    problems = [
        Problem(
            message=f"the test {test.name!r} tests nothing",
            mark=variant.marks.get(("smoke", number)) or variant.marks.get(("smoke",)),
            hint="imports: what must be there after the start",
        )
        for number, test in enumerate(own)
        if not (test.imports or test.before_launch or test.extensions)
    ]
    problems += [
        Problem(
            message=f"the test {test.name!r} has extensions or cameras, and no launch",
            mark=variant.marks.get(("smoke", number)) or variant.marks.get(("smoke",)),
            hint="launch: app-launcher or simulation-app",
        )
        for number, test in enumerate(own)
        if test.launch == "none" and (test.extensions or test.cameras)
    ]
    if problems:
        raise InputError("smoke tests cannot be used", problems=tuple(problems))
