"""Who the user is at a registry, from docker's and podman's own files. Nothing of it is printed."""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.tools import typed
from envbuild.tools.net import NetError
from envbuild.tools.proc import Command, Runner

HUB = "docker.io"
_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")
"""The names that Docker Hub has in these files; docker itself writes the first."""

_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SECONDS = 30.0
_TOKEN = "<token>"  # noqa: S105 (the user name by which a helper says that it gives a token)

ReadText = Callable[[str], str | None]
"""The text of a file, None when there is none."""


class Login(Struct, frozen=True, kw_only=True):
    """What a user shows to a registry: a name and a password, or an identity token."""

    user: str = ""
    password: str = ""
    identity: str = ""

    def __repr__(self) -> str:
        """Says that there is one, and nothing of it."""
        return "Login(***)"

    def basic(self) -> str:
        """The value of the header ``Authorization``."""
        both = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(both).decode()}"


class Entry(Struct, frozen=True, rename={"identity": "identitytoken"}):
    """A login as it stands in such a file; ``auth`` is name and password, in base64."""

    auth: str = ""
    username: str = ""
    password: str = ""
    identity: str = ""

    def __repr__(self) -> str:
        """Says that there is one, and nothing of it."""
        return "Entry(***)"


class _File(Struct, frozen=True, rename={"helpers": "credHelpers", "store": "credsStore"}):
    auths: dict[str, Entry] = {}
    helpers: dict[str, str] = {}
    store: str = ""


class Logins:
    """The logins of a user, each looked up once."""

    def __init__(self, environ: Mapping[str, str], read: ReadText, runner: Runner) -> None:
        self._environ = environ
        self._read = read
        self._run = runner
        self._turn = threading.Lock()
        self._files: tuple[_File, ...] | None = None
        self._known: dict[tuple[str, str], Login | None] = {}

    def __call__(self, registry: str, repository: str) -> Login | None:
        """The login for a repository of a registry; None where the user has none.

        Raises:
            NetError: such a file cannot be read, or a credential helper fails.
        """
        with self._turn:
            key = (registry, repository)
            if key not in self._known:
                self._known[key] = self._find(registry, repository)
            return self._known[key]

    def _find(self, registry: str, repository: str) -> Login | None:
        """The helper of the registry, the helper for all, then what the file itself holds."""
        if self._files is None:
            self._files = tuple(self._all())
        names = keys(registry, repository)
        for file in self._files:
            helper = next((file.helpers[name] for name in names if name in file.helpers), "")
            helper = helper or file.store
            found = self._ask(helper, server(registry)) if helper else None
            entry = next((file.auths[name] for name in names if name in file.auths), None)
            found = found or (login(entry) if entry else None)
            if found:
                return found
        return None

    def _ask(self, helper: str, place: str) -> Login | None:
        """What a credential helper says (docker-credential-helpers, its protocol of ``get``)."""
        program = f"docker-credential-{helper}"
        if not _HELPER.fullmatch(helper):
            raise NetError("the name of a credential helper is no name", detail=repr(helper))
        outcome = self._run(
            Command(
                argv=(program, "get"),
                environment=tuple(self._environ.items()),
                stdin=place,
                timeout=_SECONDS,
            )
        )
        if outcome.missing:
            raise NetError(f"{program} is not installed", hint="docker's config.json names it")
        if outcome.code and "not found" in outcome.stdout + outcome.stderr:
            return None
        if outcome.code or outcome.timed_out:
            raise NetError(f"{program} failed", detail=f"status {outcome.code}")
        try:
            answer = json.loads(outcome.stdout)
            user, secret = str(answer["Username"]), str(answer["Secret"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NetError(f"{program} gave no login that can be read") from None
        if not secret:
            return None
        return Login(identity=secret) if user == _TOKEN else Login(user=user, password=secret)

    def _all(self) -> Iterator[_File]:
        """The files that name logins, the one that the user names expressly first."""
        environ, home = self._environ, self._environ.get("HOME", "")
        docker = environ.get("DOCKER_CONFIG") or f"{home}/.docker"
        runtime = environ.get("XDG_RUNTIME_DIR")
        settings = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
        paths = (
            environ.get("REGISTRY_AUTH_FILE", ""),
            f"{docker}/config.json",
            f"{runtime}/containers/auth.json" if runtime else "",
            f"{settings}/containers/auth.json",
        )
        for path in dict.fromkeys(filter(None, paths)):
            text = self._read(path)
            if text is not None and text.strip():
                try:
                    yield typed.decode(text, _File)
                except msgspec.MsgspecError as error:
                    said = f"{path}: {error}"
                    raise NetError("the file of logins cannot be read", detail=said) from None


def server(registry: str) -> str:
    """The name under which a credential helper knows a registry."""
    return _HUB_KEYS[0] if registry == HUB else registry


def keys(registry: str, repository: str) -> tuple[str, ...]:
    """The names under which a login may stand in a file, the most exact first."""
    if registry == HUB:
        return _HUB_KEYS
    parts = repository.split("/")
    within = [f"{registry}/{'/'.join(parts[:n])}" for n in range(len(parts), 0, -1)]
    return (*within, registry, f"https://{registry}", f"https://{registry}/v1/")


def login(entry: Entry) -> Login | None:
    """The login of an entry of ``auths``; None of one that is empty, as a helper leaves it.

    Raises:
        NetError: its ``auth`` is not what docker and podman write.
    """
    if entry.identity:
        return Login(identity=entry.identity)
    if entry.username and entry.password:
        return Login(user=entry.username, password=entry.password)
    if not entry.auth:
        return None
    try:
        user, colon, password = base64.b64decode(entry.auth).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, colon, password = "", "", ""
    if not colon:
        raise NetError("a login in the file of logins cannot be read")
    return Login(user=user, password=password.rstrip("\0"))
