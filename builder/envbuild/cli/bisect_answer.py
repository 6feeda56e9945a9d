"""What a bisect found, with all that is told of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.cli import bisect_asked, build_report
from envbuild.history.model import Diagnosis
from envbuild.nightly.bisecting import telling
from envbuild.nightly.bisecting.model import Graph, Group, Heard, Moved
from envbuild.nightly.bisecting.telling import Report, Step, Suspect

if TYPE_CHECKING:
    from envbuild.lock.model import Lock
    from envbuild.nightly.bisecting.trying import Result
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Workspace


_NEARER = "name sides that lie nearer, or let the test judge where it could not"


class Answer(Struct, frozen=True, kw_only=True):
    """Who answers: the profile as it stands, its bad ``lock``, ``about`` the search, and ``step``,
    the folder of a mixture relative to the workspace."""

    workspace: Workspace
    profile: ResolvedProfile
    lock: Lock
    graph: Graph
    about: Report
    step: Callable[[Moved], str]

    def report(self, heard: tuple[tuple[Moved, Heard], ...]) -> Report:
        """What was heard, without anything found."""
        steps = tuple(
            Step(moved=self._count(moved), heard=one, ids=tuple(sorted(moved)))
            for moved, one in heard
        )
        return msgspec.structs.replace(
            self.about,
            unsteady=telling.unsteady(heard),
            steps=steps,
            tests=sum(one.tested for _, one in heard),
            seconds=sum(one.seconds for _, one in heard),
        )

    def found(self, result: Result, *, asked: bool) -> Report:
        """What was found; ``asked``: it was tried without what had moved before it."""
        found, partner = result.found, result.partner
        heard = dict(result.heard)
        bad = heard.get(found.high)
        before = self._count(found.low)
        alone = telling.alone_words(before, asked=asked, partners=partner is not None)
        return msgspec.structs.replace(
            self.report(result.heard),
            found=len(found.between) == 1 or found.inseparable,
            inseparable=found.inseparable,
            suspects=tuple(self._suspects(found.between)),
            carried=telling.carried(found.between, self.graph),
            ties=telling.ties(found.between, self.graph),
            apart=tuple(dict.fromkeys(one.why for one in found.apart))[:3],
            partners=self._partners(partner.between) if partner else (),
            before=before,
            alone=alone if len(found.between) == 1 else "",
            hint="" if len(found.between) == 1 or found.inseparable else _NEARER,
            failure=bad.why if bad else "",
            log=bad.log if bad else "",
            lock=f"{self.step(found.low)}/lock" if found.low in heard else "",
            diagnosis=self._diagnosis(bad),
        )

    def _count(self, moved: Moved) -> int:
        return sum(node.presence == "both" for node in self.graph.nodes if node.id in moved)

    def _suspects(self, groups: tuple[Group, ...]) -> list[Suspect]:
        nodes = [self.graph.node(name) for group in groups for name in group.ids]
        moving = [node for node in nodes if node.presence == "both"]
        return [
            Suspect(
                id=node.id,
                kind=node.kind,
                moves=node.moves,
                asked=bisect_asked.asked(node, self.profile, self.lock),
                hold=telling.hold(node),
            )
            for node in moving or nodes
        ]

    def _partners(self, groups: tuple[Group, ...]) -> tuple[str, ...]:
        nodes = [self.graph.node(name) for group in groups for name in group.ids]
        return tuple(telling.named(node) for node in nodes if node.presence == "both")

    def _diagnosis(self, bad: Heard | None) -> tuple[Diagnosis, ...]:
        """What the log of the first bad lock proves."""
        if bad is None or not bad.log:
            return ()
        found = build_report.diagnosis(self.workspace, bad.log)
        return tuple(Diagnosis(id=one.id, title=one.title, fix=one.fix) for one in found)
