"""What the small files of an installed package say: headers, requirements, versions. Pure."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from envbuild.names import canonical_name

if TYPE_CHECKING:
    from packaging.version import Version

_SECTION = re.compile(r"\[([^]:]*)(?::([^]]*))?\]")
_DASHED = re.compile(r"(?P<name>.+?)-(?P<version>v?\d[^-]*)(?:-py\d[\w.]*)?(?:-[\w.-]+)?")
"""``numpy-1.26.0``, ``foo-bar-1.0-py3.11-linux-x86_64``: a version starts with a digit."""

_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+!-]*[A-Za-z0-9])?")
_NUMBER = r"v?\d[\w.+!-]*"
_LITERALS = (
    re.compile(rf"""^version(?:\s*:\s*\w+)?\s*=\s*['"]({_NUMBER})['"]""", re.MULTILINE),
    re.compile(rf"""^full_version(?:\s*:\s*\w+)?\s*=\s*['"]({_NUMBER})['"]""", re.MULTILINE),
    re.compile(rf"""^opencv_version\s*=\s*['"]({_NUMBER})['"]""", re.MULTILINE),
    re.compile(rf"""^__version__(?:\s*:\s*\w+)?\s*=\s*['"]({_NUMBER})['"]""", re.MULTILINE),
    re.compile(rf'^\s*"version": "({_NUMBER})"', re.MULTILINE),
)
"""How files say a version; the last is versioneer's, of NumPy before 1.26."""


def headers(data: bytes) -> Mapping[str, tuple[str, ...]]:
    """The fields of METADATA or PKG-INFO by their names in lower case, each with all its values.

    Folded lines are joined. What is no UTF-8 is taken for UTF-16 (where it begins so) or Latin-1:
    names and versions are ASCII, so that they are right in each.
    """
    found: dict[str, list[str]] = {}
    last: list[str] = []
    for line in _head(data).split("\n"):
        if line[:1] in (" ", "\t"):
            if last:
                last[-1] = f"{last[-1]} {line.strip()}".strip()
            continue
        key, colon, value = line.partition(":")
        if not colon:
            last = []
            continue
        last = found.setdefault(key.strip().lower(), [])
        last.append(value.strip())
    return {key: tuple(values) for key, values in found.items()}


def _head(data: bytes) -> str:
    """What stands before the first empty line."""
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        text = data.decode("utf-16", "replace")
    else:
        data = data.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
        head = data.lstrip(b"\n").partition(b"\n\n")[0]
        try:
            text = head.decode()
        except UnicodeDecodeError:
            text = head.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.lstrip("\n").partition("\n\n")[0]


def named(stem: str) -> tuple[str, str]:
    """Canonical name and version as the name of a metadata folder says them, without its suffix;
    empty what it does not have (``numpy.egg-info``) or what can be none."""
    found = _DASHED.fullmatch(stem)
    name, version = (found["name"], found["version"]) if found else stem.partition("-")[::2]
    return canonical_name(first((name,))), first((version,))


def first(values: tuple[str, ...] | None) -> str:
    """The first value of a field that can be a name or a version; empty where there is none."""
    return next((one for one in values or () if _WORD.fullmatch(one)), "")


def requirements(text: str) -> Iterator[str]:
    """The lines of an egg-info's ``requires.txt`` as Requires-Dist has them."""
    marker = ""
    for line in text.splitlines():
        line = line.strip()  # noqa: PLW2901
        section = _SECTION.fullmatch(line)
        if section:
            extra = f'extra == "{section[1]}"' if section[1] else ""
            condition = f"({section[2]})" if section[2] and extra else section[2] or ""
            marker = " and ".join(part for part in (condition, extra) if part)
        elif line and not line.startswith("#"):
            yield f"{line} ; {marker}" if marker else line


def said_version(text: str) -> str:
    """The version that a ``version.py`` or ``_version.py`` says as a literal; empty: none."""
    for pattern in _LITERALS:
        found = pattern.search(text)
        if found:
            return found[1]
    return ""


def same_release(one: str, other: str) -> bool:
    """Whether two versions are of one release: a local part (``+cu128``) tells builds apart, not
    releases. What is no version is compared as text."""
    return one == other or _public(one) == _public(other)


def _public(version: str) -> Version | str:
    from packaging.version import InvalidVersion, Version  # 10 ms; most versions are equal as text

    try:
        return Version(Version(version).public)
    except InvalidVersion:
        return version.partition("+")[0].lower()
