"""The one place that speaks HTTP: short waits, few repetitions, the user's own way out.

What goes wrong is said in words that are the same each time (:attr:`NetError.message`); hosts and
what the system said stand in :attr:`NetError.detail` alone. What takes long to import is imported
when something is asked: the errors of this module are known to much that asks nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urljoin, urlsplit

from envbuild.errors import ToolError
from envbuild.tools.proc import masked

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from urllib3 import BaseHTTPResponse, PoolManager

CONNECT = 5.0
"""Seconds to wait for a connection."""

READ = 30.0
"""Seconds to wait for the next bytes."""

_PAUSES = (0.3, 1.0)
"""Seconds before the first and the second repetition of what failed in passing."""

_DOWN = 20.0
"""Seconds for which a host that did not answer is not asked again."""

_PASSING = frozenset({500, 502, 503, 504})
_MOVED = frozenset({301, 302, 303, 307, 308})
_HOPS = 5
_CHUNK = 1 << 16
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")


class NetError(ToolError):
    """Nothing, or nothing useful, came back. ``detail`` names the host and what was said,
    ``status`` is that of an answer which refuses (0: there was none)."""

    other_bytes = False
    """Whether an answer came, with other bytes than its digest says."""

    def __init__(
        self, message: str, *, detail: str = "", hint: str | None = None, status: int = 0
    ) -> None:
        super().__init__(message, hint=hint, output=masked(detail))
        self.detail = masked(detail)
        self.status = status


class Response:
    """An answer whose body is read as it is wanted. To be closed: use it in ``with``."""

    def __init__(self, raw: BaseHTTPResponse, url: str) -> None:
        self._raw = raw
        self.url = url
        self.status = raw.status
        self.headers: Mapping[str, str] = {k.lower(): v for k, v in raw.headers.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._raw.close()

    def read(self, limit: int) -> bytes:
        """The whole body.

        Raises:
            NetError: it is longer than ``limit`` bytes, or cut off.
        """
        data = bytearray()
        for chunk in self.chunks():
            data += chunk
            if len(data) > limit:
                raise NetError("the answer is too long", detail=self.url)
        return bytes(data)

    def chunks(self) -> Iterator[bytes]:
        """The body, piece by piece, as it was sent.

        Raises:
            NetError: it is cut off.
        """
        from urllib3.exceptions import HTTPError

        try:
            yield from self._raw.stream(_CHUNK, decode_content=False)
        except (HTTPError, OSError) as error:
            raise NetError("the answer was cut off", detail=f"{self.url}: {error}") from None


class Http:
    """HTTP with the settings of an environment. Any thread may use it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._turn = threading.Lock()
        self._pools: dict[str, PoolManager] = {}
        self._down: dict[tuple[str, int | None], tuple[NetError, float]] = {}

    def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
    ) -> Response:
        """GET an address, or POST a form to it; redirections are followed.

        ``Authorization`` is not sent on to another host.

        Raises:
            NetError: it cannot be reached, or its certificate is not trusted.
        """
        sent = dict(headers or {})
        for _ in range(_HOPS):
            answer = self._patient(url, sent, body)
            target = answer.headers.get("location", "")
            if answer.status not in _MOVED or not target:
                return answer
            answer.close()
            there = urljoin(url, target)
            if urlsplit(url).scheme == "https" and urlsplit(there).scheme != "https":
                raise NetError("it leads from https to http", detail=there)
            if _place(there) != _place(url):
                sent.pop("Authorization", None)
            url = there
        raise NetError("it leads from one place to the next without end", detail=url)

    def _patient(self, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        """What fails in passing is tried again; a host that did not answer is not asked again."""
        place = _place(url)
        for pause in (*_PAUSES, None):
            self._refuse_down(place)
            try:
                answer = self._once(url, headers, body)
            except _PassingError as error:
                if pause is None:
                    raise self._remember(place, error) from None
            except NetError as error:
                raise self._remember(place, error) from None
            else:
                if answer.status not in _PASSING or pause is None:
                    return answer
                answer.close()
            time.sleep(pause)
        raise AssertionError  # the last turn of the loop returns or raises

    def _refuse_down(self, place: tuple[str, int | None]) -> None:
        error, since = self._down.get(place, (None, 0.0))
        if error and time.monotonic() - since < _DOWN:
            raise error

    def _remember(self, place: tuple[str, int | None], error: NetError) -> NetError:
        self._down[place] = (error, time.monotonic())
        return error

    def _once(self, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        from urllib3 import Timeout, exceptions

        if urlsplit(url).scheme not in ("http", "https"):
            raise NetError("it is not asked by http or https", detail=url)
        try:
            raw = self._pool(url).request(
                "GET" if body is None else "POST",
                url,
                headers={"User-Agent": "envbuild", **headers},
                body=body,
                timeout=Timeout(connect=CONNECT, read=READ),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except exceptions.HTTPError as error:
            raise _told(error, url) from None
        return Response(raw, url)

    def _pool(self, url: str) -> PoolManager:
        """The connections for an address: through a proxy where the user names one for it."""
        from urllib3 import PoolManager, ProxyManager, make_headers

        proxy = self._proxy(url)
        with self._turn:
            if proxy not in self._pools:
                context = self._context()
                if not proxy:
                    self._pools[proxy] = PoolManager(ssl_context=context)
                else:
                    parts = urlsplit(proxy)
                    if parts.scheme not in ("http", "https"):
                        raise NetError(
                            "the proxy is none of http or https", detail=f"proxy {proxy}"
                        )
                    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
                    own = make_headers(proxy_basic_auth=login) if parts.username else None
                    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
                    self._pools[proxy] = ProxyManager(
                        bare, proxy_headers=own, ssl_context=context, proxy_ssl_context=context
                    )
            return self._pools[proxy]

    def _proxy(self, url: str) -> str:
        from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

        parts = urlsplit(url)
        host = parts.hostname or ""
        settings = {name.lower(): value for name, value in self._environ.items() if name.isupper()}
        settings |= {name: value for name, value in self._environ.items() if name.islower()}
        around = {"no": settings.get("no_proxy", "")}
        if is_loopback(host) or proxy_bypass_environment(host, around):
            return ""
        proxy = settings.get(f"{parts.scheme}_proxy") or settings.get("all_proxy") or ""
        return proxy if "://" in proxy or not proxy else f"http://{proxy}"

    def _context(self) -> ssl.SSLContext:
        import ssl

        named = next((name for name in _CERTIFICATES if self._environ.get(name)), "")
        path = self._environ.get(named, "")
        folder = path if os.path.isdir(path) else self._environ.get("SSL_CERT_DIR") or None
        try:
            return ssl.create_default_context(
                cafile=path if path and path != folder else None, capath=folder if path else None
            )
        except OSError as error:
            said = (error.strerror or str(error)).lower()
            raise NetError(
                "the user's certificates cannot be read",
                detail=f"{named} names {path}: {said}",
                hint=f"{named} must name a file of certificates",
            ) from None


class _PassingError(NetError):
    """What may be otherwise in a moment."""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself: the registries that docker speaks plain http to."""
    import ipaddress

    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _place(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}", parts.port


def _told(error: Any, url: str) -> NetError:  # noqa: ANN401 (urllib3 is imported late)
    """What an exception of urllib3 means."""
    import socket

    from urllib3 import exceptions

    detail = f"{urlsplit(url).netloc}: {error}"
    if isinstance(error, exceptions.ProxyError):
        return NetError("the proxy does not answer", detail=detail)
    if isinstance(error, exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            hint = "SSL_CERT_FILE names the certificates that are trusted"
            return NetError("its certificate is not trusted here", detail=detail, hint=hint)
        return NetError("no secure connection comes about", detail=detail)
    if isinstance(error, exceptions.NameResolutionError):
        cause = error.__cause__
        passing = isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN
        return (_PassingError if passing else NetError)("it cannot be reached", detail=detail)
    if isinstance(error, exceptions.ReadTimeoutError):
        return NetError("it does not answer in time", detail=detail)
    refused = isinstance(error, exceptions.NewConnectionError)
    if isinstance(error, exceptions.ConnectTimeoutError) and not refused:
        return NetError("it cannot be reached", detail=detail)
    if refused and is_loopback(urlsplit(url).hostname or ""):
        return NetError("it cannot be reached", detail=detail)
    return _PassingError("it cannot be reached", detail=detail)
