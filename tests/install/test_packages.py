"""What ``envbuild install`` says of a package that is not the one that was locked.

Nothing is installed then, and nothing is left.
"""

from __future__ import annotations

import hashlib
import resource
import time
from pathlib import Path

import pytest

from envbuild.errors import ToolError
from envbuild.tools import archives
from envbuild.tools.archives import Wanted
from envbuild.tools.conda import Access, Record
from tests.install.conftest import SUBDIR, TOOL, Lab, Serve, behind
from tests.support import conda_packages, conda_server
from tests.support.conda_server import Fault, Reply

NAMED = f"conda package tool 1.0 (0), {SUBDIR} of the channel world: "
FAULTS: dict[str, tuple[Fault, str]] = {
    "other": (conda_server.garbage, "its sha256 is "),
    "flipped": (conda_server.flip, "its sha256 is "),
    "truncated": (conda_server.truncated, "its sha256 is "),
    "html": (conda_server.html, "its sha256 is "),
    "empty": (lambda _right, _before: Reply(), "its sha256 is "),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_another_package_over_http(small: Lab, world: Path, serve: Serve, kind: str) -> None:
    fault, cause = FAULTS[kind]
    served = behind(small, world, serve, {TOOL: fault})
    small.refused(f"{NAMED}{cause}", ", the lock has ", f"{served.url}/{TOOL}")
    assert len(served.asked(TOOL)) == 1
    assert not list((small.root / "rattler").rglob("tool*"))


@pytest.mark.parametrize("kind", FAULTS)
def test_another_package_in_a_folder(small: Lab, world: Path, kind: str) -> None:
    fault, cause = FAULTS[kind]
    path = world / TOOL
    path.write_bytes(fault(Reply(body=path.read_bytes()), 0).body)
    small.refused(f"{NAMED}{cause}", ", the lock has ")


def test_a_package_that_is_gone_over_http(small: Lab, world: Path, serve: Serve) -> None:
    served = behind(small, world, serve, {TOOL: conda_server.missing})
    small.refused(NAMED, "404", "hint: ")
    assert len(served.asked(TOOL)) == 1


def test_a_package_that_is_gone_from_a_folder(small: Lab, world: Path) -> None:
    (world / TOOL).unlink()
    small.refused(NAMED, "cannot be read: no such file or directory")


def test_a_package_that_cannot_be_read(small: Lab, world: Path) -> None:
    (world / TOOL).unlink()
    (world / TOOL).mkdir()
    small.refused(NAMED, "cannot be read: is a directory")


@pytest.mark.parametrize(
    ("fault", "cause"), [(conda_server.busy(None), "503"), (conda_server.cut, "")]
)
def test_what_does_not_pass_is_tried_as_often_as_the_settings_say(
    small: Lab, world: Path, serve: Serve, fault: Fault, cause: str
) -> None:
    small.setting("remote_max_retries", 2)
    served = behind(small, world, serve, {TOOL: fault})
    small.refused(NAMED, cause)
    assert len(served.asked(TOOL)) == 3


def test_a_server_that_is_gone(small: Lab) -> None:
    small.mirror("world", "http://127.0.0.1:9")
    small.refused("conda package ", "of the channel world: error sending request")


def test_a_silent_server_is_not_waited_for(small: Lab, world: Path, serve: Serve) -> None:
    small.setting("remote_read_timeout_secs", 1)
    small.setting("remote_max_retries", 1)
    served = behind(small, world, serve, {TOOL: conda_server.silent})
    started = time.monotonic()
    small.refused(NAMED, "was silent for 1 s")
    assert time.monotonic() - started < 10
    assert len(served.asked(TOOL)) == 2


def test_offline_a_package_that_is_not_cached_is_named(
    small: Lab, world: Path, serve: Serve
) -> None:
    served = behind(small, world, serve)
    done = small.install("--offline")
    assert done.returncode == 3
    assert "is not in the cache, and the network is off" in done.stderr
    assert served.requests == []
    assert small.left() == []


def test_what_opens_a_mirror_is_not_shown(small: Lab, world: Path, serve: Serve) -> None:
    served = behind(small, world, serve, {TOOL: conda_server.flip})
    small.mirror("world", served.url.replace("//", "//me:secret-word@"))
    assert "secret-word" not in small.refused(NAMED)
    small.mirror("world", "http://me:secret-word@127.0.0.1:9")
    assert "secret-word" not in small.refused("of the channel world: ")


def test_a_full_disk(small: Lab, world: Path, serve: Serve) -> None:
    behind(small, world, serve)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    process = small.start("install", "one", str(small.prefix))
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (50_000, before[1]))
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert "tool-1.0-0.conda cannot be written" in said
    assert small.left() == []


@pytest.mark.parametrize("over_http", [True, False], ids=["http", "file"])
@pytest.mark.parametrize("kind", [".conda", ".tar.bz2"])
def test_no_package_at_all_under_its_own_hashes(
    small: Lab, world: Path, serve: Serve, kind: str, over_http: bool
) -> None:
    (world / TOOL).unlink()
    path = conda_packages.stub(world, "tool", "2.0", subdir=SUBDIR, kind=kind)
    conda_packages.index(world)
    page = world / SUBDIR / "repodata.json"
    data = path.read_bytes()
    path.write_bytes(conda_server.PAGE)
    text = page.read_text()
    for algorithm in ("sha256", "md5"):
        text = text.replace(digest(data, algorithm), digest(conda_server.PAGE, algorithm))
    page.write_text(text)
    small.write("tool=2.0")
    small.lock()
    if over_http:
        behind(small, world, serve)
    small.refused("conda package tool 2.0 (0)", "it is no conda package: ")


def digest(data: bytes, algorithm: str) -> str:
    return hashlib.new(algorithm, data).hexdigest()


def test_another_package_under_its_name(small: Lab, world: Path) -> None:
    other = conda_packages.stub(world, "other", "2.0", subdir=SUBDIR)
    conda_packages.index(world)
    page = world / SUBDIR / "repodata.json"
    text = page.read_text().replace('"other', '"tool')
    other.rename(other.with_name("tool-2.0-0.conda"))
    page.write_text(text)
    small.write("tool=2.0")
    small.lock()
    small.refused("conda package tool 2.0 (0)", "it says that it is other 2.0 (0)")


@pytest.mark.parametrize("missing", ["sha256", "md5"])
def test_a_record_without_one_of_its_hashes(world: Path, tmp_path: Path, missing: str) -> None:
    data = (world / TOOL).read_bytes()
    hashes = {name: digest(data, name) for name in ("sha256", "md5") if name != missing}
    record = Record(name="tool", version="1.0", build="0", subdir=SUBDIR, url="", **hashes)
    listed = [Wanted(record=record, url=(world / TOOL).as_uri())]
    with pytest.raises(ToolError, match="the lock has no sha256 and md5 for it"):
        archives.fetch(listed, Access(cache=str(tmp_path / "cache")), done=lambda _: None)


@pytest.mark.parametrize("wrong", ["sha256", "md5"])
@pytest.mark.parametrize("scheme", ["file", "http"])
def test_one_wrong_hash_of_the_two_is_enough(
    world: Path, tmp_path: Path, serve: Serve, scheme: str, wrong: str
) -> None:
    data = (world / TOOL).read_bytes()
    hashes = {name: digest(data, name) for name in ("sha256", "md5")}
    hashes[wrong] = "0" * len(hashes[wrong])
    record = Record(
        name="tool", version="1.0", build="0", subdir=SUBDIR, url="", channel="world", **hashes
    )
    base = world.as_uri() if scheme == "file" else serve(world, {}).url.rstrip("/")
    listed = [Wanted(record=record, url=f"{base}/{TOOL}")]
    words = rf"tool 1\.0 \(0\), {SUBDIR} of the channel world: its {wrong} is [0-9a-f]+, the lock has 0+"
    with pytest.raises(ToolError, match=words):
        archives.fetch(listed, Access(cache=str(tmp_path / "cache")), done=lambda _: None)
    assert not [*(tmp_path / "cache").rglob("*.conda*")]
