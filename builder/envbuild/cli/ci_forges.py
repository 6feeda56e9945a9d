"""The options of ``envbuild ci github`` and ``gitlab`` as choices, and the files that follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import envbuild
from envbuild.forge import choices, workflows
from envbuild.forge.choices import Choices

if TYPE_CHECKING:
    from envbuild.forge.model import Machines, Written

_NIGHT, _RELOCK = "17 2 * * *", "41 4 * * 1"
"""Not at a full hour, when a forge has the most to do."""


def github(
    chosen: Mapping[str, object], templates: Mapping[str, str], words: tuple[str, ...]
) -> tuple[Written, ...]:
    """The files of GitHub.

    Raises:
        InputError: an option has a value that cannot stand in a workflow, or a template is wrong.
    """
    sarif = chosen["sarif"] is not False
    return workflows.github(_choices(chosen, default=True), templates, words=words, sarif=sarif)


def gitlab(
    chosen: Mapping[str, object], templates: Mapping[str, str], words: tuple[str, ...]
) -> tuple[Written, ...]:
    """The files of GitLab.

    Raises:
        InputError: see :func:`github`.
    """
    return workflows.gitlab(_choices(chosen, default=False), templates, words=words)


def machines(chosen: Mapping[str, object], *, default: bool) -> Machines:
    """The machines that were named.

    Raises:
        InputError: one cannot be.
    """
    return choices.machines(texts(chosen["runner"]), texts(chosen["gpu_runner"]), default=default)


def _choices(chosen: Mapping[str, object], *, default: bool) -> Choices:
    found = machines(chosen, default=default)
    if not found.plain and not found.gpu:
        found = choices.untagged()
    shards = chosen["shards"]
    return choices.checked(
        Choices(
            machines=found,
            install=str(chosen["install"] or f"envbuild=={envbuild.__version__}"),
            shards=shards if isinstance(shards, int) else 2,
            cron=str(chosen["schedule"] or _NIGHT),
            relock=str(chosen["relock"] or _RELOCK),
            registry=str(chosen["registry"] or ""),
            history=str(chosen["history"] or "git:envbuild-history"),
        )
    )


def texts(value: object) -> tuple[str, ...]:
    """What an option that may come several times was given; an empty word takes all back."""
    found = tuple(str(word) for word in value) if isinstance(value, tuple) else ()
    return tuple(filter(None, found))
