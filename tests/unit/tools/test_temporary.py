"""Temporary files and folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from envbuild.tools import temporary


def test_scratch_is_gone_afterwards_and_keeps_the_users_errors() -> None:
    places = []

    def use() -> None:
        with temporary.scratch({"a": "é"}) as place:
            places.append(Path(place))
            assert Path(place, "a").read_text(encoding="utf-8") == "é"
            raise FileNotFoundError("the user's own")

    with pytest.raises(FileNotFoundError, match="the user's own"):
        use()
    assert not places[0].exists()


def test_what_is_left_beside_is_removed_and_what_took_its_place_is_not(tmp_path: Path) -> None:
    wanted = tmp_path / "new" / "place"
    with temporary.beside(str(wanted)) as folder:
        Path(folder, "inner").mkdir(parents=True)
    assert list(wanted.parent.iterdir()) == []
    with temporary.beside(str(wanted)) as folder:
        Path(folder).mkdir()
        Path(folder).rename(wanted)
    assert list(wanted.parent.iterdir()) == [wanted]


def test_what_a_killed_process_has_left_is_removed_and_what_is_in_use_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    left = tmp_path / f"envbuild-{'0' * 16}"
    (left / "inner").mkdir(parents=True)
    new = tmp_path / f"envbuild-{'1' * 16}"
    new.mkdir()
    foreign = tmp_path / "envbuild-of-somebody"
    foreign.mkdir()
    link = tmp_path / f"envbuild-{'2' * 16}"
    link.symlink_to(foreign)
    with temporary.scratch({"a": "b"}) as place:
        temporary.forget_killed()
        assert Path(place, "a").exists()
        assert sorted(tmp_path.iterdir()) == sorted([Path(place), new, foreign, link])
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    temporary.forget_killed()


def test_what_was_left_beside_is_removed_below_a_folder(tmp_path: Path) -> None:
    wanted = tmp_path / "a/b"
    wanted.mkdir(parents=True)
    (wanted / "log.out.envbuild-0123abcd/inner").mkdir(parents=True)
    (tmp_path / "a/file.envbuild-0123abcd").touch()
    kept = [wanted / ".envbuild-commit", wanted / "x.envbuild-0123"]
    for path in kept:
        path.mkdir()
    temporary.forget_beside(str(tmp_path))
    temporary.forget_beside(str(tmp_path / "nowhere"))
    assert sorted(tmp_path.rglob("*")) == sorted([tmp_path / "a", wanted, *kept])
