"""The question to a conda solver, and what its answer must be."""

from __future__ import annotations

import msgspec
import pytest
from tests.support.conda_values import record, target, wanted

from envbuild.lock.conda import asking
from envbuild.lock.conda.asking import Ask
from envbuild.lock.conda.channels import Settings
from envbuild.lock.model import Demand
from envbuild.tools.conda import Channel, Failure, Keep, Record, Virtual

MIRROR = Channel(name="world", url="http://mirror.example/repo")
PLAIN = record("tool", "1.0")


def words(records: tuple[Record, ...] | Failure) -> str:
    assert isinstance(records, Failure)
    assert records.kind == "data"
    return records.text


def at(url: str) -> tuple[Record, ...] | Failure:
    return asking.checked((msgspec.structs.replace(PLAIN, url=url),), (MIRROR,))


def test_the_question_for_one_platform() -> None:
    ask = Ask(
        wanted=wanted(
            "tool", "python=3.11", targets=(target("linux-aarch64"), target("linux-64", "__cuda=1"))
        ),
        demands=(Demand(package="packaging", bounds="==23.0", by=("x",)),),
        keep={"linux-64": (Keep(name="tool", sha256="0"),)},
        as_of="2026-01-01T00:00:00Z",
    )
    settings = Settings(mirrored={"world": MIRROR.url})
    asked = asking.request(ask, "linux-64", settings)
    assert asked.channels == (MIRROR,)
    assert asked.specs == ("python=3.11", "tool")
    assert asked.constraints == ("packaging ==23.0",)
    assert asked.keep == (Keep(name="tool", sha256="0"),)
    assert asked.as_of == "2026-01-01T00:00:00Z"
    assert asked.virtual[:2] == (
        Virtual(name="__archspec", version="1", build="x86_64"),
        Virtual(name="__cuda", version="1"),
    )
    assert asking.request(ask, "linux-aarch64", settings).keep == ()


def test_the_address_of_a_mirror_becomes_the_worlds() -> None:
    found = at("http://mirror.example/repo/linux-64/tool-1.0-0.conda")
    assert not isinstance(found, Failure)
    assert found[0].url == "https://conda.anaconda.org/world/linux-64/tool-1.0-0.conda"


def test_the_worlds_own_address_stays() -> None:
    assert asking.checked((PLAIN,), (MIRROR,)) == (PLAIN,)


def test_each_package_is_of_the_channel_that_holds_it() -> None:
    other = Channel(name="other", url="http://mirror.example/other")
    one = msgspec.structs.replace(PLAIN, url=f"{other.url}/noarch/tool-1.0-0.tar.bz2")
    found = asking.checked((one,), (MIRROR, other))
    assert not isinstance(found, Failure)
    assert found[0].url == "https://conda.anaconda.org/other/noarch/tool-1.0-0.tar.bz2"


def test_virtual_packages_are_no_packages() -> None:
    assert asking.checked((record("__glibc", "2.35"), PLAIN), (MIRROR,)) == (PLAIN,)


@pytest.mark.parametrize("field", ["sha256", "md5"])
@pytest.mark.parametrize("value", ["", "0" * 31, "z" * 64, "A" * 64, "0" * 65])
def test_a_package_without_a_digest_is_refused(field: str, value: str) -> None:
    one = msgspec.structs.replace(PLAIN, **{field: value})
    said = words(asking.checked((one,), (MIRROR,)))
    assert said == "tool 1.0 (0) has no sha256 and md5: nothing could be pinned by it"


def test_a_refused_package_names_its_channel_and_subdir() -> None:
    found = asking.checked((msgspec.structs.replace(PLAIN, sha256=""),), (MIRROR,))
    assert isinstance(found, Failure)
    assert (found.channel, found.subdir) == ("world", "linux-64")


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/linux-64/tool-1.0-0.conda",
        "http://mirror.example/repo2/linux-64/tool-1.0-0.conda",
        "http://mirror.example/repo/../x/linux-64/tool-1.0-0.conda",
        "http://mirror.example/repo/linux-64/../tool-1.0-0.conda",
        "http://mirror.example/repo/linux-64/..conda",
        "http://mirror.example/repo/linux-64/%2e%2e/tool-1.0-0.conda",
        "http://mirror.example/repo/linux-64/a/tool-1.0-0.conda",
        "http://mirror.example/repo/linux-64//tool-1.0-0.conda",
        "http://mirror.example/repo/linux-64/tool-1.0-0.conda?x=1",
        "http://mirror.example/repo/linux-64/tool-1.0-0.conda#x",
        "http://mirror.example/repo/linux-64/tool 1.0-0.conda",
        "http://mirror.example/repo/linux-64/tool-1.0-0.conda\n",
        "http://mirror.example/repo/linux-64/tool-1.0-0.zip",
        "http://mirror.example/repo/win-64/tool-1.0-0.conda",
        "http://mirror.example/repo/linux-64/-rf-1.0-0.conda",
        "http://mirror.example/repo",
        "file:///etc/linux-64/tool-1.0-0.conda",
    ],
)
def test_a_package_outside_of_its_channel_is_refused(url: str) -> None:
    assert words(at(url)) == f"tool 1.0 (0) lies outside of its channel: {url}"


@pytest.mark.parametrize("version", ["1.0_1", "1!2.0", "2025c", "1.0+g1.2"])
def test_the_usual_file_names_are_taken(version: str) -> None:
    assert not isinstance(
        at(f"http://mirror.example/repo/noarch/_tool.x-{version}-h_0.conda"), Failure
    )
