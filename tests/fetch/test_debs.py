"""Debian packages from the archive that the base image names, in a container of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from envbuild.build import debs
from envbuild.build.debs import Archive
from envbuild.build.supply import Supply
from envbuild.engines import model
from envbuild.errors import ToolError
from envbuild.tools import proc, store
from envbuild.tools.answers import Answers
from envbuild.tools.credentials import Credentials
from envbuild.tools.downloads import Access, Got
from envbuild.tools.store import Store
from tests.support.engine import Engine
from tests.support.index import PackageIndex, serving
from tests.support.staging import Staging
from tests.support.workspace import Folder

pytestmark = [pytest.mark.container, pytest.mark.network]

PODMAN = model.Engine(name="podman", builder="podman", program=("podman",), version="4.3.1")


def supply(folder: Path, *, offline: bool = False) -> Supply:
    credentials = Credentials(tuple, {})
    return Supply(
        store=Store(f"{folder}/files"),
        answers=Answers(f"{folder}/answers"),
        access=Access(environ={}, credentials=credentials, offline=offline),
        uv=lambda: pytest.fail("no index is asked"),
        runner=proc.run,
        live=lambda _: None,
    )


def archive(engine: Engine, image: str) -> Archive:
    return Archive(
        engine=PODMAN,
        image=image,
        platform="linux/amd64",
        snapshot="",
        environ=engine.environment,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def fetched(engine: Engine, debian: str, folder: Path) -> tuple[Got, ...]:
    """git with all that it needs: its version has an epoch."""
    got, fetched = debs.closure(
        ("ca-certificates", "git"), archive(engine, debian), supply(folder), stage="sources"
    )
    assert fetched
    return got


def test_the_packages_come_with_what_they_need(fetched: tuple[Got, ...]) -> None:
    names = {got.name.partition("_")[0] for got in fetched}
    assert {"git", "git-man", "libcurl3-gnutls"} <= names
    assert "ca-certificates" not in names  # the image has it
    assert len(names) == len(fetched)


def test_they_install_without_network(
    engine: Engine, debian: str, fetched: tuple[Got, ...], tmp_path: Path
) -> None:
    for got in fetched:
        store.place(got.path, f"{tmp_path}/{got.name}")
    said = engine(
        "run",
        "--rm",
        "--network=none",
        f"--volume={tmp_path}:/run/envbuild/in:ro",
        debian,
        "sh",
        "-euc",
        "export DEBIAN_FRONTEND=noninteractive; "
        "apt-get install -y --no-install-recommends /run/envbuild/in/*.deb >&2; "
        "git --version; dpkg-query --show git",
    )
    assert "git version 2." in said
    assert "E:" not in said


def test_what_is_kept_needs_no_network(
    engine: Engine, debian: str, fetched: tuple[Got, ...], folder: Path
) -> None:
    again, came = debs.closure(
        ("git", "ca-certificates"),
        archive(engine, debian),
        supply(folder, offline=True),
        stage="sources",
    )
    assert not came
    assert {got.sha256 for got in again} == {got.sha256 for got in fetched}
    with pytest.raises(ToolError, match="the Debian packages of base are not in the cache"):
        debs.closure(("nano",), archive(engine, debian), supply(folder, offline=True), stage="base")


def test_a_version_that_is_gone_is_named(engine: Engine, debian: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        debs.closure(("tini=0.0.1-1",), archive(engine, debian), supply(tmp_path), stage="base")
    assert caught.value.message == f"apt in {debian} could not fetch the 1 package of base"
    assert caught.value.hint == "the archive no longer has the locked version: lock again"
    assert "tini" in caught.value.output
    assert engine("ps", "--all", "--quiet").strip() == ""


def test_an_image_that_nobody_has_is_named(engine: Engine, tmp_path: Path) -> None:
    missing = archive(engine, "localhost/no-such-image:1")
    with pytest.raises(ToolError, match="localhost/no-such-image:1"):
        debs.closure(("tini",), missing, supply(tmp_path), stage="base")
    with pytest.raises(ToolError, match="podman has no image localhost/no-such-image:1"):
        debs.closure(("tini",), missing, supply(tmp_path, offline=True), stage="base")


def test_a_step_of_a_build_gets_them(
    engine: Engine, debian: str, fetched: tuple[Got, ...], folder: Path, tmp_path: Path
) -> None:
    world = PackageIndex().add("alpha", "1.0")
    with serving(world) as served:
        made = Folder(tmp_path / "ws", UV_DEFAULT_INDEX=served.url)
        path = made.profile("one", "alpha")
        apt = "apt: [ca-certificates, git]\nvariants:"
        path.write_text(path.read_text().replace("variants:", apt))
        staging = Staging(made, **engine.environment)
        without = staging.stage("without")
        staging.cache = str(folder)
        with_engine = staging.stage(engine=PODMAN, images={"BASE_IMAGE": debian})
    (said,) = without.not_hermetic
    assert (said.path.partition("/")[2], said.what) == ("apt/base", "its Debian packages")
    assert said.why.startswith("no engine is there to run the base image's apt")
    assert staging.files("apt/base", "without") == ["packages.txt"]
    assert with_engine.hermetic
    assert staging.files("apt/base") == sorted(
        ["packages.txt", *(f"files/{got.name}" for got in fetched)]
    )
