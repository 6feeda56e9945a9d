"""What is exported is read by the tools that it is for, or by their own parsers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.running import inside
from tests.support.conda_values import record
from tests.support.exports import CONDA, PLAIN, Locking, pin, place

PINS = {"alpha==1.0": "wheel", "beta==2": "source", "gamma==3": "stub"}
SAID = Locking(pins=PINS)
_EXPLICIT = """
import json, os, sys
from pathlib import Path
from rattler.explicit_environment import ExplicitEnvironmentSpec
read = ExplicitEnvironmentSpec.from_path(Path(sys.argv[1]))
print(json.dumps([str(read.platform), [one.url for one in read.packages]]), flush=True)
os._exit(0)
"""
"""py-rattler may crash when the interpreter ends: it does not come to that."""
_CONDA_LOCK = """
import json, sys
from pathlib import Path
from conda_lock.src_parser.environment_yaml import parse_environment_file
read = parse_environment_file(Path(sys.argv[1]), ["linux-64"], mapping_url="")
rows = [[one.name, one.version, one.build] for one in read.dependencies["linux-64"]]
print(json.dumps([[channel.url for channel in read.channels], rows]))
"""
_PIP = """
import json, sys
from pip._internal.network.session import PipSession
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.req.req_file import parse_requirements
rows = parse_requirements(sys.argv[1], session=PipSession())
made = [install_req_from_parsed_requirement(row) for row in rows]
assert all(one.is_pinned for one in made)
print(json.dumps({str(one.req): sorted(one.hash_options["sha256"]) for one in made}))
"""


def read_by(script: str, path: Path) -> object:
    """What a script says of a file, in a process of its own."""
    argv = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    found: object = json.loads(done.stdout)
    return found


@pytest.fixture
def exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes an export to a file; its path."""

    def write(text: str, form: str, said: Locking = SAID) -> Path:
        place(tmp_path, text, said)
        done = inside(["export", "one", "--format", form, "-o", "out"], tmp_path, monkeypatch)
        assert done.exit == 0, done.stderr
        return tmp_path / "out"

    return write


HASHES = {text: [one.removeprefix("sha256:") for one in pin(text).hashes] for text in PINS}


def test_pip_reads_the_requirements(exported) -> None:
    assert read_by(_PIP, exported(PLAIN, "requirements")) == HASHES


def test_pip_reads_the_pip_part_of_an_environment(exported, tmp_path: Path) -> None:
    *_, part = yaml.safe_load(exported(CONDA, "environment").read_text())["dependencies"]
    listed = tmp_path / "listed.txt"  # as conda hands it to pip
    listed.write_text("\n".join(part["pip"]))
    assert read_by(_PIP, listed) == HASHES


def test_conda_lock_reads_the_conda_part_of_an_environment(exported) -> None:
    records = {
        "linux-64": (
            record("_libgcc_mutex", "0.1", build="conda_forge"),
            record("openssl", "1!3.6.1", build="h0_1"),
            record("python", "3.11.14", build="hd63d673_3_cpython"),
        ),
        "linux-aarch64": (),
    }
    path = exported(CONDA, "environment", Locking(pins={}, records=records))
    assert read_by(_CONDA_LOCK, path) == [
        ["world"],
        [
            ["_libgcc_mutex", "0.1", "conda_forge"],
            ["openssl", "1!3.6.1", "h0_1"],
            ["python", "3.11.14", "hd63d673_3_cpython"],
        ],
    ]


def test_rattler_reads_the_explicit_file(exported) -> None:
    path = exported(CONDA, "explicit")
    assert read_by(_EXPLICIT, path) == ["linux-64", path.read_text().splitlines()[2:]]
