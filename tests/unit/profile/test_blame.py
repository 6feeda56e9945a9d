"""Whose file a problem is shown in: that of who made it wrong."""

from __future__ import annotations

import pytest

from .samples import BASE, changed, refused

HEAD = "schema: 1\nname: child\nextends: base\n"
VERSIONED = changed("  version: 3.10\n", "").replace(
    "cu128: {}", "cu128: {python: {version: '3.10'}}"
)
"""Its Python is chosen by its only variant."""


def against(child: str, *, base: str = BASE) -> list[str]:
    return refused("child", base=base, child=HEAD + child)


def test_a_variant_that_leaves_out_what_the_parents_own_variants_say():
    (said,) = against("variants: {linux-arm64-cu130: {}}\n", base=VERSIONED)
    place, _, hint = said.partition(": python: version is missing // ")
    assert (place, hint) == (
        "envs/child.yaml:4:12",
        "version is a Python version: 3.11 or 3.11.9",
    )


def test_a_variant_in_place_of_the_parents_own():
    child = "variants: {linux-amd64-cu128: null, linux-amd64-cu130: {}}\n"
    (said,) = against(child, base=VERSIONED)
    assert said.startswith("envs/child.yaml:4:37: python: version is missing")


@pytest.mark.parametrize(
    ("key", "child", "parent", "place"),
    [
        (
            "python.interpreter",
            "python: {interpreter: null}\n",
            changed("source: uv", "source: image\n  interpreter: /bin/python3"),
            "4:10",
        ),
        ("python.prefix", "env: {A: b}\npython: {prefix: null}\n", BASE, "5:10"),
        (
            "conda",
            "conda: null\n",
            changed("source: uv", "source: conda") + "conda: {channels: [c], packages: [p]}\n",
            "4:1",
        ),
    ],
)
def test_a_null_that_takes_away_what_a_rule_asks_for(key, child, parent, place):
    (said,) = against(child, base=parent)
    assert said.startswith(f"envs/child.yaml:{place}: {key} is empty: ")


def test_a_key_of_the_parent_that_no_longer_fits_what_the_child_says():
    parent = changed("source: uv", "source: conda") + "conda: {channels: [c], packages: [p]}\n"
    (said,) = against("python: {source: uv}\n", base=parent)
    assert said.startswith("envs/child.yaml:3:1: conda is given, but python.source is uv")


def test_what_is_wrong_in_the_parent_by_itself_stays_there():
    parent = changed("distribution: ubuntu-22.04", "distribution: ubuntu-2204")
    (said,) = against("variants: {linux-arm64-cu130: {}}\n", base=parent)
    assert said.startswith("envs/base.yaml:6:3: base.distribution: expected one of ")
    parent = changed("  version: 3.10\n", "")
    (said,) = against("variants: {linux-arm64-cu130: {}}\n", base=parent)
    assert said.startswith("envs/base.yaml:7:1: python: version is missing")
    parent = changed("[numpy, torch==2.7.0]", "[numpy, torch==]")
    (said,) = against("env: {A: b}\n", base=parent)
    assert said.startswith("envs/base.yaml:11:25: 'torch==' is not a requirement")


def test_what_a_parent_without_variants_leaves_out_is_its_childs():
    parent = VERSIONED[: VERSIONED.index("variants:")]
    (said,) = against("variants: {linux-arm64-cu130: {}}\n", base=parent)
    assert said.startswith("envs/child.yaml:4:12: python: version is missing")


def test_what_contradicts_itself_in_a_parent_without_variants_stays_there():
    parent = BASE.replace("torch==2.7.0", "torch==")[: BASE.index("variants:") - 5]
    (said,) = against("variants: {linux-arm64-cu130: {}}\n", base=parent)
    assert said.startswith("envs/base.yaml:11:25: 'torch==' is not a requirement")


def test_a_grandchild_is_shown_its_childs_problem_once():
    middle = HEAD.replace("child", "middle") + "variants: {linux-arm64-cu130: {}}\n"
    child = HEAD.replace("extends: base", "extends: middle")
    assert refused("child", base=VERSIONED, middle=middle, child=child) == refused(
        "middle", base=VERSIONED, middle=middle
    )
