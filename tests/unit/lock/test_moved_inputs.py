"""What moved in the inputs of a lock."""

from __future__ import annotations

import msgspec
import pytest
from tests.support.locks import variant

from envbuild.lock.model import (
    CondaInput,
    CondaTarget,
    FileDigest,
    Lock,
    Relaxation,
    Unpinned,
)
from envbuild.lock.moved_inputs import host_of, moved, of_whole_locks, registry_of
from envbuild.lock.moves import Move

D1, D2 = "@sha256:" + "1" * 64, "@sha256:" + "2" * 64
COMMITS = "0" * 40, "1" * 40


def only(old: dict[str, object], new: dict[str, object]) -> Move:
    (found,) = moved(variant(**old), variant(**new))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("old", "new", "risk", "words"),
    [
        ("nvcr.io/a/b:1", "ghcr.io/a/b:1", "security", "another registry"),
        ("ubuntu:22.04", "quay.io/ubuntu:22.04", "security", "another registry"),
        ("ubuntu:22.04", "docker.io/library/ubuntu:24.04", "input", "another base image"),
        (f"nvcr.io/a:1{D1}", "nvcr.io/a:1", "security", "no longer pinned"),
        (f"nvcr.io/a:1{D1}", f"nvcr.io/a:1{D2}", "security", "other content"),
        (f"nvcr.io/a:1{D1}", f"nvcr.io/a:2{D2}", "input", "another base image"),
        ("nvcr.io/a:1", f"nvcr.io/a:1{D1}", "input", "is pinned"),
        ("", "line\nbreak", "input", "another base image"),
    ],
)
def test_the_base_image(old: str, new: str, risk: str, words: str) -> None:
    found = only({"image": old}, {"image": new})
    assert (found.what, found.risk) == ("base image", risk)
    assert words in found.why


@pytest.mark.parametrize(
    ("old", "new", "risk", "words"),
    [
        ("https://github.com/a/b", "https://gitlab.com/a/b", "security", "another host"),
        ("https://github.com/a/b", "https://github.com/evil/b", "security", "another owner"),
        ("https://github.com/a/b", "https://github.com/a/b.git", "input", "another commit"),
        ("https://github.com/a/b", "git@github.com:a/b.git", "input", "another commit"),
    ],
)
def test_git(old: str, new: str, risk: str, words: str) -> None:
    found = only({"git": (f"{old}@{COMMITS[0]}",)}, {"git": (f"{new}@{COMMITS[1]}",)})
    assert (found.what, found.risk) == ("git b", risk)
    assert words in found.why


def test_credentials_of_an_address_are_not_told() -> None:
    found = only({}, {"git": (f"https://me:secret@github.com/a/b@{COMMITS[0]}",)})
    assert "secret" not in found.new
    assert found.why == "a new source"


@pytest.mark.parametrize(
    ("field", "old", "new", "expected"),
    [
        ("python", "3.10", "3.11", ("abi", "Python")),
        ("platform", "x86_64-manylinux_2_35", "x86_64-manylinux_2_39", ("glibc", "platform")),
        ("as_of", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", ("input", "as-of")),
        ("indexes", (), ("nvidia",), ("security", "index")),
        ("indexes", ("nvidia",), (), ("input", "index")),
        ("apt", (), ("ffmpeg",), ("input", "apt ffmpeg")),
        ("apt", (), ("cuda-nvcc-13-0",), ("cuda", "apt cuda-nvcc-13-0")),
        ("requirements", ("a==1",), ("a==2",), ("input", "requirement a")),
        ("constraints", (), ("numpy<2",), ("input", "constraint numpy")),
    ],
)
def test_one_field(field: str, old: object, new: object, expected: tuple[str, str]) -> None:
    found = only({field: old}, {field: new})
    assert (found.risk, found.what) == expected


def conda(
    *packages: str, channels: tuple[str, ...] = ("forge",), **machines: tuple[str, ...]
) -> CondaInput:
    """What is asked of conda; ``machines`` are what each has, as ``linux_64``."""
    targets = tuple(
        CondaTarget(platform=name.replace("_", "-"), virtual_packages=has)
        for name, has in machines.items()
    )
    return CondaInput(channels=channels, packages=packages, targets=targets)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            conda(),
            conda(channels=("forge", "defaults")),
            ("security", "conda channel", "", "defaults"),
        ),
        (
            conda(channels=("forge", "defaults")),
            conda(),
            ("input", "conda channel", "defaults", ""),
        ),
        (
            conda(channels=("forge", "nvidia")),
            conda(channels=("nvidia", "forge")),
            ("security", "conda channels", "forge > nvidia", "nvidia > forge"),
        ),
        (
            conda(linux_64=("__glibc=2.35", "__unix=0")),
            conda(linux_64=("__glibc=2.39", "__unix=0")),
            ("glibc", "__glibc of linux-64", "2.35", "2.39"),
        ),
        (
            conda(linux_64=("__cuda=12.6",)),
            conda(linux_64=("__cuda=12.8",)),
            ("cuda", "__cuda of linux-64", "12.6", "12.8"),
        ),
        (
            conda(linux_64=("__cuda=12.6",)),
            conda(linux_64=()),
            ("cuda", "__cuda of linux-64", "12.6", ""),
        ),
        (
            conda(linux_64=("__archspec=1=x86_64",)),
            conda(linux_64=("__archspec=1=x86_64_v3",)),
            ("input", "__archspec of linux-64", "1=x86_64", "1=x86_64_v3"),
        ),
        (
            conda(linux_64=("__glibc=2.35",)),
            conda(linux_64=("__glibc=2.35",), linux_aarch64=("__glibc=2.39",)),
            ("glibc", "__glibc of linux-aarch64", "", "2.39"),
        ),
        (
            conda(linux_64=("__glibc=2.35",), linux_aarch64=("__unix=0",)),
            conda(linux_64=("__glibc=2.35",)),
            ("input", "__unix of linux-aarch64", "0", ""),
        ),
        (
            conda("python=3.10"),
            conda("python=3.11"),
            ("abi", "conda python", "python=3.10", "python=3.11"),
        ),
        (
            conda("conda-forge::libgcc-ng=12"),
            conda("libgcc-ng=13"),
            ("glibc", "conda libgcc-ng", "conda-forge::libgcc-ng=12", "libgcc-ng=13"),
        ),
        (
            conda("cuda-nvcc=12.6"),
            conda(),
            ("cuda", "conda cuda-nvcc", "cuda-nvcc=12.6", ""),
        ),
        (
            conda("forge::numpy>=1"),
            conda("forge::numpy>=2"),
            ("input", "conda numpy", "forge::numpy>=1", "forge::numpy>=2"),
        ),
    ],
)
def test_what_is_asked_of_conda(
    old: CondaInput, new: CondaInput, expected: tuple[str, str, str, str]
) -> None:
    found = only({"conda": old}, {"conda": new})
    assert (found.risk, found.what, found.old, found.new) == expected
    assert list(moved(variant(conda=new), variant(conda=new))) == []


def test_a_conda_part_that_comes_or_goes_is_told_whole() -> None:
    whole = conda("python=3.11", linux_64=("__glibc=2.35",))
    rows = [
        ("security", "conda channel", "forge"),
        ("abi", "conda python", "python=3.11"),
        ("glibc", "__glibc of linux-64", "2.35"),
    ]
    came = list(moved(variant(), variant(conda=whole)))
    assert [(m.risk, m.what, m.new) for m in came] == rows
    assert {m.old for m in came} == {""}
    went = list(moved(variant(conda=whole), variant()))
    assert [(m.what, m.old) for m in went] == [row[1:] for row in rows]
    assert {m.new for m in went} == {""}
    assert went[0].risk == "input"


def test_an_old_and_a_new_line_of_one_name_stand_together() -> None:
    old, new = {"requirements": ("a==1", "b")}, {"requirements": ("a==2", "c")}
    found = [(m.old, m.new) for m in moved(variant(**old), variant(**new))]  # type: ignore[arg-type]
    assert found == [("a==1", "a==2"), ("b", ""), ("", "c")]


def test_relaxations_and_what_is_not_pinned() -> None:
    rule = Relaxation(kind="override", requirement="packaging==23.0", reason="it runs")
    loose = Unpinned(what="apt packages", why="the archive's")
    plain = variant()
    more = msgspec.structs.replace(plain, relaxations=(rule,), unpinned=(loose,))
    assert [(m.what, m.new, m.why) for m in moved(plain, more)] == [
        ("relaxation override", "packaging==23.0", "it runs"),
        ("not pinned", "apt packages", "the archive's"),
    ]
    assert [(m.what, m.old) for m in moved(more, plain)] == [
        ("relaxation override", "packaging==23.0"),
        ("not pinned", "apt packages"),
    ]


def test_tools_and_copied_files() -> None:
    def lock(version: str, digest: str) -> Lock:
        file = FileDigest(path="files/a.py", sha256=digest)
        return Lock(format=2, profile="x", tools={"uv": version}, variants={}, files=(file,))

    found = list(of_whole_locks(lock("1", "a" * 64), lock("2", "b" * 64)))
    assert [(m.what, m.old, m.new) for m in found] == [
        ("tool uv", "1", "2"),
        ("files/a.py", "sha256:" + "a" * 12, "sha256:" + "b" * 12),
    ]


def test_a_seal_that_vanished() -> None:
    bare = Lock(format=2, profile="x", tools={}, variants={})
    sealed = msgspec.structs.replace(bare, seal="a" * 64)
    assert [(m.risk, m.what) for m in of_whole_locks(sealed, bare)] == [("security", "seal")]
    assert list(of_whole_locks(bare, sealed)) == []
    assert list(of_whole_locks(sealed, msgspec.structs.replace(bare, seal="b" * 64))) == []


def test_hosts() -> None:
    assert host_of("ssh://git@Host.org:22/a/b.git") == ("host.org", "a/b")
    assert host_of("") == ("", "")
    assert registry_of("localhost/x") == "localhost"
    assert registry_of("library/ubuntu") == "docker.io"
    assert registry_of("host:5000/x") == "host:5000"
