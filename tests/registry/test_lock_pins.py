"""``envbuild lock`` with a registry, an archive and a repository on loopback."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.registry import archive
from tests.registry.answers import Asked, Said, Server
from tests.registry.images import DEBIAN, Image, image, layer
from tests.support.workspace import Folder

PROFILE = """\
schema: 1
name: one
summary: A profile of the tests
as-of: 2025-06-01T00:00:00Z
base:
  image: docker.io/library/debian:12
  distribution: debian-12
{base}python:
  version: "3.11"
  source: image
  interpreter: /usr/bin/python3
  prefix: /opt/one
{apt}{git}variants:
  linux-amd64-cpu: {{}}
"""
GIT = """\
git:
  - name: tool
    url: file://{url}
    ref: {ref}
    path: /opt/tool
    install: none
"""
STATUS = "Package: {}\nStatus: install ok installed\nVersion: {}\n"


class World(Folder):
    """A workspace, and the server that is its registry and its archive."""

    def __init__(self, root: Path, server: Server) -> None:
        super().__init__(root, ENVBUILD_MIRRORS=f"docker.io={server.place}/hub")
        self.server = server

    def write(self, *, apt: str = "", git: str = "", base: str = "") -> None:
        """Write the profile."""
        listed = f"apt: [{apt}]\n" if apt else ""
        text = PROFILE.format(apt=listed, git=git, base=base)
        (self.root / "envs/one.yaml").write_text(text)

    def hold(self, files: dict[str, str], *, name: str = "debian", tag: str = "12") -> Image:
        """Put a Debian image that names the archive into the registry."""
        lists = f"deb {self.server.url}/debian stable main\n"
        made = image(layer({"etc/os-release": DEBIAN, "etc/apt/sources.list": lists, **files}))
        self.server.hold(f"hub/library/{name}", tag, made)
        return made

    def lock(self, *options: str, status: int = 0) -> str:
        """Lock; what was said."""
        done = self.run("lock", *options)
        assert done.returncode == status, done.stderr
        return done.stderr

    @property
    def variant(self) -> dict[str, Any]:
        """The lock of the variant."""
        header = json.loads(self.read("lockfiles/one/envbuild.lock.json"))
        found: dict[str, Any] = header["variants"]["linux-amd64-cpu"]
        return found

    def unpinned(self) -> dict[str, str]:
        """What is not pinned, and why."""
        return {row["what"]: row["why"] for row in self.variant.get("unpinned", ())}


@pytest.fixture
def world(tmp_path: Path, server: Server) -> World:
    return World(tmp_path / "ws", server)


def git(folder: Path, *argv: str) -> str:
    """What git says in a folder."""
    settings = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org")
    done = subprocess.run(
        ["git", *settings, *argv], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a branch ``main`` and an annotated tag ``v1`` on its first commit."""
    path = tmp_path / "repository"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    git(path, "commit", "--quiet", "--allow-empty", "-m", "first")
    git(path, "tag", "--annotate", "-m", "a release", "v1")
    git(path, "commit", "--quiet", "--allow-empty", "-m", "second")
    return path


# --- Images --------------------------------------------------------------------------------------


def test_the_base_image_is_pinned_and_the_mirror_is_not_written(world: World) -> None:
    made = world.hold({})
    world.write()
    world.lock()
    reference = "docker.io/library/debian:12"
    assert world.variant["images"] == [
        {"role": "base", "reference": reference, "digest": made.digest}
    ]
    assert world.unpinned() == {}
    text = b"".join(world.locked("one").values()).decode()
    assert world.server.place not in text
    assert "127.0.0.1" not in text


def test_a_digest_of_the_profile_is_not_asked(world: World) -> None:
    world.write(base=f"  digest: sha256:{'7' * 64}\n")
    world.lock()
    assert world.server.asked == []
    assert world.variant["images"][0]["digest"] == f"sha256:{'7' * 64}"


def test_the_option_names_a_mirror_too(world: World) -> None:
    made = world.hold({})
    world.write()
    world.lock("--mirror", f"docker.io/library={world.server.place}/hub/library")
    assert world.variant["images"][0]["digest"] == made.digest


def test_pins_stand_while_their_input_does(world: World) -> None:
    made = world.hold({})
    world.write()
    world.lock()
    before = len(world.server.asked)
    world.hold({"etc/more": "x"})  # the tag holds another image now
    world.lock("--force")
    world.lock("--force", "--offline")
    assert len(world.server.asked) == before
    assert world.variant["images"][0]["digest"] == made.digest
    world.lock("--refresh")
    assert world.variant["images"][0]["digest"] != made.digest


def test_a_registry_that_refuses_leaves_it_unpinned(world: World) -> None:
    world.server.answers["/v2/hub/library/debian/manifests/12"] = Said(429)
    world.write()
    said = world.lock()
    assert "not pinned: docker.io/library/debian:12" in said
    why = "a tag: the registry's rate limit is reached"
    assert world.unpinned() == {"docker.io/library/debian:12": why}
    checked = world.run("check")
    assert checked.returncode == 0
    assert "one: warning: not pinned: docker.io/library/debian:12" in checked.stdout
    assert world.run("check", "--strict").returncode == 1
    made = world.hold({})
    world.lock("--force")
    assert world.variant["images"][0]["digest"] == made.digest
    assert world.run("check", "--strict").returncode == 0


def test_a_refresh_that_gets_no_answer_keeps_the_pin(world: World) -> None:
    made = world.hold({})
    world.write()
    world.lock()
    world.server.answers.clear()
    said = world.lock("--refresh")
    assert "stays pinned as it was: docker.io/library/debian:12" in said
    assert world.variant["images"][0]["digest"] == made.digest


def test_offline_nobody_is_asked(world: World) -> None:
    world.hold({})
    world.write()
    world.lock("--offline")
    assert world.server.asked == []
    why = "a tag: not asked, locked offline"
    assert world.unpinned() == {"docker.io/library/debian:12": why}
    assert "all locks fresh" in world.lock("--check")


@pytest.mark.parametrize("argv", [("--check", "--json"), ("--force",), ("--force", "--offline")])
def test_pins_that_stand_need_no_http(world: World, argv: tuple[str, ...]) -> None:
    world.hold({})
    world.write()
    world.lock()
    code = "import sys; from envbuild.__main__ import main; main(); "
    done = subprocess.run(
        [sys.executable, "-c", f"{code}print([m for m in sys.modules if 'urllib3' in m or m == 'ssl'])",
         "lock", *argv],
        cwd=world.root,
        env=world.environment,
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_interrupt_does_not_wait_for_a_registry(world: World) -> None:
    held = threading.Event()
    begun = threading.Event()

    def slow(_asked: Asked) -> Said:
        begun.set()
        held.wait(60)
        return Said(503)

    world.server.answers["/v2/hub/library/debian/manifests/12"] = slow
    world.write()
    process = world.start("lock")
    try:
        assert begun.wait(30)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
    finally:
        held.set()
        process.kill()
    assert process.returncode == 130, said
    assert not (world.root / "lockfiles").exists()


def test_another_image_is_asked_for(world: World) -> None:
    world.hold({})
    other = world.hold({"etc/more": "x"}, tag="13")
    world.write()
    world.lock()
    path = world.root / "envs/one.yaml"
    path.write_text(path.read_text().replace("debian:12", "debian:13"))
    assert "lock is stale" in world.lock("--check", status=1)
    world.lock()
    assert world.variant["images"][0]["digest"] == other.digest


def test_a_digest_that_moved_is_told_by_diff(world: World, tmp_path: Path) -> None:
    world.hold({})
    world.write()
    world.lock()
    shutil.copytree(world.root / "lockfiles/one", tmp_path / "old")
    world.hold({"etc/more": "x"})
    world.lock("--refresh")
    done = world.run("diff", str(tmp_path / "old"), "lockfiles/one")
    assert "the same tag holds other content" in done.stdout


# --- Debian packages -----------------------------------------------------------------------------


@pytest.mark.container
def test_packages_of_the_archive_that_the_image_names(world: World, tmp_path: Path) -> None:
    debs = [archive.deb(tmp_path, "tool", "1:2.0-1"), archive.deb(tmp_path, "extra", "3.0")]
    archive.suite(world.server, "/debian", archive.packages(debs))
    world.hold({})
    world.write(apt="tool, cuda-toolkit")
    world.lock()
    assert world.variant["apt"] == {
        "archive": "Debian 12.9 bookworm",
        "as-of": "2026-01-10T10:00:00Z",
        "packages": ["tool=1:2.0-1"],
    }
    why = "no archive that the base image names has it"
    assert world.unpinned() == {"apt cuda-toolkit": why}
    assert world.server.place not in b"".join(world.locked("one").values()).decode()
    assert "all locks fresh" in world.lock("--check")


def test_an_old_state_of_the_archive(world: World) -> None:
    more = f"Snapshots: {world.server.url}/old/@SNAPSHOTID@/\n"
    archive.suite(world.server, "/debian", archive.stanza("tool", "9.0"), more=more)
    archive.suite(world.server, "/old/20250601T000000Z", archive.stanza("tool", "1.0"))
    world.hold({})
    world.write(apt="tool")
    world.lock()
    assert world.variant["apt"] == {
        "archive": "Debian 12.9 bookworm",
        "as-of": "2025-06-01T00:00:00Z",
        "packages": ["tool=1.0"],
        "snapshot": "20250601T000000Z",
    }


def test_what_is_installed_is_not_taken_back(world: World) -> None:
    archive.suite(world.server, "/debian", archive.stanza("tool", "1.0"))
    world.hold({"var/lib/dpkg/status": STATUS.format("tool", "1.5")})
    world.write(apt="tool")
    world.lock()
    assert world.variant["apt"]["packages"] == ["tool=1.5"]


def test_versions_stand_while_the_names_do(world: World) -> None:
    archive.suite(world.server, "/debian", archive.stanza("tool", "1.0"))
    world.hold({})
    world.write(apt="tool")
    world.lock()
    both = archive.stanza("tool", "2.0") + archive.stanza("more", "1.0")
    archive.suite(world.server, "/debian", both)
    world.lock("--force")
    assert world.variant["apt"]["packages"] == ["tool=1.0"]
    world.write(apt="tool, more")
    world.lock()
    assert world.variant["apt"]["packages"] == ["more=1.0", "tool=2.0"]
    before = len(world.server.asked)
    world.write(apt="more")
    world.lock()
    assert world.variant["apt"]["packages"] == ["more=1.0"]
    assert len(world.server.asked) == before


def test_an_archive_that_is_down(world: World) -> None:
    world.hold({})
    world.write(apt="tool")
    said = world.lock()
    why = "no archive that the base image names can be read"
    assert world.unpinned() == {"apt packages": why}
    assert f"not pinned: apt packages ({why})" in said


def test_a_base_that_cannot_be_read(world: World) -> None:
    world.write(apt="tool")
    world.lock()
    assert world.unpinned() == {
        "docker.io/library/debian:12": "a tag: the registry has no such image",
        "apt packages": "of the base image: the registry has no such image",
    }


@pytest.mark.git
def test_a_build_image_of_another_distribution(world: World, repository: Path) -> None:
    archive.suite(
        world.server,
        "/debian",
        "".join(archive.stanza(name, "1.0") for name in ("tool", "git", "ca-certificates")),
    )
    world.hold({})
    world.hold({"etc/os-release": 'ID=ubuntu\nVERSION_ID="24.04"\n'}, name="ubuntu", tag="24.04")
    world.write(
        apt="tool",
        base="  build-image: docker.io/library/ubuntu:24.04\n",
        git=GIT.format(url=repository, ref="v1"),
    )
    world.lock()
    assert world.variant["apt"]["packages"] == ["tool=1.0"]
    why = "the build image is another distribution than the base"
    assert world.unpinned() == {"apt ca-certificates, git": why}
    assert [row["role"] for row in world.variant["images"]] == ["base", "build"]


# --- Repositories --------------------------------------------------------------------------------


@pytest.mark.git
def test_a_tag_becomes_the_commit_that_it_names(world: World, repository: Path) -> None:
    world.write(git=GIT.format(url=repository, ref="v1"))
    world.lock()
    first = git(repository, "rev-parse", "v1^{commit}")
    assert first != git(repository, "rev-parse", "v1"), "an annotated tag is an object of its own"
    assert world.variant["git"] == [
        {"name": "tool", "commit": first, "url": f"file://{repository}", "ref": "v1"}
    ]
    assert "all locks fresh" in world.lock("--check")


@pytest.mark.git
def test_a_branch_stands_until_it_is_asked_again(
    world: World, repository: Path, tmp_path: Path
) -> None:
    world.write(git=GIT.format(url=repository, ref="main"))
    world.lock()
    before = git(repository, "rev-parse", "main")
    shutil.copytree(world.root / "lockfiles/one", tmp_path / "old")
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "third")
    world.lock("--force")
    assert world.variant["git"][0]["commit"] == before
    world.lock("--upgrade")
    assert world.variant["git"][0]["commit"] == git(repository, "rev-parse", "main") != before
    done = world.run("diff", str(tmp_path / "old"), "lockfiles/one")
    assert "main is at another commit" in done.stdout


@pytest.mark.git
def test_a_commit_of_the_profile_is_not_asked(world: World) -> None:
    commit = "a" * 40
    world.write(git=GIT.format(url="/nowhere", ref="v1") + f"    commit: {commit}\n")
    world.lock()
    assert world.variant["git"] == [{"name": "tool", "commit": commit}]


@pytest.mark.git
def test_a_ref_that_is_not_there(world: World, repository: Path) -> None:
    world.write(git=GIT.format(url=repository, ref="v9"))
    said = world.lock(status=1)
    assert "envs/one.yaml:16:5: error: tool: the repository has no branch or tag v9" in said
    assert not (world.root / "lockfiles").exists()


@pytest.mark.git
def test_a_repository_that_is_not_there(world: World) -> None:
    world.write(git=GIT.format(url="/nowhere", ref="v1"))
    assert "the repository cannot be reached" in world.lock(status=3)


@pytest.mark.git
def test_a_ref_that_means_two_things(world: World, repository: Path) -> None:
    git(repository, "branch", "v1", "main")
    world.write(git=GIT.format(url=repository, ref="v1"))
    said = world.lock(status=1)
    assert "v1 is a tag and a branch, at different commits" in said
    assert "refs/tags/v1" in said
    world.write(git=GIT.format(url=repository, ref="refs/heads/v1"))
    world.lock()
    assert world.variant["git"][0]["commit"] == git(repository, "rev-parse", "main")


@pytest.mark.git
def test_offline_a_commit_must_be_known(world: World, repository: Path) -> None:
    world.write(git=GIT.format(url=repository, ref="v1"))
    assert "no commit is known for v1" in world.lock("--offline", status=3)
    world.lock()
    world.lock("--offline", "--force")
