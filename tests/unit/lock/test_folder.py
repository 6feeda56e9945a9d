"""The header of a lock: its bytes, its seal, and what is refused."""

import msgspec
import pytest
from tests.support.locks import INPUT, variant

from envbuild.errors import InputError
from envbuild.lock.folder import (
    NewerFormatError,
    decode,
    encode,
    files_of,
    input_digest,
    named_files,
)
from envbuild.lock.model import CondaHalf, CondaInput, CondaTarget, FileDigest, Lock

LABEL = "lockfiles/one/envbuild.lock.json"
LOCK = Lock(
    format=3,
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
    later = encode(LOCK).replace(b'"format": 3', b'"format": 4')
    with pytest.raises(NewerFormatError, match="format 4; this envbuild reads up to 3"):
        decode(later, LABEL)
    with pytest.raises(NewerFormatError, match="format 4; this envbuild reads up to 3"):
        decode(later.replace(b'"profile"', b'"of-later"'), LABEL)
    with pytest.raises(InputError, match="cannot be read"):
        decode(later[:9], LABEL)


def variant_of(**asked: object) -> dict[str, object]:
    """A variant of a header as JSON has it, with this in its input."""
    base = {"image": "i", "python": "3.11", "platform": "p", "as-of": "a", "requirements": []}
    wheels = {"path": "a.txt", "sha256": "0" * 64}
    return {"digest": "d", "input": {**base, **asked}, "wheels": wheels}


OF_FORMAT_1 = {
    "format": 1,
    "profile": "one",
    "tools": {},
    "variants": {"v": variant_of(conda=["channel conda-forge", "python=3.11", "__glibc=2.35"])},
}
"""Before conda halves were solved, a lock held what was asked of conda as texts."""


def test_an_older_format_is_told_from_a_broken_header() -> None:
    with pytest.raises(InputError, match="has format 1, of an older envbuild") as raised:
        decode(msgspec.json.encode(OF_FORMAT_1), LABEL)
    assert not isinstance(raised.value, NewerFormatError)
    assert raised.value.hint is not None
    assert raised.value.hint.endswith("envbuild lock --force one")


@pytest.mark.parametrize("number", [3, 0, -1])
def test_what_no_format_ever_held_is_broken(number: int) -> None:
    with pytest.raises(InputError, match="cannot be read") as raised:
        decode(msgspec.json.encode({**OF_FORMAT_1, "format": number}), LABEL)
    assert "older" not in raised.value.message


def test_an_older_header_that_says_nothing_of_conda_is_read() -> None:
    """Its input is the same, and so is its digest: nothing has to be locked again."""
    old = {**OF_FORMAT_1, "variants": {"v": variant_of()}}
    assert decode(msgspec.json.encode(old), LABEL).format == 1


def test_the_files_of_a_conda_half_are_the_locks() -> None:
    file = {name: FileDigest(path=name, sha256="0" * 64) for name in "wesxylv"}
    half = CondaHalf(
        solver="s 1",
        packages=(),
        explicit=(file["x"], file["y"]),
        environment=file["e"],
        lock=file["l"],
        virtual=file["v"],
    )
    plain = msgspec.structs.replace(variant(), wheels=file["w"], sources=file["s"])
    assert files_of(plain) == (file["w"], file["s"])
    whole = msgspec.structs.replace(plain, conda=half)
    assert [one.path for one in files_of(whole)] == ["w", "s", "x", "y", "e", "l", "v"]
    named = named_files(msgspec.structs.replace(LOCK, variants={"a": whole, "b": plain}))
    assert named == ("e", "files/a", "l", "s", "v", "w", "x", "y")


def test_what_conda_brings_to_uv_is_not_in_the_digest_of_an_input() -> None:
    """It is an answer; what was asked of conda is the question, and every part of it counts."""
    machine = CondaTarget(platform="linux-64", virtual_packages=("__glibc=2.35",))
    conda = CondaInput(channels=("a", "b"), packages=("python=3.11",), targets=(machine,))
    asked = msgspec.structs.replace(INPUT, conda=conda)
    digest = input_digest(asked)
    assert input_digest(msgspec.structs.replace(asked, installed=("numpy==1",))) == digest
    newer = msgspec.structs.replace(machine, virtual_packages=("__glibc=2.39",))
    others = (
        None,
        msgspec.structs.replace(conda, channels=("b", "a")),
        msgspec.structs.replace(conda, packages=("python=3.12",)),
        msgspec.structs.replace(conda, targets=(newer,)),
        msgspec.structs.replace(conda, targets=()),
    )
    digests = {input_digest(msgspec.structs.replace(asked, conda=one)) for one in others}
    assert len(digests | {digest}) == len(others) + 1


@pytest.mark.parametrize("sign", ["<<<<<<< HEAD", ">>>>>>> theirs"])
def test_the_marks_of_a_merge_are_named(sign: str) -> None:
    data = encode(LOCK).replace(b'  "profile"', f'{sign}\n  "profile"'.encode())
    with pytest.raises(InputError, match="marks of a merge conflict"):
        decode(data, LABEL)
