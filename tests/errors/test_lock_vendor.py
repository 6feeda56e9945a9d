"""Packages with two faces: a placeholder in the public index, a wheel in the vendor's."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.index import PackageIndex, serving, wheel
from tests.support.workspace import Folder

BACKEND = """
import base64, pathlib

WHEEL = "{wheel}"


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    pathlib.Path(wheel_directory, "{filename}").write_bytes(base64.b64decode(WHEEL))
    return "{filename}"
"""


def placeholder(index: PackageIndex, name: str, version: str) -> str:
    """Publish a source distribution that gives a wheel when it is built; its sha256."""
    module = name.replace("-", "_")
    data = wheel(name, version)
    filename = f"{module}-{version}-py3-none-any.whl"
    members = {
        "PKG-INFO": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "stub"\n'
        'backend-path = ["."]\n',
        "stub.py": BACKEND.format(wheel=base64.b64encode(data).decode(), filename=filename),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in members.items():
            archive.writestr(zipfile.ZipInfo(f"{module}-{version}/{path}"), text)
    archive_name = f"{module}-{version}.zip"
    index.files.setdefault(name, {})[archive_name] = packed.getvalue()
    index.uploaded[archive_name] = "2024-01-01T00:00:00Z"
    return hashlib.sha256(packed.getvalue()).hexdigest()


@pytest.fixture
def vendor() -> Iterator[PackageIndex]:
    """The vendor's index: real wheels."""
    world = PackageIndex().add("isaacsim-rl", "5.1.0.0", requires=("beta>=2",))
    with serving(world.add("isaacsim-gui", "5.1.0.0")) as served:
        yield served


def declare(folder: Folder, vendor: PackageIndex, *requirements: str) -> None:
    path = folder.profile("one", *requirements)
    stated = f"\n  indexes: [{{name: vendor, url: '{vendor.url}', packages: [isaacsim*]}}]\n"
    path.write_text(path.read_text().replace("\nvariants:", f"{stated}variants:"))


def packages(folder: Folder) -> dict[str, dict[str, object]]:
    header = json.loads(folder.read("lockfiles/one/envbuild.lock.json"))
    return {p["name"]: p for p in header["variants"]["linux-amd64-cu128"]["packages"]}


def test_without_the_vendor_the_placeholder_alone_is_locked(
    folder: Folder, index: PackageIndex, vendor: PackageIndex
) -> None:
    public = placeholder(index, "isaacsim-rl", "5.1.0.0")
    declare(folder, vendor, "isaacsim-rl")
    assert folder.run("lock").returncode == 0
    assert packages(folder)["isaacsim-rl"]["integrity"] == "stub"
    text = folder.read("lockfiles/one/linux-amd64-cu128.sdist.txt").decode()
    assert text.count("--hash=") == 1
    assert public in text
    assert vendor.requests == 0


def test_with_the_vendor_both_hashes_are_locked(
    folder: Folder, index: PackageIndex, vendor: PackageIndex
) -> None:
    public = placeholder(index, "isaacsim-rl", "5.1.0.0")
    declare(folder, vendor, "isaacsim-rl", "isaacsim-gui")
    done = folder.run("lock", "--index", "vendor")
    assert done.returncode == 0, done.stderr
    (real,) = vendor.files["isaacsim-rl"].values()
    text = folder.read("lockfiles/one/linux-amd64-cu128.sdist.txt").decode()
    assert public in text
    assert hashlib.sha256(real).hexdigest() in text
    assert packages(folder)["isaacsim-rl"]["integrity"] == "vendor"
    assert "integrity" not in packages(folder)["isaacsim-gui"], "the public index has none"
    assert b"isaacsim-gui==" in folder.read("lockfiles/one/linux-amd64-cu128.txt")
    before = folder.locked("one")
    assert folder.run("lock", "--force", "--offline").returncode == 0
    assert folder.locked("one") == before
    assert folder.run("lock", "--check").returncode == 0


@pytest.mark.parametrize("asked", ["public", "vendor"])
def test_the_lock_with_both_hashes_installs_from_either(
    folder: Folder, index: PackageIndex, vendor: PackageIndex, asked: str, tmp_path: Path
) -> None:
    placeholder(index, "isaacsim-rl", "5.1.0.0")
    declare(folder, vendor, "isaacsim-rl")
    assert folder.run("lock", "--index", "vendor").returncode == 0
    url = {"public": index.url, "vendor": vendor.url}[asked]
    file = folder.root / "lockfiles/one/linux-amd64-cu128.sdist.txt"
    wheels = tmp_path / "wheels"
    argv = [sys.executable, "-m", "pip", "wheel", "--isolated", "--no-cache-dir", "--no-deps"]
    argv += ["--require-hashes", "--use-pep517", "--index-url", url, "--wheel-dir", str(wheels)]
    done = subprocess.run([*argv, "-r", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in wheels.iterdir()] == ["isaacsim_rl-5.1.0.0-py3-none-any.whl"]


def test_a_wheel_that_was_tampered_with_is_not_locked_over(
    folder: Folder, index: PackageIndex, vendor: PackageIndex, tmp_path: Path
) -> None:
    placeholder(index, "isaacsim-rl", "5.1.0.0")
    declare(folder, vendor, "isaacsim-rl")
    assert folder.run("lock", "--index", "vendor").returncode == 0
    (name,) = vendor.files["isaacsim-rl"]
    vendor.files["isaacsim-rl"][name] += b"tampered"
    file = folder.root / "lockfiles/one/linux-amd64-cu128.sdist.txt"
    argv = [sys.executable, "-m", "pip", "wheel", "--isolated", "--no-cache-dir", "--no-deps"]
    argv += ["--require-hashes", "--index-url", vendor.url, "--wheel-dir", str(tmp_path / "w")]
    done = subprocess.run([*argv, "-r", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "HASHES" in done.stderr


def test_the_dockerfile_makes_a_wheel_of_what_has_two_faces(
    folder: Folder, index: PackageIndex, vendor: PackageIndex
) -> None:
    placeholder(index, "isaacsim-rl", "5.1.0.0")
    declare(folder, vendor, "isaacsim-rl", "beta")
    assert folder.run("lock", "--index", "vendor").returncode == 0
    done = folder.run("render")
    assert done.returncode == 0, done.stderr
    text = folder.read("Dockerfiles/one/Dockerfile").decode()
    assert "source=linux-amd64-cu128/sources,target=/run/envbuild/in" in text
    assert "both hashes are locked" in text
    assert "the lock\n# pins the placeholder" not in text.lower()
    assert vendor.url not in text
