"""A branch of a git repository as a store of files; work tree and index are not touched.

What is written is one commit on top of the branch, by ``git fast-import``: objects and branch in
one go, and the branch moves only if nobody else has moved it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from envbuild.errors import InputError, ToolError
from envbuild.tools.pipes import Sink, Whole
from envbuild.tools.proc import Command, Outcome

_PASSED = ("PATH", "HOME", "XDG_CONFIG_HOME")
_SECONDS = 300.0
_DURABLE = ("-c", "core.fsync=all")
_WHO = "envbuild <envbuild@localhost>"
"""Who commits: a repository need not know a name."""


class Run(Protocol):
    """:func:`envbuild.tools.proc.run`, or what stands for it."""

    def __call__(self, command: Command, sinks: tuple[Sink, Sink] | None = None, /) -> Outcome:
        """Run a command to its end."""


class Stored(Struct, frozen=True, kw_only=True):
    """One file of a commit: its object, and its size in bytes."""

    path: str
    object: str
    size: int


class Change(Struct, frozen=True, kw_only=True):
    """What a commit changes: files to be there, paths to go, and the tips that it joins beside the
    branch's own. ``message`` is its first line."""

    message: str
    files: Mapping[str, bytes] = {}
    gone: Sequence[str] = ()
    joins: Sequence[str] = ()


class _Bytes(Whole):
    """A sink whose bytes are taken from it; nothing is decoded."""

    def text(self) -> str:
        return ""


class Objects:
    """The repository that a folder lies in."""

    def __init__(self, folder: str, environ: Mapping[str, str], run: Run) -> None:
        self.folder = folder
        self._environment = (
            *((name, environ[name]) for name in _PASSED if name in environ),
            ("LC_ALL", "C"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
        )
        self._run = run

    def check_name(self, branch: str) -> None:
        """Refuse what is no name of a branch.

        Raises:
            InputError: it is none.
        """
        if branch.startswith("-") or self._git("check-ref-format", f"refs/heads/{branch}").code:
            raise InputError(f"{branch!r} is no name of a branch", hint="git:nightly")

    def tip(self, ref: str) -> str | None:
        """The commit that a full ref is at; None where there is no such ref.

        Raises:
            InputError: the folder is in no repository.
            ToolError: git is missing, or refuses to work.
        """
        found = self._git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        if found.code == 0:
            return found.stdout.strip()
        if found.stderr.strip():
            self._refuse(found)
        return None

    def checked_out(self) -> frozenset[str]:
        """The refs that a work tree shows."""
        listed = self._good("worktree", "list", "--porcelain")
        lines = (line.partition(" ") for line in listed.stdout.splitlines())
        return frozenset(value for key, _, value in lines if key == "branch")

    def holds(self, tip: str, other: str) -> bool:
        """Whether a commit is, or comes after, another one."""
        found = self._git("merge-base", "--is-ancestor", other, tip)
        if found.code > 1:
            self._refuse(found)
        return found.code == 0

    def listed(self, commit: str, *folders: str) -> list[Stored]:
        """The files of some folders of a commit, sorted by path; none where there are none."""
        listed = self._good("ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *folders)
        found = []
        for line in filter(None, listed.stdout.split("\0")):
            about, _, path = line.partition("\t")
            _, kind, name, size = about.split()
            if kind == "blob":
                found.append(Stored(path=path, object=name, size=int(size)))
        return sorted(found, key=lambda one: one.path)

    def read(self, names: Iterable[str]) -> list[bytes | None]:
        """The bytes of objects (``<object>``, or ``<commit>:<path>``); None where there is none."""
        asked = list(names)
        if not asked:
            return []
        sink = _Bytes()
        command = self._command(("cat-file", "--batch"), "".join(f"{one}\n" for one in asked))
        outcome = self._run(command, (sink, Whole()))
        if outcome.code or outcome.missing or outcome.timed_out:
            self._refuse(outcome)
        return _answers(memoryview(sink), len(asked))

    def commit(self, ref: str, old: str | None, change: Change) -> bool:
        """Put a commit on top of ``old`` (None: the branch is new), and move the ref there; False
        when somebody else has moved it.

        Raises:
            ToolError: it cannot be written.
        """
        parents = [*filter(None, (old,)), *change.joins]
        words = ("fast-import", "--quiet", "--done", "--date-format=now")
        outcome = self._run(self._command((*_DURABLE, *words), _stream(ref, parents, change)), None)
        if outcome.code == 0 and not outcome.timed_out:
            return True
        if self.tip(ref) != old:
            return False
        self._refuse(outcome)
        return False

    def _command(self, arguments: tuple[str, ...], stdin: str = "") -> Command:
        return Command(
            argv=("git", "--no-pager", *arguments),
            environment=self._environment,
            cwd=self.folder,
            stdin=stdin,
            timeout=_SECONDS,
        )

    def _git(self, *arguments: str) -> Outcome:
        outcome = self._run(self._command(arguments), None)
        if outcome.missing:
            self._refuse(outcome)
        return outcome

    def _good(self, *arguments: str) -> Outcome:
        outcome = self._git(*arguments)
        if outcome.code:
            self._refuse(outcome)
        return outcome

    def _refuse(self, outcome: Outcome) -> None:
        if outcome.missing:
            raise ToolError(
                "git is needed for a history in a branch, and it is not installed",
                hint="install git, or name a folder",
            )
        if "not a git repository" in outcome.stderr:
            raise InputError(
                "this is no git repository, so a branch cannot hold the history",
                hint="git init, or name a folder",
            )
        hint = None
        if "dubious ownership" in outcome.stderr:
            hint = "the repository belongs to another user: git config --global safe.directory"
        if "No space left" in outcome.stderr:
            hint = (
                "free some space, then run it again; what git had begun goes by"
                " git prune --expire=now"
            )
        raise ToolError(
            "git failed at the branch of the history",
            hint=hint,
            command=outcome.command.text(),
            output=outcome.stderr or outcome.stdout,
        )


def _answers(data: memoryview, count: int) -> list[bytes | None]:
    """What ``cat-file --batch`` wrote: a line about each object, then its bytes."""
    whole = bytes(data)
    found: list[bytes | None] = []
    at = 0
    for _ in range(count):
        end = whole.index(b"\n", at)
        about = whole[at:end].split(b" ")
        at = end + 1
        if len(about) == 3 and about[1] == b"blob":
            size = int(about[2])
            found.append(whole[at : at + size])
            at += size + 1
        else:  # "<name> missing"; a folder is asked for by nobody
            found.append(None)
    return found


def _stream(ref: str, parents: Sequence[str], change: Change) -> str:
    """A commit in the language of fast-import, which takes all of it or, cut off, nothing."""
    parts = [f"commit {ref}\ncommitter {_WHO} now\n", _data(f"{change.message}\n".encode())]
    parts += [f"{'merge' if at else 'from'} {parent}\n" for at, parent in enumerate(parents)]
    parts += [f"D {path}\n" for path in change.gone]
    for path, data in change.files.items():
        parts += [f"M 100644 inline {path}\n", _data(data)]
    return "".join((*parts, "done\n"))


def _data(data: bytes) -> str:
    return f"data {len(data)}\n{data.decode('utf-8', 'surrogateescape')}\n"
