"""One file taken apart, and what it shows by itself."""

import pytest

from envbuild.errors import Mark
from envbuild.profile.sheet import Source, take_apart

from .samples import said

TOP = (
    "accept-eula, apt, as-of, base, command, conda, contracts, entrypoint, env, extends, files, "
    "git, hardware, name, python, schema, smoke, summary, user, variants, waive, workdir"
)
LAYER = (
    "accept-eula, apt, as-of, base, command, conda, contracts, entrypoint, env, files, "
    "git, hardware, python, smoke, summary, user, waive, workdir"
)


def sheet(text):
    return take_apart(Source(name="one", file="one.yaml", text=text))


def test_common_keys_and_layers_are_divided_with_their_places():
    found = sheet(
        "schema: 1\nname: one\nextends: two\napt: [a]\n"
        "variants:\n  linux-amd64-cpu: {apt: {append: [b]}}\n  linux-arm64-cpu:\n"
    )
    assert found.problems == ()
    assert found.common.value == {"schema": 1, "name": "one", "apt": ["a"]}
    assert found.common.marks == {
        (): Mark("one.yaml", 1, 1),
        ("schema",): Mark("one.yaml", 1, 1),
        ("name",): Mark("one.yaml", 2, 1),
        ("apt",): Mark("one.yaml", 4, 1),
        ("apt", 0): Mark("one.yaml", 4, 7),
    }
    (layer,) = found.variants.values()
    assert layer.value == {"apt": {"append": ["b"]}}
    assert layer.marks == {
        (): Mark("one.yaml", 1, 1),
        ("apt",): Mark("one.yaml", 6, 21),
        ("apt", "append"): Mark("one.yaml", 6, 27),
        ("apt", "append", 0): Mark("one.yaml", 6, 36),
    }
    assert found.dropped == {"linux-arm64-cpu": Mark("one.yaml", 7, 3)}
    assert found.parent == "two"
    assert found.parent_mark == Mark("one.yaml", 3, 1)
    assert found.variants_mark == Mark("one.yaml", 5, 1)
    assert not found.orphan
    assert not found.doubtful


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: two", "1:1: the profile is called 'two', its file 'one' // name: one"),
        (
            "extends: [a]",
            "1:1: extends: expected the name of one profile; found a list // extends: NAME",
        ),
        (
            "extends: 2023",
            "1:1: extends: expected the name of one profile; found the number 2023 // extends: NAME",
        ),
        (
            "variants: [a]",
            "1:1: variants: expected keys and values; found a list // variants: {linux-amd64-cu128: {}}",
        ),
        (
            "variants:",
            "1:1: variants: expected keys and values; found nothing // variants: {linux-amd64-cu128: {}}",
        ),
        (
            "variants: {linux-amd64-cu12: {}}",
            (
                "1:12: 'linux-amd64-cu12' is not a variant"
                " // a platform and an accelerator: linux-amd64-cu128, linux-arm64-cpu"
            ),
        ),
        (
            'variants: {"linux-amd64-cpu\\n": {}}',
            (
                "1:12: 'linux-amd64-cpu\\n' is not a variant"
                " // a platform and an accelerator: linux-amd64-cu128, linux-arm64-cpu"
            ),
        ),
        (
            "variants: {linux-amd64-cpu: 3}",
            (
                "1:12: variants.linux-amd64-cpu: expected keys and values; found the number 3"
                " // linux-amd64-cpu: {} changes nothing"
            ),
        ),
        (
            "variants: {linux-amd64-cpu: {name: x}}",
            "1:30: name cannot differ between variants // move it to the top of the profile",
        ),
        (
            "variants: {linux-amd64-cpu: {variants: x}}",
            "1:30: variants cannot differ between variants // move it to the top of the profile",
        ),
        (
            "variants: {linux-amd64-cpu: {atp: x}}",
            f"1:30: unknown key 'atp' // did you mean apt? known here: {LAYER}",
        ),
        (
            "varaints: {}",
            f"1:1: unknown key 'varaints' // did you mean variants? known here: {TOP}",
        ),
        (
            "accept_EULA: true",
            f"1:1: unknown key 'accept_EULA' // did you mean accept-eula? known here: {TOP}",
        ),
        ("zzz: 1", f"1:1: unknown key 'zzz' // known here: {TOP}"),
        (
            "schema: 2",
            "1:1: schema 2 was made for a newer envbuild; this one reads up to 1 // upgrade envbuild",
        ),
    ],
)
def test_problems(text, problem):
    assert said(sheet(text).problems) == [f"one.yaml:{problem}"]


def test_of_a_newer_format_nothing_else_is_said():
    found = sheet("schema: 9\nname: two\nzzz: 1\nvariants: 3\n")
    assert len(found.problems) == 1
    assert found.common is None


def test_a_key_that_is_refused_is_not_judged_again():
    found = sheet("zzz: 1\nvariants: {linux-amd64-cpu: {zzz: 1, name: x, apt: [a]}}\n")
    assert found.common.value == {}
    assert found.variants["linux-amd64-cpu"].value == {"apt": ["a"]}
    assert len(found.problems) == 3


def test_a_file_that_gives_no_tree_gives_its_problems():
    found = sheet("a: [b\n")
    assert found.common is None
    assert said(found.problems) == [
        "one.yaml:1:4: the list that opens here is not closed // [one, two]"
    ]
