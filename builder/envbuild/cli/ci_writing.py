"""Writing the files of ``envbuild ci``: what differs, what is whose, and what is remembered."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import click
from msgspec import Struct, structs

from envbuild.errors import InputError
from envbuild.forge import marks
from envbuild.forge.model import Written
from envbuild.plan import Step
from envbuild.speech import counted
from envbuild.tools import files

if TYPE_CHECKING:
    from envbuild.cli.main import Session

Make = Callable[[Mapping[str, object], Mapping[str, str], tuple[str, ...]], tuple[Written, ...]]

_OWN = frozenset({"output", "check", "to_stdout", "dry_run", "force"})
"""Options that say what to do with the files, and stand in none."""

_DIFF_LINES = 24


_REMEMBER = {
    "github": tuple(
        f".github/workflows/envbuild-{name}.yml" for name in ("nightly", "pull-request", "relock")
    ),
    "gitlab": (".gitlab-ci.yml",),
    "slurm": ("slurm/night.sbatch", "slurm/report.sbatch", "slurm/submit"),
}
"""The files of a kind that are there whatever is asked for: their marks have the options."""

_PER_PROFILE = {"slurm": "slurm/apptainer"}
"""The folder of a kind that holds a file for each profile, and may hold one too many."""


class State(Struct, frozen=True, kw_only=True):
    """A file to write, and what stands in its place: ``there`` None where there is nothing.

    ``data`` None: the file goes.
    """

    path: str
    data: bytes | None
    there: bytes | None
    foreign: bool

    @property
    def step(self) -> Step:
        """What writing does."""
        if self.data is None:
            return Step(kind="remove", target=self.path, action="run", reason="nothing asks for it")
        if self.there == self.data:
            return Step(kind="write", target=self.path, action="skip", reason="up to date")
        reason = "missing" if self.there is None else "differs"
        reason = "not envbuild's: --force writes over it" if self.foreign else reason
        return Step(kind="write", target=self.path, action="run", reason=reason)


def run(session: Session, kind: str, make: Make, chosen: Mapping[str, object]) -> int:
    """Make the files of a kind, and write, print or compare them.

    Raises:
        InputError: an option cannot be, or a file of somebody else stands in the way.
    """
    given = {name: value for name, value in chosen.items() if name not in _OWN}
    templates = session.workspace.templates("ci")
    root = _root(session, chosen)
    wanted = _remembered(root, kind) | {k: v for k, v in given.items() if _is_given(k)}
    made = make(_defaults(kind) | wanted, templates, ("ci", kind, *_words(kind, wanted)))
    if chosen["to_stdout"]:
        for one in made:
            if len(made) > 1:
                session.console.data(f"# --- {one.path}")
            session.console.data(one.text.removesuffix("\n"))
        return 0
    states = [*(_state(root, one) for one in made), *_leftovers(root, kind, made)]
    if chosen["check"]:
        return _check(session, kind, states)
    if chosen["dry_run"]:
        session.console.plan(tuple(one.step for one in states))
        return 0
    return _write(session, root, made, states, force=bool(chosen["force"]))


def _write(
    session: Session,
    root: str,
    made: tuple[Written, ...],
    states: list[State],
    *,
    force: bool,
) -> int:
    foreign = [one.path for one in states if one.foreign]
    if foreign and not force:
        raise InputError(
            f"{' and '.join(foreign)} {'is' if len(foreign) == 1 else 'are'} not envbuild's",
            hint="move it away, name another --output, or write over it with --force",
        )
    gone = [one.path for one in states if one.data is None]
    data = {one.path: one.data for one in states if one.data is not None}
    files.write_tree(root, data, remove=gone)
    for one in made:
        if one.program:
            place = os.path.join(root, one.path)
            os.chmod(place, 0o755)  # noqa: S103 (a program that is committed)
    for state in states:
        done = "unchanged" if state.step.action == "skip" else _DONE[state.step.kind]
        session.console.say(f"{state.path}: {done}")
    return 0


_DONE = {"write": "written", "remove": "removed"}


def _check(session: Session, kind: str, states: list[State]) -> int:
    moved = [one for one in states if one.step.action == "run"]
    for one in moved:
        session.console.fail(f"{one.path}: {one.step.reason}")
        if one.step.reason == "differs":
            for line in _difference(one):
                session.console.say(f"  {line}")
    if moved:
        session.console.hint(f"envbuild ci {kind}")
        return 1
    session.console.say(f"{counted(len(states), 'file')}, as written")
    return 0


def _difference(one: State) -> Iterator[str]:
    there = (one.there or b"").decode(errors="replace").splitlines()
    now = (one.data or b"").decode().splitlines()
    found = list(difflib.unified_diff(there, now, "as it stands", "as written", "", "", 1, ""))
    yield from found[:_DIFF_LINES]
    if len(found) > _DIFF_LINES:
        yield f"… {len(found) - _DIFF_LINES} lines more"


def _state(root: str, one: Written) -> State:
    path = os.path.join(root, one.path)
    link = os.path.islink(path)
    there = None if link else files.read_if_exists(path, label=one.path)
    text = (there or b"").decode(errors="replace")
    foreign = link or (there is not None and marks.words(text) is None)
    return State(path=one.path, data=one.text.encode(), there=there, foreign=foreign)


def _leftovers(root: str, kind: str, made: tuple[Written, ...]) -> Iterator[State]:
    """Files that this kind wrote for a profile that there is no more."""
    wanted = {one.path for one in made}
    folder = _PER_PROFILE.get(kind, "")
    for place, folders, names in os.walk(os.path.join(root, folder)) if folder else ():
        folders.sort()
        for name in sorted(names):
            path = os.path.relpath(os.path.join(place, name), root)
            state = _state(root, Written(path=path, text=""))
            if path not in wanted and not state.foreign:
                yield structs.replace(state, data=None)


def _root(session: Session, chosen: Mapping[str, object]) -> str:
    output = chosen["output"]
    if not output:
        return session.workspace.root
    return os.path.normpath(os.path.join(session.here, os.path.expanduser(str(output))))


# --- Options that are remembered -----------------------------------------------------------------


def _is_given(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is not click.core.ParameterSource.DEFAULT


def _parser(kind: str) -> click.Command:
    from envbuild.cli import ci

    assert isinstance(ci.command, click.Group)
    return ci.command.commands[kind]


def _defaults(kind: str) -> dict[str, object]:
    context = _parser(kind).make_context(kind, [], resilient_parsing=True)
    return {name: value for name, value in context.params.items() if name not in _OWN}


def _remembered(root: str, kind: str) -> dict[str, object]:
    """The options in the mark of the first file that has one.

    Raises:
        InputError: they are not such as this command takes.
    """
    for path in _REMEMBER[kind]:
        data = files.read_if_exists(os.path.join(root, path), label=path)
        words = marks.words((data or b"").decode(errors="replace"))
        if words and words[:2] == ("ci", kind):
            return _parsed(kind, path, words[2:])
    return {}


def _parsed(kind: str, path: str, words: tuple[str, ...]) -> dict[str, object]:
    try:
        context = _parser(kind).make_context(kind, list(words))
    except click.ClickException as error:
        raise InputError(
            f"the first line of {path} names options that cannot be read: {error.message}",
            hint=f"write it anew: envbuild ci {kind} --force, with the options that you want",
        ) from None
    return {
        name: value
        for name, value in context.params.items()
        if name not in _OWN
        and context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }


def _words(kind: str, wanted: Mapping[str, object]) -> Iterator[str]:
    """Options as they are written on a command line, in the order in which help has them."""
    for option in _parser(kind).params:
        value = wanted.get(option.name or "")
        if isinstance(value, bool):
            yield option.opts[0] if value else (*option.secondary_opts, "")[0]
        elif isinstance(value, tuple):
            for word in filter(None, value):
                yield from (option.opts[0], str(word))
        elif value not in (None, ""):
            yield from (option.opts[0], str(value))
