"""Versions of Debian packages from an archive on loopback."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from envbuild.lock.apt import versions
from envbuild.lock.apt.archive import Archives, Suite
from envbuild.lock.apt.sources import Source
from envbuild.tools.net import Http, NetError
from tests.registry import archive
from tests.registry.answers import Said, Server

MOMENT = "2025-06-01T00:00:00Z"


def ask(server: Server, home: Path, *names: str, root: str = "/debian") -> Suite:
    """What the suite says of some packages."""
    source = Source(uri=f"{server.url}{root}", suite="stable", components=("main",))
    reader = Archives(Http({}), str(home / "cache"))
    return reader.suite(source, "amd64", names=names, moment=MOMENT)


@pytest.mark.container
def test_an_archive_of_real_packages(server: Server, home: Path, tmp_path: Path) -> None:
    debs = [archive.deb(tmp_path, "tool", "1:2.0-1+b1"), archive.deb(tmp_path, "other", "3.1~rc1")]
    archive.suite(server, "/debian", archive.packages(debs))
    found = ask(server, home, "tool", "other", "absent")
    assert found.versions == {"tool": ("1:2.0-1+b1",), "other": ("3.1~rc1",)}
    assert found.release.name == "Debian 12.9 bookworm"
    assert (found.release.date, found.snapshot) == ("2026-01-10T10:00:00Z", False)


@pytest.mark.parametrize("form", ["xz", "gz"])
@pytest.mark.parametrize("by_hash", [True, False])
def test_lists_in_every_form(server: Server, home: Path, form: str, by_hash: bool) -> None:
    listed = archive.stanza("tool", "1.0")
    archive.suite(server, "/debian", listed, form=form, by_hash=by_hash)
    assert ask(server, home, "tool").versions == {"tool": ("1.0",)}


def test_a_list_is_fetched_once(server: Server, home: Path) -> None:
    archive.suite(server, "/debian", archive.stanza("tool", "1.0"))
    ask(server, home, "tool")
    before = len(server.asked)
    assert ask(server, home, "tool").versions == {"tool": ("1.0",)}
    assert server.paths()[before:] == ["/debian/dists/stable/InRelease"]


def test_a_spoilt_cache_is_no_list(server: Server, home: Path) -> None:
    archive.suite(server, "/debian", archive.stanza("tool", "1.0"))
    ask(server, home, "tool")
    (kept,) = (home / "cache/apt").iterdir()
    kept.write_bytes(b"another list")
    assert ask(server, home, "tool").versions == {"tool": ("1.0",)}


SNAPSHOTS = "Snapshots: {url}/snapshot/debian/@SNAPSHOTID@/\n"


def test_an_old_state_where_the_archive_has_them(server: Server, home: Path) -> None:
    more = SNAPSHOTS.format(url=server.url)
    archive.suite(server, "/debian", archive.stanza("tool", "2.0"), more=more)
    old = "/snapshot/debian/20250601T000000Z"
    archive.suite(server, old, archive.stanza("tool", "1.0"), more=more)
    found = ask(server, home, "tool")
    assert (found.versions, found.snapshot) == ({"tool": ("1.0",)}, True)


def test_a_moment_before_the_first_old_state(server: Server, home: Path) -> None:
    more = SNAPSHOTS.format(url=server.url)
    archive.suite(server, "/debian", archive.stanza("tool", "2.0"), more=more)
    found = ask(server, home, "tool")
    assert (found.versions, found.snapshot) == ({"tool": ("2.0",)}, False)


def test_an_archive_without_signature_in_the_file(server: Server, home: Path) -> None:
    archive.suite(server, "/debian", archive.stanza("tool", "1.0"))
    said = server.answers.pop("/debian/dists/stable/InRelease")
    server.answers["/debian/dists/stable/Release"] = said
    assert ask(server, home, "tool").versions == {"tool": ("1.0",)}


def test_other_bytes_than_the_release_says(server: Server, home: Path) -> None:
    archive.suite(server, "/debian", archive.stanza("tool", "1.0"))
    listed = next(path for path in server.answers if "by-hash" in path)
    server.answers[listed] = Said(200, b"something else")
    with pytest.raises(NetError, match="other bytes than its Release says"):
        ask(server, home, "tool")


def test_a_list_that_is_missing(server: Server, home: Path) -> None:
    archive.suite(server, "/debian", archive.stanza("tool", "1.0"))
    del server.answers[next(path for path in server.answers if "by-hash" in path)]
    with pytest.raises(NetError, match="lacks a list that it names"):
        ask(server, home, "tool")


def test_no_such_suite_and_no_release(server: Server, home: Path) -> None:
    with pytest.raises(NetError, match="no such suite"):
        ask(server, home, "tool")
    server.answers["/debian/dists/stable/InRelease"] = Said(200, b"<html>welcome</html>")
    with pytest.raises(NetError, match="Release cannot be read"):
        ask(server, home, "tool")


PAIRS = (
    "1.0 1.0",
    "1.0 1.0-0",
    "1.0 1.0-1",
    "1.0~rc1 1.0",
    "1.0~~ 1.0~",
    "1:0.1 9.9",
    "1.0a 1.0+",
    "1.0a 1.0.1",
    "1.10 1.9",
    "1.002 1.2",
    "2.36-9+deb12u1 2.36-9+deb12u10",
    "4:11.2.0-1ubuntu1 4:11.2.0-1ubuntu1.1",
    "1.0-1~bpo12+1 1.0-1",
    "1.2-3-4 1.2-3-5",
    "7.88.1-10+deb12u8 7.88.1-10+deb12u14",
    "0 0~",
)


@pytest.mark.container
@pytest.mark.parametrize("pair", PAIRS)
def test_versions_are_in_dpkgs_order(pair: str) -> None:
    one, other = pair.split()
    for first, second in ((one, other), (other, one)):
        sign = versions.compare(first, second)
        for relation, holds in (("lt", sign < 0), ("eq", sign == 0), ("gt", sign > 0)):
            done = subprocess.run(
                ["dpkg", "--compare-versions", first, relation, second], check=False
            )
            assert (done.returncode == 0) == holds, (first, relation, second)
