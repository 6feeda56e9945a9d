"""The summary of a night in Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envbuild.history.model import Diagnosis, Part
from envbuild.lock.moves import Move
from envbuild.report.nightly.markdown import MOST, summary
from tests.support.nights import HOSTILE, hostile, night, profile, stage, variant

KNOWN = Diagnosis(id="numpy-abi", title="Another NumPy", fix="Pin it")


def test_a_good_night_is_a_table():
    assert summary(night(profiles=[profile(), profile("two", "not-run")])) == (
        "# ✅ Night night-0: 2 profiles, none failed\n"
        "\n"
        "5 stages passed, 0 warned, 0 failed, 1 not run. Began 2026-11-18 11:06 UTC on `host`,"
        " took 1 min 0 s.\n"
        "\n"
        "| profile | variant | check | lock | audit | render | build | smoke | time |\n"
        "|---|---|---|---|---|---|---|---|--:|\n"
        "| `one` | `linux-amd64-cpu` | passed | passed | not asked | not asked | passed | not asked | 6 s |\n"
        "| `two` | `linux-amd64-cpu` | passed | passed | not asked | not asked | ◌ not run | not asked | 6 s |\n"
        "\n"
        "## What was not run\n"
        "\n"
        "- build of `two/linux-amd64-cpu`: no reason is said\n"
    )


def test_what_failed_is_told_with_its_reason_the_diagnosis_and_the_risky_moves():
    parts = tuple(Part(name=f"t{n}", status="fail", reason="no", place="x:1") for n in range(12))
    failed = stage(
        "smoke", "fail", "12 failed", hint="look", tail=("boom",), diagnosis=(KNOWN,), parts=parts
    )
    moves = tuple(Move(risk="abi", what=f"p{n}", old="1", new="2", why="abi") for n in range(7))
    text = summary(night(profiles=[profile(variants=(variant(failed),), moves=moves)]))
    assert text.startswith("# ❌ Night night-0: 1 of 1 profile failed\n")
    told = text.partition("## What failed\n\n")[2]
    assert told == (
        "### `one/linux-amd64-cpu`: smoke\n"
        "\n"
        "- **reason**: 12 failed\n"
        "- **hint**: look\n"
        "- **known as** `numpy-abi`: Another NumPy. Fix: Pin it\n"
        + "".join(f"- `t{n}`: no (`x:1`)\n" for n in range(10))
        + "- and 2 more\n"
        "- **moved since the last good night** (7, the riskiest first):\n"
        + "".join(f"  - abi: `p{n}` `1` → `2`: abi\n" for n in range(5))
        + "  - and 2 more\n"
        "\n"
        "```text\nboom\n```\n"
    )


def test_what_failed_stands_first_in_the_table():
    profiles = [profile("a"), profile("b", "warn"), profile("c", "fail"), profile("d", "not-run")]
    text = summary(night(profiles=profiles))
    assert re.findall(r"^\| `(\w)`", text, re.MULTILINE) == ["c", "b", "a", "d"]


def test_a_night_of_nothing():
    assert summary(night(profiles=[])).startswith("# ◌ Night night-0: no profile\n")


def test_a_summary_of_very_many_failures_has_an_end_and_says_so():
    lines = tuple("x" * 290 for _ in range(12))
    failed = variant(stage("build", "fail", "why " * 60, tail=lines))
    many = [profile(f"profile-{n}", variants=(failed,)) for n in range(900)]
    text = summary(night(profiles=many))
    assert len(text.encode()) <= MOST
    assert re.search(r"\*\d+ rows more had no room in the table; the report has all", text)
    assert re.search(r"\*\d+ failures more had no room in this summary", text)
    assert text.count("```") % 2 == 0
    assert text.count("## What failed") == 1


@pytest.mark.parametrize("most", [2000, 5000, 1 << 20])
def test_the_size_is_kept(most):
    many = [profile(f"p{n}", "fail") for n in range(2000)]
    assert len(summary(night(profiles=many), most=most).encode()) <= most


def unfenced(text: str) -> str:
    """What is read as Markdown: all but what stands in fences."""
    kept, fence = [], ""
    for line in text.split("\n"):
        if fence:
            fence = "" if line == fence else fence
        elif found := re.fullmatch("(`{3,})text", line):
            fence = found[1]
        else:
            kept.append(line)
    assert not fence
    return "\n".join(kept)


def test_nothing_of_a_hostile_night_marks_up_or_mentions():
    text = summary(hostile())
    assert all(line.replace("\u200b", "").isprintable() for line in text.split("\n"))
    read = unfenced(text)
    assert "<script>" not in read
    assert "](http" not in read
    outside = re.sub(r"<code>.*?</code>|`[^`\n]*`", "", read)
    assert not re.search(r"@(?!\u200b)\w", outside)
    assert not re.search(r"(?<!&)#\d", outside)
    rows = [line for line in read.split("\n") if line.startswith("|")]
    assert {row.count("|") for row in rows} == {10}
    assert "everyone" in HOSTILE


@given(st.text(), st.text())
def test_no_text_breaks_out(one, two):
    failed = stage("build", "fail", one, hint=two, tail=tuple(two.split("\n")))
    text = summary(
        night(
            profiles=[profile(one, variants=(variant(failed, name=two),))],
            name=two,
            notes=(one, two),
        )
    )
    read = unfenced(text)
    assert [line[:2] for line in read.split("\n") if line.startswith("#")] == ["# ", "##", "##"]
    assert {row.count("|") for row in read.split("\n") if row.startswith("|")} == {10}
