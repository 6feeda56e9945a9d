"""A mixture of two locks: what the resolver is to prefer, and whether it gave that."""

from __future__ import annotations

import msgspec
from tests.support.locks import package
from tests.unit.nightly.bisecting.locks import VARIANT, apt, conda_package, image, side

from envbuild.nightly.bisecting import mixing
from envbuild.nightly.bisecting.differing import Side
from envbuild.nightly.bisecting.mixing import Given, Mixture

OLD = side(
    package("a", "1"),
    package("b", "1"),
    package("gone", "1"),
    conda=[conda_package("lib", "1"), conda_package("zlib", "1")],
    pins={"images": (image("a"),), "apt": apt("x=1")},
    as_of="2026-01-01T00:00:00Z",
)
NEW = side(
    package("a", "2"),
    package("b", "2"),
    package("come", "1"),
    conda=[conda_package("lib", "2"), conda_package("zlib", "2")],
    pins={"images": (image("b"),), "apt": apt("x=2")},
    as_of="2026-02-01T00:00:00Z",
)
NODES = frozenset(
    ("a", "b", "gone", "come", "conda lib", "conda zlib", "base image", "apt packages")
)


def mixture(*moved: str) -> Mixture:
    return Mixture(old=OLD, new=NEW, nodes=NODES, moved=frozenset(moved))


def test_the_preferred_versions_and_hashes_are_those_of_each_side() -> None:
    lines = mixing.pins(mixture("a"), VARIANT).splitlines()
    pins = [line.split(" ")[0] for line in lines if "==" in line]
    assert pins == ["a==2", "b==1", "come==1", "gone==1"]


def test_the_preferred_conda_packages_too() -> None:
    found = mixing.standing(mixture("conda zlib"), VARIANT)
    assert found.half
    assert [(one.name, one.version) for one in found.half.packages] == [("lib", "1"), ("zlib", "2")]
    wanted = (conda_package("lib", "1"), conda_package("zlib", "2"))
    assert [one.sha256 for one in found.keep["linux-64"]] == [one.sha256 for one in wanted]
    assert not found.stands


def test_pins_stand_as_in_the_side_that_they_are_of() -> None:
    found = mixing.mixed(mixture("apt packages"), VARIANT)
    assert found.images == (image("a"),)
    assert found.apt == apt("x=2")
    assert found.input.as_of == "2026-02-01T00:00:00Z"
    assert found.input != NEW.lock.variants[VARIANT].input  # else it would pass unchecked


def made(*, a: str, b: str, lib: str = "1", more: str = "") -> Side:
    extra = (package(more, "1"),) if more else ()
    packages = (package("a", a), package("b", b), *extra)
    return side(*packages, conda=[conda_package("lib", lib), conda_package("zlib", "1")])


def given(found: Side, *moved: str) -> Given:
    return mixing.given(mixture(*moved), found.folder)


def test_a_lock_that_is_the_mixture() -> None:
    assert given(made(a="2", b="1"), "a") == Given(differs=(), instead=frozenset({"a"}))


def test_what_is_there_at_all_is_the_resolvers_to_say() -> None:
    assert given(made(a="2", b="1", more="come"), "a").differs == ()


def test_the_resolver_would_rather_have_another_mixture() -> None:
    found = given(made(a="2", b="2"), "a")
    assert found.differs == ("the resolver takes b 2 instead of 1",)
    assert found.instead == frozenset({"a", "b"})
    back = given(made(a="1", b="1", lib="2"), "a")
    assert back.instead == frozenset({"conda lib"})


def test_what_neither_lock_has_is_no_mixture() -> None:
    assert given(made(a="2", b="3"), "a").instead is None
    found = given(made(a="2", b="1", more="other"), "a")
    assert found.differs == ("other 1 comes with it, which neither lock has",)
    assert found.instead is None


def test_what_is_no_node_stands_as_the_profile_does() -> None:
    before = msgspec.structs.replace(mixture(), nodes=frozenset({"the profile"}))
    after = msgspec.structs.replace(before, moved=frozenset({"the profile"}))
    assert before.side("base image") is OLD
    assert after.side("base image") is NEW
