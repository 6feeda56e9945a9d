"""Bounds and names between conda and Python."""

from __future__ import annotations

import pytest

from envbuild.knowledge import facts
from envbuild.lock.conda import specs
from envbuild.lock.conda.inputs import spec_name


@pytest.mark.parametrize(
    ("python", "conda"),
    [
        ("==23.0", "==23.0"),
        (">=1.2,<2", "<2,>=1.2"),
        ("<2,>=1.2", "<2,>=1.2"),
        (" >=1.2 , != 1.5 ", "!= 1.5,>=1.2"),
        ("===1.0", "==1.0"),
        ("~=2.1", "~=2.1"),
        ("==1.*", "==1.*"),
        ("==2.7.0+cu128", "==2.7.0"),
        (">=1,>=1", ">=1"),
        ("", ""),
    ],
)
def test_bounds_of_python_are_written_as_conda_writes_them(python: str, conda: str) -> None:
    assert specs.from_python(python) == conda


@pytest.mark.parametrize(
    ("name", "depends", "purls", "found"),
    [
        ("numpy", ("python >=3.11,<3.12.0a0",), (), "numpy"),
        ("Typing_Extensions", ("python >=3.8",), (), "typing-extensions"),
        ("ruamel.yaml", ("python",), (), "ruamel-yaml"),
        ("tool", ("python[version='>=3']",), (), "tool"),
        ("zlib", ("libgcc >=13",), (), ""),
        ("cpython", ("python_abi 3.11.* *_cp311",), (), ""),
        ("pytorch", ("python >=3.11,<3.12.0a0",), (), "torch"),
        ("importlib_metadata", ("python >=3.8",), (), ""),
        ("python_abi", (), (), ""),
    ],
)
def test_the_python_package_of_a_conda_package(
    name: str, depends: tuple[str, ...], purls: tuple[str, ...], found: str
) -> None:
    assert specs.python_name(name, depends, purls, facts.conda_names()) == found


def test_the_channels_own_word_stands_above_what_is_known() -> None:
    purls = ("pkg:conda/pytorch@2.7", "pkg:pypi/Torch-CPU@2.7.0?x=1#y")
    assert specs.python_name("pytorch", (), purls, {"pytorch": "torch"}) == "torch-cpu"


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("python", "python"),
        ("Python=3.11", "python"),
        ("libstdcxx-ng>=12", "libstdcxx-ng"),
        ("numpy 1.26.*", "numpy"),
        ("numpy!=1.26", "numpy"),
        ("numpy~=1.26", "numpy"),
        ("conda-forge::ruamel.yaml>=1", "ruamel.yaml"),
        ("nvidia/label/cuda-12.8.0::cuda-nvcc", "cuda-nvcc"),
        ("pytorch[build=*cuda*]", "pytorch"),
    ],
)
def test_the_package_of_a_specification(spec: str, name: str) -> None:
    assert spec_name(spec) == name
