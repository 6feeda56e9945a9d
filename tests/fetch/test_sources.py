"""Source distributions of the real index, and that what is laid beside them builds them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envbuild.lock import requirements
from tests.support.staging import Staging
from tests.support.workspace import Folder

pytestmark = pytest.mark.network

PROFILE = """\
schema: 1
name: one
summary: Packages of the real index, two of them from source
as-of: 2026-02-01T00:00:00Z
base: {image: "docker.io/library/debian:12", distribution: debian-12}
python:
  version: "3.11"
  source: image
  interpreter: /usr/bin/python3
  requirements: [humanize==4.9.0, docopt==0.6.2, flatdict==4.0.1, numpy==1.26.4]
  build-constraints: [setuptools<81]
  build-from-source:
    - {package: docopt, reason: published as source only}
    - {package: flatdict, reason: published as source only}
variants: {linux-amd64-cpu: {}}
"""


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Staging:
    """Staged at ``into``, from the index of the user's settings."""
    made = Folder(tmp_path_factory.mktemp("sources"))
    made.environment = {**os.environ, "NO_COLOR": "1"}
    (made.root / "envs/one.yaml").write_text(PROFILE)
    found = Staging(made)
    assert found.stage().hermetic
    return found


def test_the_one_wheel_for_the_image_is_there(staging: Staging) -> None:
    listed = [one.path.partition("/")[2] for one in staging.subject.inputs if one.kind == "wheels"]
    found = {name for path in listed for name in staging.files(path)} - {"requirements.txt"}
    assert found == {
        "files/humanize-4.9.0-py3-none-any.whl",
        "files/numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    }


def test_the_sources_have_what_builds_them(staging: Staging) -> None:
    found = staging.files("sources")
    assert {"files/docopt-0.6.2.tar.gz", "files/flatdict-4.0.1.tar.gz"} <= set(found)
    (setuptools,) = [name for name in found if name.startswith("files/setuptools-")]
    assert int(setuptools.split("-")[1].split(".")[0]) < 81
    assert [name for name in found if name.startswith("files/wheel-")]


def test_pip_builds_one_without_an_index(staging: Staging, tmp_path: Path) -> None:
    place = staging.workspace.root / "into" / staging.subject.variant.name / "sources"
    pip = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-cache-dir"]
    pip += ["--no-deps", "--require-hashes", "--use-pep517"]
    pip += ["--wheel-dir", str(tmp_path / "wheels"), "-r", str(tmp_path / "docopt.txt")]
    pins = requirements.parse((place / "requirements.txt").read_text())
    (docopt,) = [pin for pin in pins if pin.name == "docopt"]
    (tmp_path / "docopt.txt").write_text(requirements.render([docopt], heading="One of them."))
    done = subprocess.run(
        pip,
        env={
            "PATH": os.environ["PATH"],
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(place / "files"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    built = sorted(path.name.split("-")[0] for path in (tmp_path / "wheels").iterdir())
    assert built == ["docopt"]


def test_the_store_suffices_for_another_time(staging: Staging) -> None:
    again = staging.stage("again", offline=True)
    assert again.hermetic
    assert sum(one.fetched for one in again.inputs) == 0
    assert staging.files("sources") == staging.files("sources", "again")
    shutil.rmtree(staging.workspace.root / "again")
