"""Profiles by name: everything applied, or everything that is wrong."""

import pytest

from envbuild.errors import InputError, Mark
from envbuild.profile.resolve import Library, resolve, resolve_all

from .samples import BASE, changed, refused, said, sources

CHILD = """\
schema: 1
name: child
extends: base
summary: A child
python:
  requirements: {append: [scipy]}
env: {MODE: fast}
variants:
  linux-arm64-cu130:
    python:
      version: "3.12"
      requirements: {append: [nvpl]}
"""


def test_a_profile_by_itself():
    profile = resolve("base", sources(base=BASE))
    assert profile.name == "base"
    assert profile.summary == "A base"
    assert profile.files == ("envs/base.yaml",)
    (variant,) = profile.variants
    assert variant.name == "linux-amd64-cu128"
    assert variant.environment.python.version == "3.10"
    assert variant.environment.python.requirements == ("numpy", "torch==2.7.0")
    assert variant.environment.workdir == "/workspace"


def test_a_child_over_its_parent_and_variants_over_both():
    profile = resolve("child", sources(base=BASE, child=CHILD))
    assert profile.name == "child"
    assert profile.summary == "A child"
    assert profile.files == ("envs/child.yaml", "envs/base.yaml")
    amd, arm = profile.variants
    assert (amd.name, arm.name) == ("linux-amd64-cu128", "linux-arm64-cu130")
    assert amd.environment.python.requirements == ("numpy", "torch==2.7.0", "scipy")
    assert arm.environment.python.requirements == ("numpy", "torch==2.7.0", "scipy", "nvpl")
    assert (amd.environment.python.version, arm.environment.python.version) == ("3.10", "3.12")
    assert arm.environment.env == {"MODE": "fast"}
    assert arm.environment.name == "child"


class Counted(dict):
    """Sources that remember what was read."""

    def __init__(self, texts):
        super().__init__(texts)
        self.read = []

    def __getitem__(self, name):
        self.read.append(name)
        return super().__getitem__(name)


def test_a_library_reads_what_several_profiles_extend_once():
    other = CHILD.replace("name: child", "name: other")
    known = Counted(sources(base=BASE, child=CHILD, other=other))
    library = Library(known)
    names = [resolve(name, known, library=library).name for name in ("child", "other")]
    assert (names, known.read) == (["child", "other"], ["child", "base", "other"])


def test_a_variant_of_a_child_comes_after_the_same_variant_of_its_parent():
    parent = changed("linux-amd64-cu128: {}", "linux-amd64-cu128: {env: {A: parent, B: parent}}")
    child = (
        "schema: 1\nname: child\nextends: base\nenv: {A: common, C: common}\n"
        "variants: {linux-amd64-cu128: {env: {B: child, C: null}}}\n"
    )
    (variant,) = resolve("child", sources(base=parent, child=child)).variants
    assert variant.environment.env == {"A": "parent", "B": "child"}


def _paths(value, path=()):
    yield path
    parts = value.items() if isinstance(value, dict) else ()
    parts = enumerate(value) if isinstance(value, list) else parts
    for step, part in parts:
        yield from _paths(part, (*path, step))


def test_marks_lead_to_every_key_and_item():
    known = sources(base=BASE, child=CHILD)
    arm = resolve("child", known).variants[1]
    written = {
        "schema": 1,
        "name": "child",
        "summary": "A child",
        "base": {"image": "ubuntu:22.04", "distribution": "ubuntu-22.04"},
        "python": {
            "version": "3.12",
            "source": "uv",
            "prefix": "/opt/base",
            "requirements": ["numpy", "torch==2.7.0", "scipy", "nvpl"],
        },
        "env": {"MODE": "fast"},
    }
    assert set(arm.marks) == set(_paths(written))
    texts = {source.file: source.text.splitlines() for source in known.values()}

    def at(*path):
        mark = arm.marks[path]
        return texts[mark.file][mark.line - 1][mark.column - 1 :].split(":")[0].strip("]})")

    for path in _paths(written):
        if path and isinstance(path[-1], str):
            assert at(*path) == path[-1]
    assert at("python", "requirements", 1) == "torch==2.7.0"
    assert at("python", "requirements", 2) == "scipy"
    assert at("python", "requirements", 3) == "nvpl"
    assert arm.marks["python", "version"] == Mark("envs/child.yaml", 11, 7)


def test_an_unknown_profile():
    with pytest.raises(InputError) as caught:
        resolve("bsae", sources(base=BASE))
    assert (caught.value.message, caught.value.hint) == (
        "no profile is called 'bsae'",
        "did you mean base?",
    )
    with pytest.raises(InputError) as caught:
        resolve("zzz", sources(base=BASE, child=CHILD))
    assert caught.value.hint == "known: base, child"


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        (
            "variants:\n  linux-amd64-cu128: {}\n",
            "",
            ["1:1: a profile has at least one variant // variants: {linux-amd64-cu128: {}}"],
        ),
        (
            "variants:\n  linux-amd64-cu128: {}\n",
            "variants: {}\n",
            ["12:1: a profile has at least one variant // variants: {linux-amd64-cu128: {}}"],
        ),
        (
            "linux-amd64-cu128: {}",
            "linux-amd64-cu128:",
            [
                (
                    "13:3: variants.linux-amd64-cu128: expected keys and values; found nothing"
                    " // linux-amd64-cu128: {} changes nothing"
                )
            ],
        ),
        ("schema: 1\n", "", ["1:1: schema is missing // schema is 1"]),
        ("schema: 1\n", 'schema: "1"\n', ["1:1: schema: expected 1; found '1' // did you mean 1?"]),
        (
            "name: base\n",
            "",
            ["1:1: name is missing // name is lower-case words joined by hyphens"],
        ),
        ("summary: A base", "summary:", ["3:1: summary is empty // summary is a sentence"]),
        (
            "  prefix: /opt/base\n",
            "",
            [
                (
                    "9:3: python.prefix is missing: source uv makes an environment there"
                    " // prefix: /opt/base"
                )
            ],
        ),
    ],
)
def test_whole_profiles(old, new, problems):
    found = refused("base", base=changed(old, new))
    assert found == [f"envs/base.yaml:{problem}" for problem in problems]


def test_all_problems_of_all_files_come_at_once_and_once_each():
    parent = changed("  source: uv\n", "  source: pip\n  zzz: 1\n").replace(
        "ubuntu:22.04", "ubuntu"
    )
    parent = parent.replace("A base", "A base\nname: base")
    found = refused("child", base=parent, child=CHILD.replace("env:", "evn:"))
    assert [line.split(" // ")[0] for line in found] == [
        "envs/base.yaml:4:1: 'name' stands twice, first on line 2",
        (
            "envs/base.yaml:6:3: base.image: expected an image with its tag: "
            "nvcr.io/nvidia/isaac-sim:5.1.0; found 'ubuntu'"
        ),
        "envs/base.yaml:10:3: python.source: expected one of conda, image, uv; found 'pip'",
        "envs/base.yaml:11:3: python: unknown key 'zzz'",
        "envs/child.yaml:7:1: unknown key 'evn'",
    ]


def test_what_an_unreadable_parent_may_hold_is_not_called_missing():
    found = refused("child", base="a: [b\n", child=CHILD.replace("version:", "vresion:"))
    assert [line.split(" // ")[0] for line in found] == [
        "envs/base.yaml:1:4: the list that opens here is not closed",
        "envs/child.yaml:11:7: python: unknown key 'vresion'",
    ]


def test_what_is_emptied_is_missing_whatever_the_parent_says():
    child = CHILD.replace("A child", "").replace("base", "bsae")
    assert refused("child", base=BASE, child=child) == [
        "envs/child.yaml:3:1: extends 'bsae', which is no profile // did you mean base?",
        "envs/child.yaml:4:1: summary is empty // summary is a sentence",
    ]


def test_a_parent_that_is_no_name_may_have_held_what_is_missing():
    assert refused("child", child=CHILD.replace("base", "[base]")) == [
        (
            "envs/child.yaml:3:1: extends: expected the name of one profile; found a list"
            " // extends: NAME"
        )
    ]


def test_a_variant_that_is_no_layer_is_the_only_thing_said_about_variants():
    assert refused("base", base=changed("{}", "3")) == [
        (
            "envs/base.yaml:13:3: variants.linux-amd64-cu128: expected keys and values;"
            " found the number 3 // linux-amd64-cu128: {} changes nothing"
        )
    ]


def test_a_variant_may_be_taken_from_a_parent_that_cannot_be_read():
    child = "schema: 1\nname: child\nextends: base\nvariants: {linux-arm64-cpu: }\n"
    assert refused("child", base="a: [b\n", child=child) == [
        "envs/base.yaml:1:4: the list that opens here is not closed // [one, two]"
    ]


def test_without_a_variant_the_rest_is_judged_all_the_same():
    text = changed("variants:\n  linux-amd64-cu128: {}\n", "").replace("3.10", "4")
    assert [line.split(" // ")[0] for line in refused("base", base=text)] == [
        "envs/base.yaml:1:1: a profile has at least one variant",
        (
            "envs/base.yaml:8:3: python.version: expected a Python version: 3.11 or 3.11.9;"
            " found the number 4"
        ),
    ]


def test_the_message_counts():
    with pytest.raises(InputError) as caught:
        resolve("base", sources(base="schema: 2\n"))
    assert caught.value.message == "the profile 'base' has a problem"
    with pytest.raises(InputError) as caught:
        resolve("base", sources(base="a: 1\nb: 1\nvariants: {}\n"))
    assert caught.value.message == "the profile 'base' has 5 problems"


def test_one_broken_profile_does_not_hide_the_others():
    broken = BASE.replace("name: base", "name: bsae")
    known = sources(good=BASE.replace("name: base", "name: good"), base=broken, child=CHILD)
    resolved, problems = resolve_all(("child", "good", "zzz", "base"), known)
    assert list(resolved) == ["good"]
    assert said(problems) == [
        "no profile is called 'zzz' // known: base, child, good",
        "envs/base.yaml:2:1: the profile is called 'bsae', its file 'base' // name: base",
    ]
