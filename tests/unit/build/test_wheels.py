"""Which wheel of a version an image gets."""

import pytest
from packaging.tags import parse_tag

from envbuild.build.wheels import choose, choose_source, supported
from envbuild.lock.pylock import File, Package
from tests.support.exports import digest

RANKS = supported("3.11", "x86_64-manylinux_2_35")


def wheel(name: str) -> File:
    return File(url=f"https://example.com/a/{name}", hashes={"sha256": digest(name)})


def chosen(*names: str, python: str = "3.11", platform: str = "x86_64-manylinux_2_35") -> list[str]:
    package = Package(name="one", version="1.0", wheels=tuple(map(wheel, names)))
    hashes = frozenset(f"sha256:{digest(name)}" for name in names)
    return [file.name for file in choose(package, hashes, supported(python, platform))]


@pytest.mark.parametrize(
    "tag",
    [
        "cp311-cp311-manylinux_2_35_x86_64",
        "cp311-cp311-manylinux_2_17_x86_64",
        "cp311-cp311-manylinux2014_x86_64",
        "cp311-cp311-manylinux1_x86_64",
        "cp311-abi3-linux_x86_64",
        "cp36-abi3-manylinux_2_5_x86_64",
        "cp311-none-any",
        "py3-none-manylinux2014_x86_64",
        "py311-none-any",
        "py2.py3-none-any",
    ],
)
def test_what_pip_takes(tag: str) -> None:
    assert any(one in RANKS for one in parse_tag(tag))


@pytest.mark.parametrize(
    "tag",
    [
        "cp311-cp311-manylinux_2_36_x86_64",
        "cp311-cp311-manylinux_2_17_aarch64",
        "cp312-cp312-manylinux_2_17_x86_64",
        "cp312-abi3-manylinux_2_17_x86_64",
        "cp311-cp311t-manylinux_2_17_x86_64",
        "cp311-cp311-musllinux_1_1_x86_64",
        "cp311-cp311-win_amd64",
        "pp311-pypy311_pp73-manylinux2014_x86_64",
        "py2-none-any",
    ],
)
def test_what_pip_does_not_take(tag: str) -> None:
    assert not any(one in RANKS for one in parse_tag(tag))


def test_there_are_no_wheels_for_arm_before_glibc_2_17() -> None:
    ranks = supported("3.12", "aarch64-manylinux_2_39")
    assert any(one in ranks for one in parse_tag("cp312-cp312-manylinux2014_aarch64"))
    assert not any(one in ranks for one in parse_tag("cp312-cp312-manylinux_2_16_aarch64"))


def test_the_ranks_are_those_of_packaging_for_this_interpreter() -> None:
    """What packaging says of the running interpreter, in the same order."""
    import sys

    from packaging import tags

    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    here = [tag for tag in tags.sys_tags() if "manylinux" in tag.platform]
    newest = max(
        int(tag.platform.split("_")[2]) for tag in here if tag.platform.startswith("manylinux_2_")
    )
    machine = here[0].platform.split("_", 3)[3]
    ours = supported(version, f"{machine}-manylinux_2_{newest}")
    assert sorted(here, key=lambda tag: ours[tag]) == here


def test_the_wheel_for_this_very_python_is_better_than_one_for_any() -> None:
    assert chosen("one-1.0-py3-none-any.whl", "one-1.0-cp311-cp311-manylinux2014_x86_64.whl") == [
        "one-1.0-cp311-cp311-manylinux2014_x86_64.whl"
    ]


def test_the_newest_c_library_that_the_image_has_is_best() -> None:
    names = [
        "one-1.0-cp37-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "one-1.0-cp37-abi3-manylinux_2_28_x86_64.whl",
        "one-1.0-cp37-abi3-manylinux_2_34_x86_64.whl",
    ]
    assert chosen(*names) == [names[2]]
    assert chosen(*names, platform="x86_64-manylinux_2_31") == [names[1]]
    assert chosen(*names, platform="x86_64-manylinux_2_17") == [names[0]]


def test_the_higher_build_number_is_best_and_one_is_better_than_none() -> None:
    names = [f"one-1.0-{build}py3-none-any.whl" for build in ("", "2-", "10-")]
    assert chosen(*names) == ["one-1.0-10-py3-none-any.whl"]
    assert chosen(*names[:2]) == ["one-1.0-2-py3-none-any.whl"]


def test_equally_good_ones_are_all_taken() -> None:
    names = ["one-1.0-py3-none-any.whl", "one-1.0-py2.py3-none-any.whl"]
    assert chosen(*names) == names


def test_of_two_files_of_one_name_the_first_that_the_lock_has_counts() -> None:
    name = "one-1.0-py3-none-any.whl"
    other = File(url=f"file:///links/{name}", hashes={"sha256": digest("rebuilt")})
    package = Package(name="one", version="1.0", wheels=(other, wheel(name)))
    locked = frozenset({f"sha256:{digest(name)}"})
    (file,) = choose(package, locked, RANKS)
    assert (file.url, file.sha256) == (f"https://example.com/a/{name}", digest(name))
    both = locked | {f"sha256:{digest('rebuilt')}"}
    (file,) = choose(package, both, RANKS)
    assert file.url == f"file:///links/{name}"


def test_what_the_lock_has_no_hash_of_is_not_taken() -> None:
    package = Package(name="one", version="1.0", wheels=(wheel("one-1.0-py3-none-any.whl"),))
    assert choose(package, frozenset({"sha256:" + "0" * 64}), RANKS) == ()
    assert choose_source(package, frozenset()) == ()


def test_a_file_of_another_hash_or_name_is_passed_over() -> None:
    good = wheel("one-1.0-py3-none-any.whl")
    odd = wheel("one-1.0.whl")
    bare = File(url="https://example.com/one-1.0-cp311-cp311-linux_x86_64.whl", hashes={"md5": "0"})
    package = Package(name="one", version="1.0", wheels=(odd, bare, good))
    hashes = frozenset(f"sha256:{digest(n)}" for n in ("one-1.0.whl", "one-1.0-py3-none-any.whl"))
    assert [file.name for file in choose(package, hashes, RANKS)] == ["one-1.0-py3-none-any.whl"]


def test_a_name_in_an_address_is_read_without_its_escapes() -> None:
    name = "torch-2.7.0+cu128-py3-none-any.whl"
    file = File(
        url="https://example.com/torch-2.7.0%2Bcu128-py3-none-any.whl#sha256=1",
        hashes={"sha256": digest(name)},
    )
    package = Package(name="torch", version="2.7.0+cu128", wheels=(file,))
    assert [one.name for one in choose(package, {f"sha256:{digest(name)}"}, RANKS)] == [name]


def test_a_source_distribution_on_this_disk() -> None:
    sdist = File(path="/links/one-1.0.tar.gz", hashes={"sha256": digest("sdist")})
    package = Package(name="one", version="1.0", sdist=sdist)
    (file,) = choose_source(package, {f"sha256:{digest('sdist')}"})
    assert (file.name, file.url) == ("one-1.0.tar.gz", "file:///links/one-1.0.tar.gz")
