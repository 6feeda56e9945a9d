"""Package names and requirements in their one spelling."""

from __future__ import annotations

import functools
import re

_NAME = re.compile(r"[A-Za-z0-9._-]*")
_SEPARATORS = re.compile(r"[-_.]+")
_VERSION = r"[0-9]+(?:\.[0-9]+)*(?:\.\*|(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?)"
_PLAIN = re.compile(
    rf"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?) *"
    rf"(\[[A-Za-z0-9]+(?:,[A-Za-z0-9]+)*\])? *"
    rf"((?:(?:==|!=) *{_VERSION}|(?:<=|>=|<|>) *[0-9]+(?:\.[0-9]+)*)"
    rf"(?: *, *(?:(?:==|!=) *{_VERSION}|(?:<=|>=|<|>) *[0-9]+(?:\.[0-9]+)*))*)?"
)
"""The requirements that nearly every list consists of: a name, extras and plain bounds."""


@functools.cache
def normalise(requirement: str) -> str:
    """The one spelling of a PEP 508 requirement.

    Raises:
        ValueError: the text is no requirement; the message says what is wrong with it.
    """
    plain = _PLAIN.fullmatch(requirement)
    if plain:
        extras = ",".join(sorted(set((plain[2] or "[]")[1:-1].split(","))))
        bounds = (plain[3] or "").replace(" ", "").split(",")
        return (
            canonical_name(plain[1]) + (f"[{extras}]" if extras else "") + ",".join(sorted(bounds))
        )
    return _normalised(requirement)


def _normalised(requirement: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement  # 50 ms

    try:
        parsed = Requirement(requirement)
    except InvalidRequirement as error:
        raise ValueError(str(error).splitlines()[0]) from None
    extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
    marker = f" ; {parsed.marker}" if parsed.marker else ""
    address = f" @ {parsed.url}" if parsed.url else ""
    specifier = ",".join(sorted(str(part) for part in parsed.specifier))
    return f"{canonical_name(parsed.name)}{extras}{address}{specifier}{marker}"


@functools.cache
def canonical_name(name: str) -> str:
    """A project name as PEP 503 writes it: lower case, runs of ``-_.`` as one ``-``."""
    return _SEPARATORS.sub("-", name).strip("-").lower()


@functools.cache
def requirement_name(requirement: str) -> str:
    """The canonical name at the start of a requirement."""
    found = _NAME.match(requirement)
    return canonical_name(found[0]) if found else ""
