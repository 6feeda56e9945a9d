"""What an image says of itself beside its Dockerfile."""

from __future__ import annotations

import pytest

from envbuild.build import labelling
from envbuild.build.labelling import Origin
from envbuild.lock.folder import lock_digest
from tests.unit.attest.samples import subject

LOCKED = subject().locked
OCI = "org.opencontainers.image"


def test_labels_hold_nothing_that_moves_from_build_to_build() -> None:
    origin = Origin(maker="1.2", revision="abc-dirty", source="https://me:pw@git.example.com/x")
    found = dict(labelling.labels(origin, LOCKED))
    digest = lock_digest(LOCKED).removeprefix("sha256:")
    assert found == {
        "io.envbuild.version": "1.2",
        f"{OCI}.created": "2026-01-01T00:00:00Z",
        f"{OCI}.revision": "abc-dirty",
        f"{OCI}.source": "https://git.example.com/x",
        f"{OCI}.version": f"20260101-{digest[:12]}",
    }
    assert f"{OCI}.source" not in dict(labelling.labels(Origin(maker="1.2"), LOCKED))


def test_annotations_are_sorted_and_name_the_base() -> None:
    added = (("io.envbuild.version", "1.2"),)
    found = labelling.in_manifest(subject().variant, LOCKED, added)
    assert list(found) == sorted(found)
    said = dict(found)
    assert said[f"{OCI}.base.digest"] == f"sha256:{'e' * 64}"
    assert said[f"{OCI}.title"] == "one"
    assert said["io.envbuild.version"] == "1.2"


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://github.com/team/robot.git", "https://github.com/team/robot.git"),
        ("https://user:token@github.com/team/robot", "https://github.com/team/robot"),
        ("git@github.com:team/robot.git", "ssh://github.com/team/robot.git"),
        ("ssh://git@github.com/team/robot", "ssh://github.com/team/robot"),
        ("/home/me/robot", ""),
        ("../robot", ""),
        ("file:///home/me/robot", ""),
        ("C:/robot", ""),
        ("", ""),
    ],
)
def test_where_it_comes_from(remote: str, shown: str) -> None:
    assert labelling.source(remote) == shown
