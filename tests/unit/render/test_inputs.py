"""The input folders of a build context, and its images."""

import msgspec
import pytest

from envbuild.errors import InputError
from envbuild.lock.model import AptPins, GitPin, ImagePin
from envbuild.render.inputs import images, inputs
from envbuild.render.model import StageImage

from .conftest import (
    EXPLICIT,
    VARIANT,
    conda_half,
    locked,
    package,
    resolved,
    texts_of,
    variant_lock,
)

GIT = [
    {
        "name": "lib",
        "url": "https://example.com/lib",
        "commit": "1" * 40,
        "path": "/opt/lib",
        "install": "cmake",
        "apt": ["bison"],
    },
    {
        "name": "tool",
        "url": "ssh://git@example.com/tool",
        "commit": "2" * 40,
        "path": "/opt/tool",
        "install": "pip",
    },
]
BASES = {
    "image": "registry.example.com/sim:5.0",
    "build-image": "registry.example.com/devel:1",
    "distribution": "ubuntu-22.04",
}


def found(profile, lock, **texts):
    made = inputs(profile.variants[0], lock, texts_of(lock) | texts)
    assert [one.path for one in made] == sorted(one.path for one in made)
    return {one.path.removeprefix(f"{VARIANT}/"): one for one in made}


def test_the_wheels_are_in_pieces_with_their_hashes_and_nothing_that_moves():
    lock = locked(
        package("numpy==1.26.0"),
        package("six==1.16.0"),
        package("torch==2.7.0"),
        package("yarl==1.9"),
    )
    made = found(resolved(), lock)
    assert list(made) == ["wheels-1", "wheels-2", "wheels-3"]
    assert made["wheels-1"].text == (
        "# Rendered by envbuild from the lock: do not edit, lock and render again.\n"
        f"torch==2.7.0 \\\n    --hash=sha256:{'1' * 64} \\\n    --hash=sha256:{'2' * 64}\n"
    )
    assert [line for line in made["wheels-3"].text.split("\n") if "==" in line] == [
        "six==1.16.0 \\",
        "yarl==1.9 \\",
    ]
    assert made["wheels-3"].file == f"{VARIANT}/wheels-3/requirements.txt"
    assert (made["wheels-1"].kind, made["wheels-1"].name) == ("wheels", "wheels-1")


def test_a_piece_that_is_empty_is_left_out_and_the_others_keep_their_names():
    assert list(found(resolved(), locked(package("six==1.16.0")))) == ["wheels-3"]
    assert found(resolved(), locked()) == {}


def test_what_is_built_from_source_is_a_list_of_its_own():
    lock = locked(package("six==1.16.0"), package("docopt==0.6.2", "source"))
    made = found(resolved(), lock)
    assert made["sources"].kind == "sources"
    assert made["sources"].image == "BASE_IMAGE"
    assert "docopt==0.6.2" in made["sources"].text
    assert "docopt" not in made["wheels-3"].text


def test_git_sources_are_fetched_at_the_commit_of_the_lock():
    lock = locked(git=(GitPin(name="tool", commit="3" * 40),))
    made = found(resolved(git=GIT, base=BASES), lock)
    assert made["git/lib"].text == f"https://example.com/lib {'1' * 40}\n"
    assert made["git/tool"].text == f"ssh://git@example.com/tool {'3' * 40}\n"
    assert [made[f"git/{name}"].image for name in ("lib", "tool")] == ["BUILD_IMAGE", "BASE_IMAGE"]
    assert made["git/tool"].file.endswith("/git/tool/source.txt")


def test_a_git_source_without_any_commit_is_refused():
    profile = resolved(git=[{**GIT[1], "commit": None, "ref": "main"}])
    with pytest.raises(InputError, match="the lock of demo has no commit of tool") as caught:
        found(profile, locked())
    assert caught.value.hint == "run: envbuild lock demo"


def test_each_stage_has_its_debian_packages_with_the_versions_of_the_lock():
    pins = AptPins(archive="a", as_of="b", packages=("git=1:2.34.1-1", "libgl1=1.4.0-1"))
    made = found(resolved(git=GIT, base=BASES, apt=["libgl1"]), locked(apt=pins))
    texts = {path: one.text for path, one in made.items() if one.kind == "apt"}
    assert texts == {
        "apt/base": "libgl1=1.4.0-1\n",
        "apt/lib": "bison\nbuild-essential\ncmake\n",
        "apt/sources": "ca-certificates\ngit=1:2.34.1-1\nopenssh-client\n",
    }
    named = {one.name: one.image for one in made.values() if one.kind == "apt"}
    assert named == {"base": "BASE_IMAGE", "lib": "BUILD_IMAGE", "sources": "BUILD_IMAGE"}


def test_python_comes_from_uv_or_from_conda():
    uv = resolved(python={"version": "3.11.9", "source": "uv", "prefix": "/opt/e"})
    assert found(uv, locked())["python"].text == "uv 0.13.8\npython 3.11.9\n"
    conda = resolved(
        python={"version": "3.11", "source": "conda", "prefix": "/opt/e"},
        conda={"channels": ["conda-forge"], "packages": ["python=3.11"]},
    )
    made = found(conda, locked(conda=conda_half()))["conda"]
    assert (made.text.encode(), made.file) == (EXPLICIT, f"{VARIANT}/conda/explicit.txt")


def test_a_lock_folder_that_is_not_whole_is_refused():
    lock = locked(package("six==1.16.0"))
    with pytest.raises(InputError, match=r"cu128.txt is not the file that the lock was"):
        inputs(resolved().variants[0], lock, {f"{VARIANT}.txt": b"evil==1\n"})
    with pytest.raises(InputError, match=r"cu128.txt is missing"):
        inputs(resolved().variants[0], lock, {})


def test_the_images_are_those_of_the_lock_by_their_digests():
    digest = f"sha256:{'5' * 64}"
    uv = {"version": "3.11", "source": "uv", "prefix": "/opt/e"}
    pin = ImagePin(role="base", reference="registry.example.com/sim:5.0", digest=digest)
    made = images(resolved(base=BASES, python=uv).variants[0], locked(images=(pin,)))
    assert made == (
        StageImage(argument="BASE_IMAGE", reference="registry.example.com/sim:5.0", digest=digest),
        StageImage(argument="BUILD_IMAGE", reference="registry.example.com/devel:1", digest=""),
        StageImage(argument="UV_IMAGE", reference="ghcr.io/astral-sh/uv:0.13.8", digest=""),
    )
    assert made[0].pinned == f"registry.example.com/sim:5.0@{digest}"
    assert made[1].pinned == "registry.example.com/devel:1"


def test_the_digest_of_the_profile_counts_where_the_lock_has_none():
    digest = f"sha256:{'6' * 64}"
    (made,) = images(
        resolved(base={**BASES, "build-image": None, "digest": digest}).variants[0], locked()
    )
    assert made.digest == digest


def test_a_variant_that_is_not_locked_is_refused():
    lock = msgspec.structs.replace(locked(), variants={"linux-amd64-cpu": variant_lock()})
    for ask in (
        lambda: inputs(resolved().variants[0], lock, {}),
        lambda: images(resolved().variants[0], lock),
    ):
        with pytest.raises(InputError, match="linux-amd64-cu128 is not locked"):
            ask()
