"""The conda packages of a lock, as files that micromamba finds beside the list of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.tools.addresses import filename

if TYPE_CHECKING:
    from envbuild.lock.conda.channels import Settings
    from envbuild.lock.folder import LockFolder
    from envbuild.lock.model import VariantLock
    from envbuild.tools.conda import Access, Record


class Package(Struct, frozen=True, kw_only=True):
    """A package's file here, its name in the explicit file, and whether it was fetched now."""

    path: str
    name: str
    fetched: bool


def packages(
    locked: VariantLock,
    folder: LockFolder,
    *,
    settings: Settings,
    access: Access,
    live: Callable[[str], None],
) -> tuple[Package, ...]:
    """Every conda package of a variant, both hashes checked.

    Raises:
        InputError: the lock's conda file is not what envbuild wrote.
        ToolError: a package cannot be had, or is not what its hashes say.
    """
    from envbuild.install.recipe import wanted  # 60 ms that only a conda half needs
    from envbuild.tools import archives, condalock

    assert locked.conda is not None  # the variant's Python is conda's
    records = condalock.records(folder.texts[locked.conda.lock.path], label="conda-lock.yml")
    listed = wanted(records, locked, settings)
    left = len(listed)
    begun = time.time()

    def done(_: Record) -> None:
        nonlocal left
        left -= 1
        live(f"fetching conda packages: {left} left ...")

    found = archives.fetch(listed, access, done=done)
    return tuple(
        Package(
            path=one.path,
            name=filename(one.record.url),
            fetched=os.stat(one.path).st_mtime >= begun,
        )
        for one in found
    )
