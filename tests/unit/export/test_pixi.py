import tomllib

from envbuild.export import pixi
from tests.support.conda_values import record
from tests.support.exports import CONDA, FULL, PLAIN, RECORDS, Locking, digest, exported


def manifest(text: str, said: Locking = Locking()):  # noqa: B008
    return tomllib.loads(pixi.text(exported(text, said)))


def test_conda_and_python_packages_are_pinned_exactly() -> None:
    assert manifest(CONDA) == {
        "workspace": {"name": "one", "channels": ["world"], "platforms": ["linux-64"]},
        "system-requirements": {
            "linux": "5.10",
            "cuda": "12.6",
            "libc": {"family": "glibc", "version": "2.35"},
        },
        "dependencies": {
            "pip": {
                "version": "==25.0",
                "build": "pyh_0",
                "sha256": digest("linux-64/pip-25.0-pyh_0.conda"),
            },
            "python": {
                "version": "==3.11.14",
                "build": "h1_cpython",
                "sha256": digest("linux-64/python-3.11.14-h1_cpython.conda"),
            },
        },
        "pypi-dependencies": {"alpha": "==1.0"},
        "activation": {"env": {"GREETING": 'it\'s $HOME: "yes"', "HEADLESS": "1"}},
    }


def test_the_top_says_what_it_is_of_and_what_is_set_aside() -> None:
    top = pixi.text(exported(CONDA)).partition("\n\n")[0].splitlines()
    assert top[2:] == [
        "# As pixi.toml in a folder of its own: pixi install",
        "# pywin32 is left out: it is for Windows",
    ]


def test_without_a_conda_half_python_is_all_that_conda_brings() -> None:
    read = manifest(PLAIN)
    assert read["workspace"]["channels"] == ["conda-forge"]
    assert read["dependencies"] == {"python": "3.11.*"}
    assert read["system-requirements"] == {"libc": {"family": "glibc", "version": "2.35"}}
    assert "activation" not in read


def test_a_patch_release_of_python_is_exact() -> None:
    read = manifest(PLAIN.replace('"3.11"', '"3.11.9"'))
    assert read["dependencies"] == {"python": "==3.11.9"}


def test_the_accelerator_is_what_the_machine_must_have() -> None:
    assert manifest(FULL)["system-requirements"]["cuda"] == "12.6"


def test_another_platform_is_named_as_conda_names_it() -> None:
    arm = PLAIN.replace("linux-amd64-cpu", "linux-arm64-cpu")
    assert manifest(arm)["workspace"]["platforms"] == ["linux-aarch64"]


def test_where_there_are_several_channels_each_package_names_its_own() -> None:
    records = {
        "linux-64": (record("pip", "25.0", channel="second"), record("python", "3.11.14")),
        "linux-aarch64": RECORDS["linux-aarch64"],
    }
    several = CONDA.replace("[world]", "[world, second]")
    read = manifest(several, Locking(records=records))["dependencies"]
    assert {name: row["channel"] for name, row in read.items()} == {
        "pip": "second",
        "python": "world",
    }


def test_a_lock_without_python_packages_has_no_such_table() -> None:
    assert "pypi-dependencies" not in manifest(PLAIN, Locking(pins={}))


def test_a_machine_is_read_from_the_virtual_packages() -> None:
    more = '  virtual-packages: {__archspec: zen4, __glibc: "", __cuda: "13.0"}\npython:\n'
    read = manifest(CONDA.replace("python:\n", more, 1))
    assert read["system-requirements"] == {"linux": "5.10", "cuda": "13.0"}
