"""The files of a conda half, byte by byte."""

from __future__ import annotations

import pytest
import yaml
from tests.support.conda_values import environment, record, solved, target

from envbuild.lock.conda import lockfile
from envbuild.lock.conda.packages import keeps
from envbuild.tools.conda import Keep

PYTHON = record("python", "3.11.7", "__glibc >=2.17,<3.0.a0", "tzdata", build="0_cpython")
TZDATA = record("tzdata", "2025c", subdir="noarch")


def test_the_environment_file() -> None:
    text = lockfile.environment_text(
        environment("python=3.11", "tool>=1,<2", targets=(target(), target("linux-aarch64"))),
        profile="one",
        notes=("packaging ==23.0: for tool 1.0 (==23.0)",),
    )
    assert text == (
        "# Rendered by envbuild from the profile one: change that, and lock again.\n"
        "# packaging ==23.0: for tool 1.0 (==23.0)\n"
        "name: one\n"
        "channels:\n"
        '  - "world"\n'
        "  - nodefaults\n"
        "platforms:\n"
        "  - linux-64\n"
        "  - linux-aarch64\n"
        "dependencies:\n"
        '  - "python=3.11"\n'
        '  - "tool>=1,<2"\n'
    )


def test_the_virtual_packages() -> None:
    one = target("linux-64", "__cuda=12.8")
    assert lockfile.virtual_text(environment("tool", targets=(one,))) == (
        "subdirs:\n"
        "  linux-64:\n"
        "    packages:\n"
        '      __archspec: "1 x86_64"\n'
        '      __cuda: "12.8"\n'
        '      __glibc: "2.35"\n'
        '      __linux: "5.10"\n'
        '      __unix: "0"\n'
    )


def test_the_explicit_file_names_every_package_with_its_sha256() -> None:
    text = lockfile.explicit_text((TZDATA, PYTHON), platform="linux-64")
    assert text == (
        "# platform: linux-64\n"
        "@EXPLICIT\n"
        "https://conda.anaconda.org/world/linux-64/python-3.11.7-0_cpython.conda"
        f"#sha256:{PYTHON.sha256}\n"
        f"https://conda.anaconda.org/world/noarch/tzdata-2025c-0.conda#sha256:{TZDATA.sha256}\n"
    )


def test_what_an_explicit_file_names_can_be_kept() -> None:
    old = record("a-b.c", "1_2", build="h_0").url.replace(".conda", ".tar.bz2")
    text = lockfile.explicit_text((TZDATA, PYTHON), platform="linux-64")
    text += f"{old}#sha256:{'0' * 64}\n# a comment\nhttps://a.example/x.conda\n"
    assert keeps(text) == (
        Keep(name="python", sha256=PYTHON.sha256),
        Keep(name="tzdata", sha256=TZDATA.sha256),
        Keep(name="a-b.c", sha256="0" * 64),
    )


def locked(*, reverse: bool = False) -> str:
    records = (TZDATA, PYTHON) if reverse else (PYTHON, TZDATA)
    arm = record("python", "3.11.7", subdir="linux-aarch64")
    platforms = {"linux-64": records, "linux-aarch64": (arm,)}
    if reverse:
        platforms = dict(reversed(platforms.items()))
    return lockfile.lock_text(
        environment("python", targets=(target(), target("linux-aarch64"))),
        platforms,
        head={"profile": "one", "name": "conda-lock.yml", "wheels": "x.txt"},
        source="environment.yml",
        custom={"solver": "py-rattler 0.28.0"},
    )


def test_the_lock_begins_with_how_it_is_installed() -> None:
    head = locked().partition("version: 1\n")[0]
    assert "conda-lock install --prefix PREFIX conda-lock.yml\n" in head
    assert "pip install --no-deps --require-hashes -r x.txt\n" in head
    assert "envbuild install one PREFIX\n" in head
    assert all(line.startswith("# ") for line in head.splitlines())


def test_the_order_of_the_lock_is_that_of_names_and_platforms() -> None:
    rows = yaml.safe_load(locked())["package"]
    assert [(row["name"], row["platform"]) for row in rows] == [
        ("python", "linux-64"),
        ("python", "linux-aarch64"),
        ("tzdata", "linux-64"),
    ]


def test_the_lock_is_the_same_in_whatever_order_the_answer_came() -> None:
    assert locked(reverse=True) == locked()


def test_an_entry_of_the_lock() -> None:
    row = yaml.safe_load(locked())["package"][0]
    assert list(row) == [
        *("name", "version", "manager", "platform", "dependencies", "url", "hash"),
        *("category", "optional"),
    ]
    assert row["dependencies"] == {"__glibc": ">=2.17,<3.0.a0", "tzdata": ""}
    assert row["hash"] == {"md5": PYTHON.md5, "sha256": PYTHON.sha256}


def test_a_version_that_yaml_takes_for_a_number_stays_text() -> None:
    text = lockfile.lock_text(
        environment("tool"),
        solved(record("tool", "1.10"), record("other", "1e3"), record("third", "0x10")),
        head={"profile": "one", "name": "conda-lock.yml", "wheels": "x.txt"},
        source="environment.yml",
        custom={},
    )
    rows = yaml.safe_load(text)["package"]
    assert [row["version"] for row in rows] == ["1e3", "0x10", "1.10"]


def test_parts_of_a_virtual_package() -> None:
    assert lockfile.virtual_parts("__glibc=2.35") == ("__glibc", "2.35", "")
    assert lockfile.virtual_parts("__archspec=1=x86_64") == ("__archspec", "1", "x86_64")


@pytest.mark.parametrize(
    "value", ["yes", "0o17", "~", "1e3", "a: b", "#", "", " x ", "\U0001f600", "\x9f", "'", "\\"]
)
def test_a_scalar_is_text_whatever_it_looks_like(value: str) -> None:
    written = lockfile.scalar(value)
    assert yaml.safe_load(f"key: {written}\n") == {"key": value}
    assert written.startswith('"')
    assert "\n" not in written
