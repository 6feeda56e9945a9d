"""Git sources at their commits, as bare repositories that hold one commit each.

They are kept in the user's cache, ``<cache>/git/<sha256 of address and commit>``: a folder
``repository``, and beside it the sha256 of each of its files, which all are checked before use.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from envbuild.errors import ToolError
from envbuild.tools import files, store, temporary, typed
from envbuild.tools.proc import Command, Outcome, Runner, masked
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from collections.abc import Iterable

_PASSED = ("PATH", "HOME", "USER", "XDG_CONFIG_HOME", "TMPDIR")
_WAY = ("SSH_AUTH_SOCK", "SSH_AGENT_PID", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT")
_ASKED = ("GIT_ASKPASS", "SSH_ASKPASS", "DISPLAY", "DBUS_SESSION_BUS_ADDRESS")
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")

_FETCH = 1800.0
_LOCAL = 300.0
"""Seconds for a fetch, and for what needs no network."""

_SETTINGS = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
[uploadpack]
\tallowAnySHA1InWant = true
"""
"""The configuration of what is handed out: git before 2.26 gives out no commit by its hash else."""

_REF = "refs/heads/envbuild"
_KEPT = ("HEAD", "config", "shallow", "packed-refs")
"""What of a bare repository is kept beside ``objects``."""


class Repository(Struct, frozen=True, kw_only=True):
    """A bare repository on this disk with one commit; ``fetched``: it came over the network now.

    ``files`` are its files' paths below it."""

    path: str
    commit: str
    files: tuple[str, ...]
    fetched: bool


class Repositories:
    """The repositories of a cache folder, and git to fill it with."""

    def __init__(
        self, folder: str, environ: Mapping[str, str], runner: Runner, *, offline: bool
    ) -> None:
        self._folder = folder
        self._environment = _environment(environ)
        self._run = runner
        self._offline = offline

    def get(self, name: str, url: str, commit: str) -> Repository:
        """The repository of a source; ``name`` is for messages. Submodules are not fetched.

        Raises:
            ToolError: it cannot be fetched, or has no such commit.
        """
        key = hashlib.sha256(f"{url}\n{commit}".encode()).hexdigest()
        place = f"{self._folder}/{key}"
        listed = _checked(place)
        fetched = listed is None
        if listed is None:
            local = url.startswith("file://")
            if self._offline and not local:
                raise ToolError(
                    f"{name}: {masked(url)} at {commit[:12]} is not in the cache, and the network "
                    "is off",
                    hint="without --offline it is fetched",
                )
            listed = self._fetch(name, url, commit, place=place)
            fetched = not local
        path = f"{place}/repository"
        return Repository(path=path, commit=commit, files=listed, fetched=fetched)

    def probe(self, url: str, commit: str) -> Outcome:
        """git asked for a commit, without its files where the host can leave them out: a code of 0
        says that it is there.

        Raises:
            ToolError: git is not installed, or there is no scratch.
        """
        with temporary.scratch({}) as folder:
            self._git(folder, "init", "--quiet", "--bare", ".")
            fetch = ("fetch", "--quiet", "--no-tags", "--depth", "1", "--filter=tree:0", "--", url)
            return self._call(folder, *fetch, f"{commit}:{_REF}", seconds=_LOCAL)

    def texts(
        self, repository: Repository, names: Iterable[str], subdirectory: str | None
    ) -> dict[str, str]:
        """The texts of those files that a commit has in a folder.

        Raises:
            ToolError: git fails.
        """
        paths = {name: f"{subdirectory}/{name}" if subdirectory else name for name in names}
        listed = self._git(
            repository.path,
            "ls-tree",
            "-z",
            "--name-only",
            repository.commit,
            "--",
            *paths.values(),
        )
        there = set(listed.split("\0"))
        return {
            name: self._git(repository.path, "show", f"{repository.commit}:{path}")
            for name, path in paths.items()
            if path in there
        }

    def _fetch(self, name: str, url: str, commit: str, *, place: str) -> tuple[str, ...]:
        with temporary.beside(place) as folder:
            made = f"{folder}/made"
            try:
                os.makedirs(made)
                self._git(made, "init", "--quiet", "--bare", ".")
                fetch = ("fetch", "--quiet", "--no-tags", "--depth", "1", "--", url)
                outcome = self._call(made, *fetch, f"{commit}:{_REF}", seconds=_FETCH)
                if outcome.code:
                    raise _failed(name, url, commit, outcome=outcome)
                found = self._git(made, "rev-parse", f"{_REF}^{{commit}}").strip()
                if found != commit:
                    raise ToolError(f"{name}: {masked(url)} has no commit {commit}")
                self._git(made, "symbolic-ref", "HEAD", _REF)
                self._git(made, "-c", "pack.threads=1", "repack", "-a", "-d", "--quiet")
                self._git(made, "pack-refs", "--all")
                listed = _handed_out(made, f"{folder}/repository")
                temporary.remove_tree(made)
                digests = {one: store.digest(f"{folder}/repository/{one}") for one in listed}
                files.write_tree(folder, {"files.json": msgspec.json.encode(digests)})
                if _checked(place) is None:  # else another process has just made it
                    if os.path.lexists(place):
                        temporary.remove_tree(place, quietly=True)
                    os.rename(folder, place)
            except OSError as error:
                raise cannot_write(place, error) from None
        return listed

    def _git(self, folder: str, *arguments: str) -> str:
        outcome = self._call(folder, *arguments, seconds=_LOCAL)
        if outcome.code:
            raise ToolError(
                f"git {arguments[0]} failed",
                command=outcome.command.text(),
                output=masked(outcome.stderr or outcome.stdout),
            )
        return outcome.stdout

    def _call(self, folder: str, *arguments: str, seconds: float) -> Outcome:
        argv = ("git", "--no-pager", *arguments)
        outcome = self._run(
            Command(argv=argv, environment=self._environment, cwd=folder, timeout=seconds)
        )
        if outcome.missing:
            raise ToolError(
                "git is needed to fetch the profile's git sources, and it is not installed",
                hint="install git",
            )
        return outcome


def _environment(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What git may see: the way to a host, and the user's own settings."""
    names = (*_PASSED, *_WAY, *_ASKED)
    kept = {name: environ[name] for name in names if name in environ}
    kept |= {name: text for name, text in environ.items() if name.lower().endswith("_proxy")}
    trusted = environ.get("GIT_SSL_CAINFO") or next(
        (environ[name] for name in _CERTIFICATES if environ.get(name)), ""
    )
    kept |= {"GIT_SSL_CAINFO": trusted} if os.path.isfile(trusted) else {}
    kept |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    if "GIT_SSH_COMMAND" not in kept and "GIT_SSH" not in kept:
        kept["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    return tuple(sorted(kept.items()))


def _handed_out(made: str, target: str) -> tuple[str, ...]:
    """Move what a reader needs of a bare repository to ``target``; the files' paths, sorted."""
    os.makedirs(f"{target}/refs")
    for name in _KEPT:
        if os.path.exists(f"{made}/{name}"):
            os.rename(f"{made}/{name}", f"{target}/{name}")
    os.rename(f"{made}/objects", f"{target}/objects")
    with open(f"{target}/config", "w", encoding="utf-8") as file:
        file.write(_SETTINGS)
    # An empty folder gets lost on the way into some builders, and git wants this one.
    with open(f"{target}/refs/.keep", "w", encoding="utf-8"):
        pass
    return _paths(target)


def _paths(folder: str) -> tuple[str, ...]:
    return tuple(
        sorted(
            os.path.relpath(f"{place}/{name}", folder)
            for place, _, names in os.walk(folder)
            for name in names
        )
    )


def _checked(place: str) -> tuple[str, ...] | None:
    """The files of a kept repository; None where one is missing or has other bytes."""
    try:
        data = files.read_if_exists(f"{place}/files.json")
        digests = typed.decode(data, dict[str, str]) if data else {}
        folder = f"{place}/repository"
        if not digests or _paths(folder) != tuple(sorted(digests)):
            return None
        whole = all(store.digest(f"{folder}/{path}") == sha for path, sha in digests.items())
    except (OSError, msgspec.MsgspecError):
        return None
    return tuple(sorted(digests)) if whole else None


_HINTS = (
    ("could not resolve host", "the network, or a proxy in HTTPS_PROXY"),
    ("authentication failed", "git's own credentials: try git ls-remote with the address"),
    ("could not read username", "git's own credentials: try git ls-remote with the address"),
    ("permission denied", "your ssh agent must hold a key for the host"),
    ("host key verification failed", "ssh to the host once, so that its key is known"),
    ("not our ref", "the commit is gone from the repository: lock again"),
    ("certificate", "GIT_SSL_CAINFO or SSL_CERT_FILE names the certificates that are trusted"),
)


def _failed(name: str, url: str, commit: str, *, outcome: Outcome) -> ToolError:
    said = (outcome.stderr or outcome.stdout).strip()
    hint = next((hint for sign, hint in _HINTS if sign in said.lower()), None)
    late = f" within {_FETCH:.0f} s" if outcome.timed_out else ""
    return ToolError(
        f"{name}: {masked(url)} at {commit[:12]} cannot be fetched{late}",
        hint=hint,
        command=outcome.command.text(),
        output=masked(said),
    )
