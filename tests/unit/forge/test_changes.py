"""Which profiles a change touches."""

from __future__ import annotations

import pytest

from envbuild.forge.changes import Sources, touched

CHILD = Sources(profile="child", files=("envs/child.yaml", "envs/base.yaml", "envs/data/x.json"))
OTHER = Sources(profile="other", files=("envs/other.yaml",))


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("envs/child.yaml", ["child"]),
        ("envs/base.yaml", ["child"]),
        ("envs/data/x.json", ["child"]),
        ("lockfiles/other/linux-amd64-cpu.txt", ["other"]),
        ("Dockerfiles/child/Dockerfile", ["child"]),
        ("templates/dockerfile/main.j2", ["child", "other"]),
        ("templates/ci/github/nightly.yml.j2", []),
        ("templates/report/page.html", []),
        ("lockfiles/othering/x.txt", []),
        ("README.md", []),
    ],
)
def test_a_profile_depends_on_what_it_is_made_of(path: str, names: list[str]) -> None:
    assert list(touched([path], [CHILD, OTHER])) == names


def test_the_reason_is_the_first_file_of_its_own() -> None:
    found = touched(["templates/Dockerfile.j2", "envs/base.yaml", "lockfiles/child/x"], [CHILD])
    assert found == {"child": "envs/base.yaml changed"}
