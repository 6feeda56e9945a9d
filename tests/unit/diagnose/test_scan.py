"""Reading a log: lines, wraps, colours, numbers, bounded memory."""

from __future__ import annotations

import pytest

from envbuild.diagnose.diagnosis import Diagnosis, diagnose
from envbuild.diagnose.index import Index
from envbuild.diagnose.lines import BLOCK, after, before, blocks
from envbuild.diagnose.scan import Scan
from envbuild.knowledge.signaturebook import shipped

INDEX = Index(shipped())
NEP50 = "AttributeError: module 'numpy' has no attribute '_no_nep50_warning'"
DTYPE = (
    "ValueError: numpy.dtype size changed, may indicate binary incompatibility."
    " Expected 96 from C header, got 88 from PyObject"
)


def read(text: str | bytes, *, size: int = 1 << 18) -> Diagnosis:
    data = text.encode() if isinstance(text, str) else text
    scan = Scan(INDEX)
    scan.read(blocks(data[place : place + size] for place in range(0, len(data), size)))
    return diagnose(scan, log="log", notes=())


def ids(text: str | bytes) -> list[str]:
    return [one.id for one in read(text).findings]


def places(text: str | bytes) -> list[int]:
    return [seen.line for one in read(text).findings for seen in one.lines]


def test_a_line_has_its_number():
    assert places(f"one\ntwo\n{NEP50}\nfour\n") == [3]


def test_the_last_line_needs_no_end():
    assert read(f"one\n{NEP50}").lines == 2
    assert read(f"one\n{NEP50}\n").lines == 2
    assert places(f"one\n{NEP50}") == [2]


def test_an_empty_log():
    found = read("")
    assert (found.lines, found.bytes, found.findings, found.nearest) == (0, 0, (), ())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_both_line_ends(end: str):
    assert places(end.join(("one", NEP50, "three", ""))) == [2]


def test_colours_inside_a_message_are_taken_out():
    text = NEP50.replace("'numpy'", "\x1b[1;32m'numpy'\x1b[0m").replace("Attr", "\x1b[31mAttr")
    found = read(f"\x1b]0;a title\x07first\n{text}\n")
    assert found.findings[0].lines[0].text == NEP50


def test_a_progress_bar_on_the_same_line():
    text = "  3%\r 50%\r" + NEP50 + "\rdone\n"
    assert read(text).findings[0].lines[0].text == NEP50


def test_a_message_wrapped_at_any_blank():
    words = NEP50.split(" ")
    for cut in range(1, len(words)):
        wrapped = " ".join(words[:cut]) + "\n    " + " ".join(words[cut:])
        assert ids(f"before\n{wrapped}\nafter\n") == ["numpy-2-over-1"], wrapped


def test_a_message_wrapped_by_a_builder_that_numbers_its_steps():
    text = (
        "#12 3.45 AttributeError: module 'numpy'\n#12 3.46 has no attribute '_no_nep50_warning'\n"
    )
    assert ids(text) == ["numpy-2-over-1"]


def test_words_of_two_messages_on_neighbouring_lines_are_not_joined():
    text = "libgomp.so.1 was loaded\nmmap: cannot allocate memory in static TLS\n"
    assert "static-tls" not in ids(text)


def test_the_lines_of_two_processes_that_write_at_once():
    text = """\
[a] A module that was compiled using NumPy 1.x cannot be run in
[b] ValueError: numpy.dtype size changed, may indicate binary incompatibility.
[b] epoch 3
[a] NumPy 2.2.6 as it may crash. To support both 1.x and 2.x
[b] Expected 96 from C header, got 88 from PyObject
"""
    found = read(text)
    assert {one.id for one in found.findings} == {"numpy-1-binary", "numpy-2-over-1"}
    lines = {one.id: [seen.line for seen in one.lines] for one in found.findings}
    assert lines == {"numpy-1-binary": [1, 4], "numpy-2-over-1": [2, 5]}


def test_the_second_part_too_far_below_does_not_count():
    text = DTYPE.replace("incompatibility.", "incompatibility." + "\nx" * 40)
    assert ids(text) == []


def test_repeated_messages_are_counted_and_the_first_are_kept():
    found = read("".join(f"{n}\n{NEP50}\n" for n in range(500))).findings[0]
    assert found.count == 500
    assert [seen.line for seen in found.lines] == [2, 4, 6]


@pytest.mark.parametrize("size", [1, 7, 100, 4096])
def test_how_the_log_is_cut_into_pieces_changes_nothing(size: int):
    text = f"one\r\n{DTYPE}\n\x1b[31m{NEP50}\x1b[0m\n" * 20
    assert read(text, size=size) == read(text)


def test_a_message_over_the_border_of_two_blocks():
    filler = "x" * 99 + "\n"
    text = (
        filler * (BLOCK // 100 - 3) + DTYPE.replace(" Expected", "\nExpected") + "\n" + filler * 400
    )
    for shift in range(0, 400, 41):
        assert ids("y" * shift + "\n" + text) == ["numpy-2-over-1"]


def test_a_line_without_an_end_is_read_in_bounded_pieces():
    text = b"x" * (5 * BLOCK) + NEP50.encode() + b"y" * (5 * BLOCK)
    found = read(text).findings[0]
    assert found.lines[0].line == 1
    assert len(found.lines[0].text) < 400
    assert "_no_nep50_warning" in found.lines[0].text


def test_bytes_that_are_no_text():
    found = read(bytes(range(256)) * 1000 + b"\n" + NEP50.encode() + b"\xff\xfe\n")
    assert [one.id for one in found.findings] == ["numpy-2-over-1"]


def test_a_secret_on_a_line_is_masked_and_nothing_moves_the_cursor():
    text = "\x1b[2J\x08 password=hunter2 https://me:pw@host/x CUDA out of memory\x07\x7f\n"
    shown = read(text).findings[0].lines[0].text
    assert "hunter2" not in shown
    assert "me:pw" not in shown
    assert shown.isprintable()


def test_nothing_known_names_the_last_lines_that_look_like_a_failure():
    text = "ok\nwidget 7 failed to frobnicate\n" + "fine\n" * 50 + "0 errors\n"
    found = read(text)
    assert found.findings == ()
    assert [(one.line, one.text) for one in found.nearest] == [(2, "widget 7 failed to frobnicate")]


def test_a_log_in_which_all_is_well_names_none():
    found = read("all is well\n" * 100 + "5 passed, 0 failed, 0 errors\n")
    assert (found.findings, found.nearest) == ((), ())


def test_lines_above_and_below():
    text = b"a\nbb\nccc\ndddd\n"
    assert text[before(text, 6, 1) :].startswith(b"bb")
    assert text[before(text, 6, 9) :] == text
    assert text[: after(text, 3, 1)] == b"a\nbb\nccc"
    assert after(text, 3, 9) == len(text)
