import yaml

from envbuild.export import conda
from tests.support.conda_values import record
from tests.support.exports import CONDA, PLAIN, RECORDS, Locking, digest, exported, pin

SEVERAL = CONDA.replace("[world]", "[world, world/label/dev]")


def test_the_explicit_file_stands_as_it_is_in_the_lock() -> None:
    lines = conda.explicit(exported(CONDA)).splitlines()
    assert lines[:2] == ["# platform: linux-64", "@EXPLICIT"]
    file = "linux-64/pip-25.0-pyh_0.conda"
    assert lines[2] == f"https://conda.anaconda.org/world/{file}#sha256:{digest(file)}"
    assert len(lines) == 4


def test_an_environment_pins_version_and_build_and_hands_pip_the_hashes() -> None:
    subject = exported(CONDA, Locking(pins={"alpha==1.0": "wheel", "beta==2": "source"}))
    read = yaml.safe_load(conda.environment(subject))
    assert read == {
        "name": "one",
        "channels": ["world", "nodefaults"],
        "dependencies": [
            "pip=25.0=pyh_0",
            "python=3.11.14=h1_cpython",
            {
                "pip": [
                    " ".join([text, *(f"--hash={one}" for one in pin(text).hashes)])
                    for text in ("alpha==1.0", "beta==2")
                ]
            },
        ],
        "variables": {"GREETING": 'it\'s $HOME: "yes"', "HEADLESS": "1"},
    }


def test_an_environment_says_what_it_is_of() -> None:
    assert conda.environment(exported(CONDA)).splitlines()[:4] == [
        "# Exported by envbuild from the lock of one: do not edit, export again.",
        "# For linux-amd64-cu126: Python 3.11, x86_64-manylinux_2_35, as of 2026-01-01T00:00:00Z.",
        "# On linux-64: conda env create -f FILE",
        "# pywin32 is left out: it is for Windows",
    ]


def test_an_environment_without_python_packages_and_variables_has_no_such_parts() -> None:
    bare = "".join(line for line in CONDA.splitlines(keepends=True) if "HEADLESS" not in line)
    read = yaml.safe_load(conda.environment(exported(bare, Locking(pins={}))))
    assert read.keys() == {"name", "channels", "dependencies"}
    assert all(isinstance(one, str) for one in read["dependencies"])


def test_where_there_are_several_channels_each_package_names_its_own() -> None:
    records = {
        "linux-64": (
            record("pip", "25.0", channel="world/label/dev"),
            record("python", "3.11.14"),
        ),
        "linux-aarch64": RECORDS["linux-aarch64"],
    }
    read = yaml.safe_load(conda.environment(exported(SEVERAL, Locking(records=records))))
    assert read["dependencies"][:2] == ["world/label/dev::pip=25.0=0", "world::python=3.11.14=0"]


def test_without_a_conda_half_nothing_is_pinned() -> None:
    assert conda.pinned(exported(PLAIN)) == ()
