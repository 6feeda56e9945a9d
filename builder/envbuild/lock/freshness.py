"""Is a lock still true to its profile, and if not, which input moved? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from envbuild.lock.folder import LockFolder, files_of, input_digest
from envbuild.lock.inputs import solver_input
from envbuild.lock.model import FileDigest, Lock, SolverInput, VariantLock
from envbuild.lock.pins import open_questions
from envbuild.profile.resolved import ResolvedProfile, Variant


class Freshness(Struct, frozen=True, kw_only=True):
    """``fresh``; ``stale`` (an input moved); ``missing``; ``broken`` (files are not the lock's).

    ``reasons`` say what moved, one line each, with the variant where there are several.
    """

    status: Literal["fresh", "stale", "missing", "broken"]
    reasons: tuple[str, ...] = ()

    @property
    def fresh(self) -> bool:
        """Whether nothing needs doing."""
        return self.status == "fresh"


def state(
    profile: ResolvedProfile, folder: LockFolder, *, copied: Mapping[str, str] | None = None
) -> Freshness:
    """Hold a lock folder against its profile.

    ``copied`` maps the paths of the profile's own files in the lock folder to their sha256 now;
    None skips that question.
    """
    lock = folder.header
    if lock is None:
        return Freshness(status="missing", reasons=(f"{folder.label} holds no lock",))
    broken = _broken(lock, folder)
    if broken:
        return Freshness(status="broken", reasons=broken)
    reasons = [] if lock.seal else [f"{folder.label} is not sealed: it was locked before seals"]
    reasons += _variants(profile, lock)
    if copied is not None:
        reasons += _moved_files(lock, copied)
    return Freshness(status="stale" if reasons else "fresh", reasons=tuple(reasons))


def moved(asked: SolverInput, locked: VariantLock) -> tuple[str, ...]:
    """What differs between the input of a lock and the input now; empty when nothing does."""
    if input_digest(asked) == locked.digest:
        return ()
    now, then = _flat(asked), _flat(locked.input)
    lines = tuple(
        _difference(key, then.get(key, ()), now.get(key, ()))
        for key in sorted({*now, *then})
        if now.get(key) != then.get(key)
    )
    return lines or ("the digest of the input is not the lock's",)


def _flat(asked: SolverInput) -> dict[str, object]:
    """The fields of an input by their names; those of its conda part one by one."""
    fields: dict[str, Any] = msgspec.to_builtins(asked)
    conda = fields.pop("conda", {})
    targets = conda.pop("targets", ())
    fields |= {f"conda {key}": value for key, value in conda.items()}
    return fields | {f"conda {one['platform']}": one["virtual-packages"] for one in targets}


def _difference(key: str, then: object, now: object) -> str:
    if isinstance(then, str) or isinstance(now, str):
        return f"{key}: {then or 'nothing'} -> {now or 'nothing'}"
    before, after = set(_items(then)), set(_items(now))
    signs = [f"- {item}" for item in sorted(before - after)]
    signs += [f"+ {item}" for item in sorted(after - before)]
    shown = ", ".join(signs[:4]) + (f" and {len(signs) - 4} more" if len(signs) > 4 else "")
    return f"{key}: {shown}"


def _items(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, (list, tuple)) else ()


def _broken(lock: Lock, folder: LockFolder) -> tuple[str, ...]:
    named: list[FileDigest] = list(lock.files)
    for variant in lock.variants.values():
        named += files_of(variant)
    lines = []
    for file in sorted(set(named), key=lambda file: file.path):
        found = folder.digest(file.path)
        if found is None:
            lines.append(f"{folder.label}/{file.path} is missing")
        elif found != file.sha256:
            lines.append(f"{folder.label}/{file.path} was changed since it was locked")
    return tuple(lines)


def _variants(profile: ResolvedProfile, lock: Lock) -> list[str]:
    lines = []
    several = len(profile.variants) > 1
    for variant in profile.variants:
        where = f"{variant.name}: " if several else ""
        locked = lock.variants.get(variant.name)
        if locked is None:
            lines.append(f"{variant.name} is not locked")
            continue
        moment = variant.environment.as_of or locked.input.as_of
        asked, _ = solver_input(variant, as_of=moment, indexes=locked.input.indexes)
        said = moved(asked, locked) or open_questions(variant, locked) or _reworded(variant, locked)
        lines += [f"{where}{line}" for line in said]
    names = {variant.name for variant in profile.variants}
    lines += [f"{name} is no longer in the profile" for name in lock.variants if name not in names]
    return lines


def _reworded(variant: Variant, locked: VariantLock) -> tuple[str, ...]:
    """What the lock says from the profile alone, when the profile says it otherwise now."""
    from envbuild.lock.assemble import refreshed  # what is wrong with a lock needs none of it

    now = refreshed(variant, locked)
    lines = (
        (now.relaxations != locked.relaxations, "reasons of relaxations were changed"),
        (now.packages != locked.packages, "system packages of source builds were changed"),
        (now.images != locked.images, "the images that are needed were changed"),
        (now.apt != locked.apt, "the apt packages that are needed were changed"),
        (now.git != locked.git, "commits of git sources are not those of the profile"),
        (now.unpinned != locked.unpinned, "what is not pinned was changed"),
    )
    return tuple(line for differs, line in lines if differs)


def _moved_files(lock: Lock, copied: Mapping[str, str]) -> list[str]:
    locked = {file.path: file.sha256 for file in lock.files}
    lines = [f"{path} is no longer copied" for path in sorted(locked.keys() - copied.keys())]
    for path, digest in sorted(copied.items()):
        if path not in locked:
            lines.append(f"{path} is not in the lock")
        elif locked[path] != digest:
            lines.append(f"{path} was changed")
    return lines
