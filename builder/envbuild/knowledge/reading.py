"""Knowledge from YAML: a *book* is one file of facts, rules or signatures.

What envbuild ships and what a user writes have the same form and go the same way. A book is a
mapping (``schema: 1`` and one list), read by the rules that profiles are read by, so that every
problem of a file comes at once and with its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from envbuild.errors import InputError, Mark
from envbuild.profile import explain, reader
from envbuild.profile.resolved import KeyPath
from envbuild.tools import typed

Identity = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=64,
        description="a name of lower-case letters, digits and single dashes",
    ),
]
"""What a rule or a signature is called, everywhere: ``numpy-equals-bundle``."""


class Evidence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Where a statement was read, when (ISO date), and how far it can be trusted."""

    source: str
    date: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    confidence: Literal["read", "derived", "claimed"]


_Kind = TypeVar("_Kind", bound=Struct)


class Book(Struct, frozen=True, kw_only=True):
    """What a file of knowledge says, with the place of every key and list item in it."""

    file: str
    marks: Mapping[KeyPath, Mark]


def read(text: str, file: str, kind: type[_Kind]) -> tuple[_Kind, Book]:
    """A file decoded to ``kind``; ``file`` is how the user would name it.

    Raises:
        InputError: with every problem of the file.
    """
    found = reader.scan(text, file)
    if found.tree is None:
        raise InputError(f"{file} cannot be read", problems=explain.tidy(found.problems))
    problems = found.problems
    try:
        value = typed.convert(found.tree.value, kind)
    except msgspec.ValidationError as error:
        problems = (*problems, *explain.problems(found.tree, error, kind=kind))
    if problems:
        raise InputError(f"{file} cannot be used", problems=explain.tidy(problems))
    return value, Book(file=file, marks=found.tree.marks)
