"""Locks of git revisions and images, compared through the command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from envbuild.lock import folder
from envbuild.lock.model import HEADER, FileDigest, Lock, LockedPackage, Provided
from tests.cli.running import Said, inside
from tests.support.image import docker_archive, image_of, layer, python_package
from tests.support.locks import package, variant

pytestmark = pytest.mark.git

SITE = "opt/venv/lib/python3.11/site-packages"
KIT = "isaac-sim/kit/python/lib/python3.11/site-packages"
VARIANT = "linux-amd64-cu128"


def write_lock(
    root: Path, *packages: LockedPackage, provided: tuple[Provided, ...] = (), digit: str = "a"
) -> None:
    """The lock of the profile ``one``, every package with one hash of a digit."""
    place = root / "lockfiles/one"
    place.mkdir(parents=True, exist_ok=True)
    text = "".join(
        f"{one.name}=={one.version} \\\n    --hash=sha256:{digit * 64}\n    # via profile\n"
        for one in packages
    ).encode()
    file = FileDigest(path=f"{VARIANT}.txt", sha256=folder.sha256(text))
    locked = msgspec.structs.replace(variant(*packages, provided=provided), wheels=file)
    lock = Lock(format=1, profile="one", tools={}, variants={VARIANT: locked})
    (place / HEADER).write_bytes(folder.encode(lock))
    (place / file.path).write_bytes(text)


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


class Space:
    """A workspace in a repository, with one lock."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._monkeypatch = monkeypatch

    def diff(self, *arguments: str) -> Said:
        return inside(["diff", *arguments], self.root, self._monkeypatch)

    def commit(self, message: str) -> None:
        git(self.root, "add", ".")
        git(self.root, "commit", "--quiet", "--message", message)


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    found = Space(tmp_path, monkeypatch)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "README").write_text("before there were locks\n")
    found.commit("none")
    write_lock(tmp_path, package("numpy", "1.26.0"))
    found.commit("locked")
    return found


def test_a_revision_against_the_working_tree(space: Space) -> None:
    assert space.diff("--git", "HEAD", "one", "--exit-code").exit == 0
    write_lock(space.root, package("numpy", "2.2.6"))
    for arguments in (("--git", "HEAD", "one"), ("HEAD:one", "one"), ("git:main:one", "one")):
        said = space.diff(*arguments, "--exit-code")
        assert said.exit == 1
        assert "ABI-breaking\n  numpy  1.26.0 -> 2.2.6" in said.stdout


def test_two_revisions_and_a_hash_that_changed(space: Space) -> None:
    write_lock(space.root, package("numpy", "1.26.0"), digit="b")
    space.commit("other")
    said = space.diff("HEAD~1:one", "HEAD:one", "--json")
    (move,) = json.loads(said.stdout)["moves"]
    assert (move["risk"], move["what"]) == ("security", "numpy")


def test_a_profile_that_is_gone_is_still_there_at_its_revision(space: Space) -> None:
    git(space.root, "mv", "lockfiles/one", "lockfiles/two")
    space.commit("renamed")
    said = space.diff("HEAD~1:one", "two", "--exit-code")
    assert (said.exit, said.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere:one", "one"), "no revision 'nowhere' in this repository"),
        (("--git", "--all", "one"), "no revision '--all' in this repository"),
        (("git::one", "one"), "':one' is not REVISION:PROFILE"),
        (("HEAD~1:one", "one"), "lockfiles/one/envbuild.lock.json does not exist at HEAD~1"),
        (("git:HEAD:two", "one"), "lockfiles/two/envbuild.lock.json does not exist at HEAD"),
    ],
)
def test_revisions_that_hold_no_lock(space: Space, arguments: tuple[str, ...], words: str) -> None:
    said = space.diff(*arguments)
    assert said.exit == 2
    assert words in said.stderr
    assert "hint:" in said.stderr


def test_a_lock_that_is_broken_at_its_revision(space: Space) -> None:
    header = space.root / "lockfiles/one" / HEADER
    for data, words in (
        (b'{"format": 99}', "HEAD:lockfiles/one/envbuild.lock.json has format 99"),
        (b"{", "HEAD:lockfiles/one/envbuild.lock.json cannot be read"),
    ):
        header.write_bytes(data)
        space.commit("broken")
        write_lock(space.root, package("numpy", "1.26.0"))
        said = space.diff("--git", "HEAD", "one")
        assert said.exit == 2
        assert words in said.stderr


def test_git_is_not_installed(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    said = inside(
        ["diff", "--git", "HEAD", "one"], space.root, monkeypatch, {"PATH": str(space.root)}
    )
    assert said.exit == 3
    assert "git is needed" in said.stderr


def test_two_images_and_an_image_against_its_lock(space: Space) -> None:
    image_of(space.root / "old", python_package(KIT, "numpy", "1.26.0"))
    copies = [
        layer(python_package(KIT, "numpy", "1.26.0")),
        layer(python_package(SITE, "numpy", "2.2.6")),
    ]
    docker_archive(space.root / "new.tar", copies)
    said = space.diff("oci:old", "tar:new.tar")
    assert said.exit == 0
    assert "Shadowing what the image brings" in said.stdout
    assert f"numpy in /{SITE}  + 2.2.6" in said.stdout
    held = space.diff("one", "tar:new.tar", "--json")
    (move,) = json.loads(held.stdout)["moves"]
    assert (move["risk"], move["old"], move["new"]) == ("bundle", "1.26.0", "1.26.0, 2.2.6")
    assert "oci:old -> lockfiles/one: nothing moved" in space.diff("oci:old", "one").stdout


def test_an_image_of_a_platform_that_the_lock_has_not(space: Space) -> None:
    root = image_of(space.root / "old", python_package(KIT, "numpy", "1.26.0"))
    for path in root.rglob("*"):
        if path.is_file() and b'"amd64"' in path.read_bytes()[:200]:
            path.write_bytes(path.read_bytes().replace(b'"amd64"', b'"riscv"'))
    said = space.diff("one", "oci:old")
    assert said.exit == 2
    assert "has no variant for linux/riscv" in said.stderr


def test_an_image_without_an_engine(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    said = inside(["diff", "one", "image:small"], space.root, monkeypatch, {"PATH": "/nowhere"})
    assert said.exit == 3
    assert "neither podman nor docker is installed" in said.stderr
    assert "tar:FILE" in said.stderr


@pytest.mark.parametrize("arguments", [("--git", "HEAD", "one"), ("HEAD:one", "one")])
def test_revisions_where_there_is_no_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    write_lock(tmp_path, package("alpha", "1.0"))
    said = inside(["diff", *arguments], tmp_path, monkeypatch)
    assert said.exit == 2
    assert "this is no git repository, so there are no revisions" in said.stderr
    assert "hint: name two lock folders, or two images, instead" in said.stderr
