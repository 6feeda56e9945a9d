"""One lock of conda's packages and the index's: who brings what, and who gives way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import conda_packages
from tests.support.conda_packages import Record, record
from tests.support.conda_workspace import VARIANT, CondaFolder
from tests.support.index import PackageIndex, serving


def python(name: str, version: str, *depends: str) -> Record:
    return record(name, version, depends=["python >=3.8", *depends], subdir="noarch")


CHANNEL = (
    record("python", "3.11.7"),
    record("python", "3.12.1"),
    python("pip", "24.0"),
    python("packaging", "23.0"),
    python("packaging", "25.0"),
    python("numpy", "1.26.4"),
    python("numpy", "2.2.6"),
    python("keen", "1.0", "packaging >=24"),
    python("importlib_metadata", "8.5.0", "importlib-metadata >=8.5.0,<8.5.1.0a0"),
    python("importlib-metadata", "8.5.0", "zipp >=0.5"),
    python("zipp", "3.21.0"),
)


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """Wheels that want what conda has, in versions of their own."""
    found = (
        PackageIndex()
        .add("oldish", "1.0", requires=("packaging==23.0",))
        .add("ranged", "1.0", requires=("packaging<24,>=22",))
        .add("classic", "1.0", requires=("numpy<2",))
        .add("modern", "1.0", requires=("numpy>=2",))
        .add("array", "1.0", requires=("numpy",))
        .add("reader", "1.0", requires=("importlib-metadata", "zipp"))
        .add("vain", "1.0", requires=("nowhere",))
    )
    for name, version in (
        *(("packaging", one) for one in ("22.0", "23.0", "23.2", "25.0")),
        *(("numpy", one) for one in ("1.26.4", "2.2.6")),
        ("importlib-metadata", "8.5.0"),
        ("zipp", "3.21.0"),
    ):
        found.add(name, version)
    with serving(found) as served:
        yield served


@pytest.fixture
def both(tmp_path: Path, index: PackageIndex) -> CondaFolder:
    """A workspace with a channel and an index."""
    made = CondaFolder(tmp_path / "ws", UV_DEFAULT_INDEX=index.url)
    made.mirror("world", conda_packages.channel(tmp_path / "channel", CHANNEL).as_uri())
    return made


def pins(folder: CondaFolder) -> dict[str, str]:
    """What is locked of the index."""
    rows = folder.header()["variants"][VARIANT].get("packages", [])
    return {row["name"]: row["version"] for row in rows}


def provided(folder: CondaFolder) -> dict[str, tuple[str, str]]:
    rows = folder.header()["variants"][VARIANT].get("provided", [])
    return {row["name"]: (row["by"], row.get("version", "")) for row in rows}


def line(folder: CondaFolder, text: str) -> str:
    rows = (folder.root / "envs" / "one.yaml").read_text().splitlines()
    return f"envs/one.yaml:{next(n for n, row in enumerate(rows, 1) if text in row)}:"


def test_the_version_that_a_wheel_asks_for_is_taken_from_conda(both: CondaFolder) -> None:
    both.conda_profile("one", "packaging", requirements=("oldish",))
    done = both.run("lock", "--json")
    assert done.returncode == 0, done.stderr
    assert both.versions()["packaging"] == "23.0"
    assert pins(both) == {"oldish": "1.0"}
    assert provided(both)["packaging"][0] == "conda"
    steps = json.loads(done.stdout)[0]["variants"][0]["outcome"]["steps"]
    assert steps == [
        "conda: 3 for linux-64 packages",
        "uv: packaging 25.0 of conda will not do for oldish 1.0 (==23.0)",
        "conda with packaging ==23.0: 3 for linux-64 packages",
        "both agree",
    ]


def test_a_range_leaves_conda_its_choice(both: CondaFolder) -> None:
    """The index would give 23.2; conda has 23.0, which fits too."""
    both.conda_profile("one", "packaging", requirements=("ranged",))
    done = both.run("lock")
    assert done.returncode == 0, done.stderr
    assert both.versions()["packaging"] == "23.0"


def test_the_demand_is_written_to_the_environment_file(both: CondaFolder) -> None:
    both.conda_profile("one", "packaging>=22", requirements=("oldish",))
    assert both.run("lock").returncode == 0
    text = both.locked("one")["environment.yml"].decode()
    (spec,) = (row for row in text.splitlines() if row.startswith('  - "packaging'))
    assert "23.0" in spec
    assert ">=22" in spec
    assert "# packaging ==23.0: for oldish 1.0 (==23.0)" in text


def test_a_demand_is_remembered_by_the_lock(both: CondaFolder) -> None:
    both.conda_profile("one", "packaging", requirements=("oldish",))
    both.run("lock")
    before = both.locked("one")
    done = both.run("lock", "--force", "--refresh", "--json")
    outcome = json.loads(done.stdout)[0]["variants"][0]["outcome"]
    assert outcome["steps"][0].startswith("conda with packaging ==23.0")
    assert both.locked("one") == before


def test_a_demand_ends_with_what_made_it(both: CondaFolder) -> None:
    both.conda_profile("one", "packaging", requirements=("oldish",))
    both.run("lock")
    both.conda_profile("one", "packaging", requirements=("array",))
    assert both.run("lock", "-U").returncode == 0
    assert both.versions()["packaging"] == "25.0"
    assert b"==23.0" not in both.locked("one")["environment.yml"]


def test_what_conda_has_is_not_locked_twice(both: CondaFolder) -> None:
    both.conda_profile("one", "numpy=1.26", requirements=("numpy==1.26.4", "array"))
    done = both.run("lock")
    assert done.returncode == 0, done.stderr
    assert both.versions()["numpy"] == "1.26.4"
    assert pins(both) == {"array": "1.0"}
    text = both.locked("one")[f"{VARIANT}.txt"].decode()
    assert "numpy==" not in text


def test_the_profiles_own_bound_moves_conda(both: CondaFolder) -> None:
    both.conda_profile("one", "numpy", requirements=("numpy==1.26.4",))
    done = both.run("lock")
    assert done.returncode == 0, done.stderr
    assert both.versions()["numpy"] == "1.26.4"


def test_what_conda_has_not_is_locked_of_the_index(both: CondaFolder) -> None:
    both.conda_profile("one", requirements=("classic",))
    assert both.run("lock").returncode == 0
    assert pins(both) == {"classic": "1.0", "numpy": "1.26.4"}


def test_another_spelling_is_the_same_package(both: CondaFolder) -> None:
    both.conda_profile("one", "importlib_metadata", requirements=("reader",))
    done = both.run("lock")
    assert done.returncode == 0, done.stderr
    assert pins(both) == {"reader": "1.0"}


def test_two_that_cannot_agree_are_both_named(both: CondaFolder) -> None:
    both.conda_profile("one", "numpy=2.2", requirements=("classic",))
    done = both.run("lock")
    assert done.returncode == 1
    assert (
        "what the package index demands of conda's packages has no solution for linux-64"
        in done.stderr
    )
    assert "classic 1.0 (<2) asks for numpy <2" in done.stderr
    assert line(both, "numpy=2.2") in done.stderr
    assert both.locked("one") == {}


def test_the_requirement_that_conda_cannot_meet_has_its_line(both: CondaFolder) -> None:
    both.conda_profile("one", "numpy=2.2", requirements=("array", "classic"))
    done = both.run("lock")
    assert line(both, "classic") in done.stderr
    assert line(both, "array") not in done.stderr


def test_a_conflict_within_conda_that_the_index_causes(both: CondaFolder) -> None:
    both.conda_profile("one", "keen", requirements=("oldish",))
    done = both.run("lock")
    assert done.returncode == 1
    assert "oldish 1.0 (==23.0) asks for packaging ==23.0" in done.stderr
    assert "packaging >=24" in done.stderr
    assert line(both, "keen") in done.stderr


def test_a_conflict_of_the_index_alone_is_explained_as_without_conda(both: CondaFolder) -> None:
    both.conda_profile("one", requirements=("classic", "modern"))
    done = both.run("lock")
    assert done.returncode == 1
    assert "no set of versions satisfies every requirement" in done.stderr
    assert line(both, "classic") in done.stderr
    assert line(both, "modern") in done.stderr


def test_a_package_that_no_index_has_is_uvs_to_explain(both: CondaFolder) -> None:
    both.conda_profile("one", "numpy", requirements=("vain",))
    done = both.run("lock")
    assert done.returncode == 1
    assert "no index has nowhere" in done.stderr


def test_an_index_that_is_away_is_not_condas_fault(both: CondaFolder) -> None:
    both.conda_profile("one", "numpy", requirements=("array",))
    done = both.run("lock", UV_DEFAULT_INDEX="http://127.0.0.1:9/simple")
    assert done.returncode == 3
    assert "the package index cannot be reached" in done.stderr


def test_a_failed_agreement_keeps_the_old_lock(both: CondaFolder) -> None:
    both.conda_profile("one", "numpy=2.2", requirements=("modern",))
    assert both.run("lock").returncode == 0
    before = both.locked("one")
    both.conda_profile("one", "numpy=2.2", requirements=("classic",))
    assert both.run("lock").returncode == 1
    assert both.locked("one") == before


def test_a_new_requirement_leaves_the_conda_half_alone(both: CondaFolder) -> None:
    both.conda_profile("one", "numpy", requirements=("array",))
    both.run("lock")
    before = both.locked("one")
    both.conda_profile("one", "numpy", requirements=("array", "modern"))
    done = both.run("lock", CONDARC="/nonexistent")  # nobody is asked
    assert done.returncode == 0, done.stderr
    after = both.locked("one")
    assert after["conda-lock.yml"] == before["conda-lock.yml"]
    assert pins(both) == {"array": "1.0", "modern": "1.0"}


def test_a_new_requirement_moves_the_conda_half_where_it_must(both: CondaFolder) -> None:
    both.conda_profile("one", "packaging", "numpy", requirements=("array",))
    both.run("lock")
    both.conda_profile("one", "packaging", "numpy", requirements=("array", "oldish"))
    done = both.run("lock")
    assert done.returncode == 0, done.stderr
    assert both.versions()["packaging"] == "23.0"
    assert both.versions()["numpy"] == "2.2.6"


def test_offline_after_online_gives_both_halves(both: CondaFolder) -> None:
    both.conda_profile("one", "packaging", requirements=("oldish",))
    both.run("lock")
    before = both.locked("one")
    done = both.run("lock", "--offline", "--force")
    assert done.returncode == 0, done.stderr
    assert both.locked("one") == before


def test_why_knows_who_brings_a_package(both: CondaFolder) -> None:
    both.conda_profile("one", "packaging", requirements=("oldish",))
    both.run("lock")
    done = both.run("why", "one", "packaging")
    assert done.returncode == 0, done.stderr
    assert "23.0" in done.stdout
    assert "oldish" in done.stdout
    assert "conda" in done.stdout


def test_another_python_than_the_profiles_is_refused(both: CondaFolder) -> None:
    both.conda_profile("one", "python=3.12")
    done = both.run("lock")
    assert done.returncode == 1
    assert "conda's Python is 3.12.1, and python.version is 3.11" in done.stderr
    assert both.locked("one") == {}
