"""The archive of a bug report."""

from __future__ import annotations

import io
import tarfile

from envbuild.report import support
from envbuild.report.masking import Known, Masks
from envbuild.report.support import Piece

PIECES = (
    Piece(path="logs/build-jdoe.log", text="jdoe was here\n", what="the log of a build"),
    Piece(path="doctor.json", text="{}\n", what="what doctor says"),
)


def test_texts_and_paths_are_masked_and_counted() -> None:
    found = support.masked(PIECES, Masks(Known(users=("jdoe",))))
    assert [one.path for one in found] == ["logs/build-user-1.log", "doctor.json"]
    assert found[0].text == "user-1 was here\n"
    assert [one.hidden for one in found] == [1, 0]


def test_an_archive_holds_the_pieces_and_nothing_of_who_packed_it() -> None:
    data = support.archive(PIECES)
    assert data == support.archive(reversed(PIECES))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = tar.getmembers()
        texts = {one.name: tar.extractfile(one).read() for one in members}  # type: ignore[union-attr]
    assert texts == {
        "envbuild-support/doctor.json": b"{}\n",
        "envbuild-support/logs/build-jdoe.log": b"jdoe was here\n",
    }
    assert {(one.mtime, one.uid, one.uname) for one in members} == {(0, 0, "")}


def test_a_text_that_is_no_unicode_is_written() -> None:
    odd = Piece(path="x", text="a\udcffb", what="a name in another encoding")
    assert odd.size == len("a\\udcffb")
    assert support.archive((odd,))


def test_of_a_long_log_the_end_is_kept_from_a_whole_line_on() -> None:
    lines = b"".join(b"%09d\n" % number for number in range(support.MOST // 10 + 5))
    text = support.end_of(lines)
    first, second, *_, last = text.splitlines()
    assert first == "[the beginning is left out]"
    assert len(second) == len(last) == 9
    assert text.endswith(f"{support.MOST // 10 + 4:09d}\n")
    assert support.end_of(b"short\xff") == "short\ufffd"
