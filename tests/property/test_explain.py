"""Properties of explaining: clean logs show nothing, cuts and neighbours change nothing."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clean_logs import LINES, WARNINGS

from envbuild.diagnose.diagnosis import Diagnosis, diagnose
from envbuild.diagnose.index import Index
from envbuild.diagnose.lines import blocks
from envbuild.diagnose.scan import Scan
from envbuild.knowledge.signaturebook import shipped

pytestmark = pytest.mark.property
INDEX = Index(shipped())
SAMPLES = [
    (one.id, text)
    for one in shipped()
    if not one.generic and one.only_where is None  # other lines may take the claim away
    for text in one.samples
]
NUMBERS = st.integers(1, 9999)


def read(data: bytes, cuts: list[int] | None = None) -> Diagnosis:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts or []), len(data)]
    scan = Scan(INDEX)
    scan.read(blocks(data[a:b] for a, b in itertools.pairwise(places)))
    return diagnose(scan, log="log", notes=())


@st.composite
def clean_lines(draw: st.DrawFn, lines: tuple[str, ...] = LINES) -> list[str]:
    chosen = draw(st.lists(st.sampled_from(lines), max_size=60))
    number = draw(NUMBERS)
    version = draw(st.sampled_from(["1.26.0", "5.1.0", "2.3.1", "24.1"]))
    return [line.format(n=number, v=version, t="2026-01-03T19:47:02Z") for line in chosen]


def lines_as_written(lines: tuple[str, ...]) -> list[str]:
    return [line.format(n=7, v="1.26.0", t="2026-01-03T19:47:02Z") for line in lines]


def certain(data: bytes) -> list[str]:
    return [one.id for one in read(data).findings if not one.generic]


@pytest.mark.parametrize("text", lines_as_written(LINES))
def test_every_line_of_the_clean_corpus_is_a_line_that_shows_nothing(text: str):
    assert read(text.encode()).findings == ()


@pytest.mark.parametrize("text", lines_as_written(WARNINGS))
def test_a_warning_of_a_run_that_went_well_is_never_more_than_general(text: str):
    assert certain(text.encode()) == []


def test_the_whole_corpus_as_one_log_shows_nothing_certain():
    lines = lines_as_written(LINES)
    assert read("\n".join(lines).encode()).findings == ()
    assert certain("\n".join((*lines, *lines_as_written(WARNINGS), *lines)).encode()) == []


@given(clean_lines((*LINES, *WARNINGS)))
def test_warnings_among_clean_lines_show_nothing_certain(lines: list[str]):
    assert certain("\n".join(lines).encode()) == []


@given(clean_lines())
def test_a_clean_log_shows_nothing(lines: list[str]):
    assert read("\n".join(lines).encode()).findings == ()


@given(st.text(max_size=2000))
def test_any_text_is_read(text: str):
    read(text.encode(errors="surrogatepass"))


@given(st.binary(max_size=4000))
def test_any_bytes_are_read_and_shown_in_printable_characters(data: bytes):
    found = read(data)
    shown = [seen for one in found.findings for seen in one.lines]
    assert all(seen.text.isprintable() for seen in (*shown, *found.nearest))


@given(clean_lines(), st.sampled_from(SAMPLES), st.lists(st.integers(0, 10_000), max_size=8))
def test_a_failure_is_found_among_clean_lines_however_the_log_is_cut(
    lines: list[str], sample: tuple[str, str], cuts: list[int]
):
    name, text = sample
    half = len(lines) // 2
    data = "\n".join((*lines[:half], *text.splitlines(), *lines[half:])).encode()
    whole = read(data)
    assert name in [one.id for one in whole.findings]
    assert read(data, cuts) == whole


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(SAMPLES), min_size=2, max_size=4, unique_by=lambda one: one[0]),
    st.randoms(use_true_random=False),
)
def test_the_lines_of_several_processes_may_be_mixed(
    samples: list[tuple[str, str]], chance: random.Random
):
    """The lines of each keep their order; between them stand those of the others."""
    queues = [text.splitlines() for _, text in samples]
    mixed: list[str] = []
    while any(queues):
        mixed.append(chance.choice([queue for queue in queues if queue]).pop(0))
    alone = {one.id for _, text in samples for one in read(text.encode()).findings}
    found = {one.id for one in read("\n".join(mixed).encode()).findings}
    hidden = {one.id for one in shipped() if {*one.consequence_of} & found}
    generic = {one.id for one in shipped() if one.generic}
    assert alone - hidden - generic <= found


@given(st.integers(1, 2000), st.sampled_from(["\n", "\r\n"]))
def test_the_number_of_a_line_is_that_of_an_editor(before: int, end: str):
    data = (f"fine{end}" * before + "torch.OutOfMemoryError: CUDA out of memory." + end).encode()
    (found,) = read(data).findings
    assert [seen.line for seen in found.lines] == [before + 1]
