"""``pylock.toml`` from an index: what uv makes of a lock, and what is refused of it."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from envbuild.cli.uvtool import prepare_tool
from tests.support.index import PackageIndex, serving
from tests.support.workspace import Folder


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    world = PackageIndex().add("alpha", "1.0", requires=("beta>=2", "gone")).add("beta", "2.0")
    world.add("gone", "1.0").add("beta", "2.1", uploaded="2027-01-01T00:00:00Z")
    with serving(world) as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path, index: PackageIndex) -> Folder:
    made = Folder(tmp_path / "ws", UV_DEFAULT_INDEX=index.url)
    path = made.profile("one", "alpha")
    exclude = '  exclude: [{package: gone, reason: "it is gone"}]\nvariants:'
    path.write_text(path.read_text().replace("variants:", exclude))
    done = made.run("lock", "one")
    assert done.returncode == 0, done.stderr
    return made


def pylock(folder: Folder, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return folder.run("export", "one", "--format", "pylock", *more, **environment)


def test_it_is_the_lock_with_addresses(folder: Folder) -> None:
    done = pylock(folder)
    assert done.returncode == 0, done.stderr
    read = Pylock.from_dict(tomllib.loads(done.stdout))
    read.validate()
    found = {
        str(one.name): {file.hashes["sha256"] for file in one.wheels or ()} for one in read.packages
    }
    locked = folder.read("lockfiles/one/linux-amd64-cu128.txt").decode()
    assert found.keys() == {"alpha", "beta"}
    assert all(f"--hash=sha256:{one}" in locked for digests in found.values() for one in digests)
    assert {str(one.version) for one in read.packages} == {"1.0", "2.0"}


def test_uv_installs_from_it(folder: Folder, tmp_path: Path) -> None:
    assert pylock(folder, "-o", "pylock.toml").returncode == 0
    tool, _ = prepare_tool(offline=False, refresh=False)
    argv = [tool.executable, "pip", "install", "--target", str(tmp_path / "site"), "--no-config"]
    argv += ["--python", tool.python, "-r", str(folder.root / "pylock.toml")]
    subprocess.run(argv, env=folder.environment, check=True, capture_output=True)
    assert (tmp_path / "site/alpha.py").is_file()
    assert (tmp_path / "site/beta.py").is_file()
    assert not (tmp_path / "site/gone.py").exists()


def test_offline_it_is_made_from_the_cache(folder: Folder, index: PackageIndex) -> None:
    online = pylock(folder)
    asked = index.requests
    done = pylock(folder, "--offline")
    assert (done.returncode, done.stdout) == (0, online.stdout)
    assert index.requests == asked


def test_offline_without_a_cache_there_is_none(folder: Folder) -> None:
    done = pylock(folder, "--offline", "-o", "pylock.toml", UV_CACHE_DIR=str(folder.root / "empty"))
    assert (done.returncode, done.stdout) == (3, "")
    assert "error: uv's cache does not hold what a pylock.toml names\n" in done.stderr
    assert done.stderr.endswith("  hint: without --offline\n")
    assert not (folder.root / "pylock.toml").exists()


def test_another_file_of_the_same_version_is_refused(folder: Folder, index: PackageIndex) -> None:
    index.add("beta", "2.0", requires=("alpha",))
    done = pylock(folder, "-o", "pylock.toml", UV_CACHE_DIR=str(folder.root / "new"))
    assert (done.returncode, done.stdout) == (3, "")
    assert "error: the package index holds other files than the lock: beta 2.0\n" in done.stderr
    assert not (folder.root / "pylock.toml").exists()


def test_a_version_that_is_gone_is_refused(folder: Folder, index: PackageIndex) -> None:
    del index.files["beta"]
    done = pylock(folder, UV_CACHE_DIR=str(folder.root / "new"))
    assert done.returncode == 3
    assert "error: the package index no longer has what was locked\n" in done.stderr


def test_an_index_that_does_not_answer(folder: Folder) -> None:
    done = pylock(
        folder,
        UV_CACHE_DIR=str(folder.root / "new"),
        UV_DEFAULT_INDEX="http://127.0.0.1:9/simple",
    )
    assert done.returncode == 3
    assert "error: the package index does not answer\n" in done.stderr


def test_a_uv_that_is_missing(folder: Folder) -> None:
    done = pylock(folder, ENVBUILD_UV="/nowhere/uv")
    assert done.returncode == 3
    assert "error: uv is missing: /nowhere/uv\n" in done.stderr
    assert "or name one in ENVBUILD_UV\n" in done.stderr


def test_an_answer_that_is_no_pylock(folder: Folder) -> None:
    fake = folder.fake_uv('echo "packages = 1" > pylock.toml')
    done = pylock(folder, ENVBUILD_UV=fake)
    assert done.returncode == 3
    assert "error: uv's pylock.toml cannot be read: " in done.stderr


def test_a_failure_of_uv_is_shown(folder: Folder) -> None:
    done = pylock(folder, ENVBUILD_UV=folder.fake_uv("echo something else >&2; exit 2"))
    assert done.returncode == 3
    assert "error: uv makes no pylock.toml\n" in done.stderr
    assert "  | something else\n" in done.stderr
