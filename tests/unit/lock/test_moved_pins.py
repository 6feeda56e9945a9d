"""What moved among pins, and commits of branches and tags."""

from __future__ import annotations

import msgspec
import pytest
from tests.support.locks import variant

from envbuild.lock.model import AptPins, GitPin, ImagePin, VariantLock
from envbuild.lock.moved_pins import moved
from envbuild.tools.gitremote import RemoteError, chosen, refs

DIGEST = f"sha256:{'1' * 64}"
BASE = ImagePin(role="base", reference="docker.io/library/ubuntu:22.04", digest=DIGEST)
UV = ImagePin(role="uv", reference="ghcr.io/astral-sh/uv:0.13.8", digest=DIGEST)
APT = AptPins(archive="Ubuntu", as_of="2026-01-01T00:00:00Z", packages=("ffmpeg=1",))


def locked(**parts: object) -> VariantLock:
    return msgspec.structs.replace(variant(), **parts)


A, B, C = "a" * 40, "b" * 40, "c" * 40


def test_annotated_tags_are_peeled() -> None:
    text = f"{A}\trefs/tags/v1\n{B}\trefs/tags/v1^{{}}\n{C}\trefs/heads/main\nwarning: x\n"
    assert refs(text) == {"refs/tags/v1": B, "refs/heads/main": C}


def test_a_branch_a_tag_or_both() -> None:
    found = {"refs/tags/x": A, "refs/heads/x": B, "refs/heads/y": B, "refs/tags/z": C}
    assert (chosen(found, "y"), chosen(found, "z")) == (B, C)
    assert chosen(found, "refs/heads/x") == B
    assert chosen({**found, "refs/heads/x": A}, "x") == A
    for ref, kind in (("x", "ambiguous"), ("w", "missing"), ("refs/heads/w", "missing")):
        with pytest.raises(RemoteError) as raised:
            chosen(found, ref)
        assert raised.value.kind == kind


OTHER = f"sha256:{'2' * 64}"


@pytest.mark.parametrize(
    ("old", "new", "risk", "words"),
    [
        (BASE, msgspec.structs.replace(BASE, digest=OTHER), "security", "other content"),
        (BASE, None, "security", "no longer pinned"),
        (None, BASE, "input", "is pinned"),
        (
            UV,
            msgspec.structs.replace(UV, reference="ghcr.io/astral-sh/uv:1", digest=OTHER),
            "input",
            "another image",
        ),
        (
            UV,
            msgspec.structs.replace(UV, reference="quay.io/uv:1", digest=OTHER),
            "security",
            "another registry",
        ),
    ],
)
def test_moves_of_images(old: ImagePin | None, new: ImagePin | None, risk: str, words: str) -> None:
    sides = (locked(images=(pin,) if pin else ()) for pin in (old, new))
    (move,) = moved(*sides)
    assert move.risk == risk
    assert words in move.why


@pytest.mark.parametrize(
    ("name", "old", "new", "risk"),
    [
        ("libc6", "2.35-0ubuntu3.6", "2.36-9", "glibc"),
        ("cuda-nvcc-12-6", "12.6.77-1", "12.6.85-1", "cuda"),
        ("ffmpeg", "7:4.4.2-0ubuntu0.22.04.1", "7:6.1.1-3", "major"),
        ("git", "1:2.39.5-0+deb12u1", "1:2.39.5-0+deb12u2", "other"),
    ],
)
def test_moves_of_debian_packages(name: str, old: str, new: str, risk: str) -> None:
    before, after = (
        locked(apt=msgspec.structs.replace(APT, packages=(f"{name}={text}",)))
        for text in (old, new)
    )
    (move,) = moved(before, after)
    assert (move.what, move.old, move.new, move.risk) == (f"apt {name}", old, new, risk)


def test_moves_of_commits() -> None:
    old = GitPin(name="lib", commit=A, url="u", ref="main")
    (move,) = moved(locked(git=(old,)), locked(git=(msgspec.structs.replace(old, commit=B),)))
    assert (move.what, move.old, move.new) == ("git lib", A, B)
    other = msgspec.structs.replace(old, commit=B, ref="v1")
    assert not list(moved(locked(git=(old,)), locked(git=(other,)))), "the input moved, not the ref"
