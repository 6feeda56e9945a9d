"""A vendored folder held against its manifest, without network: is every file there and whole?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from msgspec import Struct

from envbuild.build.vendor.model import Artifact, Target, Vendored
from envbuild.errors import InputError
from envbuild.tools.store import digest
from envbuild.tools.trouble import words

_SHOWN = 4


class Fault(Struct, frozen=True, kw_only=True):
    """An artifact that is not as the manifest says."""

    artifact: Artifact
    kind: Literal["missing", "other bytes", "unreadable"]
    detail: str = ""

    @property
    def text(self) -> str:
        """In one line."""
        one = self.artifact
        said = f" ({self.detail})" if self.detail else ""
        return f"{one.kind} {one.name} {one.version}: {one.file}: {self.kind}{said}"


def faults(
    folder: str, artifacts: Iterable[Artifact], *, jobs: int, live: Callable[[str], None]
) -> tuple[Fault, ...]:
    """What of the artifacts is missing or has other bytes, in their order."""
    listed = tuple(artifacts)
    size = sum(one.size for one in listed)
    live(f"checking {len(listed)} files, {size / 1e6:.0f} MB ...")
    with ThreadPoolExecutor(jobs) as pool:
        found = pool.map(lambda one: _fault(folder, one), listed)
        return tuple(one for one in found if one)


def _fault(folder: str, one: Artifact) -> Fault | None:
    path = os.path.normpath(f"{folder}/{one.file}")
    if not path.startswith(f"{os.path.normpath(folder)}/"):
        return Fault(artifact=one, kind="unreadable", detail="its path leads out of the folder")
    try:
        size = os.path.getsize(path)
        if size != one.size:
            said = f"{size} bytes instead of {one.size}"
            return Fault(artifact=one, kind="other bytes", detail=said)
        found = digest(path)
    except FileNotFoundError:
        return Fault(artifact=one, kind="missing")
    except OSError as error:
        return Fault(artifact=one, kind="unreadable", detail=words(error))
    return None if found == one.sha256 else Fault(artifact=one, kind="other bytes")


def of_target(vendored: Vendored, target: Target) -> tuple[Artifact, ...]:
    """The artifacts of a variant; those that the manifest lacks are no part of it."""
    needed = target.needs()
    return tuple(one for one in vendored.artifacts if one.sha256 in needed)


def refuse(folder: str, vendored: Vendored, target: Target, *, jobs: int = 2) -> None:
    """Refuse to build a variant from a folder that is not whole.

    Raises:
        InputError: with what is missing, or has other bytes.
    """
    own = of_target(vendored, target)
    lacking = target.needs() - {one.sha256 for one in own}
    found = faults(folder, own, jobs=jobs, live=lambda _: None)
    if lacking or found:
        lines = [f"  {one.text}" for one in found[:_SHOWN]]
        lines += [f"  sha256 {one}: not in the manifest" for one in sorted(lacking)[:_SHOWN]]
        left = len(found) + len(lacking) - len(lines)
        lines += [f"  and {left} more"] if left > 0 else []
        raise InputError(
            "\n".join((f"{folder} is not whole for {target.name}", *lines)),
            hint=f"copy it again, or, with network: envbuild vendor {target.profile} {folder}",
        )


def refuse_gaps(target: Target, folder: str) -> None:
    """Refuse to build a variant of which something could not be vendored.

    Raises:
        InputError: with what it is, and why.
    """
    if target.gaps:
        listed = "".join(f"\n  {one.what}: {one.why}" for one in target.gaps)
        raise InputError(
            f"{target.name} cannot be built from {folder} alone{listed}",
            hint="without --vendor, envbuild build --online lets its steps fetch by themselves",
        )
