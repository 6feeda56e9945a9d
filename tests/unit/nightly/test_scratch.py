"""Scratch workspaces: as the user's is, and nothing of the user's written."""

from __future__ import annotations

from pathlib import Path

import pytest

from envbuild.errors import InputError, Mark
from envbuild.nightly import scratch
from envbuild.nightly.scratch import Snapshot
from envbuild.workspace import Workspace

PROFILE = """\
schema: 1
name: {name}
summary: A profile of the tests
{more}base:
  image: docker.io/library/ubuntu:22.04
  distribution: ubuntu-22.04
python: {{version: 3.11, source: image, interpreter: /usr/bin/python3, requirements: [numpy]}}
files: [{{source: run.sh, path: /opt/run.sh}}]
variants:
  linux-amd64-cpu: {{}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "ws"
    (root / "envs/team").mkdir(parents=True)
    (root / "templates").mkdir()
    (root / "templates/Dockerfile.j2").write_text("x")
    (root / "knowledge/rules").mkdir(parents=True)
    (root / "knowledge/rules/own.yaml").write_text("rules: []")
    parent = PROFILE.format(name="parent", more="as-of: '2026-01-01T00:00:00Z' # why\n")
    (root / "envs/team/parent.yaml").write_text(parent)
    (root / "envs/team/run.sh").write_text("#!/bin/sh\n")
    (root / "envs/child.yaml").write_text(
        "schema: 1\nname: child\nsummary: A child\nextends: parent\n"
    )
    (root / "envs/apart.yaml").write_text(PROFILE.format(name="apart", more=""))
    (root / "lockfiles/child").mkdir(parents=True)
    (root / "lockfiles/child/envbuild.lock.json").write_text("{}")
    return root


def taken(root: Path, profile: str = "child") -> Snapshot:
    workspace = Workspace(root=str(root), shipped=str(root))
    return scratch.snapshot(workspace, workspace.profiles(), profile)


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_a_profile_has_its_parents_files_templates_books_and_lock(root):
    assert sorted({**taken(root).texts, **taken(root).locks}) == [
        "envs/child.yaml",
        "envs/team/parent.yaml",
        "envs/team/run.sh",
        "knowledge/rules/own.yaml",
        "lockfiles/child/envbuild.lock.json",
        "templates/Dockerfile.j2",
    ]


def test_the_moment_of_a_parent_is_moved_in_the_copy_alone(root, tmp_path):
    before = tree(root)
    made = scratch.sync(taken(root), str(tmp_path / "s"), moment="2026-11-22T03:00:00Z")
    text = Path(made.root, "envs/team/parent.yaml").read_text()
    assert "as-of: 2026-11-22T03:00:00Z # why\n" in text
    assert text.replace("2026-11-22T03:00:00Z", "'2026-01-01T00:00:00Z'") == (
        (root / "envs/team/parent.yaml").read_text()
    )
    assert tree(root) == before


def test_without_a_moment_the_copy_is_the_same(root, tmp_path):
    scratch.sync(taken(root), str(tmp_path / "s"), moment="2026-11-22T03:00:00Z")
    made = scratch.sync(taken(root), str(tmp_path / "s"))
    copies = tree(Path(made.root))
    assert copies == {path: data for path, data in tree(root).items() if path in copies}


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("as-of: 2026-01-01T00:00:00Z\n", Mark("envs/a.yaml", 1, 1)),
        ("a: {as-of: 2026-01-01, b: 1}\n", Mark("envs/a.yaml", 1, 5)),
        ('é: 1\nas-of:   "2026-01-01"  # ü\n', Mark("envs/a.yaml", 2, 1)),
        ("x: 1\r\nas-of: 2026-01-01\r\n", Mark("envs/a.yaml", 2, 1)),
    ],
)
def test_a_moment_is_moved_however_it_is_written(text, mark):
    snapshot = Snapshot(
        profile="a", texts={"envs/a.yaml": text.encode()}, locks={}, moments=(mark,)
    )
    moved = scratch.as_of(snapshot, "2027-05-05T00:00:00Z")["envs/a.yaml"].decode()
    assert "2026" not in moved
    assert moved.count("2027-05-05T00:00:00Z") == 1
    assert len(moved.splitlines()) == len(text.splitlines())


def test_a_moment_that_is_written_in_another_way_is_refused():
    text = b"as-of: |\n  2026-01-01\n"
    snapshot = Snapshot(
        profile="a", texts={"envs/a.yaml": text[7:]}, locks={}, moments=(Mark("envs/a.yaml", 1, 1),)
    )
    with pytest.raises(InputError, match="cannot be moved in a copy"):
        scratch.as_of(snapshot, "2027-05-05T00:00:00Z")


def test_what_is_gone_goes_and_what_was_made_stays(root, tmp_path):
    made = Path(scratch.sync(taken(root), str(tmp_path / "s")).root)
    (made / "Dockerfiles/child").mkdir(parents=True)
    (made / "Dockerfiles/child/Dockerfile").write_text("FROM x\n")
    (made / "lockfiles/child/old.txt").write_text("x")
    (root / "templates/Dockerfile.j2").unlink()
    scratch.sync(taken(root), str(made))
    assert not (made / "templates/Dockerfile.j2").exists()
    assert not (made / "lockfiles/child/old.txt").exists()
    assert (made / "Dockerfiles/child/Dockerfile").exists()


def test_a_broken_profile_has_every_file_beside_it(root):
    (root / "envs/child.yaml").write_text("schema: 1\nname: child\nextends: nobody\n")
    found = taken(root)
    assert {"envs/child.yaml", "envs/apart.yaml", "envs/team/parent.yaml"} <= found.texts.keys()
    assert found.moments == ()


def test_a_shipped_profile_is_copied_as_if_it_were_there(root, tmp_path):
    workspace = Workspace(root=str(tmp_path / "empty"), shipped=str(root))
    (tmp_path / "empty/envs").mkdir(parents=True)
    found = scratch.snapshot(workspace, workspace.profiles(), "child")
    made = scratch.sync(found, str(tmp_path / "s"), moment="2026-11-22T03:00:00Z")
    assert "2026-11-22" in Path(made.root, "envs/team/parent.yaml").read_text()
    assert found.shipped == {"envs/child.yaml", "envs/team/parent.yaml"}
