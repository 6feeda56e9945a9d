"""What was found is kept for a day, and forgotten when anything has changed that matters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envbuild.engines import finding, remembering
from envbuild.engines.candidates import Candidate
from envbuild.errors import ToolError

from .programs import HYBRID, OK, PODMAN, Programs, built
from .table import PODMAN as ENGINE
from .table import Table


def test_what_was_found_is_kept_until_something_changes(programs: Programs) -> None:
    programs.add("podman")
    cache = str(programs.root / "cache")
    rows = (("build --layers", built), ("run", OK), *PODMAN)
    first = finding.find("podman", programs.environ, Table(*rows), cache=cache)
    again = Table(*PODMAN[:1])
    assert finding.find("podman", programs.environ, again, cache=cache) == first
    assert len(again.asked) == 1
    changes = (
        lambda: Path(programs.folders[0], "podman").write_text("another"),
        lambda: programs.add("runc"),
        lambda: _settings(programs.root / ".config/containers/storage.conf"),
    )
    for change in changes:
        change()
        table = Table(*rows)
        finding.find("podman", programs.environ, table, cache=cache)
        assert len(table.asked) > 1


def _settings(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("")


def test_a_refusal_is_asked_anew(programs: Programs) -> None:
    programs.add("podman")
    cache = str(programs.root / "cache")
    rows = (*PODMAN[:1], ("build", (125, "", HYBRID)))
    for _ in range(2):
        with pytest.raises(ToolError):
            finding.find("podman", programs.environ, Table(*rows), cache=cache)
    assert not Path(cache).exists()


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"at": 1, "engine": {}}'])
def test_a_broken_or_old_memory_is_none(data: bytes, tmp_path: Path) -> None:
    candidate = Candidate(name="podman", path="/p", version="1", architecture="amd64")
    memory = remembering.Memory(str(tmp_path), candidate, {})
    assert memory.recall() is None
    (tmp_path / memory._name).write_bytes(data)
    assert memory.recall() is None


def test_a_day_is_the_longest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = Candidate(name="podman", path="/p", version="1", architecture="amd64")
    memory = remembering.Memory(str(tmp_path), candidate, {})
    memory.keep(ENGINE)
    assert memory.recall() == ENGINE
    path = next(tmp_path.iterdir())
    kept = json.loads(path.read_text())
    for age, known in ((-86300, True), (-86500, False), (60, False)):
        path.write_text(json.dumps({**kept, "at": kept["at"] + age}))
        assert (memory.recall() == ENGINE) is known


def test_what_cannot_be_kept_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    candidate = Candidate(name="podman", path="/p", version="1", architecture="amd64")
    remembering.Memory(str(tmp_path / "file"), candidate, {}).keep(ENGINE)
