"""In which order the moves between two locks are made, so that every prefix can be a lock. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

import msgspec

from envbuild.lock.moves import RISKS
from envbuild.nightly.bisecting.model import Graph, Group, Moved, Node


def groups(graph: Graph) -> tuple[Group, ...]:
    """The groups of nodes that can only move at once, each after all that it needs.

    Of those that may come next the riskiest comes first. What is in one lock alone is with the
    first who asks for it (added), or with the last (removed).
    """
    needs = _needs(graph)
    parts = _together(needs)
    ordered = _carried(graph, _sorted(graph, parts, needs))
    return tuple(_group(graph, part) for part in ordered)


def closed(wanted: Iterable[str], every: Iterable[Group], graph: Graph) -> Moved:
    """The least mixture that holds some nodes, whole groups of it, and all that they need."""
    needs = _needs(graph)
    of = {name: group for group in every for name in group.ids}
    found: set[str] = set()
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found |= {*of[name].ids}
            waiting += [other for one in of[name].ids for other in needs[one] - found]
    return frozenset(found)


def is_closed(moved: Moved, graph: Graph) -> bool:
    """Whether all that the nodes of a mixture need is in it."""
    return all(tie.needs in moved for tie in graph.ties if tie.node in moved)


def _needs(graph: Graph) -> dict[str, set[str]]:
    needs: dict[str, set[str]] = {node.id: set() for node in graph.nodes}
    for tie in graph.ties:
        if tie.node != tie.needs:
            needs[tie.node].add(tie.needs)
    return needs


def _together(needs: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """The nodes that need each other, directly or not (Tarjan's algorithm, without recursion: a
    lock has hundreds of packages)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    held: set[str] = set()
    found: list[tuple[str, ...]] = []
    for start in needs:
        if start in index:
            continue
        work = [(start, iter(sorted(needs[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        held.add(start)
        while work:
            name, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    held.add(other)
                    work.append((other, iter(sorted(needs[other]))))
                    break
                if other in held:
                    low[name] = min(low[name], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    found.append(_popped(stack, held, name))
    return found


def _popped(stack: list[str], held: set[str], last: str) -> tuple[str, ...]:
    part: list[str] = []
    while not part or part[-1] != last:
        part.append(stack.pop())
    held.difference_update(part)
    return tuple(part)


def _sorted(
    graph: Graph, parts: list[tuple[str, ...]], needs: Mapping[str, set[str]]
) -> list[tuple[str, ...]]:
    nodes = {node.id: node for node in graph.nodes}
    of = {name: number for number, part in enumerate(parts) for name in part}
    before = [
        {of[other] for name in part for other in needs[name]} - {number}
        for number, part in enumerate(parts)
    ]
    after: list[set[int]] = [set() for _ in parts]
    for number, earlier in enumerate(before):
        for one in earlier:
            after[one].add(number)
    left = [len(earlier) for earlier in before]
    ready = [(*_rank(nodes, parts[n]), n) for n, count in enumerate(left) if count == 0]
    heapq.heapify(ready)
    ordered = []
    while ready:
        number = heapq.heappop(ready)[-1]
        ordered.append(parts[number])
        for later in after[number]:
            left[later] -= 1
            if left[later] == 0:
                heapq.heappush(ready, (*_rank(nodes, parts[later]), later))
    return ordered


def _rank(nodes: Mapping[str, Node], part: tuple[str, ...]) -> tuple[int, str]:
    risks = [RISKS.index(move.risk) for name in part for move in nodes[name].moves]
    return min(risks, default=len(RISKS)), min(part)


def _carried(graph: Graph, ordered: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The same, where what only comes or goes is no step of its own."""
    nodes = {node.id: node for node in graph.nodes}
    steps: list[list[str]] = [list(part) for part in ordered]

    def bare(part: Iterable[str], presence: str) -> bool:
        return all(nodes[name].presence == presence for name in part)

    def with_asker(part: Iterable[str], where: Iterable[int]) -> int | None:
        asking = {asker for name in part for asker in nodes[name].askers}
        return next((number for number in where if asking & set(steps[number])), None)

    moving = [n for n, part in enumerate(steps) if any(nodes[i].presence == "both" for i in part)]
    if not moving:
        return [tuple(name for part in ordered for name in part)] if ordered else []
    for number in reversed(range(len(steps))):
        if steps[number] and bare(steps[number], "added"):
            later = with_asker(steps[number], range(number + 1, len(steps)))
            steps[moving[-1] if later is None else later] += steps[number]
            steps[number] = []
    for number in range(len(steps)):
        if steps[number] and bare(steps[number], "removed"):
            earlier = with_asker(steps[number], reversed(range(number)))
            steps[moving[0] if earlier is None else earlier] += steps[number]
            steps[number] = []
    return [tuple(part) for part in steps if part]


def _group(graph: Graph, part: tuple[str, ...]) -> Group:
    nodes = {node.id: node for node in graph.nodes}
    ids = sorted(part, key=lambda name: (nodes[name].presence != "both", _rank(nodes, (name,))))
    inside = {*part}
    ties = tuple(
        msgspec.structs.replace(tie) for tie in graph.ties if {tie.node, tie.needs} <= inside
    )
    return Group(ids=tuple(ids), ties=ties)
