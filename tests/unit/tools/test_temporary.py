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
