"""What differs between two locks, and what of it needs what."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet
from tests.support.locks import package
from tests.unit.nightly.bisecting.graphs import ids
from tests.unit.nightly.bisecting.locks import apt, commit, conda_package, image, side

from envbuild.lock.model import Demand
from envbuild.nightly.bisecting import differing
from envbuild.nightly.bisecting.differing import Side
from envbuild.nightly.bisecting.model import Graph
from envbuild.nightly.bisecting.order import groups


def fits(_ecosystem: str, bounds: str, version: str) -> bool:
    return SpecifierSet(bounds).contains(version)


def graph(old: Side, new: Side, **asked: str) -> Graph:
    return differing.graph(old, new, fits, **asked)


def needs(found: Graph) -> set[tuple[str, str]]:
    return {(tie.node, tie.needs) for tie in found.ties}


def test_only_what_moved_is_a_node() -> None:
    old = side(package("a", "1"), package("b", "1"), package("gone", "1"))
    new = side(package("a", "2"), package("b", "1"), package("come", "1"))
    found = {node.id: node.presence for node in graph(old, new).nodes}
    assert found == {"a": "both", "gone": "removed", "come": "added"}


def test_a_new_version_that_refuses_the_old_one_of_another_needs_it() -> None:
    old = side(package("a", "1"), package("b", "1", "a>=1"))
    new = side(package("a", "2"), package("b", "2", "a>=2"))
    found = graph(old, new)
    assert needs(found) == {("a", "b")}
    assert found.ties[0].why == "a 2 asks for b >=2"


def test_an_old_version_that_refuses_the_new_one_of_another_is_needed_by_it() -> None:
    old = side(package("a", "1"), package("b", "1", "a<2"))
    new = side(package("a", "2"), package("b", "2", "a"))
    assert needs(graph(old, new)) == {("b", "a")}


def test_in_step_they_need_each_other() -> None:
    old = side(package("a", "1"), package("b", "1", "a==1"))
    new = side(package("a", "2"), package("b", "2", "a==2"))
    assert ids(groups(graph(old, new))) == [("a", "b")]


def test_an_override_sets_bounds_aside() -> None:
    old = side(package("a", "1"), package("b", "1", "a==1"), overrides=("b",))
    new = side(package("a", "2"), package("b", "2", "a==2"), overrides=("b",))
    assert needs(graph(old, new)) == set()


def test_what_comes_and_goes_is_with_those_who_ask() -> None:
    old = side(package("a", "1"), package("gone", "1", "a"), package("z", "1"))
    new = side(package("a", "2"), package("come", "1", "a"), package("z", "2"))
    assert ids(groups(graph(old, new))) == [("z",), ("a", "come", "gone")]


def test_the_bounds_of_the_profile_tie_packages_to_it() -> None:
    old = side(package("numpy", "1.26"), requirements=("numpy<2",))
    new = side(package("numpy", "2.1"), requirements=("numpy>=2",))
    found = graph(old, new)
    assert needs(found) == {("numpy", "the profile"), ("the profile", "numpy")}
    moves = found.node("the profile").moves
    assert [(move.what, move.old, move.new) for move in moves] == [
        ("requirement numpy", "numpy<2", "numpy>=2")
    ]


def test_the_profile_moves_first_where_its_old_state_is_not_known() -> None:
    old = side(package("a", "1"), requirements=("a",))
    new = side(package("a", "2"), requirements=("a", "b"))
    assert needs(graph(old, new)) == set()
    assert needs(graph(old, new, profile_first="not known")) == {("a", "the profile")}


def test_the_moment_alone_is_no_move() -> None:
    old, new = side(as_of="2026-01-01T00:00:00Z"), side(as_of="2026-02-01T00:00:00Z")
    assert graph(old, new).nodes == ()


def test_conda_packages_have_the_bounds_of_their_lock() -> None:
    old = side(
        conda=[conda_package("lib", "1"), conda_package("user", "1")],
        depends={"user": {"lib": ">=1,<2"}},
    )
    new = side(
        conda=[conda_package("lib", "2"), conda_package("user", "2")],
        depends={"user": {"lib": ">=1"}},
    )
    assert needs(graph(old, new)) == {("conda lib", "conda user")}


def test_what_the_index_demands_of_conda_ties_both() -> None:
    def one(version: str) -> Side:
        demand = Demand(package="numpy", bounds=f"=={version}", by=(f"b {version} (=={version})",))
        brought = conda_package("numpy", version, "numpy")
        return side(package("b", version), conda=[brought], demands=[demand])

    assert ids(groups(graph(one("1"), one("2")))) == [("conda numpy", "b")]


def test_what_changes_between_conda_and_the_index_is_one_group() -> None:
    old = side(package("numpy", "1"), conda=[conda_package("x", "1")])
    new = side(conda=[conda_package("x", "1"), conda_package("numpy", "2", "numpy")])
    assert ids(groups(graph(old, new))) == [("conda numpy", "numpy")]


def test_pins_are_a_move_each() -> None:
    old = side(pins={"images": (image("a"),), "apt": apt("x=1", "y=1"), "git": (commit("a"),)})
    new = side(pins={"images": (image("b"),), "apt": apt("x=2", "y=2"), "git": (commit("b"),)})
    found = graph(old, new)
    assert [node.id for node in found.nodes] == ["apt packages", "base image", "git repo"]
    assert [len(node.moves) for node in found.nodes] == [2, 1, 1]


def test_hashes_that_moved_under_one_version_are_a_move() -> None:
    old, new = (side(package("a", "1"), hashes={"a": digit * 64}) for digit in "ab")
    (node,) = graph(old, new).nodes
    assert (node.id, node.moves[0].risk) == ("a", "security")


def test_one_variant_alone() -> None:
    both = ("linux-amd64-cpu", "linux-arm64-cpu")
    old, new = (side(package("a", one), variants=both) for one in "12")
    assert graph(old, new).node("a").moves[0].variants == both
    assert graph(old, new, only="linux-arm64-cpu").node("a").id == "a"
    assert graph(old, new, only="linux-amd64-gone").nodes == ()
