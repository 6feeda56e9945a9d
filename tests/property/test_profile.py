"""Any text is read or refused with places; layers keep their laws; what is written is read back."""

import json
import string

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from envbuild.errors import InputError, Mark
from envbuild.profile.merge import merge, settle
from envbuild.profile.reader import DEPTH, Tree, read, scan
from envbuild.profile.resolve import Source, resolve, resolve_all
from envbuild.profile.rules import PLAIN_REQUIREMENT

pytestmark = pytest.mark.property

YAML = st.lists(
    st.sampled_from(
        [
            *"-:?,[]{}#&*!|>'\"%@` \t\n\\~",
            "\n ",
            "\n  ",
            "a",
            "b: ",
            "- ",
            "1",
            "null",
            "é",
            "\x85",
            "<<",
        ]
    )
).map("".join)
TEXT = st.one_of(
    YAML, st.text(st.characters(codec=None)), st.binary().map(lambda b: b.decode("latin-1"))
)


@given(TEXT)
@example("[" * 5000)
@example("{a: " * 5000)
@example("- " * 5000)
@example("? " * 5000)
@example("\ud800")
@example("\ufeff")
@example("a: \ufeff")
@example("'")
def test_any_text_is_read_or_refused_with_places(text):
    lines = text.count("\n") + text.count("\r") + sum(map(text.count, "\x85\u2028\u2029")) + 2
    found = scan(text, "f")
    assert bool(found.problems) or found.tree is not None
    for problem in found.problems:
        assert problem.message
        assert problem.mark is not None
        assert 1 <= problem.mark.line <= lines
        assert 1 <= problem.mark.column <= len(text) + 1
    if found.problems:
        with pytest.raises(InputError) as caught:
            read(text, "f")
        assert caught.value.problems == found.problems
    else:
        tree = read(text, "f")
        assert tree.marks.keys() == set(paths(tree.value))


@settings(deadline=None)
@given(TEXT)
def test_any_text_resolves_or_is_an_input_error(text):
    source = Source(name="a", file="a.yaml", text=f"schema: 1\nname: a\n{text}")
    with pytest.raises(InputError) as caught:
        resolve("a", {"a": source})
    assert caught.value.problems


NAMES = st.sampled_from(["a", "b", "c"])


@settings(deadline=None)
@given(st.dictionaries(NAMES, st.one_of(st.none(), NAMES, st.just("zzz"))))
def test_any_net_of_parents_comes_to_an_end(parents):
    known = {
        name: Source(
            name=name, file=name, text=f"schema: 1\nname: {name}\nextends: {parent or ''}\n"
        )
        for name, parent in parents.items()
    }
    resolved, problems = resolve_all(known, known)
    assert not resolved
    assert bool(problems) == bool(known)
    assert len(set(problems)) == len(problems)


def paths(value, path=()):
    yield path
    parts = value.items() if isinstance(value, dict) else ()
    parts = enumerate(value) if isinstance(value, list) else parts
    for step, part in parts:
        yield from paths(part, (*path, step))


PLAIN = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**17), 10**17),
        st.text(
            st.characters(
                codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff"
            )
        ),
        st.sampled_from(
            ["3.10", "on", "no", "~", "", "true", "0", "-7", "007", " a ", "a: b", "#"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(string.ascii_letters, min_size=1), inner, max_size=4),
    ),
    max_leaves=20,
)
TREES = st.dictionaries(st.text(string.printable, max_size=5), PLAIN, max_size=5)


class Quoting(yaml.SafeDumper):
    """Writes what our rules take for text in a way that they read as text."""


def _quoted(dumper, value):
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"')


Quoting.add_representer(str, _quoted)
Quoting.ignore_aliases = lambda self, data: True


@given(TREES, st.booleans())
def test_what_is_written_is_read_back(tree, flow):
    text = yaml.dump(tree, Dumper=Quoting, default_flow_style=flow, allow_unicode=True)
    found = scan(text, "f")
    assert found.problems == ()
    assert found.tree is not None
    assert json.dumps(found.tree.value, sort_keys=True) == json.dumps(tree, sort_keys=True)
    assert found.tree.marks.keys() == set(paths(tree))


@given(st.integers(1, DEPTH - 1))
def test_what_is_not_too_deep_is_read(depth):
    assert read("a: " + "[" * depth + "]" * depth, "f").value["a"] is not None


def _layer(file):
    """Layers in which a key is of one kind: text, a mapping, or a list."""

    def tree(value):
        marks = {path: Mark(file, 1, number + 1) for number, path in enumerate(paths(value))}
        return Tree(value=value, marks=marks)

    text = st.one_of(st.none(), st.integers(0, 3))
    items = st.lists(st.one_of(st.integers(0, 3), st.just({"k": None})), max_size=3)
    listed = st.one_of(st.none(), items, items.map(lambda value: {"append": value}))
    inner = st.fixed_dictionaries({}, optional={"t1": text, "t2": text, "l1": listed})
    mapping = st.one_of(st.none(), inner)
    outer = st.fixed_dictionaries(
        {},
        optional={"t1": text, "t2": text, "l1": listed, "l2": listed, "m1": mapping, "m2": mapping},
    )
    return outer.map(tree)


A, B, C = _layer("a"), _layer("b"), _layer("c")


def says_nothing_relative(value):
    """No null and no ``append`` where a layer can have one."""
    return all(
        part is not None
        and (
            not isinstance(part, dict) or (set(part) != {"append"} and says_nothing_relative(part))
        )
        for part in value.values()
    )


@given(A, B)
def test_a_merged_tree_says_nothing_relative_and_every_part_has_a_place(a, b):
    merged = merge(settle(a), b)
    assert says_nothing_relative(merged.value)
    assert merged.marks.keys() == set(paths(merged.value))


@given(A)
def test_a_settled_tree_stays_as_it_is(a):
    settled = settle(a)
    assert settle(settled).value == settled.value
    empty = Tree(value={}, marks={(): Mark("e", 1, 1)})
    assert merge(settled, empty).value == settled.value
    assert merge(settled, settled).value == settled.value


@given(A, B, C)
def test_merging_is_associative_where_layers_say_nothing_relative(a, b, c):
    a, b, c = settle(a), settle(b), settle(c)
    left, right = merge(merge(a, b), c), merge(a, merge(b, c))
    assert left.value == right.value
    assert left.marks == right.marks


@given(A, B)
def test_each_key_is_merged_as_its_kind_asks(a, b):
    low, merged = settle(a).value, merge(settle(a), b).value
    for key in low.keys() | b.value.keys():
        old, new = low.get(key), b.value.get(key)
        if key not in b.value:
            assert merged[key] == old
        elif new is None:
            assert key not in merged
        elif not isinstance(new, dict):
            assert merged[key] == new
        elif key.startswith("l"):
            assert merged[key] == (old or []) + new["append"]
        else:
            assert merged[key].keys() >= {k for k, v in new.items() if v is not None}


@given(A, B)
def test_places_belong_to_the_layer_that_wrote_them(a, b):
    settled = settle(a)
    merged = merge(settled, b)
    for path, mark in merged.marks.items():
        top = path[0] if path else None
        if top is not None and top not in b.value:
            assert mark == settled.marks[path]
        if len(path) == 1 and top in b.value:
            assert mark.file == "b"


@given(st.from_regex(PLAIN_REQUIREMENT, fullmatch=True))
def test_a_requirement_that_needs_no_parser_satisfies_it(text):
    assert Requirement(text).name


FULL = """\
schema: 1
name: a
summary: Everything that a profile can say
as-of: 2026-02-01T00:00:00Z
base: {image: "ubuntu:22.04", distribution: ubuntu-22.04, build-image: "ubuntu:22.04", provides: [b]}
accept-eula: false
python:
  version: "3.11"
  source: conda
  interpreter: /usr/bin/python3
  prefix: /opt/a
  bundled-sites: [/a/*/b]
  requirements: [numpy, torch==2.7.0]
  constraints: [numpy<2]
  overrides: [{requirement: packaging==23.0, reason: r}]
  exclude: [{package: p, reason: r}]
  build-constraints: [setuptools<82]
  build-from-source: [{package: p, reason: r, isolation: false, apt: [gcc], needs: [lib], environment: {A: b}}]
  no-deps: [{package: x, reason: because}]
  indexes: [{name: n, url: https://example.com/simple, packages: [x*]}]
  metadata: [{name: m, source: s, version: "1", requires-dist: [x], requires-python: ">=3.11", provides-extra: [e]}]
conda: {channels: [conda-forge], packages: [python=3.11], virtual-packages: {__cuda: "12"}}
apt: [libgl1]
git:
  - name: lib
    url: https://example.com/lib
    commit: "0123456789012345678901234567890123456789"
    path: /opt/lib
    install: cmake
    ref: main
    subdirectory: src
    apt: [gcc]
    options: [-DA=b]
files: [{source: a.sh, path: /a.sh, mode: "0755"}]
env: {A: b}
user: {name: u, uid: 1000, create: true}
workdir: /w
entrypoint: [bash]
command: [-l]
hardware: {gpus: [sm_90], driver: {min: "570", below: "580"}}
smoke: [{name: s, imports: [x], needs: gpu, launch: none, before-launch: [y], extensions: [z], cameras: true, timeout: 1}]
contracts: [{peer: p, role: client, transport: zmq, encoding: json, port: 1}]
variants: {linux-amd64-cu128: {env: {A: c}, apt: {append: [gcc]}}}
"""
WHOLE = read(FULL, "a.yaml").value


def test_the_profile_that_says_everything_is_right():
    assert resolve("a", {"a": Source(name="a", file="a.yaml", text=FULL)}).name == "a"


def _with(value, path, new):
    """A copy of a tree with the part at a path replaced."""
    if not path:
        return new
    step, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[step] = _with(copy[step], rest, new)
    return copy


@settings(deadline=None)
@given(st.sampled_from([path for path in paths(WHOLE) if path]), PLAIN)
@example(("env", "A"), "x\n")
@example(("schema",), True)
@example(("user", "uid"), 10**17)
def test_whatever_stands_anywhere_is_taken_or_explained_in_our_words(path, new):
    text = yaml.dump(_with(WHOLE, path, new), Dumper=Quoting, allow_unicode=True, sort_keys=False)
    try:
        profile = resolve("a", {"a": Source(name="a", file="a.yaml", text=text)})
    except InputError as error:
        told = [problem.message for problem in error.problems]
    else:
        assert profile.variants[0].marks.keys() >= {("schema",), ("name",)}
        told = ["taken"]
    assert told
    assert not [message for message in told if "`" in message.split("; found")[0]]
