"""The Python that uv installs, from a mirror on this disk, and how uv reads what is staged."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from envbuild.build.interpreters import interpreter
from envbuild.build.supply import Supply
from envbuild.errors import ToolError
from envbuild.tools import proc
from envbuild.tools.answers import Answers
from envbuild.tools.credentials import Credentials
from envbuild.tools.downloads import Access
from envbuild.tools.store import Store
from tests.support import file_server
from tests.support.index import PackageIndex, serving
from tests.support.staging import Staging
from tests.support.workspace import Folder

UV_PROFILE = """\
schema: 1
name: one
summary: A profile of the tests
as-of: 2026-01-01T00:00:00Z
base: {image: "docker.io/library/ubuntu:22.04", distribution: ubuntu-22.04}
python: {version: "3.11", source: uv, prefix: /opt/one, requirements: [alpha]}
variants: {linux-amd64-cpu: {}}
"""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A workspace with a lock, whose index stays there."""
    with serving(PackageIndex().add("alpha", "1.0")) as served:
        made = Folder(tmp_path_factory.mktemp("locked"), UV_DEFAULT_INDEX=served.url)
        (made.root / "envs/one.yaml").write_text(UV_PROFILE)
        Staging(made)
        yield made


@pytest.fixture
def staging(tmp_path: Path, locked: Folder) -> Staging:
    for name in ("envs", "lockfiles"):
        shutil.copytree(locked.root / name, tmp_path / "ws" / name)
    return Staging(Folder(tmp_path / "ws", UV_DEFAULT_INDEX=locked.environment["UV_DEFAULT_INDEX"]))


def archive(staging: Staging) -> tuple[str, str]:
    """The release and the name of the archive that this uv takes for Python 3.11 on amd64."""
    tool = staging.uv(offline=True)
    argv = [tool.executable, "python", "list", "cpython-3.11-linux-x86_64-gnu", "--only-downloads"]
    said = subprocess.run(
        [*argv, "--all-platforms", "--show-urls", "--no-config"],
        env=dict(tool.environment),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    url = said.split()[1]
    release, name = url.split("/")[-2:]
    return release, name.replace("%2B", "+")


@pytest.fixture
def mirror(tmp_path: Path, staging: Staging) -> Path:
    """A mirror with one small archive in the place of the real one."""
    release, name = archive(staging)
    made = tmp_path / "mirror"
    (made / release).mkdir(parents=True)
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        info = tarfile.TarInfo("python/bin/python3.11")
        tar.addfile(info, io.BytesIO())
    (made / release / name).write_bytes(data.getvalue())
    return made


def test_the_archive_stands_where_uv_looks_for_it(
    staging: Staging, mirror: Path, tmp_path: Path
) -> None:
    staging.environ["UV_PYTHON_INSTALL_MIRROR"] = mirror.as_uri()
    assert staging.stage().hermetic
    release, name = archive(staging)
    assert staging.files("python") == [f"files/{release}/{name}", "python.txt"]
    place = tmp_path / "ws/into" / staging.subject.variant.name / "python/files"
    tool = staging.uv(offline=False)
    argv = [tool.executable, "python", "install", "cpython-3.11-linux-x86_64-gnu", "--no-bin"]
    done = subprocess.run(
        [*argv, "--no-config", "--install-dir", str(tmp_path / "python")],
        env={**dict(tool.environment), "UV_PYTHON_INSTALL_MIRROR": place.as_uri()},
        capture_output=True,
        text=True,
        check=False,
    )
    # uv has found the file, and knows that it is not the real one.
    data = (mirror / release / name).read_bytes()
    assert "ash mismatch" in done.stderr
    assert hashlib.sha256(data).hexdigest() in done.stderr


def test_it_is_kept(staging: Staging, mirror: Path) -> None:
    staging.environ["UV_PYTHON_INSTALL_MIRROR"] = mirror.as_uri()
    staging.stage()
    del staging.environ["UV_PYTHON_INSTALL_MIRROR"]
    called = staging.asked_uv
    again = staging.stage("again", offline=True)
    assert staging.asked_uv == called
    assert staging.files("python") == staging.files("python", "again")
    assert sum(one.fetched for one in again.inputs) == 0


def test_a_published_hash_is_held_against_it(staging: Staging, mirror: Path) -> None:
    release, name = archive(staging)
    sums = mirror / release / "SHA256SUMS"
    sums.write_text(f"{'1' * 64}  {name}\n")
    with file_server.serving(mirror) as served:
        staging.environ["UV_PYTHON_INSTALL_MIRROR"] = served.url
        with pytest.raises(ToolError, match=f"has another {name.partition('+')[0]}"):
            staging.stage()
        digest = hashlib.sha256((mirror / release / name).read_bytes()).hexdigest()
        sums.write_text(f"{digest} *{name}\n")
        assert staging.stage().hermetic


def test_a_mirror_without_it_is_named(staging: Staging, tmp_path: Path) -> None:
    staging.environ["UV_PYTHON_INSTALL_MIRROR"] = (tmp_path / "empty").as_uri()
    with pytest.raises(ToolError, match="cannot be read"):
        staging.stage()


def supply(staging: Staging, *, offline: bool) -> Supply:
    return Supply(
        store=Store(f"{staging.cache}/files"),
        answers=Answers(f"{staging.cache}/answers"),
        access=Access(environ={}, credentials=Credentials(tuple, {}), offline=offline),
        uv=lambda: staging.uv(offline=offline),
        runner=proc.run,
        live=lambda _: None,
    )


def test_offline_it_is_named(staging: Staging) -> None:
    found = supply(staging, offline=True)
    (asked,) = [one for one in staging.subject.inputs if one.kind == "python"]
    with pytest.raises(ToolError, match="is not in the cache, and the network is off"):
        interpreter(asked.text, "amd64", found, mirror="")


def test_another_uv_than_the_lock_s_is_fetched_to_name_it(staging: Staging) -> None:
    """The index here has no uv: it is asked for the version that the image has."""
    found = supply(staging, offline=False)
    with pytest.raises(
        ToolError, match=r"uv 0\.13\.1 names no Python 3\.11 for linux/arm64"
    ) as caught:
        interpreter("uv 0.13.1\npython 3.11\n", "arm64", found, mirror="")
    assert "uv==0.13.1" in caught.value.command
    assert "uv was not found" in caught.value.output
