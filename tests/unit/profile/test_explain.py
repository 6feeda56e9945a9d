"""Each way in which a tree can fail to decode, in words."""

import msgspec
import pytest

from envbuild.errors import Mark, Problem
from envbuild.profile import explain
from envbuild.profile.model import Environment
from envbuild.profile.reader import read

from .samples import changed, refused

PYTHON_KEYS = (
    "build-constraints, build-from-source, bundled-sites, constraints, exclude, indexes, "
    "interpreter, metadata, no-deps, overrides, prefix, requirements, source, version"
)
GIT = (
    "git:\n  - name: a\n    url: https://example.com/a\n    commit: {commit}\n"
    "    path: /src/a\n    install: none\n"
)
ONE_LINE = "every value is one line; >- ends without a line break, > and | do not"


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        # unknown and missing keys
        (
            "git: [{}]\n",
            "12:7: git: install is missing // install is one of cmake, none, pip",
        ),
        ("user: {uid: 1}\n", "12:1: user: name is missing // name is an account's name"),
        (
            "user: {name: a, uid: }\n",
            "12:17: user: uid is empty // uid is a whole number from 0 to 65533",
        ),
        (
            "user: {name: a, uid: 1, shell: x}\n",
            "12:25: user: unknown key 'shell' // known here: create, name, uid",
        ),
        (
            "hardware: {driver: {mni: 570}}\n",
            "12:21: hardware.driver: unknown key 'mni' // did you mean min? known here: below, min",
        ),
        # types
        ("apt: libgl1\n", "12:1: apt: expected a list; found 'libgl1' // a list of one: [libgl1]"),
        (
            "apt: {add: [libgl1]}\n",
            (
                "12:1: apt: expected a list; found keys and values"
                " // a list, or {append: [...]} to add to the inherited one"
            ),
        ),
        (
            "apt: [1, [x]]\n",
            '12:7: apt: expected a Debian package; found the number 1 // quote it to make it text: "1"',
        ),
        ("apt: [1, [x]]\n", "12:10: apt: expected a Debian package; found a list // None"),
        (
            "env: [a]\n",
            (
                "12:1: env: expected keys and values; found a list"
                " // key: value; what is inherited stays"
            ),
        ),
        (
            "env: {A: true}\n",
            '12:7: env.A: expected one line of text; found true // quote it to make it text: "true"',
        ),
        (
            "accept-eula: yes\n",
            "12:1: accept-eula: expected true or false; found 'yes' // write true, without quotes",
        ),
        (
            "accept-eula: False\n",
            "12:1: accept-eula: expected true or false; found 'False' // write false, without quotes",
        ),
        (
            "accept-eula: 1\n",
            "12:1: accept-eula: expected true or false; found the number 1 // None",
        ),
        (
            "accept-eula: maybe\n",
            "12:1: accept-eula: expected true or false; found 'maybe' // None",
        ),
        ("conda: none\n", "12:1: conda: expected keys and values; found 'none' // None"),
        (
            "entrypoint: [a, null]\n",
            "12:17: entrypoint: expected one line of text; found nothing // None",
        ),
        (
            "user: {name: a, uid: '7'}\n",
            "12:17: user.uid: expected a whole number from 0 to 65533; found '7' // write it without quotes",
        ),
        # values
        (
            "user: {name: a, uid: -1}\n",
            "12:17: user.uid: expected a whole number from 0 to 65533; found the number -1 // None",
        ),
        (
            "as-of: 2026-02-01\n",
            "12:1: as-of: expected a moment in UTC: 2026-02-01T00:00:00Z; found '2026-02-01' // None",
        ),
        (
            "workdir: /a/../b\n",
            "12:1: workdir: expected an absolute path in the image, of letters, digits and _.@+-; found '/a/../b' // None",
        ),
        ("env: {1A: x}\n", "12:7: env: expected a variable's name; found '1A' // None"),
        (
            "contracts: [{peer: a, role: clinet, transport: zmq, encoding: json}]\n",
            "12:23: contracts.role: expected one of client, server; found 'clinet' // did you mean client?",
        ),
        (
            GIT.format(commit="abc"),
            "15:5: git.commit: expected a commit, 40 hex digits; found 'abc' // None",
        ),
        (
            "env:\n  A: |\n    x\n",
            f"13:3: env.A: a control character (U+000A) in 'x\\n' // {ONE_LINE}",
        ),
        (
            'workdir: "/a\\n"\n',
            f"12:1: workdir: a control character (U+000A) in '/a\\n' // {ONE_LINE}",
        ),
        (
            'env: {A: "a\\e[0m"}\n',
            f"12:7: env.A: a control character (U+001B) in 'a\\x1b[0m' // {ONE_LINE}",
        ),
        (
            f"env: {{A: {'x' * 5000}}}\n",
            "12:7: env.A: 5000 characters are too many; at most 4096 // None",
        ),
        (f"command: [{'a, ' * 65}]\n", "12:1: command: 65 items are too many; at most 64 // None"),
        ("python:\n", "12:1: 'python' stands twice, first on line 7 // keep one"),
        (
            f"workdir: {'x' * 100}\n",
            (
                "12:1: workdir: expected an absolute path in the image, of letters, digits and _.@+-;"
                f" found '{'x' * 57}...' // None"
            ),
        ),
    ],
)
def test_sentences(added, problem):
    text = changed("variants:\n", added + "variants:\n")
    found = refused("base", base=text)
    assert f"envs/base.yaml:{problem}" in found


def test_an_empty_summary_is_no_sentence():
    assert refused("base", base=changed("A base", '""')) == [
        "envs/base.yaml:3:1: summary: expected a sentence; found '' // None"
    ]


def test_every_missing_key_is_named():
    found = refused("base", base=changed("variants:\n", "contracts: [{}]\nvariants:\n"))
    assert [line.split(" // ")[0] for line in found] == [
        "envs/base.yaml:12:13: contracts: encoding is missing",
        "envs/base.yaml:12:13: contracts: peer is missing",
        "envs/base.yaml:12:13: contracts: role is missing",
        "envs/base.yaml:12:13: contracts: transport is missing",
    ]


def test_every_problem_of_an_optional_mapping_is_named():
    text = changed("variants:\n", "user: {uid: a, create: on, home: x}\nvariants:\n")
    assert refused("base", base=text) == [
        "envs/base.yaml:12:1: user: name is missing // name is an account's name",
        "envs/base.yaml:12:8: user.uid: expected a whole number from 0 to 65533; found 'a' // None",
        (
            "envs/base.yaml:12:16: user.create: expected true or false; found 'on'"
            " // write true, without quotes"
        ),
        "envs/base.yaml:12:28: user: unknown key 'home' // known here: create, name, uid",
    ]


def test_a_problem_of_all_variants_is_told_once():
    text = changed("{}\n", "{}\n  linux-arm64-cpu: {}\n").replace("prefix", "prefxi")
    assert refused("base", base=text) == [
        f"envs/base.yaml:10:3: python: unknown key 'prefxi' // did you mean prefix? known here: {PYTHON_KEYS}"
    ]


def test_a_layer_is_blamed_at_its_own_place():
    text = changed("{}", "{python: {source: pip, requirements: {append: [1]}}}")
    assert refused("base", base=text) == [
        "envs/base.yaml:13:32: python.source: expected one of conda, image, uv; found 'pip' // None",
        (
            "envs/base.yaml:13:69: python.requirements: expected a requirement as pip takes it:"
            ' name[extra]>=1.0,<2 ; marker; found the number 1 // quote it to make it text: "1"'
        ),
    ]


def test_what_only_the_decoder_knows_is_said_in_its_words():
    tree = read("python:\n  requirements: [a, b]\n", "f")
    error = msgspec.ValidationError("Too odd - at `$.python.requirements[1]`")
    valid = {
        "schema": 1,
        "name": "a",
        "summary": "a",
        "base": {"image": "a:1", "distribution": "unknown"},
        "python": {"version": "3.11", "source": "uv", "requirements": ["a", "b"]},
    }
    assert msgspec.convert(valid, Environment).name == "a"
    whole = msgspec.structs.replace(tree, value=valid)
    assert explain.problems(whole, error, kind=Environment) == (
        Problem(message="python.requirements: Too odd", mark=Mark("f", 2, 21)),
    )
    lost = msgspec.ValidationError("Too odd - at `$.env[...]`")
    assert explain.problems(whole, lost, kind=Environment) == (
        Problem(message="env: Too odd", mark=Mark("f", 1, 1)),
    )


def test_problems_are_sorted_by_place_and_kept_once():
    def problem(message, *mark):
        return Problem(message=message, mark=Mark(*mark) if mark else None)

    a, b, c, d = (
        problem("z"),
        problem("b", "f", 2, 10),
        problem("a", "f", 10, 1),
        problem("c", "f", 10, 1),
    )
    assert explain.tidy([d, c, b, a, c, b]) == (a, b, c, d)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("isaac", "did you mean isaac-g1 or isaac-streamer?"),
        ("isacalab", "did you mean isaaclab?"),
        ("zzz", "known: groot, isaac-g1, isaac-streamer, isaaclab"),
        ("", "known: groot, isaac-g1, isaac-streamer, isaaclab"),
    ],
)
def test_names_that_are_near(name, hint):
    known = ["isaaclab", "isaac-streamer", "isaac-g1", "groot"]
    assert explain.known_names(name, known) == hint


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (True, "true"),
        (False, "false"),
        (0, "the number 0"),
        ("it's\n", '"it\'s\\n"'),
        ([], "a list"),
        ({}, "keys and values"),
    ],
)
def test_what_was_found(value, words):
    assert explain.shown(value) == words
