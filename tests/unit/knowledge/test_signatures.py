"""Every shipped signature: its form, its samples, its near misses, and how it is searched."""

from __future__ import annotations

import re

import pytest

from envbuild.diagnose.index import Index
from envbuild.diagnose.samples import seen
from envbuild.errors import InputError
from envbuild.knowledge import facts, signaturebook
from envbuild.knowledge.patterns import PatternError, anchors, compiled
from envbuild.knowledge.signaturebook import Signature, own, shipped
from envbuild.tools import files

SIGNATURES = shipped()
INDEX = Index(SIGNATURES)
CASES = [pytest.param(one, id=one.id) for one in SIGNATURES]
BOOK = """\
schema: 1
signatures:
  - id: {id}
    title: A failure of ours
    cause: something broke
    fix: {fix}
    messages: [{{pattern: '{pattern}'}}]
    evidence: {{source: ours, date: 2026-01-01, confidence: read}}
    samples: [the widget broke]
    near-misses: [the widget works]
    {more}
"""


def book(
    *,
    name: str = "own",
    pattern: str = "widget broke",
    fix: str = "mend it",
    more: str = "generic: false",
) -> str:
    return BOOK.format(id=name, pattern=pattern, fix=fix, more=more)


def refused(*texts: str) -> list[str]:
    labelled = {f"knowledge/signatures/{n}.yaml": text for n, text in enumerate(texts)}
    with pytest.raises(InputError) as caught:
        own(labelled)
    return [str(problem) for problem in caught.value.problems]


def test_the_shipped_files_are_read_as_the_users_are():
    texts = {path: files.read_text(path) for path in signaturebook.signature_files()}
    assert own(texts, beside=()).signatures == SIGNATURES


@pytest.mark.parametrize("signature", CASES)
def test_each_sample_is_known_by_its_signature_alone(signature: Signature):
    for text in signature.samples:
        found = {*seen(INDEX, text)}
        assert signature.id in found, text
        assert not found - {signature.id, *signature.along_with}, text


@pytest.mark.parametrize("signature", CASES)
def test_no_near_miss_is_taken_for_it(signature: Signature):
    for text in signature.near_misses:
        assert signature.id not in seen(INDEX, text), text


@pytest.mark.parametrize("signature", CASES)
def test_each_message_has_a_sample(signature: Signature):
    """A message that no sample shows could be wrong without anybody seeing it."""
    for message in signature.messages:
        wanted = compiled(message.pattern)
        assert any(wanted.search(text.encode()) for text in signature.samples), message.pattern


def test_every_pattern_has_a_literal_so_that_one_pass_finds_all():
    assert not INDEX.loose


def test_no_literal_is_a_common_word():
    common = {"error", "fatal", "failed", "warning", "not found", "python", "numpy", "module"}
    assert not common & {*INDEX.literals}


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("module 'numpy' has no", ("module 'numpy' has no",)),
        (r"numpy\.dtype size", ("numpy.dtype size",)),
        ("first alternative|second one", ("first alternative", "second one")),
        ("(?:longer words|others here)", ("longer words", "others here")),
        ("(?:longer words)? and more", ("and more",)),
        ("(?P<name>\\w+) was broken", ("was broken",)),
        ("abcdefgh?", ("abcdefg",)),
        ("abcdefgh*ij", ("abcdefg",)),
        ("abcdefgh+ij", ("abcdefgh",)),
        ("abc[defgh]ijk", ()),
        ("(?i)CaSe Blind", ("case blind",)),
        ("ab|some longer words", ()),
        ("(a+)+$", ()),
        ("x{5}yyyyyy", ("yyyyyy",)),
        ("some(inner|text)after the group", ("after the group",)),
    ],
)
def test_the_literals_of_a_pattern(pattern: str, literals: tuple[str, ...]):
    assert anchors(pattern) == literals


@pytest.mark.parametrize("pattern", [".*", "a?", "^", "x*$"])
def test_a_pattern_that_matches_anything_is_refused(pattern: str):
    with pytest.raises(PatternError, match="any line"):
        compiled(pattern)


def test_two_signatures_of_one_name_are_refused():
    assert "stands twice, first at knowledge/signatures/0.yaml:3:" in refused(book(), book())[0]


def test_the_name_of_a_shipped_one_is_refused():
    assert "is that of a signature of envbuild's own" in refused(book(name="numpy-2-over-1"))[0]


def test_a_broken_pattern_is_shown_at_its_place():
    (said,) = refused(book(pattern=r"(a)\1"))
    assert said.startswith("knowledge/signatures/0.yaml:7:17: ")
    assert "RE2 refuses the pattern: invalid escape sequence" in said


def test_a_name_that_a_fix_cannot_have_is_refused():
    assert "may be unknown" in refused(book(fix="'{isaac-sim}'"))[0]
    text = book(more="fix-for: [{text: 'take {isaac-sim.nummpy}'}]")
    assert "{isaac-sim.nummpy} has no value here" in refused(text)[0]


def test_unknown_causes_and_messages_are_refused():
    assert "no signature is called 'nmupy'" in refused(book(more="consequence-of: [nmupy]"))[0]
    text = book(more="together: [{of: [one, two], proves: it}]")
    assert any("no message has the id 'one'" in said for said in refused(text))


def test_versions_that_are_none_are_refused():
    text = book(more="fix-for: [{text: do, isaac-sim: five}]")
    assert "'five' are no versions" in refused(text)[0]


def test_an_own_signature_stands_beside_the_shipped_ones():
    found = own({"knowledge/signatures/0.yaml": book()})
    assert [one.id for one in found.signatures] == ["own"]
    assert str(found.marks["own"]) == "knowledge/signatures/0.yaml:3:5"


def test_one_broken_file_does_not_make_names_of_it_unknown():
    said = refused("schema: 1\nsignatures: [", book(more="consequence-of: [other]"))
    assert all("no signature is called" not in one for one in said)


@pytest.mark.parametrize("signature", [one for one in SIGNATURES if one.only_where])
def test_each_condition_has_a_sample_or_a_near_miss(signature: Signature):
    where = signature.only_where
    assert where
    for patterns, texts in (
        (where.seen, signature.samples),
        (where.not_seen, signature.near_misses),
    ):
        shown = [p for p in patterns if any(compiled(p).search(text.encode()) for text in texts)]
        assert bool(shown) == bool(patterns)


def test_conditions_that_cannot_hold_are_refused():
    said = refused(book(more="only-where: {isaac-sim: five}"))
    assert said == ["knowledge/signatures/0.yaml:11:18: 'five' are no versions"]
    said = refused(book(more="only-where: {seen: [started, '(abc'], not-seen: ['a.*|']}"))
    assert said[0].startswith("knowledge/signatures/0.yaml:11:34: RE2 refuses the pattern")
    assert said[1].startswith("knowledge/signatures/0.yaml:11:54: the pattern matches any line")
    assert "only-where says nothing" in refused(book(more="only-where: {}"))[0]


def test_until_is_the_end_of_what_follows():
    text = book().replace("{pattern: 'widget broke'}", "{pattern: widget broke, until: the end}")
    assert "until has nothing to end" in refused(text)[0]
    text = text.replace("until: the end", "then: twice, until: '(abc'")
    assert "RE2 refuses the pattern" in refused(text)[0]


def test_a_pattern_that_is_too_short_is_told_how_long_it_must_be():
    (said,) = refused(book(pattern="ba"))
    assert "pattern: expected text of at least 3 characters; found 'ba'" in said


def test_a_fix_may_name_a_module_of_the_release():
    own({"a.yaml": book(more="fix-for: [{text: 'take {isaac-sim.modules.core}'}]")})
    said = refused(book(more="fix-for: [{text: 'take {isaac-sim.modules.coer}'}]"))
    assert "{isaac-sim.modules.coer} has no value here" in said[0]
    assert "has no value here" in refused(book(more="fix-for: [{text: '{isaac-sim.modules}'}]"))[0]


def test_the_first_cuda_of_each_architecture_is_that_of_the_facts():
    (known,) = (one for one in SIGNATURES if one.id == "nvcc-older-than-gpu")
    stated = dict[str, str]()
    for numbers, cuda in stated_by(known.fix):
        stated |= dict.fromkeys(numbers, cuda)
    wanted = {one.architecture.removeprefix("sm_"): one.cuda for one in facts.gpus()}
    assert stated == {name: cuda for name, cuda in wanted.items() if name != "75"}


def stated_by(text: str) -> list[tuple[list[str], str]]:
    found = re.findall(r"(\d\d\.\d) for ((?:\d+)(?: and \d+)?)", text)
    return [(numbers.split(" and "), cuda) for cuda, numbers in found]
