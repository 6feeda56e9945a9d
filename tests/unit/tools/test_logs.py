"""What text a log is in, whatever it is packed in."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from backports import zstd

from envbuild.tools.logs import Log

TEXT = "one\nModuleNotFoundError: No module named 'x'\nÄ 漢字 ✓\n"
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstd.compress,
}


def read(tmp_path, data: bytes) -> str:
    path = tmp_path / "run.log"
    path.write_bytes(data)
    with Log("run.log", path.open("rb")) as log:
        return b"".join(log.chunks()).decode()


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_each_kind_of_text_is_read(tmp_path, encoding, packed):
    assert read(tmp_path, PACKED[packed](TEXT.encode(encoding))) == TEXT


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_may_be_long_and_cut_off(tmp_path, encoding):
    text = TEXT * 50_000
    assert read(tmp_path, text.encode(encoding)) == text
    assert read(tmp_path, text.encode(encoding)[:-1]) == text[:-1] + "\ufffd"


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"a\0", b"\0" * 5000, b"a\0b" * 3000, b"\0log\0" * 900, b"log\n\0\0\0" * 99],
)
def test_zeros_alone_are_no_utf_16(tmp_path, data):
    assert read(tmp_path, data) == data.decode()
