"""Every case in ``cases/``: a command line and its whole answer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from envbuild import __version__
from tests.cli import case as cases
from tests.cli import running

HERE = Path(__file__).parent
FOLDER = HERE / "cases"
ROOT = HERE.parents[1]
NAMES = sorted(path.stem for path in FOLDER.glob("*.case"))


def filtered(text: str, root: Path) -> str:
    """The text without what differs between machines, versions and moments."""
    text = text.replace(str(root), "[WORKSPACE]").replace(str(ROOT), "[CHECKOUT]")
    text = re.sub(rf"\b{re.escape(__version__)}\b", "[VERSION]", text)
    text = re.sub(r"\(\d+\.\d s\)", "([SECONDS] s)", text)
    text = text.replace("\x1b", "[ESC]")
    return text if text.endswith("\n") or not text else f"{text}[NO NEWLINE]\n"


def test_there_are_cases() -> None:
    assert len(NAMES) >= 30


@pytest.mark.parametrize("name", NAMES)
def test_case(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update_cases: bool
) -> None:
    path = FOLDER / f"{name}.case"
    expected = cases.read(path.read_text())
    actual = cases.read(path.read_text())
    root = tmp_path / "work"
    root.mkdir()
    cases.place(expected, root)
    try:
        for command in actual.commands:
            _run(command, actual, root, monkeypatch)
    finally:
        for folder in expected.folders:
            (root / folder).chmod(0o755)
    if update_cases:
        path.write_text(cases.written(actual))
    else:
        assert cases.written(actual) == path.read_text()


def _run(
    command: cases.Command, case: cases.Case, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case.process:
        said = running.process(command.arguments, root, case.environment, plain_rights=True)
    else:
        said = running.inside(command.arguments, root, monkeypatch, case.environment)
    assert said.exit != 4, said.stderr  # a bug is no answer that a case may expect
    command.exit = said.exit
    command.stdout = filtered(said.stdout, root)
    command.stderr = filtered(said.stderr, root)
    for name in command.wrote:
        command.wrote[name] = filtered((root / name).read_text(), root)
