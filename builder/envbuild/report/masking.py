"""Text without what tells who somebody is, or opens doors: for what is shown to strangers. Pure.

The same name gets the same stand-in in every piece, so that a report can still be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from envbuild.tools.proc import masked

_EVERYBODY = frozenset({"root", "user", "users", "ubuntu", "debian", "nobody", "admin", "home"})
_EVERYBODY_S_HOSTS = frozenset({"localhost", "linux", "ubuntu", "debian", "docker", "host"})
"""Names that say nothing of anybody."""

_PUBLIC = re.compile(
    r"(?:[\w-]+\.)*(?:nvidia\.com|nvcr\.io|github\.com|githubusercontent\.com|anaconda\.org"
    r"|docker\.io|ghcr\.io|quay\.io|example\.(?:org|com)|oasis-open\.org|json-schema\.org)"
    r"|localhost|127\.0\.0\.\d+|0\.0\.0\.0|\[::1?\]",
    re.IGNORECASE,
)
"""Hosts that everybody uses, which a reader must see to understand a failure."""

_SECRET = re.compile(r"token|passw|secret|api_?key|credential|auth|private", re.IGNORECASE)
_SHORTEST = 6
"""Characters from which on the value of such a variable is looked for: less stands anywhere."""

_KEYS = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)
_TOKENS = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\b(?:xox[abprs]|sk|rk)-[\w-]{16,}|(?<=\"auth\": \")[\w+/=]{8,}|(?<=\"auth\":\")[\w+/=]{8,}"
)
_MAIL = re.compile(r"\b(?!git@)[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_HOME = re.compile(r"(/(?:home|Users)/)([^/\s:'\"]+)")
_URL_HOST = re.compile(r"(?<=://)((?:[^/\s'\"@]*@)?)(\[[0-9a-fA-F:.]+\]|[^/\s:'\"<>)\],]+)")
_ADDRESS = re.compile(
    r"(?<![\d.])(?:(?:\d{1,3}\.){3}\d{1,3}(?=:\d)|192\.168\.\d{1,3}\.\d{1,3}"
    r"|(?<=@)(?:\d{1,3}\.){3}\d{1,3}|(?i:(?<=from )|(?<=host )|(?<= to ))(?:\d{1,3}\.){3}\d{1,3})"
    r"(?![\d.])"
)
"""Addresses of machines. CUDA's libraries have versions of four numbers too (12.8.4.1), so only
what stands where an address does is taken for one."""

_HARDWARE = re.compile(r"\b(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}\b|\bGPU-[0-9a-f]{8}(?:-[0-9a-f]+)+")


class Known(Struct, frozen=True, kw_only=True):
    """What is known of who and where: names of users, their ``homes``, names of the machine, and
    the environment's variables, of which those that are called like secrets are hidden."""

    users: tuple[str, ...] = ()
    homes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}


class Masks:
    """Masks texts, and counts what it has hidden."""

    def __init__(self, known: Known) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self.hidden = 0
        self._values = _secrets(known.variables)
        self._homes = sorted({one.rstrip("/") for one in known.homes if one.strip("/")}, key=_long)
        self._users = _words(known.users, _EVERYBODY)
        self._hosts = _words(known.hosts, _EVERYBODY_S_HOSTS)

    def text(self, text: str) -> str:
        """The text with what must not be told replaced: ``***`` for secrets, ``user-1``,
        ``host-1`` and ``address-1`` for names, ``~`` for homes."""
        for value in self._values:
            text = self._replaced(re.escape(value), text, lambda _: "***")
        text = self._replaced(_KEYS, text, lambda found: f"-----{found[1]} hidden-----")
        text = self._replaced(_TOKENS, text, lambda _: "***")
        plain = masked(text)
        self.hidden += plain.count("***") - text.count("***") if plain != text else 0
        text = self._replaced(_URL_HOST, plain, self._url)
        text = self._replaced(_MAIL, text, lambda _: "mail@hidden")
        for home in self._homes:
            text = self._replaced(rf"{re.escape(home)}(?![\w.-])", text, lambda _: "~")
        text = self._replaced(_HOME, text, self._home)
        if self._hosts:
            text = self._replaced(self._hosts, text, lambda found: self._name("host", found[0]))
        if self._users:
            text = self._replaced(self._users, text, lambda found: self._name("user", found[0]))
        text = self._replaced(_HARDWARE, text, lambda found: self._name("device", found[0]))
        return self._replaced(_ADDRESS, text, self._address)

    def _replaced(
        self, pattern: str | re.Pattern[str], text: str, by: Callable[[re.Match[str]], str]
    ) -> str:
        def one(found: re.Match[str]) -> str:
            stands = by(found)
            self.hidden += stands != found[0]
            return stands

        return re.sub(pattern, one, text)

    def _name(self, kind: str, name: str) -> str:
        known = sum(one == kind for one, _ in self._names)
        return self._names.setdefault((kind, name.lower()), f"{kind}-{known + 1}")

    def _url(self, found: re.Match[str]) -> str:
        host = found[2]
        return found[1] + (host if _PUBLIC.fullmatch(host) else self._name("host", host))

    def _home(self, found: re.Match[str]) -> str:
        name = found[2]
        return found[1] + (name if name.lower() in _EVERYBODY else self._name("user", name))

    def _address(self, found: re.Match[str]) -> str:
        own = found[0].startswith("127.") or found[0] == "0.0.0.0"  # noqa: S104 (in a text)
        return found[0] if own else self._name("address", found[0])


def _secrets(variables: Mapping[str, str]) -> list[str]:
    found = {
        value
        for name, value in variables.items()
        if _SECRET.search(name) and len(value) >= _SHORTEST and not value.startswith("/")
    }
    return sorted(found, key=_long)


def _words(names: Iterable[str], everybody: frozenset[str]) -> re.Pattern[str] | None:
    """A pattern of names as whole words, the longest first; None where there is none."""
    known = {one for one in names if len(one) > 2 and one.lower() not in everybody}
    if not known:
        return None
    every = "|".join(re.escape(one) for one in sorted(known, key=_long))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{every})(?![A-Za-z0-9])", re.IGNORECASE)


def _long(text: str) -> tuple[int, str]:
    return (-len(text), text)
