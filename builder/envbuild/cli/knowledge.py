"""``envbuild knowledge``: facts, rules, signatures and checked claims, with their sources."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from envbuild.errors import InputError
from envbuild.knowledge import rulebook, signaturebook
from envbuild.profile.explain import known_names
from envbuild.report import entries, knowledge
from envbuild.tools import files

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from envbuild.cli.main import Session
    from envbuild.knowledge.signaturebook import Signature
    from envbuild.report.entries import Topics
    from envbuild.report.statements import Entry


def _complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The topics, then the subjects of the topic that stands there."""
    from click.shell_completion import CompletionItem

    words = ctx.params.get("words") or ()
    topics = entries.Topics()
    known = topics.names()
    if words:
        known = entries.subjects(topics.entries(words[0])) if words[0] in known else ()
    return [CompletionItem(name) for name in known if name.startswith(incomplete)]


@click.command("knowledge")
@click.argument("words", nargs=-1, metavar="[TOPIC [NAME] | WORD...]", shell_complete=_complete)
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
@click.option("--markdown", is_flag=True, help="As a page of documentation.")
@click.option("-o", "--output", metavar="FOLDER", help="With --markdown: write every page there.")
@click.pass_obj
def command(
    session: Session, /, words: tuple[str, ...], as_json: bool, markdown: bool, output: str | None
) -> int:
    """List what is known, with the source, date and confidence of every statement.

    Without words: the topics. With a topic: all of it, or what it says of one release, package or
    GPU. With other words: every statement in which all of them stand.
    """
    if output is not None:
        return _write(session, words, output, markdown=markdown)
    topics = _topics(session)
    if not words:
        return _overview(session, topics, as_json=as_json, markdown=markdown)
    found = _found(topics, words)
    if as_json:
        session.console.json(found)
    elif markdown:
        if words[0] not in topics.names():
            raise InputError("a page is of one topic", hint=known_names(words[0], topics.names()))
        session.console.data(knowledge.page(words[0], found).rstrip("\n"))
    else:
        for line in knowledge.text(found):
            session.console.data(line)
        session.console.detail(knowledge.summary(found))
    return 0


def _topics(session: Session) -> Topics:
    """The topics, with the user's own rules and signatures."""

    def signatures() -> tuple[Signature, ...]:
        own = signaturebook.own(session.workspace.knowledge("signatures"))
        return (*signaturebook.shipped(), *own.signatures)

    return entries.Topics(
        rules=lambda: rulebook.with_own(session.workspace.knowledge("rules")),
        signatures=signatures,
    )


def _overview(session: Session, topics: Topics, *, as_json: bool, markdown: bool) -> int:
    if markdown:
        session.console.data(knowledge.pages()["README.md"].rstrip("\n"))
        return 0
    counts = knowledge.counts(topics)
    if as_json:
        session.console.json(counts)
        return 0
    for line in knowledge.overview(counts):
        session.console.data(line)
    session.console.hint(
        "envbuild knowledge isaac-sim 5.1.0, or any word: envbuild knowledge numpy"
    )
    return 0


def _found(topics: Topics, words: tuple[str, ...]) -> tuple[Entry, ...]:
    topic, *rest = words
    if topic not in topics.names():
        return _searched(topics, words)
    every = topics.entries(topic)
    if not rest:
        return every
    found = entries.of_subject(topic, every, rest[0])
    narrowed = entries.search(found, rest[1:]) if found else entries.search(every, rest)
    if not narrowed:
        raise InputError(
            f"{topic} says nothing of {' '.join(rest)!r}",
            hint=known_names(rest[0], entries.subjects(every)),
        )
    return narrowed


def _searched(topics: Topics, words: tuple[str, ...]) -> tuple[Entry, ...]:
    every = (entry for topic in topics.names() for entry in topics.entries(topic))
    found = entries.search(every, words)
    if not found:
        hint = known_names(words[0], topics.names())
        raise InputError(f"nothing is known of {' '.join(words)!r}", hint=hint)
    return found


def _write(session: Session, words: tuple[str, ...], output: str, *, markdown: bool) -> int:
    if not markdown or words:
        raise InputError(
            "--output writes every page of documentation",
            hint="envbuild knowledge --markdown --output FOLDER",
        )
    path = os.path.normpath(os.path.join(session.here, output))
    if os.path.isfile(path):
        raise InputError(f"{output} is a file", hint="name a folder")
    made = {name: text.encode() for name, text in knowledge.pages().items()}
    changed = files.write_tree(path, made)
    session.console.say(f"{output}: {'written' if changed else 'unchanged'}")
    return 0
