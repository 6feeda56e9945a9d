"""Any text is read or refused with places, and whatever stands anywhere is taken or explained."""

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from tests.support.trees import PLAIN, Quoting, paths

from envbuild.errors import InputError
from envbuild.profile.reader import read, scan
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
