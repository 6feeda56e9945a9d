"""Reading a log: lines, wraps, colours, numbers, bounded memory."""

from __future__ import annotations

import pytest

from envbuild.diagnose.diagnosis import Diagnosis, diagnose
from envbuild.diagnose.index import Index
from envbuild.diagnose.lines import BLOCK, after, before, blocks
from envbuild.diagnose.scan import Scan
from envbuild.knowledge.signaturebook import own, shipped

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


BOOK = """\
schema: 1
signatures:
  - id: early
    title: The widget broke before the start
    cause: it was early
    fix: start first
    messages: [{pattern: widget (?P<name>\\w+) broke}]
    only-where: {not-seen: [the start is over]}
    consequence-of: [renamed]
    evidence: {source: ours, date: 2026-01-01, confidence: read}
    samples: [widget seven broke]
    near-misses: [widget seven works]
  - id: renamed
    title: The widget has another name
    cause: it was renamed
    fix: take the new name
    messages: [{pattern: widget old broke}]
    only-where: {isaac-sim: ">=6"}
    evidence: {source: ours, date: 2026-01-01, confidence: read}
    samples: ["Isaac Sim 6.0.1, widget old broke"]
    near-misses: [widget old broke]
  - id: general
    title: Something broke
    cause: many
    fix: look
    messages: [{pattern: "\\\\w+ broke"}]
    generic: true
    evidence: {source: ours, date: 2026-01-01, confidence: read}
    samples: [glass broke]
    near-misses: [glass]
  - id: stopped
    title: It stops here
    cause: many
    fix: look
    messages: [{pattern: loading the demos, last: true}]
    evidence: {source: ours, date: 2026-01-01, confidence: read}
    samples: [loading the demos]
    near-misses: ["loading the demos\\nready"]
  - id: build
    title: The build of it broke
    cause: many
    fix: look
    messages: [{pattern: building thing, then: tool missing, until: building \\w+}]
    evidence: {source: ours, date: 2026-01-01, confidence: read}
    samples: ["building thing\\ntool missing"]
    near-misses: ["building thing\\nbuilding other\\ntool missing"]
"""
OWN = Index(own({"own.yaml": BOOK}).signatures)


def own_ids(text: str, *, size: int = 1 << 18) -> dict[str, int]:
    scan = Scan(OWN)
    data = text.encode()
    scan.read(blocks(data[place : place + size] for place in range(0, len(data), size)))
    return {one.id: one.count for one in diagnose(scan, log="log", notes=()).findings}


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
        assert ids(f"before\n{wrapped}\nafter\n") == ["numpy-releases-mixed"], wrapped


def test_a_message_wrapped_by_a_builder_that_numbers_its_steps():
    text = (
        "#12 3.45 AttributeError: module 'numpy'\n#12 3.46 has no attribute '_no_nep50_warning'\n"
    )
    assert ids(text) == ["numpy-releases-mixed"]


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
    assert [one.id for one in found.findings] == ["numpy-releases-mixed"]


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


@pytest.mark.parametrize("text", ["{0}\n{1}", "{1}\n{0}"])
def test_a_condition_asks_the_whole_log(text: str):
    broke, over = "widget seven broke", "the start is over"
    assert own_ids(text.format(broke, "fine")) == {"early": 1}
    assert own_ids(text.format(broke, over)) == {"general": 1}
    far = "fine, all of it\n" * (2 * BLOCK // 16)
    assert own_ids(text.format(broke, far + over)) == {"general": 1}


def test_what_is_not_claimed_hides_nothing():
    broke = "widget old broke\nwidget seven broke\n"
    assert own_ids(broke) == {"early": 2}
    assert own_ids(f"Isaac Sim 5.1.0\n{broke}") == {"early": 2}
    assert own_ids(f"{broke}Isaac Sim 6.0.1\n") == {"renamed": 1, "early": 1}
    assert own_ids(f"{broke}Isaac Sim 6.0.1\nthe start is over\n") == {"renamed": 1, "general": 1}
    assert own_ids(f"{broke}the start is over\n") == {"general": 2}


@pytest.mark.parametrize("size", [1, 64, 1 << 18])
def test_lines_of_several_kinds_are_one_finding_in_their_order(size: int):
    text = "glass broke\nwidget old broke\nwidget a broke\nthe start is over\n" * 3
    assert own_ids(text, size=size) == {"general": 9}
    scan = Scan(OWN)
    scan.read(blocks([text.encode()]))
    (found,) = diagnose(scan, log="log", notes=()).findings
    assert [seen.line for seen in found.lines] == [1, 2, 3]


@pytest.mark.parametrize("end", ["", "\n", "\n\n  \n", "\n" * 500])
def test_a_message_that_must_be_the_last(end: str):
    assert own_ids(f"one\nloading the demos{end}") == {"stopped": 1}
    assert own_ids("loading the demos\n" * 3 + end) == {"stopped": 1}
    assert own_ids(f"loading the demos{end}\nready") == {}


def test_what_follows_does_not_count_below_its_end():
    assert own_ids("building thing\nfine\ntool missing") == {"build": 1}
    assert own_ids("building thing, tool missing\nbuilding other") == {"build": 1}
    assert own_ids("building thing\nbuilding other\ntool missing") == {}
