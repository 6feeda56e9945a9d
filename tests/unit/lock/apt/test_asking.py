"""Which version of a Debian package is pinned."""

from __future__ import annotations

import pytest

from envbuild.lock.apt import asking
from envbuild.lock.apt.archive import Suite
from envbuild.lock.apt.asking import AptQuestion
from envbuild.lock.apt.image import ImageSystem
from envbuild.lock.apt.release import Release
from envbuild.lock.apt.sources import Source
from envbuild.lock.model import AptPins
from envbuild.tools.net import NetError


def offers(rank: int = 2, *, snapshot: bool = False, **versions: str) -> Suite:
    made = Release(
        origin="Debian",
        version="12",
        codename="bookworm",
        suite="stable",
        date="2026-01-10T00:00:00Z",
        snapshots="",
        by_hash=True,
        rank=rank,
        separate_all=False,
        files={},
    )
    return Suite(
        release=made,
        versions={name: (text,) for name, text in versions.items()},
        snapshot=snapshot,
    )


LISTS = {
    "etc/apt/sources.list": "deb http://a.example.org s main\ndeb http://b.example.org s main\n"
}


def system(distribution: str = "debian 12", created: str = "", **installed: str) -> ImageSystem:
    return ImageSystem(distribution=distribution, lists=LISTS, installed=installed, created=created)


def ask(
    base: ImageSystem,
    suites: dict[str, Suite | NetError],
    *,
    build: ImageSystem | None = None,
    names: tuple[str, ...] = ("tool",),
) -> asking.AptAnswer:
    def suite(source: Source, architecture: str, *, names: object, moment: str) -> Suite:
        found = suites[source.uri[7]]
        if isinstance(found, NetError):
            raise found
        return found

    question = AptQuestion(
        base=names,
        build=("tool",) if build else (),
        architecture="amd64",
        moment="2025-01-01T00:00:00Z",
    )
    return asking.ask(question, base, lambda: build or base, suite)


def test_the_newest_of_all_suites() -> None:
    answer = ask(system(), {"a": offers(tool="1.9"), "b": offers(tool="1.10")})
    assert answer.pins == AptPins(
        archive="Debian 12 bookworm", as_of="2026-01-10T00:00:00Z", packages=("tool=1.10",)
    )


def test_backports_are_not_taken_as_a_matter_of_course() -> None:
    answer = ask(system(), {"a": offers(tool="1.0"), "b": offers(1, tool="2.0", more="1")})
    assert answer.pins
    assert answer.pins.packages == ("tool=1.0",)
    only = ask(system(), {"a": offers(), "b": offers(1, tool="2.0")})
    assert only.pins
    assert only.pins.packages == ("tool=2.0",)


def test_an_archive_that_cannot_be_read() -> None:
    down = NetError("it cannot be reached", detail="host")
    answer = ask(system(), {"a": offers(tool="1.0"), "b": down}, names=("tool", "cuda"))
    assert answer.pins
    assert answer.why == {"cuda": "an archive that the base image names cannot be read"}
    assert "b.example.org" in answer.details[0]
    none = ask(system(), {"a": down, "b": down})
    assert none.pins is None
    assert none.why == {"tool": "no archive that the base image names can be read"}


def test_an_image_that_is_newer_than_the_moment() -> None:
    moments: list[str] = []

    def suite(source: Source, architecture: str, *, names: object, moment: str) -> Suite:
        moments.append(moment)
        return offers(snapshot=True, tool="1.0")

    question = AptQuestion(
        base=("tool",), build=(), architecture="amd64", moment="2025-01-01T00:00:00Z"
    )
    base = system(created="2025-07-01T10:20:30.123456789Z")
    answer = asking.ask(question, base, lambda: base, suite)
    assert set(moments) == {"2025-07-01T10:20:30Z"}
    assert answer.pins
    assert (answer.pins.snapshot, answer.pins.as_of) == (
        "20250701T102030Z",
        "2025-07-01T10:20:30Z",
    )


@pytest.mark.parametrize(
    ("base", "build", "expected"),
    [
        (system(tool="1.5"), None, ("tool=1.5",)),
        (system(tool="0.5"), None, ("tool=1.0",)),
        (system(tool="1.5"), system(), None),
        (system(tool="1.5"), system(tool="1.5"), ("tool=1.5",)),
        (system(), system("ubuntu 24.04"), None),
    ],
)
def test_what_is_installed(
    base: ImageSystem, build: ImageSystem | None, expected: tuple[str, ...] | None
) -> None:
    answer = ask(base, {"a": offers(tool="1.0"), "b": offers()}, build=build)
    assert (answer.pins.packages if answer.pins else None) == expected
    assert bool(answer.why) == (expected is None)


@pytest.mark.parametrize("distribution", ["", "alpine 3.20", "rocky 9"])
def test_other_distributions(distribution: str) -> None:
    answer = ask(system(distribution), {})
    assert answer.why == {"tool": "the base image is neither Debian nor Ubuntu"}
