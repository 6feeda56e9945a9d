"""Which metadata files of uv's cache are read, and in which order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envbuild.tools.uvcache import MetadataFiles


def revision(cache: Path, name: str, *, age: int, **files: str) -> None:
    """A folder that uv made ``age`` seconds ago; ``files``: metadata (uv's own), info (PKG-INFO)."""
    place = cache / "sdists-v10/pypi/tool/1.0" / name
    (place / "src").mkdir(parents=True)
    for kind, text in files.items():
        path = {"metadata": "metadata.msgpack", "info": "src/PKG-INFO"}[kind]
        (place / path).write_text(text)
    os.utime(place, (1e9 - age, 1e9 - age))


def in_use(cache: Path, name: str, pointer: str = "revision.http") -> None:
    path = cache / "sdists-v10/pypi/tool/1.0" / pointer
    path.write_bytes(b"\x92\xb0" + name.encode() + b"\xa0\x00")


def found(cache: Path) -> list[str]:
    return [data.decode() for data in MetadataFiles(str(cache))("tool", "1.0")]


@pytest.mark.parametrize("pointer", ["revision.http", "revision.rev"])
def test_the_one_in_use_comes_first(tmp_path: Path, pointer: str) -> None:
    revision(tmp_path, "aaaa", age=1, metadata="newer")
    revision(tmp_path, "bbbb", age=9, metadata="used", info="its own")
    in_use(tmp_path, "bbbb", pointer)
    assert found(tmp_path) == ["used", "its own", "newer"]


def test_while_it_is_built_anew_the_newest_others_are_read(tmp_path: Path) -> None:
    for number in range(400):
        revision(tmp_path, f"old-{number}", age=number, metadata=f"old {number}")
    revision(tmp_path, "used", age=0)
    in_use(tmp_path, "used")
    assert found(tmp_path) == ["old 0", "old 1", "old 2"]


def test_a_file_of_unknown_form_names_none(tmp_path: Path) -> None:
    revision(tmp_path, "aaaa", age=2, info="older")
    revision(tmp_path, "bbbb", age=1, info="newer")
    in_use(tmp_path, "something else")
    assert found(tmp_path) == ["newer", "older"]


def test_a_wheel_is_likelier_than_a_source(tmp_path: Path) -> None:
    revision(tmp_path, "aaaa", age=1, metadata="source")
    wheels = tmp_path / "wheels-v8/pypi/tool"
    wheels.mkdir(parents=True)
    (wheels / "1.0-py3-none-any.msgpack").write_text("wheel")
    (wheels / "1.0.1-py3-none-any.msgpack").write_text("another version")
    assert found(tmp_path) == ["wheel", "source"]


def test_no_cache(tmp_path: Path) -> None:
    assert found(tmp_path / "none") == []
