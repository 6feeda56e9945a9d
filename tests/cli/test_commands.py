"""Commands whose answer depends on what is shipped, or on locks that are there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envbuild import stamps
from envbuild.cli.main import COMMANDS
from envbuild.profile.schema import profile_schema
from tests.cli.running import inside
from tests.cli.samples import envbuild, locked, profile

SHIPPED = sorted(stamps.profiles(stamps.shipped_folder()) or ())


def rows(root: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> dict[str, dict[str, str]]:
    said = inside(["list", "--json", *arguments], root, monkeypatch)
    assert said.exit == 0, said.stderr
    return {row["profile"]: row for row in json.loads(said.stdout)}


def test_list_says_how_far_each_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked(tmp_path, "whole", "changed", "edited", "damaged")
    (tmp_path / "envs/changed.yaml").write_text(
        (tmp_path / "envs/changed.yaml").read_text().replace("3.12", "3.13")
    )
    (tmp_path / "Dockerfiles/edited/Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "lockfiles/damaged/linux-amd64-cpu.txt").write_text("numpy\n")
    profile(tmp_path, "fresh-only")
    profile(tmp_path, "new")
    assert envbuild(tmp_path, "lock", "--offline", "fresh-only").exit == 0
    expected = {
        "whole": ("fresh", "yes"),
        "changed": ("stale", "stale"),
        "edited": ("fresh", "stale"),
        "damaged": ("broken", "stale"),
        "fresh-only": ("fresh", "no"),
        "new": ("missing", "no"),
    }
    found = rows(tmp_path, monkeypatch)
    assert {name: (row["lock"], row["rendered"]) for name, row in found.items()} == expected
    for check in (("lock", "--check", "whole"), ("render", "--check", "whole")):
        assert envbuild(tmp_path, *check).exit == 0
    again = rows(tmp_path, monkeypatch)
    assert again == found


def test_a_workspace_without_profiles_lists_the_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SHIPPED
    found = rows(tmp_path, monkeypatch)
    assert sorted(found) == SHIPPED
    assert all(row["file"].startswith("shipped:envs/") for row in found.values())


def test_a_workspace_lists_its_own_and_with_all_the_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile(tmp_path, "own")
    assert sorted(rows(tmp_path, monkeypatch)) == ["own"]
    assert sorted(rows(tmp_path, monkeypatch, "--all")) == sorted(["own", *SHIPPED])


def test_an_unknown_profile_far_from_all_is_answered_with_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile(tmp_path, "own")
    said = inside(["show", "qqqqqqqq"], tmp_path, monkeypatch)
    assert said.exit == 2
    assert said.stderr.endswith(f"{', '.join(sorted(['own', *SHIPPED]))}\n")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_profile_can_be_shown_and_begun_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert inside(["show", name, "--origin"], tmp_path, monkeypatch).exit == 0
    said = inside(["init", "--from", name], tmp_path, monkeypatch)
    assert said.exit == 0, said.stderr
    said = inside(["show", f"my-{name}", "--origin"], tmp_path, monkeypatch)
    assert said.exit == 0, said.stderr
    assert f"# shipped:{stamps.profiles(stamps.shipped_folder())[name]}:" in said.stdout  # type: ignore[index]


def test_the_schema_is_printed_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = inside(["schema"], tmp_path, monkeypatch)
    assert json.loads(printed.stdout) == json.loads(json.dumps(profile_schema()))
    assert inside(["schema", "-o", "s.json"], tmp_path, monkeypatch).exit == 0
    assert (tmp_path / "s.json").read_text() == printed.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    said = inside(["completion", shell], tmp_path, monkeypatch)
    assert (said.exit, said.stderr) == (0, "")
    assert f"_ENVBUILD_COMPLETE={shell}_complete" in said.stdout


def test_what_init_begins_with_can_be_locked_and_rendered(tmp_path: Path) -> None:
    assert envbuild(tmp_path, "init", "--name", "first").exit == 0
    path = tmp_path / "envs/first.yaml"
    path.write_text(path.read_text().replace("  requirements:\n    - numpy\n", ""))
    assert envbuild(tmp_path, "lock", "--offline").exit == 0
    assert envbuild(tmp_path, "render").exit == 0
    assert "ubuntu:24.04" in (tmp_path / "Dockerfiles/first/Dockerfile").read_text()


def test_the_readme_has_every_command() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text()
    missing = [name for name in COMMANDS if f"\n| `envbuild {name}" not in text]
    assert missing == []
