"""The folder that is handed to a builder."""

import os
from pathlib import Path

import pytest

from envbuild.build import staging
from envbuild.build.staging import Material
from envbuild.errors import InputError, ToolError


@pytest.fixture
def context(tmp_path: Path) -> Path:
    made = tmp_path / "Dockerfiles/one"
    for path, text in {
        "Dockerfile": "FROM a\n",
        "Dockerfile.dockerignore": "**\n",
        "Dockerfile.linux-arm64-cpu": "FROM b\n",
        "linux-amd64-cpu/wheels-1/requirements.txt": "one==1.0\n",
        "linux-amd64-cpu/files/run.sh": "#!/bin/sh\n",
        "linux-arm64-cpu/wheels-1/requirements.txt": "one==2.0\n",
        "notes.txt": "mine\n",
    }.items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_text(text)
    (made / "linux-amd64-cpu/files/run.sh").chmod(0o755)
    return made


def below(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_was_rendered_for_the_variant_is_copied(context: Path, tmp_path: Path) -> None:
    staging.copy(str(context), str(tmp_path / "into"), "linux-amd64-cpu")
    assert below(tmp_path / "into") == {
        "Dockerfile": "FROM a\n",
        "Dockerfile.dockerignore": "**\n",
        "Dockerfile.linux-arm64-cpu": "FROM b\n",
        "linux-amd64-cpu/files/run.sh": "#!/bin/sh\n",
        "linux-amd64-cpu/wheels-1/requirements.txt": "one==1.0\n",
    }
    assert os.access(tmp_path / "into/linux-amd64-cpu/files/run.sh", os.X_OK)
    copied = tmp_path / "into/Dockerfile"
    assert not os.path.samefile(copied, context / "Dockerfile")


@pytest.mark.parametrize("name", ["nothing", "notes.txt"])
def test_where_nothing_was_rendered_it_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("mine\n")
    with pytest.raises(InputError, match=f"{name} holds no Dockerfile") as caught:
        staging.copy(str(tmp_path / name), str(tmp_path / "into"), "linux-amd64-cpu")
    assert caught.value.hint == "run: envbuild render"


def material(tmp_path: Path, name: str, *, fetched: bool = False) -> Material:
    (tmp_path / name).write_text(name)
    return Material(source=f"{tmp_path}/{name}", path=f"files/{name}", fetched=fetched)


def test_files_are_laid_beside_the_list_and_counted(tmp_path: Path) -> None:
    listed = [material(tmp_path, "one.whl"), material(tmp_path, "three.whl", fetched=True)]
    folder = tmp_path / "into/wheels-1"
    assert staging.lay(str(folder), listed) == (2, 16, 9)
    assert below(folder) == {"files/one.whl": "one.whl", "files/three.whl": "three.whl"}
    assert os.path.samefile(folder / "files/one.whl", tmp_path / "one.whl")


def test_what_two_builds_want_is_laid_once(tmp_path: Path) -> None:
    one = material(tmp_path, "setuptools.whl")
    assert staging.lay(str(tmp_path / "into"), [one, one]) == (1, 14, 0)


def test_no_file_at_all_leaves_the_folder_that_says_that_nothing_is_missing(tmp_path: Path) -> None:
    assert staging.lay(str(tmp_path / "a"), []) == (0, 0, 0)
    assert below(tmp_path / "a") == {"files/.nothing-is-needed": ""}
    assert staging.lay(str(tmp_path / "b"), [], marked=False) == (0, 0, 0)
    assert not (tmp_path / "b").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "into").write_text("a file")
    with pytest.raises(ToolError, match="cannot be written: not a directory"):
        staging.lay(f"{tmp_path}/into", [])
