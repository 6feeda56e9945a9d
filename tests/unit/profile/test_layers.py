"""The chain of ``extends``: followed once, ended with a reason."""

from collections.abc import Mapping

import pytest

from envbuild.errors import Mark
from envbuild.profile.layers import Library

from .samples import said, sources

SMALL = "schema: 1\nname: {name}\n{rest}\n"


def chain(**rest):
    return sources(**{name: SMALL.format(name=name, rest=text) for name, text in rest.items()})


def test_files_and_layers_stand_from_the_profile_to_its_oldest_parent():
    found = Library(
        chain(
            a="extends: b\napt: {append: [x]}\nvariants: {linux-amd64-cpu: {apt: [own]}}",
            b="extends: c\nenv: {K: v}",
            c="apt: [y]\nvariants: {linux-amd64-cpu: {apt: [old]}, linux-arm64-cpu: {}}",
        )
    ).layers("a")
    assert found.problems == ()
    assert found.files == ("envs/a.yaml", "envs/b.yaml", "envs/c.yaml")
    assert found.common.value == {
        "schema": 1,
        "name": "a",
        "apt": ["y", "x"],
        "env": {"K": "v"},
    }
    assert found.common.marks["apt", 0] == Mark("envs/c.yaml", 3, 7)
    assert found.common.marks["apt", 1] == Mark("envs/a.yaml", 4, 16)
    layers = {name: [tree.value for tree in trees] for name, trees in found.variants.items()}
    assert layers == {
        "linux-amd64-cpu": [{"apt": ["old"]}, {"apt": ["own"]}],
        "linux-arm64-cpu": [{}],
    }
    assert found.complete
    assert not found.doubtful


def test_what_a_file_is_is_not_inherited():
    known = sources(a="extends: b\n", b=SMALL.format(name="b", rest="apt: [x]"))
    assert Library(known).layers("a").common.value == {"apt": ["x"]}


class Counted(Mapping):
    """Sources that count how often each is asked for."""

    def __init__(self, known):
        self.known = known
        self.asked = []

    def __getitem__(self, name):
        self.asked.append(name)
        return self.known[name]

    def __contains__(self, name):
        return name in self.known

    def __iter__(self):
        return iter(self.known)

    def __len__(self):
        return len(self.known)


def test_a_shared_parent_is_read_once():
    known = Counted(chain(a="extends: c", b="extends: c", c="apt: [x]"))
    library = Library(known)
    assert library.layers("a").common.value["apt"] == ["x"]
    assert library.layers("b").common.value["apt"] == ["x"]
    assert sorted(known.asked) == ["a", "b", "c"]


def test_a_long_chain_is_followed():
    known = chain(**{f"p{n}": f"extends: p{n + 1}" for n in range(1500)}, p1500="apt: [x]")
    assert Library(known).layers("p0").common.value["apt"] == ["x"]


def test_an_unknown_parent():
    found = Library(chain(one="extends: bse", base="")).layers("one")
    assert said(found.problems) == [
        "envs/one.yaml:3:1: extends 'bse', which is no profile // did you mean base?"
    ]
    assert not found.complete
    (alone,) = said(Library(chain(one="extends: zzz")).layers("one").problems)
    assert alone == "envs/one.yaml:3:1: extends 'zzz', which is no profile // known: none"


def test_many_known_names_are_not_all_listed():
    known = chain(a="extends: zzz", **{f"p{n:02}": "" for n in range(30)})
    (found,) = Library(known).layers("a").problems
    assert found.hint.endswith("p18, p19 and 10 more")


@pytest.mark.parametrize("start", ["b", "c", "d", "away"])
def test_a_circle_is_told_in_the_same_words_wherever_it_was_entered(start):
    known = chain(b="extends: d", c="extends: b", d="extends: c", away="extends: d")
    assert said(Library(known).layers(start).problems) == [
        (
            "envs/b.yaml:3:1: extends goes in a circle: b -> d -> c -> b"
            " // one of them must not extend the next"
        )
    ]


def test_a_profile_that_extends_itself():
    assert said(Library(chain(a="extends: a")).layers("a").problems) == [
        "envs/a.yaml:3:1: extends goes in a circle: a -> a // one of them must not extend the next"
    ]


def test_a_variant_can_be_taken_away_but_only_one_that_is_there():
    parent = "variants: {linux-amd64-cpu: {}, linux-arm64-cpu: {}}"
    found = Library(chain(a="extends: b\nvariants: {linux-arm64-cpu: }", b=parent)).layers("a")
    assert found.problems == ()
    assert list(found.variants) == ["linux-amd64-cpu"]
    found = Library(chain(a="extends: b\nvariants:\n  linux-arm64-cu130:", b=parent)).layers("a")
    assert said(found.problems) == [
        (
            "envs/a.yaml:5:3: variants.linux-arm64-cu130: expected keys and values; found nothing"
            " // linux-arm64-cu130: {} changes nothing"
        )
    ]
    assert found.doubtful


def test_a_parent_that_cannot_be_read_makes_its_children_incomplete():
    known = sources(a=SMALL.format(name="a", rest="extends: b"), b="a: [b\n")
    library = Library(known)
    assert library.layers("b").common is None
    found = library.layers("a")
    assert said(found.problems) == [
        "envs/b.yaml:1:4: the list that opens here is not closed // [one, two]"
    ]
    assert not found.complete
    assert found.common.value == {"schema": 1, "name": "a"}
