"""The files of all conda halves of a profile. Pure.

Variants of equal specifications share one environment file and one lock, which holds a solution
for each platform: ``environment.yml`` and ``conda-lock.yml``. A variant that does not fit in (other
packages, or another solution for a platform that is taken) has files of its own, which begin with
its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.lock.conda import lockfile, specs
from envbuild.lock.conda.asking import Solved
from envbuild.lock.conda.lockfile import Environment
from envbuild.lock.conda.packages import Half
from envbuild.lock.model import CondaHalf, CondaInput, CondaTarget, Demand, FileDigest

if TYPE_CHECKING:
    from envbuild.tools.conda import Record

EMBEDDED = "py-rattler"
"""The solver that can be told a moment in the past."""

ReadLock = Callable[[bytes], Solved]
"""The packages of a ``conda-lock.yml``, by platform."""


class Member(Struct, frozen=True, kw_only=True):
    """One variant with a conda half: what was asked as of when, the answer (or the half that
    stands), and its requirement file."""

    variant: str
    asked: CondaInput
    as_of: str
    half: Half | CondaHalf
    wheels: str


class _Group:
    """Variants that share an environment file."""

    def __init__(self, prefix: str, asked: CondaInput, packages: tuple[str, ...]) -> None:
        self.prefix = prefix
        self.asked = asked
        self.packages = packages
        self.members: list[Member] = []
        self.targets: dict[str, CondaTarget] = {}
        self.solved: dict[str, tuple[Record, ...]] = {}

    def takes(self, asked: CondaInput, packages: tuple[str, ...], solved: Solved) -> bool:
        """Whether a variant fits in."""
        own = asked.targets[0]
        free = own.platform not in self.targets
        same = (
            self.targets.get(own.platform) == own
            and self.solved[own.platform] == solved[own.platform]
        )
        return (self.asked.channels, self.packages) == (asked.channels, packages) and (free or same)

    def add(self, target: CondaTarget, solved: Solved) -> None:
        """A platform's solution, if there is none yet."""
        if target.platform not in self.targets:
            self.targets[target.platform] = target
            self.solved[target.platform] = solved[target.platform]


def halves(
    profile: str,
    members: Iterable[Member],
    *,
    kept: Mapping[str, bytes],
    read: ReadLock,
) -> tuple[dict[str, CondaHalf], dict[str, bytes]]:
    """The half of each variant as a lock has it, and the files by path.

    ``kept`` are the files as they are; where every half stands, they stay.
    """
    listed = tuple(members)
    standing = {one.variant: one.half for one in listed if isinstance(one.half, CondaHalf)}
    if len(standing) == len(listed):
        named = {file.path for half in standing.values() for file in half.files()}
        return standing, {path: kept[path] for path in sorted(named)}
    solved = {one.variant: _solved(one, kept, read) for one in listed}
    groups = _grouped(listed, solved)
    found: dict[str, CondaHalf] = {}
    written: dict[str, bytes] = {}
    for group in groups:
        texts = _texts(profile, group)
        written |= texts
        for member in group.members:
            found[member.variant] = _half(member, group, texts)
    return found, written


def _solved(member: Member, kept: Mapping[str, bytes], read: ReadLock) -> Solved:
    half = member.half
    if isinstance(half, Half) and half.solved is not None:
        return half.solved
    assert isinstance(half, CondaHalf)  # a half without records is one of the lock
    return read(kept[half.lock.path])


def _grouped(members: tuple[Member, ...], solved: Mapping[str, Solved]) -> list[_Group]:
    groups: list[_Group] = []
    for member in members:
        mine = solved[member.variant]
        packages = _packages(member, mine)
        fitting = (one for one in groups if one.takes(member.asked, packages, mine))
        group = next(fitting, None)
        if group is None:
            prefix = f"{member.variant}." if groups else ""
            group = _Group(prefix, member.asked, packages)
            groups.append(group)
        group.members.append(member)
        group.add(member.asked.targets[0], mine)
    for group in groups:
        for member in group.members:
            for target in member.asked.targets[1:]:
                group.add(target, solved[member.variant])
    return groups


def _packages(member: Member, solved: Solved) -> tuple[str, ...]:
    """The specifications, with what the index demands of packages that are there: who solves the
    file with another tool gets what fits too."""
    there = {record.name for records in solved.values() for record in records}
    demanded = {f"{one.package}{one.bounds}" for one in member.half.demands if one.package in there}
    return specs.merged((*member.asked.packages, *sorted(demanded)))


def _texts(profile: str, group: _Group) -> dict[str, bytes]:
    """The files of a group, by path."""
    targets = tuple(group.targets[platform] for platform in sorted(group.targets))
    environment = Environment(
        channels=group.asked.channels, packages=group.packages, targets=targets
    )
    first = group.members[0]
    source, lock = f"{group.prefix}environment.yml", f"{group.prefix}conda-lock.yml"
    demanded = sorted({_note(one) for member in group.members for one in member.half.demands})
    moments = sorted({m.as_of for m in group.members if m.half.solver.startswith(EMBEDDED)})
    custom = {
        "solver": ", ".join(sorted({member.half.solver for member in group.members})),
        **({"exclude_newer": ", ".join(moments)} if moments else {}),
        **{
            f"virtual_packages {target.platform}": " ".join(target.virtual_packages)
            for target in targets
        },
        **({"demanded_by_python_packages": "; ".join(demanded)} if demanded else {}),
    }
    texts = {
        source: lockfile.environment_text(environment, profile=profile, notes=demanded),
        f"{group.prefix}virtual-packages.yml": lockfile.virtual_text(environment),
        lock: lockfile.lock_text(
            environment,
            group.solved,
            head={"profile": profile, "name": lock, "wheels": first.wheels},
            source=source,
            custom=custom,
        ),
    }
    texts |= {
        f"{group.prefix}{platform}.explicit.txt": lockfile.explicit_text(records, platform=platform)
        for platform, records in group.solved.items()
    }
    return {path: text.encode() for path, text in texts.items()}


def _note(demand: Demand) -> str:
    return f"{demand.package} {demand.bounds}: for {' and '.join(demand.by)}"


def _half(member: Member, group: _Group, texts: Mapping[str, bytes]) -> CondaHalf:
    def digest(name: str) -> FileDigest:
        path = f"{group.prefix}{name}"
        return FileDigest(path=path, sha256=hashlib.sha256(texts[path]).hexdigest())

    platforms = (target.platform for target in member.asked.targets)
    return CondaHalf(
        solver=member.half.solver,
        packages=member.half.packages,
        demands=member.half.demands,
        explicit=tuple(digest(f"{platform}.explicit.txt") for platform in platforms),
        environment=digest("environment.yml"),
        lock=digest("conda-lock.yml"),
        virtual=digest("virtual-packages.yml"),
    )
