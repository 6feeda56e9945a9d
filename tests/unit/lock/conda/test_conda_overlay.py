"""What is left to a conda half, and what a lock adds to it."""

from __future__ import annotations

from envbuild.lock.model import Provided
from envbuild.lock.overlay import split
from envbuild.lock.requirements import Pin


def pin(name: str, *via: str, version: str = "1.0") -> Pin:
    return Pin(name=name, version=version, hashes=(f"sha256:{name}",), via=via)


def added(*pins: Pin, conda: dict[str, str], bundle: dict[str, str] | None = None) -> list[str]:
    return [one.name for one in split(pins, bundle=bundle or {}, roots=(), conda=conda).added]


def test_what_conda_has_is_not_locked_twice() -> None:
    found = split(
        (pin("tool", "profile"), pin("numpy", "conda", "tool")),
        bundle={},
        roots=(),
        conda={"numpy": "1.26.4"},
    )
    assert [one.name for one in found.added] == ["tool"]
    assert found.provided == (Provided(name="numpy", by="conda", version="1.26.4"),)


def test_what_only_condas_packages_ask_for_is_their_business() -> None:
    """Wheels of numpy may ask for what conda's numpy brings in another way."""
    pins = (
        pin("tool", "profile"),
        pin("numpy", "conda", "tool"),
        pin("extra", "numpy"),
        pin("deeper", "extra"),
    )
    found = split(pins, bundle={}, roots=(), conda={"numpy": "1.26.4"})
    assert [one.name for one in found.added] == ["tool"]
    assert {row.name: row.by for row in found.provided} == {
        "numpy": "conda",
        "extra": "numpy",
        "deeper": "extra",
    }


def test_what_something_else_asks_for_too_is_locked() -> None:
    pins = (pin("tool", "profile"), pin("numpy", "conda", "tool"), pin("extra", "numpy", "tool"))
    assert added(*pins, conda={"numpy": "1.26.4"}) == ["extra", "tool"]


def test_what_the_profile_asks_for_by_name_is_locked_unless_conda_has_it() -> None:
    pins = (pin("numpy", "profile", "conda"), pin("extra", "numpy", "profile"))
    assert added(*pins, conda={"numpy": "1.26.4"}) == ["extra"]


def test_conda_packages_that_nobody_asks_for_say_nothing() -> None:
    found = split((pin("tool", "profile"),), bundle={}, roots=(), conda={"other": "1.0"})
    assert found.provided == ()


def test_a_bundle_stands_above_conda() -> None:
    pins = (pin("numpy", "profile"), pin("extra", "numpy"))
    found = split(pins, bundle={"numpy": "1.26.0"}, roots=(), conda={"numpy": "1.26.4"})
    assert found.provided[1] == Provided(name="numpy", by="bundle", version="1.26.0")


def test_circles_around_conda_end() -> None:
    pins = (pin("tool", "profile", "b"), pin("a", "conda", "b", "tool"), pin("b", "a"))
    assert added(*pins, conda={"a": "1.0"}) == ["tool"]
    loop = (pin("tool", "profile"), pin("x", "y", "tool"), pin("y", "x"))
    assert added(*loop, conda={"z": "1.0"}) == ["tool", "x", "y"]


def test_without_conda_all_is_locked() -> None:
    assert added(pin("tool", "profile"), pin("extra", "tool"), conda={}) == ["extra", "tool"]
