"""Which profiles and templates there are: own over shipped, and nothing read before its time."""

from __future__ import annotations

from pathlib import Path

import pytest

from envbuild.errors import InputError
from envbuild.workspace import Workspace


@pytest.fixture
def both(tmp_path: Path) -> Workspace:
    """A workspace, and the folder of what is shipped with it."""
    for path in (
        "shipped/envs/base.yaml",
        "shipped/envs/examples/demo.yaml",
        "shipped/templates/Dockerfile.j2",
        "shipped/templates/parts/head.j2",
        "own/templates/parts/head.j2",
        "own/envs/demo.yaml",
        "own/envs/team/mine.yaml",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f"text of {path}")
    return Workspace(root=str(tmp_path / "own"), shipped=str(tmp_path / "shipped"))


def test_own_profiles_win_and_shipped_ones_remain_usable(both: Workspace) -> None:
    found = both.profiles()
    assert dict(found.labels) == {
        "base": "shipped:envs/base.yaml",
        "demo": "envs/demo.yaml",
        "mine": "envs/team/mine.yaml",
    }
    assert found.default == ("demo", "mine")
    assert found.sources["base"].text == "text of shipped/envs/base.yaml"
    assert found.sources["demo"].file == "envs/demo.yaml"
    assert list(found.sources) == ["base", "demo", "mine"]


def test_without_profiles_of_its_own_a_workspace_acts_on_the_shipped(
    both: Workspace, tmp_path: Path
) -> None:
    empty = Workspace(root=str(tmp_path / "empty"), shipped=both.shipped)
    assert empty.profiles().default == ("base", "demo")


def test_the_shipping_folder_is_its_own_workspace(both: Workspace) -> None:
    same = Workspace(root=both.shipped, shipped=both.shipped)
    assert dict(same.profiles().labels) == {
        "base": "envs/base.yaml",
        "demo": "envs/examples/demo.yaml",
    }


def test_a_profile_is_read_when_it_is_asked_for(both: Workspace) -> None:
    Path(both.root, "envs/demo.yaml").write_bytes(b"\xff")
    found = both.profiles()
    assert found.sources["mine"].text == "text of own/envs/team/mine.yaml"
    assert "demo" in found.sources
    with pytest.raises(InputError, match=r"envs/demo\.yaml is not text"):
        found.sources["demo"]


def test_files_of_one_name_are_all_named(both: Workspace) -> None:
    for name in ("demo", "mine"):
        path = Path(both.root, "envs/other", f"{name}.yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    with pytest.raises(InputError) as caught:
        both.profiles()
    assert [problem.message for problem in caught.value.problems] == [
        "envs/demo.yaml and envs/other/demo.yaml are both called 'demo'",
        "envs/other/mine.yaml and envs/team/mine.yaml are both called 'mine'",
    ]


def test_own_templates_replace_shipped_ones(both: Workspace) -> None:
    assert both.templates() == {
        "Dockerfile.j2": "text of shipped/templates/Dockerfile.j2",
        "parts/head.j2": "text of own/templates/parts/head.j2",
    }


def test_a_stamp_of_templates_knows_what_would_replace_them(both: Workspace) -> None:
    assert both.template_files() == (
        "templates/Dockerfile.j2",
        "templates/parts/head.j2",
        f"{both.shipped}/templates/Dockerfile.j2",
    )


@pytest.mark.parametrize(
    ("label", "place"),
    [
        ("envs/demo.yaml", "own/envs/demo.yaml"),
        ("shipped:envs/base.yaml", "shipped/envs/base.yaml"),
        ("templates/parts/head.j2", "own/templates/parts/head.j2"),
        ("templates/Dockerfile.j2", "shipped/templates/Dockerfile.j2"),
    ],
)
def test_a_name_in_a_message_leads_to_its_file(
    both: Workspace, tmp_path: Path, label: str, place: str
) -> None:
    assert both.locate(label) == str(tmp_path / place)


def test_paths_in_the_current_folder_are_as_people_write_them() -> None:
    assert Workspace(root=".").path("envs", "a.yaml") == "envs/a.yaml"


def test_templates_of_other_files_are_no_part_of_a_dockerfile(both: Workspace) -> None:
    root = Path(both.root)
    before = both.templates()
    for name in ("ci/github/nightly.yml.j2", "report/page.html.j2"):
        (root / "templates" / name).parent.mkdir(parents=True)
        (root / "templates" / name).write_text("x")
    assert both.templates() == before
    assert both.templates("ci") == {"ci/github/nightly.yml.j2": "x"}
