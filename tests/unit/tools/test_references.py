"""References of images, and the mirrors that a user names."""

from __future__ import annotations

import pytest

from envbuild.errors import InputError
from envbuild.tools.references import Mirror, mirrored, mirrors, parse


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("ubuntu:24.04", "docker.io/library/ubuntu:24.04"),
        ("mambaorg/micromamba:2", "docker.io/mambaorg/micromamba:2"),
        ("docker.io/ubuntu:24.04", "docker.io/library/ubuntu:24.04"),
        ("nvcr.io/nvidia/isaac-sim:5.1.0", "nvcr.io/nvidia/isaac-sim:5.1.0"),
        ("localhost/a:1", "localhost/a:1"),
        ("127.0.0.1:5000/a/b:1", "127.0.0.1:5000/a/b:1"),
        ("[::1]:5000/a:1", "[::1]:5000/a:1"),
        (f"a.io/b:1@sha256:{'1' * 64}", f"a.io/b:1@sha256:{'1' * 64}"),
        (f"a.io/b@sha256:{'1' * 64}", f"a.io/b@sha256:{'1' * 64}"),
    ],
)
def test_a_reference_in_one_spelling(text: str, whole: str) -> None:
    assert parse(text).text() == whole


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("nvcr.io/nvidia/cuda:12", "place/nv/nvidia/cuda:12"),
        ("nvcr.io/nvidia/isaac-sim:5", "other/sim:5"),
        ("nvcr.io.example.org/a:1", "nvcr.io.example.org/a:1"),
        ("debian:12", "place/hub/library/debian:12"),
        ("ghcr.io/a:1", "ghcr.io/a:1"),
    ],
)
def test_the_longest_prefix_that_ends_where_a_part_does(text: str, read: str) -> None:
    named = mirrors(
        ["nvcr.io=place/nv", "nvcr.io/nvidia/isaac-sim=other/sim", "docker.io=place/hub/"], {}
    )
    assert mirrored(text, named) == read


def test_the_option_counts_before_the_variable() -> None:
    environ = {"ENVBUILD_MIRRORS": "a.io=one  b.io=two"}
    assert mirrors(["a.io=three"], environ) == (
        Mirror(prefix="a.io", place="three"),
        Mirror(prefix="b.io", place="two"),
    )


@pytest.mark.parametrize("text", ["a.io", "=b", "a.io=", "a.io=https://b", "a.io=user:pw@b"])
def test_what_is_no_mirror(text: str) -> None:
    with pytest.raises(InputError, match="--mirror takes PREFIX=PLACE"):
        mirrors([text], {})
    with pytest.raises(InputError, match="ENVBUILD_MIRRORS takes PREFIX=PLACE"):
        mirrors([], {"ENVBUILD_MIRRORS": text})
