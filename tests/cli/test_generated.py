"""The workspaces that growth is measured with are workspaces."""

from __future__ import annotations

from pathlib import Path

from bench import generated

from tests.cli.running import process


def test_generated_profiles_are_locked_and_rendered(tmp_path: Path) -> None:
    generated.make(tmp_path / "many", 3)
    for command, said in (
        (("check",), "3 profiles: 6 warnings, 3 not wholly pinned"),
        (("lock", "--check"), "3 profiles, all locks fresh"),
        (("render",), "3 profiles: 3 written"),
    ):
        done = process(list(command), tmp_path / "many")
        assert (done.exit, done.stderr.splitlines()[-1]) == (0, said)
