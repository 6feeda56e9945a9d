"""Reading files as they are at a git revision; nothing is checked out, nothing is written."""

from __future__ import annotations

from collections.abc import Mapping

from envbuild.errors import InputError, ToolError
from envbuild.tools.proc import Command, Outcome, Runner

_PASSED = ("PATH", "HOME", "XDG_CONFIG_HOME")
_SECONDS = 60.0


class Git:
    """The repository that a folder lies in."""

    def __init__(self, folder: str, environ: Mapping[str, str], runner: Runner) -> None:
        self._folder = folder
        self._environment = (
            *((name, environ[name]) for name in _PASSED if name in environ),
            ("LC_ALL", "C"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
        )
        self._run = runner

    def commit(self, revision: str) -> str | None:
        """The commit (hex digits) that a revision names; None when there is no such revision.

        Raises:
            InputError: the folder is in no repository.
            ToolError: git is missing, or refuses to work.
        """
        wanted = f"{revision}^{{commit}}"
        outcome = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
        found = outcome.stdout.strip()
        if outcome.code == 0 and found:
            return found
        if outcome.stderr.strip():
            self._refuse(outcome)
        return None

    def origin(self) -> str:
        """The address of the repository's remote ``origin``, as git has it; empty where there is
        none."""
        outcome = self._git("config", "--get", "remote.origin.url")
        return outcome.stdout.strip() if outcome.code == 0 else ""

    def read(self, commit: str, path: str) -> bytes | None:
        """The bytes of a text file at a commit; None when it is not there.

        ``path`` is relative to the folder.

        Raises:
            ToolError: git fails.
        """
        listed = self._git("ls-tree", "-z", "--name-only", commit, "--", f"./{path}")
        if listed.code:
            self._refuse(listed)
        if not listed.stdout:
            return None
        shown = self._git("show", f"{commit}:./{path}")
        if shown.code:
            self._refuse(shown)
        return shown.stdout.encode()

    def names(self, commit: str, *places: str) -> tuple[str, ...]:
        """The files below some folders at a commit, relative to the folder that this is about.

        Raises:
            ToolError: git fails.
        """
        wanted = (f"./{place}" for place in places)
        listed = self._git("ls-tree", "-r", "-z", "--name-only", commit, "--", *wanted)
        if listed.code:
            self._refuse(listed)
        return tuple(filter(None, listed.stdout.split("\0")))

    def changed(self, commit: str) -> tuple[str, ...]:
        """The files of the folder that differ from a commit, as they stand now; new ones too.

        Paths are relative to the folder; a file that was renamed counts under both names.

        Raises:
            ToolError: git fails.
        """
        paths: set[str] = set()
        for arguments in (
            ("diff", "--name-only", "--no-renames", "--relative", "-z", commit, "--", "."),
            ("ls-files", "--others", "--exclude-standard", "-z", "--", "."),
        ):
            listed = self._git(*arguments)
            if listed.code:
                self._refuse(listed)
            paths.update(filter(None, listed.stdout.split("\0")))
        return tuple(sorted(paths))

    def _git(self, *arguments: str) -> Outcome:
        argv = ("git", "--no-pager", *arguments)
        outcome = self._run(
            Command(argv=argv, environment=self._environment, cwd=self._folder, timeout=_SECONDS)
        )
        if outcome.missing:
            raise ToolError(
                "git is needed to read a revision, and it is not installed",
                hint="install git, or name two lock folders",
            )
        return outcome

    def _refuse(self, outcome: Outcome) -> None:
        if "not a git repository" in outcome.stderr:
            raise InputError(
                "this is no git repository, so there are no revisions",
                hint="name two lock folders, or two images, instead",
            )
        hint = None
        if "dubious ownership" in outcome.stderr:
            hint = "the repository belongs to another user: git config --global safe.directory"
        raise ToolError(
            "git could not read the revision",
            hint=hint,
            command=outcome.command.text(),
            output=outcome.stderr or outcome.stdout,
        )
