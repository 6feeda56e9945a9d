"""Making an environment: beside its place, checked, and only then moved there."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.install import checks, python
from envbuild.install.recipe import Recipe
from envbuild.lock.uv import Uv
from envbuild.speech import counted
from envbuild.tools import archives, linking, temporary
from envbuild.tools.archives import Wanted
from envbuild.tools.conda import Access
from envbuild.tools.proc import Runner
from envbuild.tools.trouble import cannot_write

_BREAKING = frozenset("'\"\\$`:")
"""What a path may not hold that stands in shell scripts, in Python texts and in PATH."""


class Tools(Struct, frozen=True, kw_only=True):
    """What an environment is made with, and who is told how it goes."""

    access: Access
    uv: Uv
    runner: Runner
    say: Callable[[str], None]
    live: Callable[[str], None]


def install(recipe: Recipe, packages: Iterable[Wanted], prefix: str, tools: Tools) -> None:
    """Make the environment at an absolute path where nothing is yet.

    Raises:
        InputError: something is there.
        ToolError: something failed; the prefix is as it was.
    """
    refuse_taken(prefix)
    listed = tuple(packages)
    with temporary.beside(prefix) as folder:
        _conda(listed, folder, prefix, tools)
        tools.live("installing the Python packages ...")
        python.install(recipe, folder, uv=tools.uv, runner=tools.runner)
        tools.say(f"{counted(len(recipe.expected), 'Python package')} installed by uv")
        tools.live("checking ...")
        for line in checks.check(recipe, folder, runner=tools.runner):
            tools.say(f"checked: {line}")
        python.relocate(folder, prefix)
        _settings(recipe, folder)
        refuse_taken(prefix)
        try:
            os.rename(folder, prefix)
        except OSError as error:
            raise cannot_write(prefix, error) from None


def refuse_taken(prefix: str) -> None:
    """Refuse a place where something is, and one whose name would break the scripts in it.

    Raises:
        InputError: it is a file, a link, or a folder that is not empty, or cannot be named.
    """
    wrong = [char for char in prefix if char in _BREAKING or not char.isprintable()]
    if wrong:
        raise InputError(
            f"an environment cannot stand at {prefix!r}",
            hint=f"its scripts name its path, and {wrong[0]!r} in it would break them",
        )
    is_empty = os.path.isdir(prefix) and not os.path.islink(prefix) and not os.listdir(prefix)
    if os.path.lexists(prefix) and not is_empty:
        raise InputError(
            f"{prefix} is there already",
            hint="an environment is made anew, never changed: name another place, or remove it",
        )


def _conda(packages: tuple[Wanted, ...], folder: str, prefix: str, tools: Tools) -> None:
    left = len(packages)

    def done(_: object) -> None:
        nonlocal left
        left -= 1
        tools.live(f"fetching conda packages: {left} left ...")

    fetched = archives.fetch(packages, tools.access, done=done)
    tools.live("linking conda packages ...")
    linking.link(fetched, folder, prefix=prefix, access=tools.access)
    tools.say(f"{counted(len(fetched), 'conda package')} linked, both hashes of each checked")


def _settings(recipe: Recipe, folder: str) -> None:
    """What activation sets, where conda keeps it; and what the environment was made from."""
    made = {"profile": recipe.profile, "variant": recipe.variant, "lock-digest": recipe.digest}
    texts = {
        "state": {"version": 1, "env_vars": dict(recipe.variables)},
        "envbuild.json": made,
    }
    for name, content in texts.items():
        path = f"{folder}/conda-meta/{name}"
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)  # one that a package brought may be the cache's too
            with open(path, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2)
                file.write("\n")
        except OSError as error:
            raise cannot_write(path, error) from None
