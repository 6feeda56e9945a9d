"""Package names and requirements in their one spelling."""

from __future__ import annotations


def normalise(requirement: str) -> str:
    """The one spelling of a PEP 508 requirement.

    Raises:
        ValueError: the text is no requirement; the message says what is wrong with it.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        parsed = Requirement(requirement)
    except InvalidRequirement as error:
        raise ValueError(str(error).splitlines()[0]) from None
    extras = f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else ""
    marker = f" ; {parsed.marker}" if parsed.marker else ""
    address = f" @ {parsed.url}" if parsed.url else ""
    specifier = ",".join(sorted(str(part) for part in parsed.specifier))
    return f"{canonical_name(parsed.name)}{extras}{address}{specifier}{marker}"


def canonical_name(name: str) -> str:
    """A project name as PEP 503 writes it: lower case, runs of ``-_.`` as one ``-``."""
    return "-".join(
        part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part
    )


def requirement_name(requirement: str) -> str:
    """The canonical name at the start of a requirement."""
    end = next((i for i, c in enumerate(requirement) if not (c.isalnum() or c in "-_.")), None)
    return canonical_name(requirement[:end])
