"""Which rules are about a package, in the world of a variant. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from envbuild.knowledge import matching, terms
from envbuild.knowledge.conditions import Condition, Rule
from envbuild.knowledge.finding import Found
from envbuild.knowledge.rulebook import Rulebook
from envbuild.knowledge.world import World
from envbuild.names import requirement_name

_SCOPE = (
    "isaac_sim",
    "isaac_lab",
    "gr00t",
    "simulator",
    "python",
    "cuda",
    "architecture",
    "image",
    "contract",
)
"""The keys of a condition that say for which environments a rule is made."""


def about(package: str, world: World, book: Rulebook) -> tuple[tuple[str, str], ...]:
    """The rules that name a package and are made for this environment: id, and what each says.

    Whether the environment breaks one of them is another question, which ``check`` answers.
    """
    named = (ready.rule for ready in book.rules.values() if _names(ready.rule, package))
    return tuple(
        (rule.id, f"{rule.title} ({rule.severity})") for rule in named if _applies(rule.when, world)
    )


def _names(rule: Rule, package: str) -> bool:
    wishes = _texts(msgspec.to_builtins(rule.when))
    if any(package in (requirement_name(text), text.rpartition(".")[2]) for text in wishes):
        return True
    word = re.compile(rf"(?<![\w-]){re.escape(package)}(?![\w-])", re.IGNORECASE)
    return any(word.search(text) for text in (rule.title, rule.message))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            if key != "not":  # what a rule leaves alone
                yield from _texts(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part)


def _applies(condition: Condition, world: World) -> bool:
    scope = {name: getattr(condition, name) for name in _SCOPE}
    test = matching.prepared(Condition(**scope))
    if next(test(world, Found()), None) is None:
        return False
    if any(terms.value(term, world) is None for term in _facts(condition)):
        return False
    some = condition.any_
    return all(_applies(part, world) for part in condition.all_) and (
        not some or any(_applies(part, world) for part in some)
    )


def _facts(condition: Condition) -> Iterator[str]:
    """The facts of a release that a condition asks for: without that release it says nothing."""
    named = [*condition.known]
    named += [condition.compare.value, condition.compare.than] if condition.compare else []
    named += [condition.barred.version] if condition.barred else []
    return (term for term in named if "." in term and term[:1].isalpha())
