"""How risky a move of one version is."""

import pytest

from envbuild.lock.moves import RISKS, Move, grouped, newer, number, pairs, version_move


@pytest.mark.parametrize(
    ("name", "old", "new", "risk"),
    [
        ("numpy", "1.26.4", "2.2.6", "abi"),
        ("numpy", "2.2.6", "1.26.4", "abi"),
        ("numpy", "2.3.1", "2.1.0", "abi"),
        ("numpy", "2.1.0", "2.3.1", "minor"),
        ("numpy", "1.26.0", "1.26.4", "other"),
        ("torch", "2.6.0", "2.7.0", "abi"),
        ("torch", "2.7.0+cu126", "2.7.0+cu128", "cuda"),
        ("torch", "2.7.0+cu126", "2.8.0+cu128", "abi"),
        ("torch", "2.7.0", "2.7.1", "other"),
        ("python", "3.10", "3.11", "abi"),
        ("python", "3.11.4", "3.11.9", "other"),
        ("pybind11", "2.11.1", "2.12.0", "abi"),
        ("nvidia-cublas-cu12", "12.6.4", "12.8.3", "cuda"),
        ("cuda-cudart-12-6", "12.6.77-1", "12.6.99-1", "cuda"),
        ("libc6", "2.35-0ubuntu3", "2.39-0ubuntu8", "glibc"),
        ("requests", "2.1", "3.0", "major"),
        ("requests", "3.0", "2.1", "major"),
        ("requests", "1!1.0", "1!1.1", "minor"),
        ("requests", "2.1", "2.2", "minor"),
        ("requests", "2.1.1", "2.1.2", "other"),
        ("requests", "2.1", "2.1.post1", "other"),
        ("requests", "2.1rc1", "2.1", "other"),
        ("g++", "4:11.2.0-1", "4:12.2.0-3", "major"),
        ("openssl", "1.1.1w", "3.0.2", "major"),
        ("odd", "abc", "def", "other"),
        ("odd", "9" * 5000, "1", "other"),
        ("odd", "9" * 5000 + "a", "1", "other"),
    ],
)
def test_risk(name: str, old: str, new: str, risk: str) -> None:
    assert version_move(name, old, new)[0] == risk


def test_words() -> None:
    assert version_move("requests", "3.0", "2.1")[1] == "a downgrade"
    assert "before 1.0" in version_move("requests", "0.4", "0.5")[1]
    assert version_move("odd", "abc", "1") == ("other", "the versions cannot be compared")


@pytest.mark.parametrize(
    ("old", "new", "answer"),
    [
        ("1.9", "1.10", True),
        ("1.10", "1.9", False),
        ("1.0rc1", "1.0", True),
        ("4:11.2-1", "4:12.2-1", True),
        ("1.1.1w", "1.1.1x", None),
        ("abc", "1", None),
    ],
)
def test_newer(old: str, new: str, answer: bool | None) -> None:
    assert newer(old, new) is answer


def test_numbers_of_any_kind_of_version() -> None:
    for text, release in (("1.26.0", (1, 26, 0)), ("1:2.35-0ubuntu3", (2, 35)), ("v2", (2,))):
        found = number(text)
        assert found is not None
        assert found.release == release
    assert number("") is None


def test_equal_moves_are_said_once_and_the_riskiest_first() -> None:
    minor = Move(risk="minor", what="a", old="1.0", new="1.1")
    abi = Move(risk="abi", what="z", old="1.0", new="2.0")
    found = grouped({"x": [minor, abi, minor], "y": [minor], "": [Move(risk="input", what="t")]})
    assert [(move.what, move.variants) for move in found] == [
        ("z", ("x",)),
        ("a", ("x", "y")),
        ("t", ()),
    ]
    assert RISKS[:6] == ("security", "abi", "bundle", "cuda", "glibc", "major")


def test_which_variant_is_held_against_which() -> None:
    amd, arm = "linux-amd64-cu126", "linux-arm64-cu126"
    assert pairs((amd, arm), (arm, amd)) == ((amd, amd), (arm, arm))
    assert pairs((amd,), ("linux-amd64-cu128",)) == ((amd, "linux-amd64-cu128"),)
    assert pairs((amd,), (arm,)) == ((amd, ""), ("", arm))
    two = ("linux-amd64-cu128", "linux-amd64-cpu")
    assert pairs((amd,), two) == ((amd, ""), ("", two[0]), ("", two[1]))
