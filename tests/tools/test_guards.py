"""The guards of ``tests/conftest.py`` themselves: each must be able to fail a test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"

BAD = """\
import contextlib, os, socket, subprocess, sys
import pytest

def test_process():
    subprocess.run([sys.executable, "-c", "pass"])

def test_hidden_process():
    with contextlib.suppress(Exception):
        os.system("true")

def test_socket():
    with contextlib.suppress(Exception):
        socket.create_connection(("127.0.0.1", 9), timeout=1)

def test_environment():
    os.environ["LEFT_BEHIND"] = "1"

def test_the_next_one_finds_it_clean():
    assert "LEFT_BEHIND" not in os.environ
"""

GOOD = """\
import subprocess, sys
import pytest

def test_process_elsewhere():
    subprocess.run([sys.executable, "-c", "pass"], check=True)

def test_environment(monkeypatch):
    monkeypatch.setenv("A", "1")

@pytest.mark.container
def test_container():
    raise AssertionError("this must not run without an engine")
"""


def run(root: Path, **environment: str) -> list[str]:
    """The outcome of each test of the two files, as pytest's own lines say it."""
    (root / "tests/unit").mkdir(parents=True)
    shutil.copy(CONFTEST, root / "tests/conftest.py")
    (root / "tests/unit/test_bad.py").write_text(BAD)
    (root / "tests/test_good.py").write_text(GOOD)
    (root / "pytest.ini").write_text("[pytest]\nmarkers =\n  container: x\n  network: x\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-rA", "-p", "no:cacheprovider", "tests"],
        cwd=root,
        env={"PATH": str(root), "HOME": str(root), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    words = ("PASSED", "FAILED", "ERROR")
    lines = done.stdout.splitlines()
    skipped = [f"SKIPPED {line.split(': ', 1)[1]}" for line in lines if line[:9] == "SKIPPED ["]
    ended = [line.replace("tests/", "") for line in lines if line.startswith(words)]
    return sorted([*skipped, *(" ".join(line.split()[:2]) for line in ended if "::" in line)])


@pytest.fixture(autouse=True)
def _no_xdist(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST")]:
        monkeypatch.delenv(name)


def test_each_guard_fails_what_it_is_for(tmp_path: Path) -> None:
    assert run(tmp_path) == [
        "ERROR unit/test_bad.py::test_environment",
        "ERROR unit/test_bad.py::test_hidden_process",
        "ERROR unit/test_bad.py::test_process",
        "ERROR unit/test_bad.py::test_socket",
        "FAILED unit/test_bad.py::test_process",
        "PASSED test_good.py::test_environment",
        "PASSED test_good.py::test_process_elsewhere",
        "PASSED unit/test_bad.py::test_environment",
        "PASSED unit/test_bad.py::test_hidden_process",
        "PASSED unit/test_bad.py::test_socket",
        "PASSED unit/test_bad.py::test_the_next_one_finds_it_clean",
        "SKIPPED not run: neither podman nor docker is installed",
    ]


def test_in_ci_a_missing_means_is_an_error(tmp_path: Path) -> None:
    outcomes = run(tmp_path, CI="true")
    assert "ERROR test_good.py::test_container" in outcomes


def test_a_missing_means_is_said(tmp_path: Path) -> None:
    assert "SKIPPED not run: neither podman nor docker is installed" in run(tmp_path)
