"""The rules: those that envbuild ships and those of the user, read, checked and made ready.

What a rule speaks of must exist: the facts and values that it compares, the packages' versions,
the names in its texts, the rules that it covers. Whatever does not is a problem with its place.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from msgspec import Struct

from envbuild.errors import InputError, Mark, Problem
from envbuild.knowledge import matching, terms
from envbuild.knowledge.conditions import Condition, Rule, RuleFile
from envbuild.knowledge.ranges import admitted, wanted
from envbuild.knowledge.reading import Book, read
from envbuild.profile.explain import tidy
from envbuild.profile.model import Environment
from envbuild.profile.resolved import KeyPath
from envbuild.tools import files

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rules")
_NAME = re.compile(r"\{([A-Za-z0-9.-]+)\}")

AUDITED = frozenset({"numpy-abi", "numpy-abi-degraded", "library-older", "unreadable"})
"""What is found in the wheels of a lock: no rules, and waived as they are."""

WAIVER_UNKNOWN = "waiver-unknown"
"""The finding that a waiver names no rule."""

WAIVER_IDLE = "waiver-idle"
"""The finding that a waiver waives nothing."""

_RELEASES = ("isaac_sim", "isaac_lab", "gr00t", "python", "cuda")
_WISHES = (
    "requires",
    "pulls",
    "bounded",
    "locked",
    "brought",
    "overridden",
    "without_extra",
    "build_constraint",
)


class Ready(Struct, frozen=True, kw_only=True):
    """A rule with the test that its condition was made into; ``at`` is its place, split."""

    rule: Rule
    test: matching.Test
    at: KeyPath | None
    shipped: bool


class Rulebook(Struct, frozen=True, kw_only=True):
    """All rules by id, shipped ones first."""

    rules: Mapping[str, Ready]


@functools.cache
def shipped() -> Rulebook:
    """The rules that envbuild brings."""
    texts = ((f"rules/{os.path.basename(path)}", files.read_text(path)) for path in rule_files())
    return Rulebook(rules=_collected({}, texts))


def with_own(own: Mapping[str, str]) -> Rulebook:
    """The shipped rules, and those of the user's own files (text by label).

    Raises:
        InputError: with every problem of every file.
    """
    known = shipped()
    if not own:
        return known
    return Rulebook(rules=_collected(known.rules, own.items()))


def rule_files() -> tuple[str, ...]:
    """The paths of the shipped files, sorted."""
    names = sorted(entry.name for entry in os.scandir(_FOLDER) if entry.name.endswith(".yaml"))
    return tuple(f"{_FOLDER}/{name}" for name in names)


def _collected(before: Mapping[str, Ready], texts: Iterable[tuple[str, str]]) -> dict[str, Ready]:
    found = dict(before)
    places: dict[str, Mark] = {}
    covers: list[tuple[Rule, Book, int]] = []
    problems: list[Problem] = []
    for label, text in texts:
        try:
            book, marks = read(text, label, RuleFile)
        except InputError as error:
            problems += error.problems
            continue
        for index, rule in enumerate(book.rules):
            mark = marks.marks[("rules", index, "id")]
            problems += _taken(rule.id, mark, found, places)
            places.setdefault(rule.id, mark)
            wrong = [_placed(marks, index, *one) for one in _wrong(rule)]
            problems += wrong
            if not wrong:
                found[rule.id] = _ready(rule, shipped_rule=not before)
            covers.append((rule, marks, index))
    problems += _covering(covers, found.keys() | places.keys())
    if problems:
        raise InputError("the rules cannot be used", problems=tidy(problems))
    return found


def _ready(rule: Rule, *, shipped_rule: bool) -> Ready:
    at = tuple(rule.at.split(".")) if rule.at else None
    return Ready(rule=rule, test=matching.prepared(rule.when), at=at, shipped=shipped_rule)


def _taken(
    name: str, mark: Mark, found: Mapping[str, Ready], places: Mapping[str, Mark]
) -> list[Problem]:
    if name in places:
        message = f"the rule {name!r} stands twice, first at {places[name]}"
        return [Problem(message=message, mark=mark, hint="give one of them another id")]
    if name in found or name in (*AUDITED, WAIVER_UNKNOWN, WAIVER_IDLE):
        message = f"the id {name!r} is that of a rule of envbuild's own"
        hint = "give yours another id; a profile can waive the other one"
        return [Problem(message=message, mark=mark, hint=hint)]
    return []


def _covering(covers: Iterable[tuple[Rule, Book, int]], known: Iterable[str]) -> Iterator[Problem]:
    names = sorted(known)
    for rule, book, index in covers:
        for number, name in enumerate(rule.covers):
            if name not in names:
                near = get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]}?" if near else "envbuild knowledge lists them"
                mark = book.marks[("rules", index, "covers", number)]
                yield Problem(message=f"no rule is called {name!r}", mark=mark, hint=hint)


def _placed(book: Book, index: int, path: KeyPath, message: str, hint: str | None) -> Problem:
    whole: KeyPath = ("rules", index, *path)
    while whole not in book.marks:
        whole = whole[:-1]
    return Problem(message=message, mark=book.marks[whole], hint=hint)


_Wrong = tuple[KeyPath, str, str | None]


def _wrong(rule: Rule) -> Iterator[_Wrong]:
    yield from _wrong_condition(rule.when, ("when",))
    names = matching.found_names(rule.when)
    texts: list[tuple[KeyPath, str]] = [(("message",), rule.message), (("why",), rule.why)]
    texts += [(("fix", index), text) for index, text in enumerate(rule.fix)]
    for path, text in texts:
        yield from _wrong_text(path, text, names)
    if rule.at is not None:
        top = rule.at.partition(".")[0]
        keys = sorted(Environment.__struct_encode_fields__)
        if top not in keys:
            near = get_close_matches(top, keys, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(keys)}"
            yield ("at",), f"a profile has no key {top!r}", hint


def _wrong_text(path: KeyPath, text: str, names: frozenset[str]) -> Iterator[_Wrong]:
    for name in _NAME.findall(text):
        if name in names or terms.problem(name) is None:
            continue
        near = get_close_matches(name, [*names, *terms.simple()], n=1)
        meant = f"did you mean {{{near[0]}}}? " if near else ""
        own = ", ".join(f"{{{one}}}" for one in sorted(names)) or "nothing"
        hint = f"{meant}the condition finds {own}; values and facts can be named too"
        yield path, f"{{{name}}} has no value here", hint


def _wrong_condition(condition: Condition, path: KeyPath) -> Iterator[_Wrong]:
    said = matching.asked(condition)
    parts = (*condition.all_, *condition.any_, *filter(None, (condition.not_,)))
    if not said and not parts:
        yield path, "an empty condition", "say what must hold: isaac-sim: '>=5,<6'"
    for name, value in said.items():
        key = name.replace("_", "-")
        if name in _RELEASES and value != "*":
            yield from _wrong_versions((*path, key), value)
        elif name in _WISHES:
            for index, wish in enumerate(value):
                yield from _wrong_wish((*path, key, index), wish)
    numpy = condition.contract.peer_numpy if condition.contract else None
    if numpy and numpy != "*":
        yield from _wrong_versions((*path, "contract", "peer-numpy"), numpy)
    yield from _wrong_terms(condition, path)
    for index, part in enumerate(condition.all_):
        yield from _wrong_condition(part, (*path, "all", index))
    for index, part in enumerate(condition.any_):
        yield from _wrong_condition(part, (*path, "any", index))
    if condition.not_ is not None:
        yield from _wrong_condition(condition.not_, (*path, "not"))


def _wrong_terms(condition: Condition, path: KeyPath) -> Iterator[_Wrong]:
    named: list[tuple[KeyPath, str]] = []
    if condition.compare:
        named.append(((*path, "compare", "value"), condition.compare.value))
        named.append(((*path, "compare", "than"), condition.compare.than))
    if condition.barred:
        named.append(((*path, "barred", "version"), condition.barred.version))
    named += [((*path, "known", index), term) for index, term in enumerate(condition.known)]
    for at, term in named:
        if term[0].isdigit() and at[-1] in ("than", "version"):
            yield from _wrong_versions(at, f"=={term}")
        else:
            wrong = terms.problem(term)
            if wrong:
                yield at, *wrong


def _wrong_versions(path: KeyPath, text: str) -> Iterator[_Wrong]:
    try:
        admitted(text)
    except ValueError as error:
        yield path, f"{text!r} are no versions: {error}", "write them as pip does: >=1.0,<2"


def _wrong_wish(path: KeyPath, text: str) -> Iterator[_Wrong]:
    try:
        wanted(text)
    except ValueError as error:
        yield path, f"{text!r} is no package with versions: {error}", "numpy>=2, or numpy alone"
