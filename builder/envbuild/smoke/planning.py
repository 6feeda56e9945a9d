"""From a profile, its lock and the machine to what the probes are told. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from envbuild.errors import InputError
from envbuild.profile.model import Python
from envbuild.profile.resolved import Variant
from envbuild.smoke import drafts, orders
from envbuild.smoke.drafts import Draft, Options, Question, Snippet
from envbuild.smoke.model import PLAN_SCHEMA, Intent, Plan, Planned, StaticPlan, Trial

SEED = "0"
"""Which error a mixed NumPy shows first depends on the seed of the hashes: one seed, one error."""

AFTER = ("verdict", "close", "processes")
"""What is said of every test when it has ended."""

STATIC = "static"
"""The stage that looks at files and starts nothing."""

_STATIC = ("packages", "bundle", "numpy-copies", "numpy-builds", "settings", "libraries", "vulkan")
_SET_BY_LAUNCHER = ("CARB_APP_PATH", "EXP_PATH", "ISAAC_PATH", "PYTHONPATH")


def interpreter(python: Python) -> str:
    """What starts Python in an image of a profile: with a simulator in the image, its launcher."""
    if python.prefix:
        return f"{python.prefix}/bin/python"
    assert python.interpreter is not None  # a profile without a prefix has one
    return python.interpreter


def intent(asked: Question) -> Intent:
    """Everything that is asked of an image, and what is not run here, with the reason.

    Raises:
        InputError: there is nothing to test, or no test of a name that was asked for.
    """
    return _assembled(asked, _named(drafts.drafts(asked), asked.options.tests))


def snippet_intent(asked: Question, one: Snippet) -> Intent:
    """One piece of Python as all that is run, started as the profile starts its own tests."""
    made = _assembled(asked, [drafts.snippet(one)])
    plan = replace(made.plan, static=replace(made.plan.static, checks=()))
    return replace(made, plan=plan, left_out=())


def static_checks(asked: Question) -> tuple[str, ...]:
    """The checks of the static stage that a report has."""
    skipped = set() if "numpy" in asked.versions else {"numpy-copies", "numpy-builds"}
    skipped |= set() if asked.simulator else {"vulkan"}
    return tuple(name for name in _STATIC if name not in skipped)


def units(asked: Question) -> tuple[str, ...]:
    """What several machines can share of an image: its tests by their names, and the static stage.

    Raises:
        InputError: there is nothing to test, or no test of a name that was asked for.
    """
    return (STATIC, *(one.name for one in _named(drafts.drafts(asked), asked.options.tests)))


def _named(all_: tuple[Draft, ...], wanted: tuple[str, ...]) -> list[Draft]:
    """The tests that were asked for; all where none was."""
    known = {draft.name for draft in all_}
    for name in wanted:
        if name not in known:
            raise InputError(
                f"there is no test {name!r}", hint=f"tests: {', '.join(sorted(known))}"
            )
    return [draft for draft in all_ if not wanted or draft.name in wanted]


def _assembled(asked: Question, wanted: Iterable[Draft]) -> Intent:
    environment, options = asked.variant.environment, asked.options
    trials: list[Trial] = []
    planned: list[Planned] = []
    started = False
    elsewhere = dict(options.elsewhere)
    for draft in wanted:
        checks = (*(str(step["check"]) for step in draft.steps), *AFTER)
        if draft.name in elsewhere:
            planned.append(Planned(name=draft.name, checks=checks, reason=elsewhere[draft.name]))
            continue
        lacks = asked.machine.lacks(draft.need) if draft.need else ""
        if lacks or draft.reason:
            unmet = draft.need if lacks else None
            reason = lacks or draft.reason
            planned.append(Planned(name=draft.name, checks=checks, reason=reason, unmet=unmet))
            continue
        planned.append(Planned(name=draft.name, checks=checks, number=len(trials)))
        trials.append(
            Trial(
                name=draft.name,
                steps=draft.steps,
                deadline=_deadline(draft, options, first=not started),
                close=options.close,
                logs=_logs(asked.variant) if draft.launch else (),
            )
        )
        started = started or draft.launch
    return Intent(
        profile=environment.name,
        variant=asked.variant.name,
        interpreter=interpreter(environment.python),
        plan=Plan(
            schema=PLAN_SCHEMA,
            seed=SEED,
            numpy=asked.versions.get("numpy", ""),
            network=options.network,
            static=_static(asked),
            tests=tuple(trials),
        ),
        tests=tuple(planned),
        left_out=tuple(_skipped(asked).items()),
    )


def _deadline(draft: Draft, options: Options, *, first: bool) -> float:
    if draft.test is None:
        return draft.timeout
    return orders.deadline(draft.test, first=first, cold=options.cold, warm=options.warm)


def _static(asked: Question) -> StaticPlan:
    environment = asked.variant.environment
    foreign = {name for name, value in asked.image.environment if value} - environment.env.keys()
    return StaticPlan(
        checks=tuple(name for name in static_checks(asked) if name not in _skipped(asked)),
        packages=asked.locked_versions,
        provided={one.name: one.version for one in asked.locked.provided if one.version},
        bundled_sites=environment.python.bundled_sites,
        numpy=asked.versions.get("numpy", ""),
        simulator=asked.simulator,
        cores=tuple(f"{home}/kit/libcarb.so" for home in _homes(asked.variant)),
        preset=tuple(name for name in _SET_BY_LAUNCHER if asked.simulator and name in foreign),
    )


def _skipped(asked: Question) -> dict[str, str]:
    """The checks of the static stage that are not run here, each with the reason: a container
    without a GPU says nothing of some."""
    place = dict(asked.options.elsewhere).get(STATIC)
    named = static_checks(asked) if place else ("vulkan",) if not asked.machine.gpus else ()
    reason = place or asked.machine.lacks("gpu")
    return {name: reason for name in named if name in static_checks(asked)}


def _homes(variant: Variant) -> tuple[str, ...]:
    """Where Isaac Sim may lie in an image: in the site-packages, or beside its launcher."""
    python = variant.environment.python
    if python.prefix:
        own = f"{python.prefix}/lib/python{python.version}/site-packages/isaacsim"
    else:
        own = interpreter(python).rpartition("/")[0]
    return tuple(dict.fromkeys((own, "/isaac-sim")))


def _logs(variant: Variant) -> tuple[str, ...]:
    """Where Kit writes its logs (``kit/logs`` with --portable)."""
    return ("~/.nvidia-omniverse/logs", *(f"{home}/kit/logs" for home in _homes(variant)))
