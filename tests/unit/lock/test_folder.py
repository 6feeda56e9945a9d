"""The header of a lock: its bytes, its seal, and what is refused."""

import msgspec
import pytest

from envbuild.errors import InputError
from envbuild.lock.folder import NewerFormatError, decode, encode
from envbuild.lock.model import FileDigest, Lock

LABEL = "lockfiles/one/envbuild.lock.json"
LOCK = Lock(
    format=1,
    profile="one",
    tools={"uv": "0.13.8"},
    variants={},
    files=(FileDigest(path="files/a", sha256="0" * 64),),
)


def test_what_is_written_is_sealed_and_read_again() -> None:
    lock = decode(encode(LOCK), LABEL)
    assert len(lock.seal) == 64
    assert msgspec.structs.replace(lock, seal="") == LOCK
    assert encode(lock) == encode(LOCK)


def test_an_edit_breaks_the_seal() -> None:
    with pytest.raises(InputError, match="edited by hand"):
        decode(encode(LOCK).replace(b"files/a", b"files/b"), LABEL)
    with pytest.raises(InputError, match="edited by hand") as raised:
        decode(encode(LOCK).replace(b"0.13.8", b"0.13.9"), LABEL)
    assert raised.value.hint is not None
    assert raised.value.hint.endswith("envbuild lock --force one")


def test_a_header_without_a_seal_is_read() -> None:
    data = msgspec.json.encode(LOCK)
    assert decode(data, LABEL) == LOCK


def test_a_later_format_is_told_from_a_broken_header() -> None:
    later = encode(LOCK).replace(b'"format": 1', b'"format": 2')
    with pytest.raises(NewerFormatError, match="format 2"):
        decode(later, LABEL)
    with pytest.raises(NewerFormatError, match="format 2"):
        decode(later.replace(b'"profile"', b'"of-later"'), LABEL)
    with pytest.raises(InputError, match="cannot be read"):
        decode(later[:9], LABEL)


@pytest.mark.parametrize("sign", ["<<<<<<< HEAD", ">>>>>>> theirs"])
def test_the_marks_of_a_merge_are_named(sign: str) -> None:
    data = encode(LOCK).replace(b'  "profile"', f'{sign}\n  "profile"'.encode())
    with pytest.raises(InputError, match="marks of a merge conflict"):
        decode(data, LABEL)
