"""Specifications and content hashes, held against conda-lock's own code."""

from __future__ import annotations

import importlib
import itertools
import os
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.support.conda_values import environment, target

from envbuild.lock.conda import lockfile, specs
from envbuild.lock.conda.lockfile import Environment


@pytest.fixture(scope="module", autouse=True)
def conda_lock() -> SimpleNamespace:
    """conda-lock's own modules. Importing them sets a variable, which is taken back."""
    before = dict(os.environ)
    names = {
        "match": "conda_lock.interfaces.vendored_conda",
        "common": "conda_lock.src_parser.conda_common",
        "hashes": "conda_lock.content_hash",
        "parser": "conda_lock.src_parser",
        "virtual": "conda_lock.virtual_package",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what conda-lock brings along
        modules = {key: importlib.import_module(name) for key, name in names.items()}
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    return SimpleNamespace(**modules)


def theirs(conda_lock: SimpleNamespace, depends: list[str]) -> dict[str, str]:
    """What conda-lock's solve_conda makes of a record's ``depends``."""
    match_spec = conda_lock.match.MatchSpec
    found: dict[str, list[object]] = {}
    for text in depends:
        parsed = match_spec(text)
        found.setdefault(parsed.name, []).append(parsed)
    merged = {}
    for name, each in found.items():
        one = each[0] if len(each) == 1 else match_spec.merge(each)[0]
        merged[name] = "" if one.version is None else one.version.spec_str
    return dict(sorted(merged.items()))


NAMES = ("tool", "Tool", "_libgcc_mutex", "a.b", "ruamel.yaml", "__glibc", "libstdcxx-ng")
OPERATORS = ("", "=", "==", ">=", "<=", "!=", ">", "<", "~=")
VERSIONS = ("1", "1.2", "1.2.*", "1.0.post1", "1!2.0", "2025c", "1.0a0", "1_2", "1.2|3.4")
BUILDS = ("", "*", "0", "py_0", "*_cp311", "py311*", "*cuda*")


@pytest.mark.parametrize("operator", OPERATORS)
def test_dependencies_are_read_as_conda_lock_reads_them(
    conda_lock: SimpleNamespace, operator: str
) -> None:
    texts = [
        f"{name} {operator}{version} {build}".strip()
        for name, version, build in itertools.product(NAMES, VERSIONS, BUILDS)
    ]
    texts += [f"tool {operator}{one},<9" for one in VERSIONS]
    texts = [text for text in texts if "~=1.2.*" not in text]  # which is none
    for text in texts:
        assert specs.dependencies([text]) == theirs(conda_lock, [text]), text


@pytest.mark.parametrize(
    "depends",
    [
        [],
        ["tool"],
        ["tool *"],
        ["tool 1.2*"],
        ["tool >=1", "tool <2"],
        ["tool <2", "tool >=1", "other"],
        ["tool", "tool >=1.2,<3"],
        ["python >=3.11,<3.12.0a0", "python_abi 3.11.* *_cp311", "python 3.11.*"],
        ["tool >=1,<=1.2", "tool >=1", "tool >=1 *_cp311"],
        ["tool *", "tool 1.2.* py_0", "tool 1.2,<*"],
        ["python 2.7|>=3.6", "python ==2.7.*|>=3.7"],
        ["astroid >=3.3.3,<3.4.0-dev0", "requests ~=2.26"],
        ["conda-forge::tool >=1"],
        ["tool[version='>=1']"],
    ],
)
def test_several_dependencies_are_joined_as_conda_lock_joins_them(
    conda_lock: SimpleNamespace, depends: list[str]
) -> None:
    assert specs.dependencies(depends) == theirs(conda_lock, depends)


REQUESTS = (
    *("tool", "Tool", "my_tool", "my-tool", "a.b", "_x", "conda-forge::tool", "world/label::tool"),
    *("tool>=1", "tool >=1", "tool>=1,<2", "tool >=1,<2", "tool >= 1", "tool>1!2", "tool!=1.2.*"),
    *("tool=1", "tool=1.2.*", "tool==1.2", "tool~=1.2", "tool 1.2", "tool 1.2.*", "tool=1.0+x"),
    *("tool=1.2=py_0", "tool=1.2=*cuda*", "tool 1.2 py311_0", "tool=*=*cuda*", "tool==1.2=py_0"),
    *("conda-forge::tool>=1", "conda-forge::tool=1=py_0", "tool[version='>=1']", "tool=1.2|3.4"),
    *("tool[build=py_0]", "tool>=1|<0.5", "python=3.11", "libstdcxx-ng>=12", "tool=2025c"),
)


@pytest.mark.parametrize("spec", REQUESTS)
def test_a_specification_is_read_as_conda_lock_reads_it(
    conda_lock: SimpleNamespace, spec: str
) -> None:
    read = conda_lock.common.conda_spec_to_versioned_dep(spec, "main")
    assert specs.requested(spec) == {
        "name": read.name,
        "version": read.version,
        "build": read.build,
        "channel": read.conda_channel,
    }


def their_hashes(conda_lock: SimpleNamespace, asked: Environment, folder: Path) -> dict[str, str]:
    """conda-lock's hashes of what the two files of an environment say."""
    source, machines = folder / "environment.yml", folder / "virtual-packages.yml"
    source.write_text(lockfile.environment_text(asked, profile="one", notes=("a note",)))
    machines.write_text(lockfile.virtual_text(asked))
    specification = conda_lock.parser.make_lock_spec(src_files=[source], mapping_url="unused")
    repo = conda_lock.virtual.virtual_package_repo_from_specification(machines)
    hashes: dict[str, str] = conda_lock.hashes.compute_content_hashes(specification, repo)
    return hashes


@pytest.mark.parametrize(
    "asked",
    [
        environment("python=3.11", "pip"),
        environment("python=3.11", "pip", channels=("world", "conda-forge")),
        environment("tool", channels=("https://packages.example/team/world",)),
        environment("tool", channels=("conda-forge/label/dev", "nvidia/label/cuda-12.8.0")),
        environment(
            *(spec.replace("tool", f"tool{number}") for number, spec in enumerate(REQUESTS))
        ),
        environment("tool", targets=(target(), target("linux-aarch64", "__cuda=13.0"))),
        environment("tool", targets=(target("linux-64", "__archspec=1=x86_64_v3"),)),
        environment("b", "A>=1,<2", targets=(target("linux-64", "__cuda=12.8"),)),
    ],
    ids=lambda asked: " ".join(asked.packages)[:30],
)
def test_the_content_hash_is_conda_locks_own(
    conda_lock: SimpleNamespace,
    asked: Environment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))  # where conda-lock keeps what it makes
    ours = {one.platform: lockfile.content_hash(asked, one) for one in asked.targets}
    assert ours == their_hashes(conda_lock, asked, tmp_path)


def test_the_content_hash_moves_with_channels_packages_and_machines() -> None:
    plain = environment("tool")
    others = (
        environment("tool=1"),
        environment("tool", channels=("other",)),
        environment("tool", channels=("world", "other")),
        environment("tool", targets=(target("linux-64", "__cuda=12.8"),)),
    )
    hashes = {lockfile.content_hash(one, one.targets[0]) for one in (plain, *others)}
    assert len(hashes) == 5
