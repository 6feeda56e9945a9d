"""apt's lists, releases and lists of packages."""

from __future__ import annotations

import bz2
import gzip
import lzma
from itertools import pairwise

import pytest

from envbuild.lock.apt import release, sources, versions
from envbuild.lock.apt.sources import Source

ONE_LINE = """\
# deb http://commented.example.org/ a b
deb http://a.example.org/ubuntu/ jammy main restricted # behind it
deb-src http://a.example.org/ubuntu/ jammy main
deb [ arch=amd64,i386 signed-by=/usr/share/k.gpg ] https://b.example.org/$(ARCH) stable main
deb [arch=arm64] https://c.example.org/ stable main
deb https://d.example.org/repos/x86_64 /
deb https://e.example.org ./
deb file:/var/local stable main
deb cdrom:[Debian]/ bookworm main
deb http://f.example.org/x jammy
deb http://g.example.org/x jammy/ main
"""
DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://a.example.org/debian http://b.example.org/debian
Suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 Suites: none

Types: deb
URIs: http://off.example.org
Suites: x
Components: main
Enabled: no

Types: deb-src
URIs: http://src.example.org
Suites: x
Components: main

Types: deb
URIs: http://arm.example.org
Suites: x
Components: main
Architectures: arm64 armhf
"""


def test_one_line_each() -> None:
    found = sources.sources({"etc/apt/sources.list": ONE_LINE}, "amd64")
    assert [(one.uri, one.suite, one.components) for one in found] == [
        ("http://a.example.org/ubuntu/", "jammy", ("main", "restricted")),
        ("https://b.example.org/amd64", "stable", ("main",)),
        ("https://d.example.org/repos/x86_64", "/", ()),
        ("https://e.example.org", "./", ()),
    ]


def test_paragraphs() -> None:
    found = sources.sources({"etc/apt/sources.list.d/a.sources": DEB822}, "amd64")
    assert [(one.uri, one.suite) for one in found] == [
        ("http://a.example.org/debian", "bookworm"),
        ("http://a.example.org/debian", "bookworm-updates"),
        ("http://b.example.org/debian", "bookworm"),
        ("http://b.example.org/debian", "bookworm-updates"),
    ]
    assert {one.components for one in found} == {("main", "contrib")}


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (Source(uri="http://a/b/", suite="s", components=("m",)), "http://a/b/dists/s"),
        (
            Source(uri="http://a/b", suite="s/updates", components=("m",)),
            "http://a/b/dists/s/updates",
        ),
        (Source(uri="http://a/b/", suite="/"), "http://a/b"),
        (Source(uri="http://a/b", suite="./"), "http://a/b"),
        (Source(uri="http://a/b", suite="c/"), "http://a/b/c"),
    ],
)
def test_where_a_release_stands(source: Source, place: str) -> None:
    assert source.place == place


HEX = "1" * 64
RELEASE = f"""\
Origin: Ubuntu
Suite: noble
Version: 24.04
Codename: noble
Date: Thu, 25 Apr 2024 15:10:33 UTC
Architectures: amd64 i386
Acquire-By-Hash: yes
Snapshots: https://snapshot.example.org/ubuntu/@SNAPSHOTID@/
MD5Sum:
 {"2" * 32} 5 main/binary-amd64/Packages.xz
SHA256:
 {HEX} 1401160 main/binary-amd64/Packages.xz
 {"3" * 64} 5 main/binary-amd64/Packages.gz
 {"4" * 64} 5 universe/binary-amd64/Packages.gz
 {"5" * 64} 5 Packages
"""


def test_a_release() -> None:
    found = release.release(RELEASE)
    assert found.name == "Ubuntu 24.04 noble"
    assert found.date == "2024-04-25T15:10:33Z"
    assert found.snapshots.endswith("@SNAPSHOTID@/")
    assert (found.by_hash, found.rank) == (True, 2)
    asked = Source(uri="http://a", suite="noble", components=("main", "universe", "multiverse"))
    assert [one.path for one in release.indexes(found, asked, "amd64")] == [
        "main/binary-amd64/Packages.xz",
        "universe/binary-amd64/Packages.gz",
    ]
    assert not release.indexes(found, asked, "arm64")
    flat = Source(uri="http://a", suite="/")
    assert [one.path for one in release.indexes(found, flat, "amd64")] == ["Packages"]


def test_a_signed_release() -> None:
    signed = (
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n- -dashed: x\n{RELEASE}"
        "-----BEGIN PGP SIGNATURE-----\n\nSHA256:\n x\n-----END PGP SIGNATURE-----\n"
    )
    assert release.release(signed) == release.release(RELEASE)


@pytest.mark.parametrize(
    ("more", "rank"),
    [
        ("NotAutomatic: yes\nButAutomaticUpgrades: yes\n", 1),
        ("NotAutomatic: yes\n", 0),
        ("NotAutomatic: no\n", 2),
    ],
)
def test_how_much_a_suite_counts(more: str, rank: int) -> None:
    assert release.release(more + RELEASE).rank == rank


@pytest.mark.parametrize("text", ["", "<html>", "Origin: x\n", "Date: yesterday\n"])
def test_what_is_no_release(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        release.release(text)


LISTED = b"""\
Package: tool
Architecture: amd64
Version: 1:2.0-1
Description: Package: other
 Version: 9

Package: tool-dev
Version: 3.0

Package: tool
Version: 1:2.1-1
Depends: tool-dev"""


def test_versions_in_a_list() -> None:
    assert release.versions(LISTED, ["tool", "other", "absent"]) == {"tool": ["1:2.0-1", "1:2.1-1"]}
    assert release.versions(LISTED, ["tool-dev"]) == {"tool-dev": ["3.0"]}


def test_a_name_is_no_pattern() -> None:
    text = b"Package: libstdc++6\nVersion: 1\n\nPackage: libstdccc6\nVersion: 2\n"
    assert release.versions(text, ["libstdc++6"]) == {"libstdc++6": ["1"]}


@pytest.mark.parametrize(
    ("ending", "pack"),
    [(".xz", lzma.compress), (".gz", gzip.compress), (".bz2", bz2.compress), ("", bytes)],
)
def test_packed_lists(ending: str, pack: object) -> None:
    assert callable(pack)
    data = pack(LISTED)
    assert release.unpacked(data, f"Packages{ending}") == LISTED
    if ending:
        for broken in (data[: len(data) // 2], b"nothing of it"):
            with pytest.raises(ValueError, match=r".+"):
                release.unpacked(broken, f"Packages{ending}")


def test_what_is_installed() -> None:
    status = (
        "Package: a\nStatus: install ok installed\nVersion: 1\nConffiles:\n /etc/a 1\n\n"
        "Package: b\nStatus: deinstall ok config-files\nVersion: 2\n\nPackage: c\nVersion: 3\n"
    )
    assert release.installed(status) == {"a": "1", "c": "3"}


def test_the_order_of_versions() -> None:
    rising = ["0~~", "0~", "0", "0-1", "0a", "0+", "0.1", "1.9", "1.10-1~bpo1", "1.10-1", "1:0"]
    for one, other in pairwise(rising):
        assert versions.compare(one, other) < 0 < versions.compare(other, one)
    assert versions.compare("1.0", "1.00-0") == 0
    assert max(reversed(rising), key=versions.key) == "1:0"
