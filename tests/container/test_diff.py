"""Two images of a real engine, compared without running them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.image import python_package
from tests.support.workspace import ENVBUILD

if TYPE_CHECKING:
    from .conftest import Engine

pytestmark = pytest.mark.container

KIT = "isaac-sim/kit/python/lib/python3.11/site-packages"
VENV = "opt/venv/lib/python3.11/site-packages"
TAGS = ("envbuild-tests/diff:old", "envbuild-tests/diff:new")


@pytest.fixture(scope="module")
def images(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Two images from nothing but the records of packages; the second has a layer over the first."""
    root = tmp_path_factory.mktemp("images")
    records = {
        "old": {
            **python_package(KIT, "numpy", "1.26.0"),
            **python_package(VENV, "torch", "2.6.0"),
        },
        "new": {
            **python_package(VENV, "numpy", "2.2.6"),
            **python_package(VENV, "torch", "2.7.0"),
        },
    }
    for name, files in records.items():
        for path, text in files.items():
            (root / name / path).parent.mkdir(parents=True, exist_ok=True)
            (root / name / path).write_text(text)
    (root / "old.Dockerfile").write_text("FROM scratch\nLABEL made=first\nCOPY old /\n")
    (root / "new.Dockerfile").write_text(f"FROM {TAGS[0]}\nLABEL made=second\nCOPY new /\n")
    for tag, name in zip(TAGS, records, strict=True):
        file = str(root / f"{name}.Dockerfile")
        engine("build", "--pull=never", "--network=none", "--tag", tag, "--file", file, str(root))
    return TAGS


def diff(engine: Engine, *arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [ENVBUILD, "diff", *arguments],
        env=engine.environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_images_of_the_engine(engine: Engine, images: tuple[str, str], tmp_path: Path) -> None:
    said = diff(engine, *images, cwd=tmp_path)
    assert f"numpy in /{VENV}  + 2.2.6" in said
    assert f"1.26.0 in /{KIT}" in said
    assert "label made  first -> second" in said
    assert "nothing moved" in diff(engine, images[0], images[0], cwd=tmp_path)


@pytest.mark.parametrize("form", ["oci-dir", "oci-archive", "docker-archive"])
def test_every_form_in_which_an_image_is_saved(
    engine: Engine, images: tuple[str, str], tmp_path: Path, form: str
) -> None:
    path = tmp_path / "image"
    engine("save", "--quiet", "--format", form, "--output", str(path), images[1])
    named = f"{'oci' if form == 'oci-dir' else 'tar'}:image"
    said = diff(engine, images[1], named, cwd=tmp_path)
    assert "nothing moved" in said
