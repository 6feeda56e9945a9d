"""The Python half: uv installs it into a prefix that will be moved, hashes required."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator

import tomli_w

from envbuild.errors import ToolError
from envbuild.install.recipe import Part, Recipe
from envbuild.lock.uv import Uv
from envbuild.tools import files, temporary
from envbuild.tools.proc import Command, Outcome, Runner

_TIMEOUT = 3600.0
"""Seconds for one call; building flash-attn from source takes longer, and an image's time."""

_LARGEST = 1 << 20
"""Bytes of a script; what is larger in ``bin`` is a program."""


def install(recipe: Recipe, folder: str, *, uv: Uv, runner: Runner) -> None:
    """Install every Python package of the lock into a prefix.

    Raises:
        ToolError: uv failed; the prefix is half made.
    """
    for part in recipe.parts:
        _call(recipe, part, folder, uv=uv, runner=runner)


def _call(recipe: Recipe, part: Part, folder: str, *, uv: Uv, runner: Runner) -> None:
    texts = {
        "requirements.txt": part.text,
        "uv.toml": tomli_w.dumps(uv.configuration),
        "build-constraints.txt": "".join(f"{line}\n" for line in recipe.build_constraints),
    }
    with temporary.scratch(texts) as place:
        outcome = runner(_command(recipe, part, folder, uv=uv, place=place))
    if outcome.code:
        raise _failed(outcome, part)


def _command(recipe: Recipe, part: Part, folder: str, *, uv: Uv, place: str) -> Command:
    argv = [uv.executable, "pip", "install", "--config-file", "uv.toml"]
    argv += ["--python", f"{folder}/bin/python", "--no-deps", "--require-hashes"]
    argv += ["-r", "requirements.txt", "--link-mode", "copy", "--color", "never"]
    argv += ["--break-system-packages"]  # the prefix is ours, whatever its Python says of itself
    build = part.build
    if build:
        argv += ["--build-constraints", "build-constraints.txt"]
        argv += [] if build.isolation else ["--no-build-isolation"]
    else:
        argv += ["--no-build"]
    for name, url in recipe.indexes.items():
        argv += ["--index", f"{name}={url}"]
    argv += ["--offline"] if uv.offline else []
    variables = {
        **dict(uv.environment),
        **(build.environment if build else {}),
        "UV_NO_PROGRESS": "1",
        "NO_COLOR": "1",
    }
    return Command(
        argv=tuple(argv), environment=tuple(variables.items()), cwd=place, timeout=_TIMEOUT
    )


def _failed(outcome: Outcome, part: Part) -> ToolError:
    named = f"{', '.join(part.build.packages)} (from source)" if part.build else ""
    what = named or "the Python packages"
    late = f" within {_TIMEOUT:.0f} s" if outcome.timed_out else ""
    return ToolError(
        f"uv could not install {what}{late}",
        hint="nothing was installed",
        command=outcome.command.text(),
        output=outcome.stdout + outcome.stderr,
    )


# --- Moving --------------------------------------------------------------------------------------


def relocate(folder: str, prefix: str) -> None:
    """Let the scripts that uv wrote into ``folder`` name ``prefix``, where it will stand.

    The RECORD of each package says the new hashes.
    """
    before, after = folder.encode(), prefix.encode()
    changed = {}
    for path in _scripts(folder):
        with open(path, "rb") as file:
            data = file.read(_LARGEST)
        if before in data:
            moved = data.replace(before, after)
            files.replace(path, moved)
            changed[path] = moved
    if changed:
        for record in _records(folder):
            _rewrite(record, changed)


def _scripts(folder: str) -> Iterator[str]:
    with os.scandir(f"{folder}/bin") as found:
        for entry in found:
            if entry.is_file(follow_symlinks=False) and entry.stat().st_size < _LARGEST:
                yield entry.path


def _records(folder: str) -> Iterator[str]:
    for place, names, _ in os.walk(f"{folder}/lib"):
        if os.path.basename(place) == "site-packages":
            infos = (name for name in names if name.endswith(".dist-info"))
            yield from (f"{place}/{name}/RECORD" for name in infos)
            names.clear()


def _rewrite(record: str, changed: dict[str, bytes]) -> None:
    text = files.read_text(record) if os.path.isfile(record) else ""
    lines = [_line(line, record, changed) for line in text.splitlines(keepends=True)]
    new = "".join(lines)
    if new != text:
        files.replace(record, new.encode())


def _line(line: str, record: str, changed: dict[str, bytes]) -> str:
    name, comma, _ = line.partition(",sha256=")
    site = os.path.dirname(os.path.dirname(record))
    data = changed.get(os.path.normpath(f"{site}/{name}")) if comma else None
    if data is None:
        return line
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return f"{name},sha256={digest},{len(data)}\n"
