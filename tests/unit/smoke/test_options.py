"""What the options of `envbuild smoke` and `envbuild run` mean."""

from __future__ import annotations

import pytest

from envbuild.cli import smoking
from envbuild.engines.model import Mount
from envbuild.errors import InputError


def test_mounts_are_read_only_unless_they_are_said_to_be_written(tmp_path):
    (tmp_path / "data").mkdir()
    found = smoking.mounts(("data:/in", "data:/out:rw", f"{tmp_path}/data:/abs:ro"), str(tmp_path))
    source = str(tmp_path / "data")
    assert found == (
        Mount(source=source, target="/in"),
        Mount(source=source, target="/out", writable=True),
        Mount(source=source, target="/abs"),
    )


@pytest.mark.parametrize("text", ["data", "data:in", ":/in", "data:/in:x", "absent:/in"])
def test_what_is_no_mount_is_refused(tmp_path, text):
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError):
        smoking.mounts((text,), str(tmp_path))


def test_a_variable_has_its_value_or_the_one_that_it_has_here():
    found = smoking.variables(("A=1", "B", "C=", "D=x=y", "E"), {"B": "2"})
    assert found == (("A", "1"), ("B", "2"), ("C", ""), ("D", "x=y"))


@pytest.mark.parametrize("text", ["=1", "A B=1", ""])
def test_what_names_no_variable_is_refused(text):
    with pytest.raises(InputError):
        smoking.variables((text,), {})
