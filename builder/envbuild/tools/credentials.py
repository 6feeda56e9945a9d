"""Who the user is to a host: from the addresses of package indexes, and from the netrc file."""

from __future__ import annotations

import base64
import contextlib
import netrc
import threading
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import unquote, urlsplit


class Credentials:
    """User names and passwords by place (scheme, host and port), as uv takes them.

    ``addresses`` may hold them before an ``@``, and are asked for when a host is to be reached; the
    netrc file (``NETRC``, else ``~/.netrc``) counts for a host that no address speaks of.
    """

    def __init__(self, addresses: Callable[[], Iterable[str]], environ: Mapping[str, str]) -> None:
        self._addresses = addresses
        self._turn = threading.Lock()
        self._known: dict[str, tuple[str, str]] | None = None
        self._netrc: netrc.netrc | None = None
        home = environ.get("HOME", "")
        self._netrc_path = environ.get("NETRC") or f"{home}/.netrc"

    def headers(self, url: str) -> dict[str, str]:
        """The header that a request for an address needs; none for a host that nothing is known
        of."""
        with self._turn:
            if self._known is None:
                self._known = {}
                self._read()
        login = _login(url) or self._known.get(_place(url)) or self._from_netrc(url)
        if not login:
            return {}
        text = base64.b64encode(f"{login[0]}:{login[1]}".encode()).decode()
        return {"Authorization": f"Basic {text}"}

    def _read(self) -> None:
        assert self._known is not None  # made a moment ago
        for address in self._addresses():
            login = _login(address)
            if login:
                self._known.setdefault(_place(address), login)
        with contextlib.suppress(OSError, netrc.NetrcParseError):  # uv goes on without it too
            self._netrc = netrc.netrc(self._netrc_path)

    def _from_netrc(self, url: str) -> tuple[str, str] | None:
        host = urlsplit(url).hostname or ""
        found = self._netrc.hosts.get(host) if self._netrc else None
        return (found[0], found[2] or "") if found else None


def _login(url: str) -> tuple[str, str] | None:
    parts = urlsplit(url)
    if not (parts.username or parts.password):
        return None
    return unquote(parts.username or ""), unquote(parts.password or "")


def _place(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}"
