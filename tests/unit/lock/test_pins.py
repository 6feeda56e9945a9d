"""Which pins stand, what is asked for, and what a lock says of the rest."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from tests.support.locks import package, variant

from envbuild.lock import pins
from envbuild.lock.model import AptPins, GitPin, ImagePin, LockedPackage, Unpinned, VariantLock
from envbuild.lock.questions import Questions, StoppedError
from envbuild.lock.system import apt_names, stage_role
from envbuild.profile.resolve import Source as Text
from envbuild.profile.resolve import resolve
from envbuild.profile.resolved import Variant
from envbuild.tools.net import NetError

PROFILE = """\
schema: 1
name: one
summary: A profile of the tests
as-of: 2026-01-01T00:00:00Z
base:
  image: docker.io/library/ubuntu:22.04
  distribution: ubuntu-22.04
{base}python:
  version: "3.11"
  source: uv
  prefix: /opt/one
  build-from-source:
    - {{package: native, reason: r, apt: [libfoo-dev]}}
{more}variants:
  linux-amd64-cpu: {{}}
"""
GIT = """\
git:
  - {name: lib, url: https://example.com/lib, ref: v1, path: /opt/lib, install: cmake, apt: [zlib1g-dev]}
  - {name: code, url: ssh://git@example.com/code, ref: main, path: /opt/code, install: pip, apt: [libbar1]}
"""
DIGEST = f"sha256:{'1' * 64}"
BUILD = "  build-image: docker.io/library/ubuntu:devel\n"


def profile(more: str = "", base: str = "") -> Variant:
    text = PROFILE.format(more=more, base=base)
    return resolve("one", {"one": Text(name="one", file="envs/one.yaml", text=text)}).variants[0]


def locked(*packages: LockedPackage, **parts: object) -> VariantLock:
    return msgspec.structs.replace(variant(*packages), **parts)


BASE = ImagePin(role="base", reference="docker.io/library/ubuntu:22.04", digest=DIGEST)
UV = ImagePin(role="uv", reference="ghcr.io/astral-sh/uv:0.13.8", digest=DIGEST)
APT = AptPins(archive="Ubuntu", as_of="2026-01-01T00:00:00Z", packages=("ffmpeg=1", "g++=2"))

# --- Names ----------------------------------------------------------------------------------------


def test_the_packages_of_each_stage() -> None:
    built = package("native", "1.0", integrity="source")
    one = profile(GIT + "apt: [ffmpeg]\n", BUILD)
    assert apt_names(one.environment, (built,)) == {
        "base": ("ffmpeg", "libbar1"),
        "sources": ("ca-certificates", "git", "openssh-client"),
        "lib": ("build-essential", "cmake", "zlib1g-dev"),
        "wheels": ("ffmpeg", "libbar1", "libfoo-dev"),
    }
    roles = {stage: stage_role(one.environment, (built,), stage) for stage in ("base", "wheels")}
    assert roles == {"base": "base", "wheels": "build"}


def test_a_stage_on_the_base_has_what_the_base_has() -> None:
    built = package("native", "1.0", integrity="source")
    one = profile("apt: [ffmpeg, libfoo-dev]\n")
    assert apt_names(one.environment, (built,)) == {"base": ("ffmpeg", "libfoo-dev")}
    assert stage_role(one.environment, (built,), "wheels") == "base"
    assert apt_names(profile().environment, ()) == {}


# --- What stands ----------------------------------------------------------------------------------


def test_nothing_stands_without_a_lock() -> None:
    found = pins.standing(profile("apt: [ffmpeg]\n"), None, ())
    assert found.images == ()
    assert found.image_why == {"base": pins.NOT_ASKED, "uv": pins.NOT_ASKED}
    assert found.apt_why == {"ffmpeg": pins.NOT_ASKED}


def test_what_was_pinned_stands() -> None:
    one = profile("apt: [ffmpeg, g++]\n")
    found = pins.standing(one, locked(images=(BASE, UV), apt=APT), ())
    assert (found.images, found.apt) == ((BASE, UV), APT)
    assert not found.image_why
    assert not found.apt_why


def test_a_package_more_or_less() -> None:
    before = locked(images=(BASE, UV), apt=APT)
    found = pins.standing(profile("apt: [ffmpeg, more]\n"), before, ())
    assert found.versions() == {"ffmpeg": "1"}
    assert found.apt_why == {"more": pins.NOT_ASKED}


def test_versions_go_with_the_image_that_they_are_for() -> None:
    before = locked(images=(msgspec.structs.replace(BASE, reference="a.io/b:1"),), apt=APT)
    found = pins.standing(profile("apt: [ffmpeg]\n"), before, ())
    assert (found.apt, found.images) == (None, ())
    given = profile("apt: [ffmpeg]\n", f"  digest: sha256:{'2' * 64}\n")
    assert pins.standing(given, locked(images=(BASE,), apt=APT), ()).apt is None


def test_an_old_state_goes_with_its_moment() -> None:
    old = msgspec.structs.replace(APT, snapshot="20260101T000000Z")
    before = locked(images=(BASE,), apt=old)
    one = profile("apt: [ffmpeg]\n")
    assert pins.standing(one, before, ()).apt is not None
    assert pins.standing(one, before, (), as_of="2026-02-01T00:00:00Z").apt is None
    now = locked(images=(BASE,), apt=APT)
    assert pins.standing(one, now, (), as_of="2026-02-01T00:00:00Z").apt is not None


def test_uvs_image_goes_with_uv() -> None:
    before = locked(images=(BASE, UV))
    assert pins.standing(profile(), before, (), uv="0.13.8").images == (BASE, UV)
    assert pins.standing(profile(), before, (), uv="0.13.9").images == (BASE,)


def test_a_digest_of_the_profile_is_a_pin() -> None:
    given = f"sha256:{'2' * 64}"
    one = profile("", f"  digest: {given}\n")
    (pin,) = pins.standing(one, None, ()).images
    assert pin.digest == given
    before = locked(images=(pin,))
    asked = msgspec.structs.replace(before.input, image=f"{pin.reference}@{given}")
    before = msgspec.structs.replace(before, input=asked)
    assert pins.standing(profile(), before, ()).images == (), "it went from the profile"


def test_commits() -> None:
    lib = GitPin(name="lib", commit="1" * 40, url="https://example.com/lib", ref="v1")
    other = GitPin(name="code", commit="2" * 40, url="ssh://git@example.com/code", ref="old")
    assert pins.standing(profile(GIT), locked(git=(lib, other)), ()).git == (lib,)


# --- What a lock says -----------------------------------------------------------------------------


def test_what_was_said_of_a_missing_pin_is_said_again() -> None:
    rows = (
        Unpinned(what=BASE.reference, why="a tag: the registry cannot be reached"),
        Unpinned(what="apt g++, more", why="nobody has it"),
        Unpinned(what="apt other", why="of another reason"),
    )
    one = profile("apt: [ffmpeg, g++, more, other]\n")
    before = locked(images=(BASE,), apt=APT, unpinned=rows)
    found = pins.standing(one, before, ())
    assert found.apt_why == {"more": "nobody has it", "other": "of another reason"}
    assert list(pins.apt_rows(found)) == [
        Unpinned(what="apt more", why="nobody has it"),
        Unpinned(what="apt other", why="of another reason"),
    ]
    unpinned = locked(unpinned=rows[:1])
    assert list(pins.image_rows(one, pins.standing(one, unpinned, ()), "base")) == [rows[0]]


def test_packages_of_one_reason_are_one_row() -> None:
    one = profile("apt: [ffmpeg, g++]\n")
    found = pins.offline(pins.standing(one, None, ()))
    rows = [*pins.image_rows(one, found, "base", "uv"), *pins.apt_rows(found)]
    assert rows == [
        Unpinned(what=BASE.reference, why=f"a tag: {pins.OFFLINE}"),
        Unpinned(what="uv's own image", why=f"a tag: {pins.OFFLINE}"),
        Unpinned(what="apt packages", why=pins.OFFLINE),
    ]
    before = locked(unpinned=tuple(rows))
    assert pins.offline(pins.standing(one, before, ())) == found
    assert not pins.open_questions(one, before)
    assert pins.missing(before) == tuple(rows)


def test_open_questions() -> None:
    said = pins.open_questions(profile(GIT + "apt: [ffmpeg]\n"), locked(images=(BASE,)))
    assert said == (
        "ghcr.io/astral-sh/uv is not asked yet",
        (
            "apt packages not asked yet: build-essential, ca-certificates, cmake, ffmpeg, git, "
            "libbar1, openssh-client, zlib1g-dev"
        ),
        "git lib: v1 is not asked yet",
        "git code: main is not asked yet",
    )


# --- Questions ------------------------------------------------------------------------------------


def test_a_question_is_asked_once() -> None:
    asked: list[str] = []

    def ask_it(what: str) -> Callable[[], str]:
        def answer() -> str:
            asked.append(what)
            return what

        return answer

    questions = Questions()
    found = [questions.ask("key", ask_it("one")).answer() for _ in range(3)]
    assert (found, asked) == (["one"] * 3, ["one"])


def test_an_error_is_the_answer_of_all() -> None:
    def fail() -> str:
        raise NetError("no")

    question = Questions().ask("key", fail)
    for _ in range(2):
        with pytest.raises(NetError, match="no"):
            question.answer()


def test_whoever_waits_is_let_go() -> None:
    import threading

    never = threading.Event()
    questions = Questions()
    question = questions.ask("key", never.wait)
    questions.stop()
    with pytest.raises(StoppedError):
        question.answer()
    with pytest.raises(StoppedError):
        questions.ask("other", never.wait)
    never.set()
