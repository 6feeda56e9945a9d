"""Git sources: one commit each, kept, and given out to whoever reads the context."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from envbuild.build.repositories import Repositories
from envbuild.errors import ToolError
from envbuild.tools import proc, store
from tests.support.index import PackageIndex, serving
from tests.support.staging import Staging
from tests.support.workspace import Folder

pytestmark = pytest.mark.git

PYPROJECT = '[build-system]\nrequires = ["backend>=1"]\nbuild-backend = "backend"\n'
WAY = "git -c safe.directory=* upload-pack"
"""How a Dockerfile lets git read a repository of another user."""


def git(folder: Path, *argv: str, **more: str) -> str:
    settings = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.com",
        "-c",
        "init.defaultBranch=main",
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **more}
    done = subprocess.run(
        ["git", *settings, *argv],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository of three commits; only the second has the project."""
    made = tmp_path / "source"
    (made / "lib").mkdir(parents=True)
    git(made, "init", "--quiet")
    for number, text in enumerate(("", PYPROJECT, "not toml")):
        (made / "lib/pyproject.toml").write_text(text)
        (made / "number").write_text(f"{number}\n")
        git(made, "add", ".")
        git(made, "commit", "--quiet", "--message", f"number {number}")
    return made


@pytest.fixture
def commit(source: Path) -> str:
    return git(source, "rev-parse", "HEAD~1")


def kept(tmp_path: Path, *, offline: bool = False, **environment: str) -> Repositories:
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment}
    return Repositories(f"{tmp_path}/git", environ, proc.run, offline=offline)


def test_a_commit_is_all_that_is_fetched(tmp_path: Path, source: Path, commit: str) -> None:
    found = kept(tmp_path).get("own", source.as_uri(), commit)
    assert git(Path(found.path), "rev-list", "--all") == commit
    assert not found.fetched  # it came from this disk
    assert kept(tmp_path).texts(found, ("pyproject.toml", "setup.py"), "lib") == {
        "pyproject.toml": PYPROJECT
    }
    assert kept(tmp_path).texts(found, ("number", "pyproject.toml"), None) == {"number": "1\n"}


def test_it_is_fetched_once_and_checked_each_time(
    tmp_path: Path, source: Path, commit: str
) -> None:
    first = kept(tmp_path).get("own", source.as_uri(), commit)
    before = {path: store.digest(f"{first.path}/{path}") for path in first.files}
    source.rename(tmp_path / "gone")
    again = kept(tmp_path, offline=True).get("own", source.as_uri(), commit)
    assert {path: store.digest(f"{again.path}/{path}") for path in again.files} == before
    (tmp_path / "gone").rename(source)
    (pack,) = Path(first.path).rglob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:-1] + b"?")
    mended = kept(tmp_path).get("own", source.as_uri(), commit)
    assert git(Path(mended.path), "rev-list", "--all") == commit
    assert git(Path(mended.path), "fsck", "--full") == ""


@pytest.mark.parametrize("owner", [0, 1234])
@pytest.mark.parametrize("reader", [0, 65534])
def test_anybody_can_fetch_from_it(
    tmp_path: Path, source: Path, commit: str, owner: int, reader: int
) -> None:
    if os.getuid() != 0:
        pytest.skip("not run: only root can give files to another user")
    found = kept(tmp_path).get("own", source.as_uri(), commit)
    for path in Path(found.path).parent.rglob("*"):
        os.chown(path, owner, owner)
    for path in (tmp_path, *tmp_path.parents):
        if not path.stat().st_mode & 0o005:
            path.chmod(0o755)
    into = tmp_path / "into"
    into.mkdir()
    os.chown(into, reader, reader)
    script = (
        f"git init --quiet && git fetch --quiet --depth 1 --upload-pack '{WAY}' {found.path} {commit}"
        " && git checkout --quiet --detach FETCH_HEAD && cat number"
    )
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=into,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        user=reader,
        group=reader,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def refusal(repositories: Repositories, url: str, commit: str) -> ToolError:
    with pytest.raises(ToolError) as caught:
        repositories.get("own", url, commit)
    return caught.value


def test_a_commit_that_is_not_there_is_named(tmp_path: Path, source: Path) -> None:
    error = refusal(kept(tmp_path), source.as_uri(), "1" * 40)
    assert error.message == f"own: {source.as_uri()} at 111111111111 cannot be fetched"
    assert error.hint == "the commit is gone from the repository: lock again"
    assert not list((tmp_path / "git").iterdir())


def test_a_repository_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    error = refusal(kept(tmp_path), "https://127.0.0.1:9/team/own", "1" * 40)
    assert error.message == "own: https://127.0.0.1:9/team/own at 111111111111 cannot be fetched"
    assert "127.0.0.1" in error.output


def test_offline_names_what_is_missing(tmp_path: Path) -> None:
    error = refusal(kept(tmp_path, offline=True), "https://git.example/own", "1" * 40)
    assert "own: https://git.example/own at 111111111111 is not in the cache" in error.message


def test_without_git_it_is_named(tmp_path: Path, source: Path, commit: str) -> None:
    error = refusal(kept(tmp_path, PATH=str(tmp_path)), source.as_uri(), commit)
    assert error.message.startswith("git is needed")


PROFILE = """\
git:
  - {{name: own, url: "{url}", commit: {commit}, path: /opt/own, install: pip, subdirectory: lib}}
  - {{name: data, url: "{url}", commit: {commit}, path: /opt/data, install: none}}
"""


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    world = PackageIndex().add("alpha", "1.0").add("backend", "1.5", requires=("beta",))
    world.add("beta", "2.0").add("backend", "2.0", uploaded="2027-01-01T00:00:00Z")
    with serving(world) as served:
        yield served


def test_a_checkout_that_is_installed_brings_its_build_requirements(
    tmp_path: Path, source: Path, commit: str, index: PackageIndex
) -> None:
    folder = Folder(tmp_path / "ws", UV_DEFAULT_INDEX=index.url)
    path = folder.profile("one", "alpha")
    more = PROFILE.format(url=source.as_uri(), commit=commit)
    path.write_text(path.read_text().replace("variants:", f"{more}variants:"))
    staging = Staging(folder)
    fetched = staging.stage()
    own = staging.files("git/own")
    assert [name for name in own if name.startswith("files/")] == [
        "files/backend-1.5-py3-none-any.whl",
        "files/beta-2.0-py3-none-any.whl",
    ]
    data = staging.files("git/data")
    assert {name for name in own if not name.startswith("files/")} == set(data)
    assert {"source.txt", "repository/HEAD", "repository/config"} <= set(data)
    repository = tmp_path / "ws/into" / staging.subject.variant.name / "git/data/repository"
    assert git(repository, "show", f"{commit}:number") == "1"
    assert [one.path.rpartition("/")[2] for one in fetched.not_hermetic] == ["sources"]


def test_build_requirements_without_wheels_are_said(
    tmp_path: Path, source: Path, commit: str, index: PackageIndex
) -> None:
    del index.files["beta"]
    folder = Folder(tmp_path / "ws", UV_DEFAULT_INDEX=index.url)
    path = folder.profile("one", "alpha")
    more = PROFILE.format(url=source.as_uri(), commit=commit)
    path.write_text(path.read_text().replace("variants:", f"{more}variants:"))
    staging = Staging(folder)
    fetched = staging.stage()
    said = {one.path.partition("/")[2]: one for one in fetched.not_hermetic}
    assert said["git/own"].what == "own"
    assert "build requirements are not to be had as wheels" in said["git/own"].why
    assert not any(name.startswith("files/") for name in staging.files("git/own"))
    assert "repository/HEAD" in staging.files("git/own")
