"""The signatures: what the text of a log means. Those that envbuild ships, and those of the user.

A signature is a failure (a *disease*) with every message that it is known by. What is wrong with
a file of signatures is found here, all at once and with its place.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Literal

import yaml
from msgspec import Meta, Struct

from envbuild.errors import InputError, Mark, Problem
from envbuild.knowledge import facts
from envbuild.knowledge.patterns import PatternError, compiled
from envbuild.knowledge.reading import Book, Evidence, Identity, read
from envbuild.profile.explain import tidy
from envbuild.profile.resolved import KeyPath
from envbuild.tools import files, typed

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "signatures")
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NAME = re.compile(r"\{([A-Za-z0-9_.-]+)\}")

Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Pattern = Annotated[str, Meta(min_length=3, max_length=500)]

TOLD = ("isaac-sim", "python", "architecture", "driver", "prefix")
"""What a log may tell of the stack that wrote it, beside the facts of its Isaac Sim release."""


class _Form(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How the values of a file of signatures are written."""


class Message(_Form, frozen=True, kw_only=True):
    """One text that a failure is known by.

    ``pattern`` is an RE2 pattern for one line; named groups are values for the texts of fixes.
    ``then`` must match on the same line or at most ``within`` lines below, whatever stands
    between, but for a line below the first that matches ``until``. With ``last``, nothing but
    blanks may follow in the log. ``proves`` is what follows from this message alone.
    """

    pattern: Pattern
    then: Pattern | None = None
    within: Annotated[int, Meta(ge=1, le=200)] = 12
    until: Pattern | None = None
    last: bool = False
    id: Identity | None = None
    proves: Text | None = None


class Together(_Form, frozen=True, kw_only=True):
    """What several messages prove when all of them are seen, by their ids, in any order."""

    of: Annotated[tuple[Identity, ...], Meta(min_length=2)]
    proves: Text


class Where(_Form, frozen=True, kw_only=True):
    """What a whole log must say for a signature to be claimed; all that is given must hold.

    ``isaac_sim``: the log tells a release among these versions. ``seen``: a line matches one of
    these patterns; ``not_seen``: none does, above the messages or below them.
    """

    isaac_sim: Text | None = None
    seen: tuple[Pattern, ...] = ()
    not_seen: tuple[Pattern, ...] = ()


class Fix(_Form, frozen=True, kw_only=True):
    """A way out for one kind of stack.

    ``text`` may name what the log tells (``{isaac-sim}``, ``{python}``), facts of the release
    (``{isaac-sim.numpy}``) and named groups. It is offered only where all of them are known and
    the log does not speak against ``isaac-sim`` (versions, as pip writes them), ``architecture``.
    """

    text: Text
    isaac_sim: Text | None = None
    architecture: Literal["amd64", "arm64"] | None = None


class Signature(_Form, frozen=True, kw_only=True):
    """A failure: its name, its cause, the messages it is known by, and the ways out.

    ``fix`` holds for every stack; the first of ``fix_for`` that applies goes before it.
    A log that does not agree with ``only_where`` does not show this failure at all.
    ``consequence_of`` names failures that bring this one about. ``generic``: the message is seen
    with many causes, so that it is never more than a place to look at. ``package`` is the one
    whose installed copies the log should be asked for. ``along_with`` are signatures that the
    samples may show too.
    """

    id: Identity
    title: Annotated[str, Meta(min_length=1, max_length=100)]
    cause: Text
    fix: Text
    messages: Annotated[tuple[Message, ...], Meta(min_length=1)]
    evidence: Evidence
    samples: Annotated[tuple[Text, ...], Meta(min_length=1)]
    near_misses: Annotated[tuple[Text, ...], Meta(min_length=1)]
    only_where: Where | None = None
    together: tuple[Together, ...] = ()
    fix_for: tuple[Fix, ...] = ()
    consequence_of: tuple[Identity, ...] = ()
    along_with: tuple[Identity, ...] = ()
    package: Identity | None = None
    generic: bool = False


class SignatureFile(_Form, frozen=True, kw_only=True):
    """A file of signatures."""

    schema: Literal[1]
    signatures: tuple[Signature, ...]


class Own(Struct, frozen=True, kw_only=True):
    """The signatures of the user's own files, and the place of each by its id."""

    signatures: tuple[Signature, ...] = ()
    marks: Mapping[str, Mark] = {}


@functools.cache
def shipped() -> tuple[Signature, ...]:
    """The signatures that envbuild brings, file by file."""
    found: list[Signature] = []
    for path in signature_files():
        tree = yaml.load(files.read_text(path), Loader=_LOADER)  # noqa: S506 (scalars stay text)
        found += typed.convert(tree, SignatureFile, strict=False).signatures
    return tuple(found)


def signature_files() -> tuple[str, ...]:
    """The paths of the shipped files, sorted."""
    names = sorted(entry.name for entry in os.scandir(_FOLDER) if entry.name.endswith(".yaml"))
    return tuple(f"{_FOLDER}/{name}" for name in names)


def own(texts: Mapping[str, str], *, beside: tuple[Signature, ...] | None = None) -> Own:
    """The signatures of the user's files (text by label), to stand beside the shipped ones.

    Raises:
        InputError: with every problem of every file.
    """
    before = shipped() if beside is None else beside
    taken = {signature.id for signature in before}
    books: list[tuple[SignatureFile, Book]] = []
    problems: list[Problem] = []
    for label, text in texts.items():
        try:
            books.append(read(text, label, SignatureFile))
        except InputError as error:
            problems += error.problems or (Problem(message=error.message, hint=error.hint),)
    known = taken | {one.id for book, _ in books for one in book.signatures}
    unread = bool(problems)  # an unread file may hold the name that is asked for
    marks: dict[str, Mark] = {}
    for book, source in books:
        for index, signature in enumerate(book.signatures):
            mark = source.marks[("signatures", index, "id")]
            problems += _taken(signature.id, mark, taken, marks)
            marks.setdefault(signature.id, mark)
            problems += (
                _placed(source, index, *one) for one in _wrong(signature, None if unread else known)
            )
    if problems:
        raise InputError("signatures of yours cannot be used", problems=tidy(problems))
    return Own(signatures=tuple(one for book, _ in books for one in book.signatures), marks=marks)


def watched(signatures: Iterable[Signature]) -> tuple[str, ...]:
    """The patterns by which signatures ask for the rest of the log, each once."""
    wheres = [one.only_where for one in signatures if one.only_where]
    return tuple(dict.fromkeys(text for one in wheres for text in (*one.seen, *one.not_seen)))


def names(text: str) -> tuple[str, ...]:
    """What a text of a fix names in braces."""
    return tuple(_NAME.findall(text))


def _taken(
    name: str, mark: Mark, taken: Iterable[str], places: Mapping[str, Mark]
) -> Iterator[Problem]:
    if name in places:
        message = f"the signature {name!r} stands twice, first at {places[name]}"
        yield Problem(message=message, mark=mark, hint="give one of them another id")
    elif name in taken:
        message = f"the id {name!r} is that of a signature of envbuild's own"
        yield Problem(message=message, mark=mark, hint="give yours another id")


def _placed(book: Book, index: int, path: KeyPath, message: str, hint: str | None) -> Problem:
    whole: KeyPath = ("signatures", index, *path)
    while whole not in book.marks:
        whole = whole[:-1]
    return Problem(message=message, mark=book.marks[whole], hint=hint)


_Wrong = tuple[KeyPath, str, str | None]


def _wrong(signature: Signature, known: Iterable[str] | None) -> Iterator[_Wrong]:
    groups: set[str] = set()
    for number, message in enumerate(signature.messages):
        place: KeyPath = ("messages", number)
        for key, pattern in (("pattern", message.pattern), ("then", message.then)):
            if pattern:
                groups |= yield from _wrong_pattern((*place, key), pattern)
        if message.until:
            yield from _wrong_pattern((*place, "until"), message.until)
            if not message.then:
                yield (*place, "until"), "until has nothing to end", "it goes with then"
    ids = [message.id for message in signature.messages if message.id]
    for number, together in enumerate(signature.together):
        for name in (name for name in together.of if name not in ids):
            hint = f"known: {', '.join(ids)}" if ids else "give messages an id"
            yield ("together", number, "of"), f"no message has the id {name!r}", hint
    if known is not None:
        yield from _unknown(signature, known)
    yield from _wrong_fixes(signature, groups)
    if signature.only_where:
        yield from _wrong_where(signature.only_where)


def _wrong_pattern(path: KeyPath, pattern: str) -> Generator[_Wrong, None, set[str]]:
    """What is wrong with a pattern; the names of its groups."""
    try:
        return {name.decode() for name in compiled(pattern).groupindex}
    except PatternError as error:
        yield path, str(error), error.hint
        return set()


def _wrong_where(where: Where) -> Iterator[_Wrong]:
    for key, texts in (("seen", where.seen), ("not-seen", where.not_seen)):
        for number, pattern in enumerate(texts):
            yield from _wrong_pattern(("only-where", key, number), pattern)
    if where.isaac_sim is not None:
        yield from _wrong_versions(("only-where", "isaac-sim"), where.isaac_sim)
    if where == Where():
        yield ("only-where",), "only-where says nothing", "isaac-sim, seen or not-seen"


def _wrong_versions(path: KeyPath, text: str) -> Iterator[_Wrong]:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        yield path, f"{text!r} are no versions", "write them as pip does: >=5,<6"


@functools.cache
def _of_releases() -> frozenset[str]:
    """What a text can name of the facts of a release: single values, and items of mappings."""
    items: dict[str, set[str]] = {}
    for release in facts.releases("isaac-sim"):
        for one in facts.facts_of("isaac-sim", release):
            if isinstance(one.value, dict):
                items.setdefault(one.name, set()).update(one.value)
    names_ = facts.fact_names("isaac-sim") - items.keys()
    names_ |= {f"{name}.{key}" for name, keys in items.items() for key in keys}
    return frozenset(f"isaac-sim.{name}" for name in names_)


def _unknown(signature: Signature, known: Iterable[str]) -> Iterator[_Wrong]:
    for key, named in (
        ("consequence-of", signature.consequence_of),
        ("along-with", signature.along_with),
    ):
        for name in (name for name in named if name not in known):
            yield (key,), f"no signature is called {name!r}", _near(name, known)


def _wrong_fixes(signature: Signature, groups: set[str]) -> Iterator[_Wrong]:
    for name in names(signature.fix):
        hint = "fix-for takes texts that name something"
        yield ("fix",), f"{{{name}}} may be unknown, and fix holds for every stack", hint
    told = {*TOLD, *groups, *_of_releases()}
    for number, fix in enumerate(signature.fix_for):
        for name in (name for name in names(fix.text) if name not in told):
            yield ("fix-for", number, "text"), f"{{{name}}} has no value here", _near(name, told)
        yield from _wrong_versions(("fix-for", number, "isaac-sim"), fix.isaac_sim or "")


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known)[:12])}"
