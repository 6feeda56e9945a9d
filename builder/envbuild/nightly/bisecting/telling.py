"""What a search found, as a value, as text and as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from envbuild.history.model import Diagnosis
from envbuild.lock.moves import Move, newer
from envbuild.nightly.bisecting.model import Graph, Group, Heard, Moved, Node
from envbuild.report.plain import code, markdown, printable
from envbuild.speech import counted

_SHOWN = 3
"""How many of some reasons are told."""


class Suspect(Struct, frozen=True, kw_only=True):
    """Something that broke it, or one of those that could not be told apart.

    ``asked`` is who asks for it, up to the profile; ``hold`` is the line of the profile that keeps
    it where it was, empty where there is no such line.
    """

    id: str
    kind: str
    moves: tuple[Move, ...]
    asked: tuple[str, ...] = ()
    hold: str = ""


class Step(Struct, frozen=True, kw_only=True):
    """One question of the search: how many nodes had moved, and what it came to."""

    moved: int
    heard: Heard
    ids: tuple[str, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """What ``envbuild bisect`` answers.

    ``found``: it ended at one group of moves, or at some that no resolver parts
    (``inseparable``). ``suspects`` are those that move by themselves, ``carried`` what came or went
    with them; ``ties`` say why they cannot be parted, ``apart`` why more than one group is left.
    ``partners`` must have moved too. ``before`` counts the moves that were in place when it broke,
    ``alone`` says what is known of it without them. ``lock`` is the folder of the last good lock.
    ``tests`` counts the tests that were run for this search, however often it was ended and begun
    again.
    """

    profile: str
    good: str
    bad: str
    test: str
    variant: str = ""
    found: bool = False
    inseparable: bool = False
    reason: str = ""
    hint: str = ""
    suspects: tuple[Suspect, ...] = ()
    carried: tuple[Move, ...] = ()
    ties: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    before: int = 0
    alone: str = ""
    failure: str = ""
    log: str = ""
    lock: str = ""
    diagnosis: tuple[Diagnosis, ...] = ()
    unsteady: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    moves: int = 0
    tests: int = 0
    seconds: float = 0.0


def change(move: Move) -> str:
    """``1.0 -> 2.0``, ``+ 2.0``, ``- 1.0``."""
    if move.old == move.new:
        return move.old
    if not move.old:
        return f"+ {move.new}"
    return f"{move.old} -> {move.new}" if move.new else f"- {move.old}"


def named(node: Node) -> str:
    """A node with how it moved."""
    shown = tuple(dict.fromkeys(change(move) for move in node.moves))
    if node.kind == "profile":
        said = ", ".join(f"{move.what} {change(move)}" for move in node.moves[:_SHOWN])
        more = f" and {len(node.moves) - _SHOWN} more" if len(node.moves) > _SHOWN else ""
        return f"{node.id} ({said}{more})" if said else node.id
    return f"{node.id} {', '.join(shown)}" if shown else node.id


def hold(node: Node) -> str:
    """The line of a profile that keeps a node where it was; empty where there is none."""
    move = next(iter(node.moves), None)
    if move is None or node.presence != "both" or not (move.old and move.new):
        return ""
    if node.kind == "python":
        if move.old == move.new:
            return ""
        known = newer(move.old, move.new) and "+" not in move.old
        bound = f"{'<=' if known else '=='}{move.old}"
        return f'python: {{constraints: ["{node.id}{bound}"]}}'
    if node.kind == "conda":
        name, version = node.id.removeprefix("conda "), move.old.partition(" ")[0]
        return f'conda: {{packages: ["{name}={version}"]}}'
    return ""


# --- The plan ------------------------------------------------------------------------------------


class Plan(Struct, frozen=True, kw_only=True):
    """What would be asked: ``groups`` in the order in which they are moved, ``ends`` how many of
    the two sides are tested, ``most_tests`` the most tests when every lock can be tested."""

    profile: str
    good: str
    bad: str
    moves: int
    ends: int
    most_tests: int
    groups: tuple[tuple[Node, ...], ...]


def heading(plan: Plan) -> tuple[str, ...]:
    """How much there is, and how many tests it takes."""
    moves, groups = counted(plan.moves, "move"), counted(len(plan.groups), "group")
    ends = f", {plan.ends} of them for the sides themselves" if plan.ends else ""
    most = counted(plan.most_tests, "test")
    return (
        printable(f"{plan.profile}: {moves} in {groups} between {plan.good} and {plan.bad}"),
        f"  at most {most}{ends}; more where a lock cannot be tested",
    )


def plan_lines(plan: Plan) -> Iterator[str]:
    """The groups, one a line."""
    width = len(str(len(plan.groups)))
    for number, nodes in enumerate(plan.groups, 1):
        said = ", ".join(named(node) for node in nodes)
        several = sum(node.presence == "both" for node in nodes) > 1
        yield printable(f"  {number:>{width}}  {said}{'  (together)' if several else ''}")


def _moving(group: Group, graph: Graph) -> list[Node]:
    return [node for node in map(graph.node, group.ids) if node.presence == "both"]


# --- The answer ----------------------------------------------------------------------------------


def text(report: Report) -> str:
    """The answer for people."""
    return "\n".join(printable(line) for line in _lines(report))


def headline(report: Report) -> str:
    """The answer in one sentence."""
    if not report.suspects:
        return f"{report.profile}: no move was found: {report.reason}"
    said = " and ".join(_suspect(one) for one in report.suspects[:_SHOWN])
    more = len(report.suspects) - _SHOWN
    said += f" and {more} more" if more > 0 else ""
    if report.found and len(report.suspects) == 1:
        return f"{report.profile}: {said} broke it"
    if report.found:
        return f"{report.profile}: {said} broke it together"
    return f"{report.profile}: one of {said} broke it; they could not be told apart"


def _suspect(one: Suspect) -> str:
    shown = tuple(dict.fromkeys(change(move) for move in one.moves))
    if one.kind == "profile":
        return one.id
    return f"{one.id} {', '.join(shown)}" if shown else one.id


def _lines(report: Report) -> Iterator[str]:
    yield headline(report)
    for label, said in _rows(report):
        yield f"  {label}: {said}"


def _rows(report: Report) -> Iterator[tuple[str, str]]:
    """What else is told, each with what it is about."""
    for one in report.suspects:
        yield from _about(one, several=len(report.suspects) > 1)
    moved = ", ".join(f"{one.what} {change(one)}" for one in report.carried)
    rows = (
        ("with it", (moved,)),
        ("together", report.ties),
        ("cannot be parted" if report.inseparable else "not tested between", report.apart),
        ("needs too", (", ".join(report.partners),)),
        ("alone", (report.alone,)),
        ("failure", (report.failure,)),
        ("diagnosis", tuple(map(_diagnosis, report.diagnosis))),
        ("unsteady", report.unsteady),
        ("hold it", tuple(one.hold for one in report.suspects)),
        ("hint", (report.hint,)),
        ("last good lock", (report.lock,)),
        ("log", (report.log,)),
        ("searched", (searched(report),)),
    )
    for label, lines in rows:
        yield from ((label, line) for line in lines if line)


def _about(one: Suspect, *, several: bool) -> Iterator[tuple[str, str]]:
    """The risk of a suspect, and who asks for it."""
    for move in one.moves:
        about = f"{move.what}: " if several or one.kind == "profile" else ""
        shown = f"{change(move)}: " if one.kind == "profile" else ""
        yield "risk", f"{about}{shown}{move.risk}{f', {move.why}' if move.why else ''}"
    for line in one.asked:
        yield "asked for by", f"{f'{one.id}: ' if several else ''}{line}"


def _diagnosis(found: Diagnosis) -> str:
    return f"{found.title} [{found.id}]{f': {found.fix}' if found.fix else ''}"


def searched(report: Report) -> str:
    """How much work it was."""
    between = counted(report.moves, "move")
    return f"{between} between {report.good} and {report.bad}, {counted(report.tests, 'test')}"


def as_markdown(report: Report) -> str:
    """The answer for a pull request or an issue."""
    lines = [f"### {markdown(headline(report))}", ""]
    lines += [f"- **{label}**: {_marked(label, said)}" for label, said in _rows(report)]
    if report.steps:
        lines += ["", "| moved | answer | why |", "|---|---|---|"]
        lines += [
            f"| {step.moved} of {report.moves} | {step.heard.verdict} |"
            f" {markdown(step.heard.why)} |"
            for step in report.steps
        ]
    return "\n".join(lines) + "\n"


def _marked(label: str, said: str) -> str:
    return code(said) if label in ("hold it", "last good lock", "log") else markdown(said)


# --- From a search to a report -------------------------------------------------------------------


def carried(groups: Sequence[Group], graph: Graph) -> tuple[Move, ...]:
    """What came or went with some groups."""
    nodes = (graph.node(name) for group in groups for name in group.ids)
    return tuple(move for node in nodes if node.presence != "both" for move in node.moves)


def ties(groups: Sequence[Group], graph: Graph) -> tuple[str, ...]:
    """Why the nodes of each group move together, the first few reasons."""
    found: list[str] = []
    for group in groups:
        moving = {node.id for node in _moving(group, graph)}
        if len(moving) > 1:
            found += [tie.why for tie in group.ties if {tie.node, tie.needs} & moving]
    return tuple(dict.fromkeys(found))[:_SHOWN]


def alone_words(before: int, *, asked: bool, partners: bool) -> str:
    """What is known of a move without those before it."""
    if not before:
        return "it breaks by itself: nothing else had moved"
    if not asked:
        return f"{counted(before, 'other move')} had been made; --alone tells if it needs them"
    return "it does not break by itself" if partners else "it breaks by itself too"


def unsteady(heard: Sequence[tuple[Moved, Heard]]) -> tuple[str, ...]:
    """The locks on which runs of the same test disagree."""
    return tuple(
        f"with {counted(len(moved), 'move')} the test failed {one.failed} of"
        f" {one.passed + one.failed} times"
        for moved, one in heard
        if one.disagrees
    )
