"""The shipped profiles from their committed locks: what each export holds is what the lock holds."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from envbuild.lock.requirements import parse
from tests.cli.running import inside

ROOT = Path(__file__).parents[2]
HEADERS: dict[str, dict[str, Any]] = {
    path.parent.name: json.loads(path.read_text())["variants"]
    for path in sorted(ROOT.glob("lockfiles/*/envbuild.lock.json"))
}
EACH = [(profile, variant) for profile, variants in HEADERS.items() for variant in variants]
CONDA = [(profile, name) for profile, name in EACH if "conda" in HEADERS[profile][name]]


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs the command in the checkout; what it prints."""

    def run(profile: str, variant: str, form: str) -> str:
        words = ["-C", str(ROOT), "export", profile, "--variant", variant, "--format", form]
        said = inside(words, tmp_path, monkeypatch)
        assert said.exit == 0, said.stderr
        return said.stdout

    return run


def pinned(profile: str, variant: str) -> dict[str, str]:
    return {row["name"]: row["version"] for row in HEADERS[profile][variant].get("packages", ())}


def test_there_are_locks_with_and_without_a_conda_half() -> None:
    assert CONDA
    assert len(CONDA) < len(EACH)


@pytest.mark.parametrize(("profile", "variant"), EACH)
def test_requirements(export, profile: str, variant: str) -> None:
    read = parse(export(profile, variant, "requirements"))
    assert {one.name: one.version for one in read} == pinned(profile, variant)
    assert all(one.hashes for one in read)


@pytest.mark.parametrize(("profile", "variant"), EACH)
def test_pixi(export, profile: str, variant: str) -> None:
    read = tomllib.loads(export(profile, variant, "pixi"))
    exact = {name: f"=={version}" for name, version in pinned(profile, variant).items()}
    assert read.get("pypi-dependencies", {}) == exact
    half = HEADERS[profile][variant].get("conda")
    names = {row["name"] for row in half["packages"]} if half else {"python"}
    assert read["dependencies"].keys() == names


@pytest.mark.parametrize(("profile", "variant"), EACH)
def test_devcontainer(export, profile: str, variant: str) -> None:
    build = json.loads(export(profile, variant, "devcontainer"))["build"]
    here = ROOT / ".devcontainer"
    assert Path(os.path.normpath(here / build["dockerfile"])).is_file()
    assert Path(os.path.normpath(here / build["context"])).is_dir()


@pytest.mark.parametrize(("profile", "variant"), CONDA)
def test_conda_s_formats(export, profile: str, variant: str) -> None:
    half = HEADERS[profile][variant]["conda"]
    file = ROOT / "lockfiles" / profile / half["explicit"][0]["path"]
    assert export(profile, variant, "explicit") == file.read_text()
    read = yaml.safe_load(export(profile, variant, "environment"))
    *conda, part = read["dependencies"]
    assert conda == [f"{row['name']}={row['version']}={row['build']}" for row in half["packages"]]
    assert [line.split()[0] for line in part["pip"]] == [
        f"{name}=={version}" for name, version in sorted(pinned(profile, variant).items())
    ]
