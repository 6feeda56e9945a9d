"""pytest over images: each check an item, and a team's own code beside them.

    pytest -p envbuild.smoke.pytest_plugin --smoke-profile isaaclab tests/

``smoke_check`` is every check of every image, one container an image; ``in_image`` runs code.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from envbuild.errors import EnvbuildError
from envbuild.smoke import asking
from envbuild.smoke.api import Image, Outcome, built_here
from envbuild.smoke.model import CheckResult, SmokeReport

_REPORTS = pytest.StashKey[dict[str, SmokeReport]]()
_IMAGES = pytest.StashKey[dict[str, Image]]()


class Check:
    """One check of one image: ``require()`` passes, fails or skips as its verdict says."""

    def __init__(self, report: SmokeReport, result: CheckResult) -> None:
        self.report = report
        self.result = result

    def require(self) -> None:
        """Fail where the check failed, with its cause; skip where it was not run."""
        one = self.result
        if one.verdict == "not-run":
            pytest.skip(f"not run: {one.reason}")
        if one.verdict == "fail":
            cause = next((each for each in self.report.causes if each.id == one.diagnosis), None)
            about = [f"{cause.id}: {cause.title}", f"fix: {cause.fix}"] if cause else []
            pytest.fail("\n".join((one.reason, *one.lines, *about)), pytrace=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, as ``envbuild smoke`` has them."""
    group = parser.getgroup("envbuild smoke")
    group.addoption("--smoke-profile", action="append", metavar="NAME", help="this profile")
    group.addoption("--smoke-image", metavar="REF", help="this image of the one profile")
    group.addoption("--smoke-variant", metavar="NAME", help="this variant of the one profile")
    group.addoption("--smoke-engine", metavar="NAME", help="podman or docker; else the first")
    group.addoption("--smoke-workspace", metavar="DIR", help="the workspace; else this folder")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each check that the plan of an image names."""
    if "smoke_check" not in metafunc.fixturenames:
        return
    config = metafunc.config
    cases: list[object] = []
    for name in _profiles(config):
        try:
            cases += _cases(config, name)
        except EnvbuildError as error:
            if config.getoption("smoke_profile", None):
                raise pytest.UsageError(_words(error)) from None
            reason = f"not run: {_words(error)}"  # found by a record of a build; nobody named it
            cases.append(pytest.param(None, id=name, marks=pytest.mark.skip(reason=reason)))
    if not cases:
        reason = "not run: no image was built here, and no profile is named (--smoke-profile)"
        cases = [pytest.param(None, id="no-image", marks=pytest.mark.skip(reason=reason))]
    metafunc.parametrize("smoke_check", cases, indirect=True)


def _cases(config: pytest.Config, name: str) -> list[object]:
    """The checks of an image that is there.

    Raises:
        EnvbuildError: it is not, or cannot be asked.
    """
    job = _image(config, name).job
    asking.image_facts(job)
    return [
        pytest.param((name, test, check), id=f"{name}-{test}-{check}")
        for test, check in asking.expected(job)
    ]


@pytest.fixture
def smoke_check(request: pytest.FixtureRequest) -> Check:
    """One check of one image; the container runs when its first check is asked for."""
    name, test, check = request.param
    report = _report(request.config, name)
    found = {one.id: one for one in report.checks}
    return Check(report, found[f"{test}/{check}"])


@pytest.fixture
def in_image(request: pytest.FixtureRequest) -> Callable[..., Outcome]:
    """``in_image(code, launch=True, timeout=900.0, profile=None)``: code run in an image.

    Started as the profile starts its own tests; the test is skipped where the machine lacks what
    that needs.
    """

    def run(
        code: str, *, launch: bool = True, timeout: float = 900.0, profile: str | None = None
    ) -> Outcome:
        names = (profile,) if profile else _profiles(request.config)
        if len(names) != 1:
            pytest.fail(f"in_image takes one profile, and these are {len(names)}", pytrace=False)
        try:
            outcome = _image(request.config, names[0]).run(code, launch=launch, timeout=timeout)
        except EnvbuildError as error:
            pytest.fail(_words(error), pytrace=False)
        if outcome.verdict == "not-run":
            pytest.skip(f"not run: {outcome.reason}")
        return outcome

    return run


def _profiles(config: pytest.Config) -> tuple[str, ...]:
    named = config.getoption("smoke_profile", None)
    return tuple(named) if named else built_here(_workspace(config))


def _workspace(config: pytest.Config) -> str:
    return str(config.getoption("smoke_workspace", None) or ".")


def _image(config: pytest.Config, name: str) -> Image:
    images = config.stash.setdefault(_IMAGES, {})
    if name not in images:
        images[name] = Image(
            name,
            image=config.getoption("smoke_image", None),
            variant=config.getoption("smoke_variant", None),
            engine=config.getoption("smoke_engine", None) or "auto",
            workspace=_workspace(config),
        )
    return images[name]


def _report(config: pytest.Config, name: str) -> SmokeReport:
    reports = config.stash.setdefault(_REPORTS, {})
    if name not in reports:
        try:
            reports[name] = _image(config, name).checks()
        except EnvbuildError as error:
            pytest.fail(_words(error), pytrace=False)
    return reports[name]


def _words(error: EnvbuildError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message
