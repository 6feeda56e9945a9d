"""What moved between two conda halves. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from envbuild.lock.model import CondaHalf, CondaPackage
from envbuild.lock.moves import Move, Risk, touches_cuda, version_move


def moved(old: CondaHalf | None, new: CondaHalf | None) -> Iterator[Move]:
    """Packages that came, went or moved, and another solver; each by conda's own name."""
    was, now = ({one.name: one for one in half.packages} if half else {} for half in (old, new))
    for name in sorted(was.keys() | now.keys()):
        before, after = was.get(name), now.get(name)
        if before and after:
            yield from _package(before, after)
        elif after:
            risk: Risk = "cuda" if touches_cuda(name) else "added"
            yield Move(risk=risk, what=f"conda {name}", new=after.version)
        elif before:
            risk = "cuda" if touches_cuda(name) else "removed"
            yield Move(risk=risk, what=f"conda {name}", old=before.version)
    if old and new and old.solver != new.solver:
        why = "two solvers may choose differently"
        yield Move(risk="input", what="conda solver", old=old.solver, new=new.solver, why=why)


def _package(before: CondaPackage, after: CondaPackage) -> Iterator[Move]:
    what = f"conda {after.name}"
    if before.version != after.version:
        risk, why = version_move(after.python or after.name, before.version, after.version)
        yield Move(risk=risk, what=what, old=before.version, new=after.version, why=why)
    elif before.build != after.build:
        old, new = (f"{one.version} ({one.build})" for one in (before, after))
        yield Move(risk="other", what=what, old=old, new=new, why="another build of it")
    elif before.sha256 != after.sha256:
        why = "the same version and build with another hash"
        yield Move(risk="security", what=what, old=before.version, new=after.version, why=why)
