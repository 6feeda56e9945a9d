"""Locks and logs as they are kept."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envbuild.errors import InputError
from envbuild.history import blobs, cleaning
from envbuild.lock import folder
from envbuild.lock.folder import LockFolder
from envbuild.lock.model import HEADER, Lock
from tests.support import locks

LOCK = Lock(format=3, profile="one", tools={"uv": "0.13.8"}, variants={"v": locks.variant()})


def lock_folder(**texts: bytes) -> LockFolder:
    found = dict.fromkeys(folder.named_files(LOCK), b"numpy==1\n")
    return LockFolder(label="lockfiles/one", header=LOCK, texts=found | texts)


def test_a_lock_comes_back_whole():
    lock = lock_folder()
    digest, data = blobs.lock_blob(lock)
    assert digest == blobs.digest(data)
    again = blobs.lock_of(data, "a lock")
    assert again.texts == lock.texts
    assert again.header is not None
    assert folder.encode(again.header) == folder.encode(LOCK)
    assert blobs.lock_blob(again) == (digest, data)


def test_equal_locks_have_equal_digests_whatever_order_their_files_come_in():
    lock = lock_folder(**{"b/x.txt": b"2", "a.txt": b"1"})
    turned = LockFolder(label="x", header=LOCK, texts=dict(reversed(list(lock.texts.items()))))
    assert blobs.lock_blob(lock) == blobs.lock_blob(turned)
    assert blobs.lock_blob(lock)[0] != blobs.lock_blob(lock_folder())[0]


def test_bytes_that_are_no_text_come_back():
    name = next(iter(folder.named_files(LOCK)))
    odd = lock_folder(**{name: bytes(range(256))})
    assert blobs.lock_of(blobs.lock_blob(odd)[1], "x").texts[name] == bytes(range(256))


def test_what_is_no_lock_is_refused():
    with pytest.raises(InputError, match="holds no lock"):
        blobs.lock_blob(LockFolder(label="lockfiles/one", header=None, texts={}))
    for data in (b"", b"x" * 1024, blobs.lock_blob(lock_folder())[1][:700]):
        with pytest.raises(InputError):
            blobs.lock_of(data, "the lock of a night")
    edited = blobs.lock_blob(lock_folder())[1].replace(b"0.13.8", b"0.13.9")
    with pytest.raises(InputError, match=f"x/{HEADER} is broken"):
        blobs.lock_of(edited, "x")


# --- Logs ----------------------------------------------------------------------------------------


def kept(tmp_path, data: bytes) -> tuple[str, int]:
    path = tmp_path / "log"
    path.write_bytes(data)
    digest, found, size = blobs.log_blob(str(path))
    assert digest == blobs.digest(found)
    return blobs.log_text(found), size


def test_a_log_loses_what_moves_a_cursor_and_what_opens_doors(tmp_path):
    data = (
        b"\x1b[1;31mred\x1b[0m\x1b]0;title\x07 plain\x00\x08\n"
        b"10%\r55%\r100%\r\n"
        b"\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\\n"
        b"GET https://user:secret@host/x token=abcdefgh\n"
        b"\xff\xfe \xe2\x80\xaeright to left\n\tindented\n\n\n"
    )
    text, size = kept(tmp_path, data)
    assert size == len(data)
    assert text == (
        "red plain??\n100%\nclick\nGET https://***@host/x token=***\n"
        "\ufffd\ufffd ?right to left\n    indented\n"
    )


def test_a_long_log_keeps_both_ends_in_whole_lines(tmp_path):
    data = b"".join(b"line %07d token=s3cret%07d\n" % (n, n) for n in range(300_000))
    text, size = kept(tmp_path, data)
    assert size == len(data)
    assert len(text) < blobs.HEAD + blobs.TAIL
    lines = text.splitlines()
    assert lines[0] == "line 0000000 token=***"
    assert lines[-1] == "line 0299999 token=***"
    (cut,) = (line for line in lines if line.startswith("[…"))
    assert cut.endswith(f"bytes of {size:,} are left out here …]")
    assert all(line.startswith("line ") and line.endswith("=***") for line in lines if line != cut)
    assert "s3cret" not in text


def test_a_log_of_one_endless_line_is_cut_all_the_same(tmp_path):
    text, size = kept(tmp_path, b"x" * (9 << 20))
    assert size == 9 << 20
    assert len(text) < (blobs.HEAD + blobs.TAIL) + 200


def test_200_megabytes_take_no_more_than_a_moment(tmp_path):
    path = tmp_path / "log"
    with open(path, "wb") as file:
        file.write(b"\x1b[31m<script>\n" * 1000)
        file.truncate(200 << 20)  # a hole: NUL to the end
    before = time.monotonic()
    _, data, size = blobs.log_blob(str(path))
    assert time.monotonic() - before < 10
    assert size == 200 << 20
    assert len(data) <= blobs.HEAD + blobs.TAIL + 200
    assert b"\0" not in data
    assert b"\x1b" not in data
    os.unlink(path)


def test_an_empty_log_and_one_that_is_not_there(tmp_path):
    assert kept(tmp_path, b"") == ("", 0)
    with pytest.raises(InputError, match="cannot be read: no such file"):
        blobs.log_blob(str(tmp_path / "none"))


@given(st.binary(max_size=400))
def test_nothing_that_cannot_be_shown_stays(data):
    assert all(line.isprintable() for line in cleaning.lines(data))


@given(st.text(alphabet="\x1b[]PX^_0;m\x07\\\x9b ?hKa\n", max_size=60))
def test_no_sequence_survives(text):
    found = "\n".join(cleaning.lines(text.encode()))
    assert "\x1b" not in found
    assert "\x9b" not in found
    assert cleaning.lines(found.encode()) == found.split("\n")
