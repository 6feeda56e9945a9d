"""Which variants share which files, and what stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import yaml
from tests.support.conda_values import record, solved, target, wanted

from envbuild.lock.conda import files
from envbuild.lock.conda.asking import Solved
from envbuild.lock.conda.files import Member
from envbuild.lock.conda.packages import Half
from envbuild.lock.model import CondaHalf, CondaInput, Demand
from envbuild.tools.conda import Record

AMD, ARM = "linux-amd64-cpu", "linux-arm64-cpu"
CUDA = "linux-amd64-cu128"
TOOL = record("tool", "1.0")
DEMAND = Demand(package="tool", bounds="<2,>=1.0", by=("x 1.0 (<2,>=1.0)",))


def member(
    variant: str,
    answer: Solved,
    *,
    asked: CondaInput | None = None,
    demands: tuple[Demand, ...] = (),
    as_of: str = "2026-01-01T00:00:00Z",
    solver: str = "py-rattler 0.28.0",
) -> Member:
    own = next(iter(answer))
    asked = asked or wanted("tool", targets=(target(own),))
    half = msgspec.structs.replace(Half.of(answer, own=own, solver=solver), demands=demands)
    return Member(variant=variant, asked=asked, as_of=as_of, half=half, wheels=f"{variant}.txt")


def unread(_data: bytes) -> Solved:
    raise AssertionError("no lock need be read")


def made(
    *members: Member, kept: Mapping[str, bytes] | None = None
) -> tuple[dict[str, CondaHalf], dict[str, bytes]]:
    return files.halves("one", members, kept=kept or {}, read=unread)


def arm(*records: Record) -> Solved:
    return solved(*records, platform="linux-aarch64")


def custom(texts: Mapping[str, bytes], path: str = "conda-lock.yml") -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load(texts[path])["metadata"]["custom_metadata"]
    return found


def needs(texts: Mapping[str, bytes], path: str = "environment.yml") -> list[str]:
    found: list[str] = yaml.safe_load(texts[path])["dependencies"]
    return found


def test_no_member_no_file() -> None:
    assert made() == ({}, {})


def test_one_variant_has_five_files() -> None:
    halves, texts = made(member(AMD, solved(TOOL)))
    assert sorted(texts) == [
        "conda-lock.yml",
        "environment.yml",
        "linux-64.explicit.txt",
        "virtual-packages.yml",
    ]
    assert sorted(file.path for file in halves[AMD].files()) == sorted(texts)


def test_two_platforms_share_one_lock() -> None:
    other = record("tool", "1.0", subdir="linux-aarch64")
    halves, texts = made(member(AMD, solved(TOOL)), member(ARM, arm(other)))
    assert halves[AMD].lock == halves[ARM].lock
    assert [file.path for file in halves[ARM].explicit] == ["linux-aarch64.explicit.txt"]
    lock = yaml.safe_load(texts["conda-lock.yml"])
    assert lock["metadata"]["platforms"] == ["linux-64", "linux-aarch64"]
    assert len(lock["package"]) == 2


def test_variants_of_one_platform_and_one_solution_share_it() -> None:
    halves, texts = made(member(AMD, solved(TOOL)), member("linux-amd64-cu126", solved(TOOL)))
    assert len(texts) == 4
    assert len({half.lock for half in halves.values()}) == 1


def test_another_solution_for_a_platform_has_files_of_its_own() -> None:
    gpu = wanted("tool", targets=(target("linux-64", "__cuda=12.8"),))
    other = solved(record("tool", "1.0", build="cuda"))
    halves, texts = made(member(AMD, solved(TOOL)), member(CUDA, other, asked=gpu))
    assert halves[CUDA].lock.path == f"{CUDA}.conda-lock.yml"
    assert [file.path for file in halves[CUDA].explicit] == [f"{CUDA}.linux-64.explicit.txt"]
    assert b"tool-1.0-cuda.conda" in texts[f"{CUDA}.linux-64.explicit.txt"]
    assert b"tool-1.0-cuda.conda" not in texts["conda-lock.yml"]
    assert yaml.safe_load(texts[f"{CUDA}.conda-lock.yml"])["metadata"]["sources"] == [
        f"{CUDA}.environment.yml"
    ]


def test_another_machine_has_files_of_its_own_even_with_one_solution() -> None:
    """Its content hash is another."""
    gpu = wanted("tool", targets=(target("linux-64", "__cuda=12.8"),))
    _, texts = made(member(AMD, solved(TOOL)), member(CUDA, solved(TOOL), asked=gpu))
    assert f"{CUDA}.conda-lock.yml" in texts


def test_other_packages_or_channels_have_files_of_their_own() -> None:
    more = wanted("tool", "other")
    far = wanted("tool", channels=("far",))
    _, texts = made(
        member(AMD, solved(TOOL)),
        member("linux-amd64-cu126", solved(TOOL), asked=more),
        member(CUDA, solved(TOOL), asked=far),
    )
    assert sorted(path for path in texts if path.endswith("conda-lock.yml")) == [
        "conda-lock.yml",
        "linux-amd64-cu126.conda-lock.yml",
        "linux-amd64-cu128.conda-lock.yml",
    ]


def test_a_further_platform_is_left_to_the_variant_that_is_it() -> None:
    both = wanted("tool", targets=(target(), target("linux-aarch64")))
    own, guessed = (record("tool", version, subdir="linux-aarch64") for version in ("1.0", "0.9"))
    answer = {**solved(TOOL), **arm(guessed)}
    halves, texts = made(member(AMD, answer, asked=both), member(ARM, arm(own)))
    assert b"tool-1.0-0.conda" in texts["linux-aarch64.explicit.txt"]
    assert [file.path for file in halves[AMD].explicit] == [
        "linux-64.explicit.txt",
        "linux-aarch64.explicit.txt",
    ]


def test_where_every_half_stands_its_files_stay_byte_for_byte() -> None:
    halves, texts = made(member(AMD, solved(TOOL)))
    kept = {path: data + b"# as it was\n" for path, data in texts.items()}
    standing = Member(
        variant=AMD,
        asked=wanted("tool"),
        as_of="2026-01-01T00:00:00Z",
        half=halves[AMD],
        wheels="other.txt",
    )
    assert made(standing, kept={**kept, "x.txt": b""}) == (halves, kept)


def test_a_half_that_stands_beside_a_new_one_is_read_and_written_as_it_was() -> None:
    before, texts = made(member(AMD, solved(TOOL)))
    standing = Member(
        variant=AMD,
        asked=wanted("tool"),
        as_of="2026-01-01T00:00:00Z",
        half=before[AMD],
        wheels=f"{AMD}.txt",
    )
    gpu = wanted("tool", targets=(target("linux-64", "__cuda=12.8"),))
    read: list[bytes] = []

    def reading(data: bytes) -> Solved:
        read.append(data)
        return solved(TOOL)

    after, written = files.halves(
        "one",
        (standing, member(CUDA, solved(record("tool", "2.0")), asked=gpu)),
        kept=texts,
        read=reading,
    )
    assert read == [texts["conda-lock.yml"]]
    assert after[AMD] == before[AMD]
    assert {path: written[path] for path in texts} == texts


def test_a_demand_is_written_where_its_package_is() -> None:
    other = Demand(package="absent", bounds=">=1", by=("y 1.0 (>=1)",))
    _, texts = made(
        member(
            AMD, solved(TOOL, record("dep", "1.0")), demands=(DEMAND, other), asked=wanted("dep")
        )
    )
    assert needs(texts) == ["dep", "tool<2,>=1.0"]
    assert b"# tool <2,>=1.0: for x 1.0 (<2,>=1.0)\n" in texts["environment.yml"]
    assert custom(texts)["demanded_by_python_packages"].startswith("absent >=1: for y")


def test_a_demand_and_the_profiles_bounds_of_a_package_are_one_specification() -> None:
    """Of two lines of one name conda-lock reads the last alone."""
    asked = wanted("tool>=0.5", "pip")
    _, texts = made(member(AMD, solved(TOOL), demands=(DEMAND,), asked=asked))
    (line,) = (text for text in needs(texts) if text.startswith("tool"))
    assert ">=0.5" in line
    assert "<2,>=1.0" in line


def test_two_specifications_of_one_package_are_one() -> None:
    _, texts = made(member(AMD, solved(TOOL), asked=wanted("tool>=0.5", "tool<2")))
    (line,) = needs(texts)
    assert ">=0.5" in line
    assert "<2" in line


def test_what_led_to_the_lock_stands_in_its_metadata() -> None:
    _, texts = made(member(AMD, solved(TOOL)))
    assert custom(texts) == {
        "solver": "py-rattler 0.28.0",
        "exclude_newer": "2026-01-01T00:00:00Z",
        "virtual_packages linux-64": "__archspec=1=x86_64 __glibc=2.35 __linux=5.10 __unix=0",
    }


def test_moments_and_solvers_of_all_members_are_named() -> None:
    other = record("tool", "1.0", subdir="linux-aarch64")
    later = member(ARM, arm(other), as_of="2026-02-01T00:00:00Z", solver="conda 25.9.0")
    _, texts = made(member(AMD, solved(TOOL)), later)
    assert custom(texts)["solver"] == "conda 25.9.0, py-rattler 0.28.0"
    assert custom(texts)["exclude_newer"] == "2026-01-01T00:00:00Z"  # conda knows no moment


def test_the_same_answers_give_the_same_bytes() -> None:
    def once(records: Iterable[Record]) -> dict[str, bytes]:
        return made(member(AMD, solved(*records), demands=(DEMAND,)))[1]

    two = (TOOL, record("other", "2.0", "tool"))
    assert once(two) == once(reversed(two))
