"""uv's ``pylock.toml`` (PEP 751): which files an index has for the packages that are asked for,
with their addresses and hashes.

A lock holds no addresses, so uv is asked for them where files are wanted. Exact pins are asked for
as packages that require nothing: then the answer is the lock with addresses, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
import tomli_w
from msgspec import Struct

from envbuild.errors import ToolError
from envbuild.lock import uv
from envbuild.tools import files, temporary, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from envbuild.lock.model import VariantLock
    from envbuild.lock.requirements import Pin
    from envbuild.profile.resolved import Variant
    from envbuild.tools.proc import Command, Outcome, Runner

OUTPUT = "pylock.toml"
_REQUIREMENTS = "requirements.in"
_CONSTRAINTS = "constraints.txt"


class File(Struct, frozen=True):
    """A wheel or a source distribution: its address, or its path on this disk; ``hashes`` as hex
    digits by algorithm."""

    hashes: dict[str, str] = {}
    url: str = ""
    path: str = ""
    size: int | None = None


class Package(Struct, frozen=True):
    """One package: its files are all that an installer may take."""

    name: str
    version: str = ""
    wheels: tuple[File, ...] = ()
    sdist: File | None = None


class _Pylock(Struct, frozen=True):
    """What is looked at of a pylock.toml."""

    packages: tuple[Package, ...] = ()


class Question(Struct, frozen=True, kw_only=True):
    """What uv is asked for.

    ``pins`` (``name==version``, with all that stands in it: nothing else is wanted) or
    ``requirements`` (with what they require, under ``constraints``). ``sources`` may come as
    source distributions, all else comes as wheels. ``indexes`` are asked beside the user's own.
    """

    python: str
    platform: str
    as_of: str
    pins: tuple[tuple[str, str], ...] = ()
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    indexes: Mapping[str, str] = {}


def locked(variant: Variant, lock: VariantLock, pins: Iterable[Pin]) -> Question:
    """The question for the files of a lock, for its Python and platform."""
    asked = lock.input
    sources = [one.name for one in lock.packages if one.integrity in ("source", "stub")]
    indexes = variant.environment.python.indexes
    return Question(
        python=asked.python,
        platform=asked.platform,
        as_of=asked.as_of,
        pins=tuple((pin.name, pin.version) for pin in pins),
        sources=tuple(sources),
        indexes={one.name: one.url for one in indexes if one.name in asked.indexes},
    )


class RefusedError(Exception):
    """uv gave no answer; ``outcome`` is what it said."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.command.text())
        self.outcome = outcome


def ask(
    question: Question,
    tool: uv.Uv,
    runner: Runner,
    *,
    heard: Callable[[str], None] | None = None,
) -> str:
    """The text of the ``pylock.toml``. ``heard`` is told what uv says beside it, as warnings.

    Raises:
        RefusedError: uv or the index does not answer, or has no such package.
    """
    with temporary.scratch(_files(question, tool)) as folder:
        called = command(question, tool, folder=folder)
        if heard:
            loud = tuple(word for word in called.argv if word != "--quiet")
            called = msgspec.structs.replace(called, argv=loud)
        outcome = runner(called)
        if outcome.code:
            raise RefusedError(outcome)
        if heard:
            heard(outcome.stderr)
        return files.read_text(f"{folder}/{OUTPUT}")


def packages(text: str) -> tuple[Package, ...]:
    """The packages of a ``pylock.toml`` that uv wrote.

    Raises:
        ToolError: it cannot be read.
    """
    import tomllib

    try:
        return typed.convert(tomllib.loads(text), _Pylock).packages
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ToolError(f"uv's {OUTPUT} cannot be read: {error}") from None


def _files(question: Question, tool: uv.Uv) -> dict[str, str]:
    """The files of the call by name."""
    rows = [
        {"name": name, "version": version, "requires-dist": []} for name, version in question.pins
    ]
    configuration: Mapping[str, object] = {**tool.configuration, "dependency-metadata": rows}
    lines = (*(f"{name}=={version}" for name, version in question.pins), *question.requirements)
    texts = {_REQUIREMENTS: "".join(f"{line}\n" for line in lines)}
    if question.constraints:
        texts[_CONSTRAINTS] = "".join(f"{line}\n" for line in question.constraints)
    return {**texts, "uv.toml": tomli_w.dumps(configuration)}


def command(question: Question, tool: uv.Uv, *, folder: str) -> Command:
    """The call of uv in a folder that holds its files."""
    argv = [tool.executable, "pip", "compile", _REQUIREMENTS, "--config-file", "uv.toml"]
    argv += ["--python", tool.python, "--python-version", question.python]
    argv += ["--python-platform", question.platform, "--exclude-newer", question.as_of]
    argv += ["--constraints", _CONSTRAINTS] if question.constraints else []
    argv += [] if question.requirements else ["--no-deps"]
    argv += ["--only-binary", ":all:"]
    for name in question.sources:
        argv += ["--no-binary", name]
    for name, url in question.indexes.items():
        argv += ["--index", f"{name}={url}"]
    argv += ["--no-header", "--quiet", "--color", "never"]
    argv += ["--format", "pylock.toml", "--output-file", OUTPUT]
    argv += ["--offline"] if tool.offline else []
    return uv.compile_command(argv, tool, folder=folder)
