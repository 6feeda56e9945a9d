"""Variants as targets, and as rows of a matrix."""

from __future__ import annotations

from pathlib import Path

import pytest

from envbuild.forge import choices, targets
from envbuild.forge.model import Target
from envbuild.plan import Shard
from envbuild.profile.resolve import resolve
from envbuild.workspace import Workspace
from tests.cli.samples import profile

GPU = choices.machines((), ("gpu",), default=True)


def target(name: str, variant: str) -> Target:
    _, architecture, accelerator = variant.split("-")
    assert architecture in ("amd64", "arm64")
    return Target(
        profile=name,
        variant=variant,
        architecture=architecture,
        gpu=accelerator != "cpu",
    )


FOUND = (
    target("a", "linux-amd64-cpu"),
    target("a", "linux-amd64-cu128"),
    target("b", "linux-arm64-cu130"),
    target("c", "linux-amd64-cpu"),
    target("d", "linux-amd64-cpu"),
)


def test_every_variant_goes_to_a_machine_of_its_architecture() -> None:
    rows = targets.rows(FOUND, GPU)
    assert [(row["name"], row["runner"], row["gpu"]) for row in rows] == [
        ("a/linux-amd64-cpu", ["ubuntu-24.04"], False),
        ("a/linux-amd64-cu128", ["gpu"], True),
        ("b/linux-arm64-cu130", ["ubuntu-24.04-arm"], False),
        ("c/linux-amd64-cpu", ["ubuntu-24.04"], False),
        ("d/linux-amd64-cpu", ["ubuntu-24.04"], False),
    ]


def test_a_night_gives_a_profile_to_one_machine_of_an_architecture() -> None:
    rows = targets.shard_rows(FOUND, GPU, 4)
    assert [(row["name"], row["profiles"]) for row in rows] == [
        ("amd64 1/2", ["c", "d"]),
        ("amd64 2/2", ["c", "d"]),
        ("amd64-gpu 1/1", ["a"]),
        ("arm64 1/1", ["b"]),
    ]


def test_what_no_machine_is_there_for_is_left_out() -> None:
    only = choices.machines(("x",), (), default=False)
    assert [one.name for one in targets.left_out(FOUND, only)] == ["b/linux-arm64-cu130"]
    assert len(targets.rows(FOUND, only)) == 4


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_each_target_is_in_exactly_one_part(count: int) -> None:
    parts = [targets.part(FOUND, Shard(index=n, count=count)) for n in range(1, count + 1)]
    assert sorted(one.name for part in parts for one in part) == sorted(one.name for one in FOUND)


def test_the_sources_of_a_profile_are_its_chain_and_what_it_copies(tmp_path: Path) -> None:
    more = "files:\n  - source: data/x.json\n    path: /x.json\n"
    profile(tmp_path, "one", folder="envs/deep", more=more)
    found = Workspace(root=str(tmp_path)).profiles()
    resolved = resolve("one", found.sources)
    assert targets.sources(resolved).files == (
        "envs/deep/one.yaml",
        "envs/deep/data/x.json",
    )
    assert [one.name for one in targets.targets([resolved])] == ["one/linux-amd64-cpu"]
    assert targets.targets([resolved], {}) == ()
    assert targets.targets([resolved], {"one": "why"})[0].why == "why"
