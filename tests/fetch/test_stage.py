"""Packages of an index on loopback in a context: what is fetched, what is kept, what is refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from envbuild.errors import InputError, ToolError
from tests.support import file_server
from tests.support.index import PackageIndex, serving
from tests.support.staging import Staging
from tests.support.workspace import Folder

ALPHA = "files/alpha-1.0-py3-none-any.whl"
BETA = "files/beta-2.0-py3-none-any.whl"


@dataclass
class Index(PackageIndex):
    """An index whose pages may be of another time than its files."""

    kept: dict[str, bytes | None] = field(default_factory=dict)

    def page(self, name: str) -> bytes | None:
        return self.kept.get(name) or super().page(name)


def published() -> Index:
    world = Index()
    world.add("alpha", "1.0", requires=("beta>=2",)).add("beta", "2.0")
    return world


@pytest.fixture
def index() -> Iterator[Index]:
    world = published()
    with serving(world):
        yield world


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a lock: which index it was made with is not in it."""
    root = tmp_path_factory.mktemp("locked")
    with serving(published()) as served:
        made = Folder(root, UV_DEFAULT_INDEX=served.url)
        made.profile("one", "alpha")
        Staging(made)
    return root


@pytest.fixture
def staging(tmp_path: Path, locked: Path, index: Index) -> Staging:
    for name in ("envs", "lockfiles"):
        shutil.copytree(locked / name, tmp_path / "ws" / name)
    return Staging(Folder(tmp_path / "ws", UV_DEFAULT_INDEX=index.url))


def wheels(staging: Staging, name: str = "into") -> list[str]:
    found = [one.path.partition("/")[2] for one in staging.subject.inputs if one.kind == "wheels"]
    return [file for path in found for file in staging.files(path, name)]


def test_the_wheels_of_the_lock_stand_beside_their_list(staging: Staging) -> None:
    fetched = staging.stage()
    assert sorted({*wheels(staging)} - {"requirements.txt"}) == [ALPHA, BETA]
    assert (staging.workspace.root / "into/Dockerfile").read_text() == "FROM scratch\n"
    assert fetched.hermetic
    assert sum(one.files for one in fetched.inputs) == 2
    assert sum(one.fetched for one in fetched.inputs) == sum(one.bytes for one in fetched.inputs)
    assert any("fetched" in line for line in staging.said)


def test_a_store_that_has_all_asks_nobody(staging: Staging, index: Index) -> None:
    staging.stage()
    asked, called = index.requests, staging.asked_uv
    again = staging.stage("again")
    assert (index.requests, staging.asked_uv) == (asked, called)
    assert wheels(staging) == wheels(staging, "again")
    assert [one.fetched for one in again.inputs] == [0] * len(again.inputs)
    staging.stage("off", offline=True)
    assert wheels(staging) == wheels(staging, "off")


def test_a_broken_file_of_the_store_is_fetched_again(staging: Staging) -> None:
    staging.stage()
    (broken,) = [path for path in staging.store() if path.name.startswith("alpha")]
    whole = broken.read_bytes()
    broken.chmod(0o644)
    broken.write_bytes(whole[:-1] + b"?")
    fetched = staging.stage("again")
    assert sum(one.fetched for one in fetched.inputs) == len(whole)
    (again,) = (staging.workspace.root / "again").rglob("alpha-*")
    assert again.read_bytes() == whole


def test_offline_names_what_the_store_lacks(staging: Staging) -> None:
    staging.stage()
    (gone,) = [path for path in staging.store() if path.name.startswith("beta")]
    gone.unlink()
    with pytest.raises(ToolError) as caught:
        staging.stage("off", offline=True)
    assert caught.value.message == (
        "not in the cache, and the network is off: beta 2.0 (beta-2.0-py3-none-any.whl)"
    )
    assert caught.value.hint == "without --offline they are fetched"
    assert sorted(os.listdir(staging.workspace.root)) == sorted(
        ["Dockerfiles", "cache", "envbuild-cache", "envs", "into", "lockfiles"]
    )


def test_offline_with_nothing_says_so(staging: Staging) -> None:
    with pytest.raises(ToolError, match="the cache does not hold where the locked files are"):
        staging.stage(offline=True)
    assert not (staging.workspace.root / "into").exists()


def test_an_index_with_other_files_is_refused(staging: Staging, index: Index) -> None:
    index.files["beta"].clear()
    index.add("beta", "2.0", code="# rebuilt\n")
    with pytest.raises(ToolError) as caught:
        staging.stage()
    assert caught.value.message == "the package index holds other files than the lock: beta 2.0"
    assert not (staging.workspace.root / "into").exists()


def test_an_index_that_lies_about_a_file_is_refused(staging: Staging, index: Index) -> None:
    name = "beta-2.0-py3-none-any.whl"
    index.kept["beta"] = index.page("beta")
    index.files["beta"][name] = b"<html>sign in</html>"
    with pytest.raises(ToolError) as caught:
        staging.stage()
    assert caught.value.message.startswith("beta 2.0: 127.0.0.1:")
    assert caught.value.message.endswith(f" has another {name} than the lock")
    assert not (staging.workspace.root / "into").exists()


def test_an_index_that_is_gone_is_named(staging: Staging) -> None:
    staging.environ["UV_DEFAULT_INDEX"] = "http://127.0.0.1:9/simple"
    with pytest.raises(ToolError, match="the package index does not answer") as caught:
        staging.stage()
    assert "127.0.0.1:9" in caught.value.output


@pytest.mark.parametrize("variable", ["UV_FIND_LINKS", "PIP_FIND_LINKS"])
def test_a_folder_of_files_serves_as_well(
    staging: Staging, index: Index, tmp_path: Path, variable: str
) -> None:
    links = tmp_path / "links"
    links.mkdir()
    for files in index.files.values():
        for name, data in files.items():
            (links / name).write_bytes(data)
    staging.environ |= {variable: str(links), "UV_CACHE_DIR": str(tmp_path / "empty")}
    index.files.clear()
    fetched = staging.stage()
    assert sorted({*wheels(staging)} - {"requirements.txt"}) == [ALPHA, BETA]
    assert sum(one.fetched for one in fetched.inputs) == 0


def test_credentials_of_the_index_reach_its_files(
    staging: Staging, index: Index, tmp_path: Path
) -> None:
    private = tmp_path / "private"
    for project, files in index.files.items():
        for name, data in files.items():
            (private / "files" / project).mkdir(parents=True)
            (private / "files" / project / name).write_bytes(data)
    with file_server.serving(private, login="ann:p@ss") as served:
        index.url = f"{served.url}/simple"
        for project in index.files:
            (private / "simple" / project).mkdir(parents=True)
            page = index.page(project)
            assert page is not None
            (private / "simple" / project / "index.json").write_bytes(page)
        staging.environ["UV_DEFAULT_INDEX"] = index.url.replace("://", "://ann:p%40ss@")
        assert staging.stage().hermetic
    assert [one.path for one in served.asked if one.path.endswith(".whl") and one.authorization]
    kept = (staging.workspace.root / "envbuild-cache/answers").iterdir()
    assert not any("p%40ss" in path.read_text() or "p@ss" in path.read_text() for path in kept)


def test_a_place_that_is_taken_is_left_alone(staging: Staging) -> None:
    taken = staging.workspace.root / "into"
    taken.mkdir()
    staging.stage()  # an empty folder is none
    with pytest.raises(InputError, match="is there already"):
        staging.stage()


def test_nothing_rendered_is_said(staging: Staging) -> None:
    shutil.rmtree(staging.context)
    with pytest.raises(InputError, match="holds no Dockerfile"):
        staging.stage()
