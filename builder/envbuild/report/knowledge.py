"""What is known, as text for people and as pages of documentation."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from operator import attrgetter

from msgspec import Struct

from envbuild.report.entries import MEANINGS, Topics, claim, lines, subjects
from envbuild.report.statements import Entry, Value
from envbuild.speech import counted

_CONFIDENCE = """\
Every statement has its source, the day on which it was read, and how far it can be trusted: `read`
in the source itself, `derived` from such statements, or `claimed` by somebody without evidence. The
value `unknown` says that it was looked for and not established; it is never a guess.
"""


class Count(Struct, frozen=True, kw_only=True):
    """How many names a topic has (releases, packages, rules), and how much is said of them."""

    names: int
    statements: int


def counts(topics: Topics) -> dict[str, Count]:
    """How much each topic holds."""
    return {
        topic: Count(names=len(subjects(found)), statements=len(found))
        for topic, found in ((topic, topics.entries(topic)) for topic in topics.names())
    }


def overview(counts: dict[str, Count]) -> Iterator[str]:
    """The topics, how much each holds and what it is about, as lines."""
    width = max(map(len, counts))
    yield f"{'TOPIC':<{width}}  NAMES  STATEMENTS  ABOUT"
    for topic, count in counts.items():
        numbers = f"{count.names:>5}  {count.statements:>10}"
        yield f"{topic:<{width}}  {numbers}  {MEANINGS[topic]}"


def text(found: Iterable[Entry]) -> Iterator[str]:
    """Entries as lines: a heading for each subject, and below it its statements with evidence."""
    groups = itertools.groupby(found, key=attrgetter("topic", "subject"))
    for number, ((topic, subject), group) in enumerate(groups):
        if number:
            yield ""
        yield f"{topic} {subject}"
        yield from _correction(next(group)) if topic == "corrections" else _group(tuple(group))


def _evidence(entry: Entry) -> str:
    return f"{entry.confidence}: {entry.source}"


def _group(group: tuple[Entry, ...]) -> Iterator[str]:
    shared = len(group) > 1 and len({_evidence(entry) for entry in group}) == 1
    if shared:
        yield f"  ({_evidence(group[0])})"
    name_width = max(len(entry.name) for entry in group)
    widths = [len(line) for entry in group for line in lines(entry.value)]
    value_width = max((width for width in widths if width <= _WIDE), default=0)
    for entry in group:
        first, *more = lines(entry.value) or ("none",)
        evidence = "" if shared else _evidence(entry)
        yield f"  {entry.name:<{name_width}}  {first:<{value_width}}  {evidence}".rstrip()
        margin = " " * (name_width + 4)
        yield from (f"{margin}{line}" for line in more)
        if entry.remark:
            yield f"{margin}({entry.remark})"
        for name in entry.corrections:
            row = claim(name)
            yield f"{margin}! {row.verdict}: {row.claim} ({name})"


_WIDE = 40
"""Characters of a value; what is wider does not push the evidence of the others away."""


def _correction(entry: Entry) -> Iterator[str]:
    yield f"  claim    {entry.remark}"
    yield f"  verdict  {entry.name}"
    yield f"  truth    {' '.join(lines(entry.value))}"
    yield f"  source   {entry.confidence}: {entry.source}"


# --- Pages ----------------------------------------------------------------------------------------


def pages() -> dict[str, str]:
    """What envbuild brings, as Markdown by file name: a page for each topic under ``README.md``."""
    topics = Topics()
    made = {topic: topics.entries(topic) for topic in topics.names()}
    index = ["# What envbuild knows", "", _CONFIDENCE]
    index += ["| topic | names | statements | about |", "|---|---|---|---|"]
    for topic, count in counts(topics).items():
        numbers = f"{count.names} | {count.statements}"
        index.append(f"| [{topic}]({topic}.md) | {numbers} | {_cell(MEANINGS[topic])} |")
    index += ["", "`envbuild knowledge` prints the same, and finds a word in all of it.", ""]
    return {
        "README.md": "\n".join(index),
        **{f"{topic}.md": page(topic, found) for topic, found in made.items()},
    }


def page(topic: str, found: Iterable[Entry]) -> str:
    """One topic as Markdown."""
    parts = [f"# {topic}", "", f"{MEANINGS[topic][0].upper()}{MEANINGS[topic][1:]}.", ""]
    kept = tuple(found)
    if topic == "corrections":
        for entry in kept:
            parts += _correction_section(entry)
    elif len(kept) > len(subjects(kept)) * 2:
        for subject, group in itertools.groupby(kept, key=attrgetter("subject")):
            parts += [f"## {_plain(subject)}", "", *_section(tuple(group)), ""]
    else:
        heads = ("subject", "property", "value", "confidence", "source")
        rows = ((_cell(one.subject), *_said(one), *_cited(one)) for one in kept)
        parts += [*_table(heads, rows), ""]
    return "\n".join(parts)


def _section(group: tuple[Entry, ...]) -> Iterator[str]:
    if len({_evidence(entry) for entry in group}) == 1:
        yield from (f"{_plain(_evidence(group[0]))} ({group[0].date})", "")
        yield from _table(("property", "value"), map(_said, group))
    else:
        rows = ((*_said(entry), *_cited(entry)) for entry in group)
        yield from _table(("property", "value", "confidence", "source"), rows)


def _correction_section(entry: Entry) -> list[str]:
    return [
        f"## {entry.subject}",
        "",
        f"> {_plain(entry.remark)}",
        "",
        f"**{entry.name[0].upper()}{entry.name[1:]}.** {_plain(' '.join(lines(entry.value)))}",
        "",
        f"{entry.confidence}: {_plain(entry.source)} ({entry.date})",
        "",
    ]


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _said(entry: Entry) -> tuple[str, str]:
    return _cell(entry.name), _value(entry)


def _cited(entry: Entry) -> tuple[str, str]:
    return entry.confidence, _cell(f"{entry.source} ({entry.date})")


def _value(entry: Entry) -> str:
    shown = [_code(entry.value, line) for line in lines(entry.value)]
    if entry.remark:
        shown.append(_cell(entry.remark))
    shown += [f"see [{name}](corrections.md#{name})" for name in entry.corrections]
    return "<br>".join(shown)


def _code(value: Value, line: str) -> str:
    """A line of a value: what a computer reads in code, sentences as they are."""
    if isinstance(value, dict):
        key, _, rest = line.partition(": ")
        return f"`{key}`: {_cell(rest)}"
    return _cell(line) if " " in line and not isinstance(value, tuple) else f"`{line}`"


def _plain(words: str) -> str:
    return words.replace("\\", "\\\\").replace("*", "\\*").replace("<", "&lt;").replace("_", "\\_")


def _cell(words: str) -> str:
    return _plain(words).replace("|", "\\|")


def summary(found: tuple[Entry, ...]) -> str:
    """How much was found, in words."""
    return f"{counted(len(found), 'statement')} about {counted(len(subjects(found)), 'subject')}"
