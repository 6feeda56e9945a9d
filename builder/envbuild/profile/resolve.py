"""Profiles by name: ``extends`` followed, variants laid over, everything decoded or explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from envbuild.errors import InputError, Problem
from envbuild.profile import blame, explain
from envbuild.profile.layers import Library
from envbuild.profile.resolved import ResolvedProfile
from envbuild.profile.sheet import Source

__all__ = ["Library", "Source", "UnknownProfileError", "resolve", "resolve_all"]


class UnknownProfileError(InputError):
    """No profile has this name: ``profile``."""

    def __init__(self, profile: str, known: Iterable[str]) -> None:
        hint = explain.known_names(profile, known)
        super().__init__(f"no profile is called {profile!r}", hint=hint)
        self.profile = profile


def resolve(
    name: str, sources: Mapping[str, Source], *, library: Library | None = None
) -> ResolvedProfile:
    """The profile ``name`` with everything applied; a ``library`` of these sources keeps what
    several profiles extend.

    Raises:
        InputError: it is not known, or with every problem of its files, sorted by place.
    """
    return _resolved(name, sources, library or Library(sources))


def resolve_all(
    names: Iterable[str], sources: Mapping[str, Source]
) -> tuple[dict[str, ResolvedProfile], tuple[Problem, ...]]:
    """Every profile that can be resolved, and the problems of all the others, each once."""
    resolved: dict[str, ResolvedProfile] = {}
    problems: list[Problem] = []
    for name, one in resolve_each(names, sources):
        if isinstance(one, InputError):
            problems += as_problems(one)
        else:
            resolved[name] = one
    return resolved, explain.tidy(problems)


def as_problems(error: InputError) -> tuple[Problem, ...]:
    """The problems of an error; one of its own where it has none."""
    return error.problems or (Problem(message=error.message, hint=error.hint),)


def resolve_each(
    names: Iterable[str], sources: Mapping[str, Source]
) -> Iterator[tuple[str, ResolvedProfile | InputError]]:
    """Each profile when it is asked for, or why it cannot be resolved."""
    library = Library(sources)
    for name in names:
        try:
            yield name, _resolved(name, sources, library)
        except InputError as error:
            yield name, error


def _resolved(name: str, sources: Mapping[str, Source], library: Library) -> ResolvedProfile:
    if name not in sources:
        raise UnknownProfileError(name, sources)
    layers = library.layers(name)
    examined = blame.examine(layers)
    variants = examined.variants
    problems = explain.tidy((*layers.problems, *blame.laid(examined, layers).values()))
    if problems:
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise InputError(f"the profile {name!r} has {count}", problems=problems)
    return ResolvedProfile(
        name=name,
        summary=variants[0].environment.summary,
        files=layers.files,
        variants=variants,
    )
