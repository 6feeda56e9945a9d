"""Why there is no conda half, in words: the cause, the solver's own lines, the profile's lines."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.errors import Mark, Problem
from envbuild.lock.conda.inputs import spec_name
from envbuild.lock.conda.lockfile import virtual_parts
from envbuild.names import requirement_name
from envbuild.tools.proc import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envbuild.lock.conda.agreement import Disagreed
    from envbuild.lock.conda.asking import Trouble
    from envbuild.lock.model import CondaInput, Demand
    from envbuild.profile.resolved import KeyPath, Variant

_CAUSES = {
    "unsatisfiable": "conda: no set of packages for {platform} satisfies every specification",
    "network": "conda: {place} cannot be reached",
    "offline": "conda: the cache does not hold {place}, and the network is off",
    "timeout": "conda: {place} does not answer in time",
    "data": "conda: {place} does not hold what a channel must",
    "input": "conda: a specification cannot be read",
    "interrupted": "conda: interrupted",
    "internal": "conda: the solver failed by a bug of its own",
    "failed": "conda: conda-lock gave no answer with the chosen solver",
    "turns": "conda and the package index do not come to agree",
    "conflict": "what the package index demands of conda's packages has no solution for {platform}",
}

_HINTS = {
    "network": "it was tried several times; --offline uses the cache alone",
    "offline": "run once without --offline to fill the cache",
    "timeout": "remote_read_timeout_secs in your .condarc is the limit in seconds; --offline uses "
    "the cache alone",
    "data": "a mirror or a proxy may have answered for it: see mirrored_channels, custom_channels "
    "and channel_alias in your .condarc, and try --refresh",
    "internal": "please report it to conda/rattler; --solver micromamba uses another one",
    "failed": "without --solver the one that envbuild brings is used",
}

_OWN = "the profile's "
"""How a demand begins that the profile itself makes."""

_LINES = 14
"""The most lines of a solver's reasoning that are shown."""


class CondaRefusal(Struct, frozen=True, kw_only=True):
    """Why a variant got no conda half: ``kind`` for machines, ``cause`` in a sentence, ``lines``
    below it, ``problems`` at lines of the profile, ``steps`` that led there."""

    kind: str
    cause: str
    lines: tuple[str, ...]
    hint: str = ""
    problems: tuple[Problem, ...] = ()
    steps: tuple[str, ...] = ()


def refusal(variant: Variant, wanted: CondaInput, why: Disagreed) -> CondaRefusal:
    """What to say of two halves that do not fit; uv's own failures are explained elsewhere."""
    trouble = why.trouble
    if trouble is None:
        lines = tuple(why.steps)
        return CondaRefusal(kind="turns", cause=_CAUSES["turns"], lines=lines, steps=why.steps)
    failure = trouble.failure
    kind: str = failure.kind
    if kind == "unsatisfiable" and why.demanded:
        kind = "conflict"
    place = f"{failure.subdir} of the channel {failure.channel}" if failure.channel else "a channel"
    cause = _CAUSES[kind].format(platform=trouble.platform, place=place)
    demanded = [f"{', '.join(one.by)} asks for {one.package} {one.bounds}" for one in why.demanded]
    return CondaRefusal(
        kind=kind,
        cause=cause,
        lines=(
            *(["the package index:", *(f"  {line}" for line in demanded)] if demanded else ()),
            *(["conda:"] if demanded else ()),
            *_words(failure.text, end=kind == "failed"),
            *_facts(variant, wanted, trouble),
        ),
        hint=_hint(kind, trouble, wanted),
        problems=(*_problems(variant, failure.text, kind), *_askers(variant, why.demanded)),
        steps=why.steps,
    )


def _words(text: str, *, end: bool) -> list[str]:
    """A solver's reasoning, or the end of what a program said."""
    lines = [line.rstrip() for line in masked(text).splitlines() if line.strip()]
    more = [f"… {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
    shown = (*more, *lines[-_LINES:]) if end else (*lines[:_LINES], *more)
    return [f"  {line}" for line in shown]


def _facts(variant: Variant, wanted: CondaInput, trouble: Trouble) -> Iterator[str]:
    """What the solver cannot know of: where a virtual package comes from, what a channel lacks."""
    text = trouble.failure.text
    yield f"  channels: {', '.join(wanted.channels)}; platform: {trouble.platform}"
    target = next(one for one in wanted.targets if one.platform == trouble.platform)
    has = {name: version for name, version, _ in map(virtual_parts, target.virtual_packages)}
    conda = variant.environment.conda
    stated = conda.virtual_packages if conda else {}
    for name in sorted(set(re.findall(r"__(?:archspec|cuda|glibc|linux|unix)", text))):
        origin = {
            "__glibc": f"of {variant.environment.base.distribution}",
            "__cuda": f"of the variant {variant.name}",
        }.get(name, "as every machine of this kind has it")
        origin = "as the profile says" if name in stated else origin
        yield f"  {name} is {has.get(name, 'absent')}, {origin}"
    for name in trouble.empty:
        yield f"  the channel {name} has nothing for {trouble.platform}"


def _hint(kind: str, trouble: Trouble, wanted: CondaInput) -> str:
    text = trouble.failure.text
    for missing in re.findall(r"No candidates were found for ([^\s=<>!]+)", text):
        if trouble.names and missing not in trouble.names and not missing.startswith("__"):
            near = difflib.get_close_matches(missing, trouble.names, n=3, cutoff=0.6)
            where = " or ".join(wanted.channels)
            words = f"{where} has no {missing}"
            return f"{words}: did you mean {' or '.join(near)}?" if near else words
    return _HINTS.get(kind, "")


def _problems(variant: Variant, text: str, kind: str) -> Iterator[Problem]:
    """The lines of the profile that a failure speaks of."""
    conda = variant.environment.conda
    if conda is None or kind not in ("unsatisfiable", "conflict", "input"):
        return
    words = set(re.findall(r"[A-Za-z0-9_.-]+", text.lower()))
    for index, spec in enumerate(conda.packages):
        if spec_name(spec) in words or spec in text:
            yield Problem(
                message=f"conda: {spec} has a part in it",
                mark=_mark(variant, ("conda", "packages", index)),
            )


def _askers(variant: Variant, demanded: tuple[Demand, ...]) -> Iterator[Problem]:
    """The profile's own requirements that demand something of conda's packages."""
    by = {requirement_name(text.removeprefix(_OWN)): one for one in demanded for text in one.by}
    for index, text in enumerate(variant.environment.python.requirements):
        one = by.get(requirement_name(text))
        if one:
            yield Problem(
                message=f"{text} asks for {one.package} {one.bounds} of conda",
                mark=_mark(variant, ("python", "requirements", index)),
            )


def _mark(variant: Variant, path: KeyPath) -> Mark | None:
    while path and path not in variant.marks:
        path = path[:-1]
    return variant.marks.get(path)
