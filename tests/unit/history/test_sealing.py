"""The file of a night: sealed, and known for what it is when it is damaged."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envbuild.errors import InputError
from envbuild.history import sealing
from envbuild.history.sealing import BrokenError, named, sealed, unsealed
from tests.support.nights import hostile, night, profile

NIGHT = night(profiles=[profile(lock="sha256:" + "7" * 64)])
DATA = sealed(NIGHT)


def why(data: bytes, name: str = NIGHT.id) -> str:
    with pytest.raises(BrokenError) as raised:
        unsealed(data, name)
    return str(raised.value)


def test_a_night_is_read_as_it_was_written():
    assert unsealed(DATA, NIGHT.id) == NIGHT
    assert json.loads(DATA)["night"]["name"] == NIGHT.name
    assert unsealed(sealed(hostile()), hostile().id) == hostile()


@given(st.integers(0, len(DATA) - 1))
def test_a_file_that_is_cut_anywhere_is_said_to_be_cut(at):
    assert why(DATA[:at]) == ("it is cut off" if at else "it is empty")


@given(st.integers(0, len(DATA) - 2), st.integers(1, 255))
def test_a_byte_that_changed_is_noticed(at, by):
    changed = DATA[:at] + bytes([DATA[at] ^ by]) + DATA[at + 1 :]
    assert why(changed)


@given(st.binary(max_size=300))
def test_bytes_of_anything_are_no_night(data):
    assert why(data)


def test_a_merge_of_git_is_named():
    text = b"<<<<<<< ours\n" + DATA + b"=======\n" + DATA + b">>>>>>> theirs\n"
    assert why(text) == "it holds the marks of a merge conflict"


def test_an_edit_is_named():
    assert "its seal does not fit" in why(DATA.replace(b"night-0", b"night-1"))
    assert "its seal does not fit" in why(msgspec.json.format(DATA, indent=2) + b"\n")


def test_a_renamed_file_is_named():
    assert why(DATA, "another").startswith(f"it holds the night '{NIGHT.id}'")


def test_a_newer_format_is_named_even_if_its_fields_are_others():
    later = msgspec.structs.replace(NIGHT, schema=2)
    assert why(sealed_as(msgspec.json.encode(later))) == (
        "it has format 2, of a newer envbuild: upgrade envbuild"
    )
    other = sealed_as(b'{"schema":9,"id":17}')
    assert "format 9" in why(other)
    assert "it holds no night" in why(sealed_as(b'{"schema":1,"id":17}'))
    assert "it holds no night" in why(sealed_as(b"[" * 100_000))


def sealed_as(body: bytes) -> bytes:
    digest = sealing.hashlib.sha256(body).hexdigest().encode()
    return b'{"seal":"%s","night":%s}\n' % (digest, body)


def test_fields_of_a_later_envbuild_do_no_harm():
    more = msgspec.json.encode(msgspec.to_builtins(NIGHT) | {"weather": "rain"})
    assert unsealed(sealed_as(more), NIGHT.id) == NIGHT


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "-x", ".x", "a\n", "x" * 200, "a\0"])
def test_an_id_is_the_name_of_a_file(name):
    with pytest.raises(InputError, match="is no id of a night"):
        sealed(night(id=name))


def test_what_could_not_be_read_again_is_not_written():
    with pytest.raises(ValueError, match="cannot be kept"):
        sealed(night(overhead=float("inf")))


def test_a_path_that_is_no_utf8_is_kept_in_other_words():
    found = unsealed(sealed(night(notes=("a\udcff\\ud800",))), NIGHT.id)
    assert found.notes == ("a\\udcff\\ud800",)


def test_what_a_damaged_file_names_is_known():
    assert named(DATA[:-30]) == {"sha256:" + "7" * 64}
