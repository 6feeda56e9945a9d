"""What is known, as lines and pages: nothing lost, nothing that Markdown would take for itself."""

import re
from pathlib import Path

import pytest

from envbuild.knowledge import facts, rulebook
from envbuild.report import entries, knowledge
from envbuild.report.entries import Topics
from envbuild.report.statements import Entry, Value

DOCS = Path(__file__).parents[3] / "docs" / "reference" / "knowledge"


def entry(**more: object) -> Entry:
    plain = {
        "topic": "gpus",
        "subject": "sm_1",
        "name": "cuda",
        "value": "1.0",
        "source": "a source",
        "date": "2026-11-21",
        "confidence": "read",
    }
    return Entry(**{**plain, **more})  # type: ignore[arg-type]


def test_the_pages_stand_in_the_docs() -> None:
    pages = knowledge.pages()
    written = {path.name: path.read_text() for path in DOCS.glob("*.md")}
    assert written == pages, "run: envbuild knowledge --markdown --output docs/reference/knowledge"


def test_every_topic_says_what_it_is_about_and_has_entries() -> None:
    topics = Topics()
    assert topics.names() == tuple(entries.MEANINGS)
    for topic in topics.names():
        found = topics.entries(topic)
        assert found
        assert {one.topic for one in found} == {topic}


def test_every_rule_is_listed_with_a_way_out() -> None:
    found = Topics().entries("rules")
    assert set(entries.subjects(found)) == set(rulebook.shipped().rules)
    ways = [one for one in found if one.name == "ways out"]
    assert len(ways) == len(rulebook.shipped().rules)


def test_the_rules_that_are_handed_in_are_listed() -> None:
    none = rulebook.Rulebook(rules={})
    assert Topics(rules=lambda: none).entries("rules") == ()


def test_every_fact_of_a_release_is_an_entry() -> None:
    found = Topics().entries("isaac-sim")
    said = {(one.subject, one.name) for one in found}
    assert len(said) == len(found)
    for release in facts.releases("isaac-sim"):
        for fact in facts.facts_of("isaac-sim", release):
            assert (release, fact.name) in said


def test_a_correction_stands_beside_its_fact_and_nowhere_else() -> None:
    found = Topics().entries("isaac-sim")
    beside = [
        (one.subject, one.name) for one in found if "isaac-sim-5-1-numpy-2" in one.corrections
    ]
    assert beside == [("5.1.0", "numpy")]
    everywhere = [one.subject for one in found if "numpy-below-2-is-enough" in one.corrections]
    assert everywhere == list(facts.releases("isaac-sim"))


def test_a_correction_is_told_where_its_fact_is() -> None:
    found = entries.of_subject("isaac-sim", Topics().entries("isaac-sim"), "5.1.0.0")
    text = "\n".join(knowledge.text(found))
    assert text.startswith("isaac-sim 5.1.0\n")
    assert re.search(r"^  numpy +1\.26\.0 +read: isaacsim-kernel", text, re.MULTILINE)
    assert "! false: Isaac Sim 5.1.0 ships with NumPy 2" in text


def test_every_word_must_stand() -> None:
    found = (entry(value="12.8"), entry(name="called", value="Blackwell", remark="RTX"))
    assert entries.search(found, ["BLACKWELL", "rtx"]) == found[1:]
    assert entries.search(found, ["12.8", "rtx"]) == ()


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("one", ("one",)),
        (("a", "b"), ("a, b",)),
        (("a" * 40, "b" * 40), ("a" * 40, "b" * 40)),
        ({"A": "x", "B": "y"}, ("A: x", "B: y")),
    ],
)
def test_a_value_as_lines(value: Value, lines: tuple[str, ...]) -> None:
    assert entries.lines(value) == lines


def test_evidence_that_is_shared_stands_once() -> None:
    group = (entry(), entry(name="called", value="x"))
    assert list(knowledge.text(group)) == [
        "gpus sm_1",
        "  (read: a source)",
        "  cuda    1.0",
        "  called  x",
    ]
    other = (entry(), entry(name="called", value="x", source="another"))
    assert list(knowledge.text(other)) == [
        "gpus sm_1",
        "  cuda    1.0  read: a source",
        "  called  x    read: another",
    ]


def test_a_subject_has_its_own_paragraph() -> None:
    text = list(knowledge.text((entry(), entry(subject="sm_2"))))
    assert text == ["gpus sm_1", "  cuda  1.0  read: a source", "", *text[3:]]
    assert text[3] == "gpus sm_2"


def test_a_cell_cannot_end_a_table() -> None:
    page = knowledge.page("gpus", (entry(name="a|b", source="x|y *z* <b>"),))
    row = page.splitlines()[-1]
    assert r"a\|b" in row
    assert r"x\|y \*z\* &lt;b>" in row


def test_evidence_that_a_section_shares_stands_above_its_table() -> None:
    group = tuple(entry(name=name) for name in ("a", "b", "c"))
    assert knowledge.page("gpus", group).splitlines()[4:] == [
        "## sm\\_1",
        "",
        "read: a source (2026-11-21)",
        "",
        "| property | value |",
        "|---|---|",
        "| a | `1.0` |",
        "| b | `1.0` |",
        "| c | `1.0` |",
    ]


def test_links_between_pages_lead_somewhere() -> None:
    pages = knowledge.pages()
    headings = {
        (name, line.removeprefix("## "))
        for name, text in pages.items()
        for line in text.splitlines()
        if line.startswith("## ")
    }
    links = re.findall(r"\]\(([a-z0-9-]+\.md)(?:#([a-z0-9-]+))?\)", "\n".join(pages.values()))
    assert links
    for name, anchor in links:
        assert name in pages
        assert not anchor or (name, anchor) in headings


def test_an_unknown_claim() -> None:
    with pytest.raises(KeyError):
        entries.claim("nothing")
