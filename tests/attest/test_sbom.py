"""Bills of materials, held against the validators of the ecosystem's own libraries."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from tests.attest.conftest import GOOD, SITE, Space
from tests.cli.running import inside
from tests.support.image import python_package

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(path.name for path in (ROOT / "lockfiles").iterdir())


def cyclonedx(text: str) -> dict[str, object]:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return dict(json.loads(text))


def spdx(path: Path) -> dict[str, object]:
    assert validate_full_spdx_document(parse_file(str(path))) == []
    return dict(json.loads(path.read_bytes()))


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_locks_give_valid_bills(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "lockfiles" / name
    shutil.copytree(ROOT / "lockfiles" / name, place)
    made = inside(["sbom", name], tmp_path, monkeypatch)
    assert made.exit == 0, made.stderr
    bill = cyclonedx(made.stdout)
    assert bill["metadata"]["timestamp"].endswith("T00:00:00+00:00")  # type: ignore[index]
    said = inside(["sbom", name, "--format", "spdx", "-o", "x.spdx.json"], tmp_path, monkeypatch)
    assert said.exit == 0, said.stderr
    document = spdx(tmp_path / "x.spdx.json")
    parts = bill["components"]
    assert len(parts) + 1 == len(document["packages"])  # type: ignore[arg-type]
    assert "/simple/" not in made.stdout
    assert inside(["sbom", name], tmp_path, monkeypatch).stdout == made.stdout


def test_of_an_image(space: Space) -> None:
    image = space.image(GOOD, python_package(SITE, "pip", "23.0"))
    said = space.run("sbom", "one", "--image", image)
    assert said.exit == 0, said.stderr
    assert "1 packages beside the lock" in said.stderr
    bill = cyclonedx(said.stdout)
    found = {part["name"]: part for part in bill["components"]}  # type: ignore[attr-defined]
    rows = {one["name"]: one["value"] for one in found["pip"]["properties"]}
    assert rows["envbuild:origin"] == "image"
    rows = {one["name"]: one["value"] for one in found["beta"]["properties"]}
    assert rows["envbuild:place"] == f"/{SITE}"
    assert bill["serialNumber"] != cyclonedx(space.run("sbom", "one").stdout)["serialNumber"]


def test_an_image_that_lacks_something(space: Space) -> None:
    image = space.image(python_package(SITE, "beta", "1.0"))
    said = space.run("sbom", "one", "--image", image)
    assert (said.exit, said.stdout) == (1, "")
    assert "beta 2.0: the image has 1.0" in said.stderr
    assert "deb curl 7.81: the image has nothing" in said.stderr


def test_without_the_extra_it_is_said_how_to_get_it(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for name in [one for one in sys.modules if one.startswith(("cyclonedx", "packageurl"))]:
            patch.delitem(sys.modules, name)
        patch.setitem(sys.modules, "packageurl", None)
        said = space.run("sbom", "one")
    assert said.exit == 3
    assert "packageurl is not installed" in said.stderr
    assert "pip install 'envbuild[supply-chain]'" in said.stderr


def test_a_base_command_imports_none_of_it(space: Space) -> None:
    import subprocess

    code = (
        "import sys; from envbuild.__main__ import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([n for n in sys.modules if n.split('.')[0] in ('cyclonedx','spdx_tools','packageurl','pip_audit')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "verify", "one"],
        cwd=space.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
