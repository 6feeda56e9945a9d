"""Conda specifications as conda-lock writes them.

The usual forms need no parser; what is written in another way is read by conda-lock's own (500 ms
to import). A test holds the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from envbuild.names import canonical_name

_PLAIN = r"[A-Za-z0-9][A-Za-z0-9_+!]*(?:\.[A-Za-z0-9_+!]+)*"
_BOUNDS = rf"(?:(?:>=|<=|!=|>|<){_PLAIN}|{_PLAIN}(?:\.\*)?|\*)"
_FEW = 2
"""Bounds of one package that are joined in an order that is known here."""

_DEPENDENCY = re.compile(
    rf"(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]*)"
    rf"(?: (?P<version>{_BOUNDS}(?:,{_BOUNDS})*|==[A-Za-z0-9._+!]+(?= ))"
    rf"(?: [A-Za-z0-9_.*]+)?)?"
)
_SPEC = re.compile(
    r"(?P<name>[A-Za-z0-9_][A-Za-z0-9_-]*)"
    r"(?:=(?P<short>[A-Za-z0-9._]+)| ?(?P<bounds>(?:>=|<=|!=|>|<)[A-Za-z0-9._]+"
    r"(?:,(?:>=|<=|!=|>|<)[A-Za-z0-9._]+)*))?"
)


def dependencies(depends: Iterable[str]) -> dict[str, str]:
    """What a package depends on: the version bounds by name, sorted."""
    found: dict[str, list[str]] = {}
    for text in depends:
        plain = _DEPENDENCY.fullmatch(text)
        if plain is None:
            return _parsed_dependencies(depends)
        found.setdefault(plain["name"].lower(), []).append(plain["version"] or "")
    if any(len(bounds) > _FEW for bounds in found.values()):
        return _parsed_dependencies(depends)
    merged = {
        name: ",".join(sorted(filter(None, bounds))) if len(bounds) > 1 else bounds[0]
        for name, bounds in found.items()
    }
    return dict(sorted(merged.items()))


def _parsed_dependencies(depends: Iterable[str]) -> dict[str, str]:
    from conda_lock.interfaces.vendored_conda import MatchSpec

    found: dict[str, list[object]] = {}
    for text in depends:
        parsed = MatchSpec(text)
        found.setdefault(str(parsed.name), []).append(parsed)
    merged = {}
    for name, specs in found.items():
        spec = specs[0] if len(specs) == 1 else MatchSpec.merge(specs)[0]
        version = getattr(spec, "version", None)
        merged[name] = "" if version is None else str(version.spec_str)
    return dict(sorted(merged.items()))


def merged(listed: Iterable[str]) -> tuple[str, ...]:
    """The same specifications, each package once, sorted: of two for one package conda-lock reads
    the last alone."""
    by_name: dict[str, list[str]] = {}
    for spec in dict.fromkeys(listed):
        by_name.setdefault(str(requested(spec)["name"]), []).append(spec)
    return tuple(sorted(s[0] if len(s) == 1 else _joined(n, s) for n, s in by_name.items()))


def _joined(name: str, listed: list[str]) -> str:
    parsed = [requested(spec) for spec in listed]
    versions = sorted({_bound(one["version"]) for one in parsed if one["version"]})
    builds = sorted({one["build"] for one in parsed if one["build"]})
    channels = sorted({one["channel"] for one in parsed if one["channel"]})
    before = f"{channels[0]}::" if channels else ""
    return " ".join((f"{before}{name}", ",".join(versions) or "*", *builds[:1]))


def _bound(version: str) -> str:
    """A bound that says of itself when it is exact."""
    return f"=={version}" if re.fullmatch(_PLAIN, version) else version


def requested(spec: str) -> dict[str, str | None]:
    """A specification of an environment file: name, version, build and channel."""
    plain = _SPEC.fullmatch(spec)
    if plain is None:
        return _parsed_request(spec)
    version = plain["bounds"] or ""
    if plain["short"]:
        version = f"{plain['short']}.*"
    return {"name": plain["name"].lower(), "version": version, "build": None, "channel": None}


def _parsed_request(spec: str) -> dict[str, str | None]:
    from conda_lock.src_parser.conda_common import conda_spec_to_versioned_dep

    found = conda_spec_to_versioned_dep(spec, "main")
    return {
        "name": found.name,
        "version": found.version,
        "build": found.build,
        "channel": found.conda_channel,
    }


def from_python(specifiers: str) -> str:
    """Bounds of a Python requirement as conda writes them; local versions are left out.

    conda has all operators of PEP 440; ``===`` is its ``==``.
    """
    parts = (part.strip().replace("===", "==") for part in specifiers.split(","))
    return ",".join(sorted({part.partition("+")[0] for part in parts if part}))


def python_name(
    name: str, depends: Iterable[str], purls: Iterable[str], known: Mapping[str, str]
) -> str:
    """The Python package that a conda package is, by its canonical name; empty: it is none.

    The channel's own word first (package URLs), then what is ``known`` of the name, then the name
    itself where the package depends on Python.
    """
    for purl in purls:
        if purl.startswith("pkg:pypi/"):
            return canonical_name(re.split(r"[@?#]", purl.removeprefix("pkg:pypi/"))[0])
    if name in known:
        return known[name]
    wants = {re.split(r"[ =<>!~\[]", text, maxsplit=1)[0] for text in depends}
    return canonical_name(name) if "python" in wants else ""
