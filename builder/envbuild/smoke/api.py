"""What a program or a test of a team's own asks of an image.

``checks("isaaclab")`` is what ``envbuild smoke isaaclab`` reports; ``Image("isaaclab").run(code)``
runs a piece of Python in the image, started as the profile starts its own tests.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.smoke import asking, choosing, planning
from envbuild.smoke.asking import Job, Wishes
from envbuild.smoke.drafts import Snippet
from envbuild.smoke.model import CheckResult, SmokeReport, Verdict
from envbuild.tools import proc
from envbuild.workspace import Workspace


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a piece of Python: the worst verdict of its checks, and the reason for it.

    ``stdout`` and ``stderr`` are its own, and the simulator's.
    """

    verdict: Verdict
    reason: str
    stdout: str
    stderr: str
    checks: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Whether it ran to its end, and nothing of it failed."""
        return self.verdict in ("pass", "warn")


class Image:
    """The image of a profile, as ``envbuild smoke`` would ask it.

    ``image`` is a reference; without it the one that was built in the workspace, or
    ``<profile>:<variant>``.
    """

    def __init__(
        self,
        profile: str,
        *,
        image: str | None = None,
        variant: str | None = None,
        engine: str = "auto",
        workspace: str = ".",
    ) -> None:
        space = Workspace(root=workspace)
        variables = dict(os.environ)  # noqa: TID251 (an entrance, as the command line is)
        target = choosing.target(
            space, choosing.resolved(space, profile), variant=variant, image=image
        )
        found = choosing.engine(engine, (target,), runner=proc.run, environ=variables)
        tools = asking.tools(found, runner=proc.run, environ=variables)
        place = choosing.default_place(workspace, target)
        self.job = Job(target=target, tools=tools, wishes=Wishes(), place=place)

    def checks(self) -> SmokeReport:
        """Run every test of the profile.

        Raises:
            EnvbuildError: there is no image, nothing to test, or the engine failed.
        """
        return asking.ask(self.job, asking.image_facts(self.job))

    def run(self, code: str, *, launch: bool = True, timeout: float = 900.0) -> Outcome:
        """Run a piece of Python in a process of its own; ``timeout`` in seconds.

        With ``launch`` a simulator is started first, as the profile's first test that starts one
        does; a machine without what that needs gives the verdict ``not-run``.

        Raises:
            EnvbuildError: there is no image, or the engine failed.
        """
        snippet = self._snippet(code, launch=launch, timeout=timeout)
        intent = planning.snippet_intent(asking.question(self.job), snippet)
        if intent.tests[0].number is None:
            reason = intent.tests[0].reason
            return Outcome(verdict="not-run", reason=reason, stdout="", stderr="", checks=())
        report, ran = asking.ask_one(self.job, intent)
        logs = {name: data.decode(errors="replace") for name, data in ran.tests[0].logs}
        worst = max(report.checks, key=lambda one: _RANKS[one.verdict])
        return Outcome(
            verdict=worst.verdict,
            reason=worst.reason,
            stdout=logs.get("out", ""),
            stderr=logs.get("err", ""),
            checks=report.checks,
        )

    def _snippet(self, code: str, *, launch: bool, timeout: float) -> Snippet:
        tests = self.job.target.variant.environment.smoke
        model = next((test for test in tests if test.launch != "none"), None)
        if not launch or model is None:
            return Snippet(code=code, file="<snippet>", timeout=timeout)
        return Snippet(
            code=code,
            file="<snippet>",
            launch=model.launch,
            cameras=model.cameras,
            extensions=model.extensions,
            need=None if model.needs == "nothing" else model.needs,
            timeout=timeout,
        )


_RANKS: Mapping[Verdict, int] = {"pass": 0, "not-run": 1, "warn": 2, "fail": 3}


def checks(
    profile: str,
    *,
    image: str | None = None,
    variant: str | None = None,
    engine: str = "auto",
    workspace: str = ".",
) -> SmokeReport:
    """What ``envbuild smoke PROFILE`` reports.

    Raises:
        EnvbuildError: there is no such profile, lock or image, nothing to test, or the engine
            failed.
    """
    asked = Image(profile, image=image, variant=variant, engine=engine, workspace=workspace)
    return asked.checks()


def built_here(workspace: str = ".") -> tuple[str, ...]:
    """The profiles of a workspace of which an image was built there, for this machine."""
    space = Workspace(root=workspace)
    found = []
    for name in space.profiles().default:
        try:
            target = choosing.target(
                space, choosing.resolved(space, name), variant=None, image=None
            )
        except InputError:
            continue  # it cannot be used here, and so has no image here
        if target.engine:
            found.append(name)
    return tuple(found)
