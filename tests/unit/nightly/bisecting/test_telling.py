"""What is told of a search."""

from __future__ import annotations

from tests.unit.nightly.bisecting.graphs import graph, node

from envbuild.history.model import Diagnosis
from envbuild.lock.moves import Move
from envbuild.nightly.bisecting import telling
from envbuild.nightly.bisecting.model import Heard, Node
from envbuild.nightly.bisecting.order import groups
from envbuild.nightly.bisecting.telling import Plan, Report, Step, Suspect

MOVE = Move(risk="abi", what="numpy", old="1.26.4", new="2.1.0", why="another C-API")
NUMPY = Suspect(
    id="numpy",
    kind="python",
    moves=(MOVE,),
    asked=("scipy 1.14 (>=2)",),
    hold='python: {constraints: ["numpy<=1.26.4"]}',
)
REPORT = Report(
    profile="one",
    good="night 1",
    bad="night 2",
    test="smoke",
    found=True,
    suspects=(NUMPY,),
    alone="it breaks by itself: nothing else had moved",
    failure="exit status 1: \x1b[31m<script>",
    diagnosis=(Diagnosis(id="x", title="mixed NumPy", fix="hold it"),),
    steps=(Step(moved=3, heard=Heard(verdict="bad", why="a | b")),),
    moves=8,
    tests=5,
)


def test_text() -> None:
    assert telling.text(REPORT).splitlines() == [
        "one: numpy 1.26.4 -> 2.1.0 broke it",
        "  risk: abi, another C-API",
        "  asked for by: scipy 1.14 (>=2)",
        "  alone: it breaks by itself: nothing else had moved",
        "  failure: exit status 1: ?[31m<script>",
        "  diagnosis: mixed NumPy [x]: hold it",
        '  hold it: python: {constraints: ["numpy<=1.26.4"]}',
        "  searched: 8 moves between night 1 and night 2, 5 tests",
    ]


def test_markdown_is_inert() -> None:
    found = telling.as_markdown(REPORT)
    assert "<script>" not in found
    assert "| 3 of 8 | bad | a &#124; b |" in found
    assert '`python: {constraints: ["numpy<=1.26.4"]}`' in found


def test_headlines() -> None:
    two = (NUMPY, Suspect(id="torch", kind="python", moves=()))
    said = "numpy 1.26.4 -> 2.1.0 and torch"
    report = Report(profile="one", good="a", bad="b", test="t", suspects=two)
    assert telling.headline(report) == f"one: one of {said} broke it; they could not be told apart"
    found = Report(profile="one", good="a", bad="b", test="t", suspects=two, found=True)
    assert telling.headline(found) == f"one: {said} broke it together"
    none = Report(profile="one", good="a", bad="b", test="t", reason="the bad side is not bad")
    assert telling.headline(none) == "one: no move was found: the bad side is not bad"


def test_how_each_kind_is_held() -> None:
    assert telling.hold(node("a")) == 'python: {constraints: ["a<=1.0"]}'
    down = Node(id="a", kind="python", moves=(Move(risk="minor", what="a", old="2", new="1"),))
    assert telling.hold(down) == 'python: {constraints: ["a==2"]}'
    lib = Move(risk="minor", what="conda lib", old="1.2 (h0)", new="1.2 (h1)")
    conda = Node(id="conda lib", kind="conda", moves=(lib,))
    assert telling.hold(conda) == 'conda: {packages: ["lib=1.2"]}'
    assert telling.hold(node("a", presence="added")) == ""
    assert telling.hold(Node(id="base image", kind="pin", moves=(MOVE,))) == ""


def test_the_plan() -> None:
    known = graph(
        "a", "b", node("c", presence="added", askers=("a",)), ties=[("a", "b"), ("b", "a")]
    )
    made = groups(known)
    plan = Plan(
        profile="one",
        good="x",
        bad="y",
        moves=2,
        ends=2,
        most_tests=2,
        groups=tuple(tuple(map(known.node, group.ids)) for group in made),
    )
    assert telling.heading(plan) == (
        "one: 2 moves in 1 group between x and y",
        "  at most 2 tests, 2 of them for the sides themselves; more where a lock cannot be tested",
    )
    lines = list(telling.plan_lines(plan))
    assert lines == ["  1  a 1.0 -> 2.0, b 1.0 -> 2.0, c + 2.0  (together)"]
    assert telling.ties(made, known) == ("a asks for b", "b asks for a")
    assert [move.what for move in telling.carried(made, known)] == ["c"]


def test_what_is_said_of_it_alone() -> None:
    assert "by itself" in telling.alone_words(0, asked=False, partners=False)
    assert "--alone" in telling.alone_words(3, asked=False, partners=False)
    assert telling.alone_words(3, asked=True, partners=True) == "it does not break by itself"
    assert telling.alone_words(3, asked=True, partners=False) == "it breaks by itself too"
