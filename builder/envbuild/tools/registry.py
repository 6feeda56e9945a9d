"""Registries of images, by the OCI distribution API: manifests by platform, and blobs.

What is read by a digest is held against it. The reference that is asked for may be read from a
mirror of the user's; who reads the answer is not told.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from envbuild.tools.logins import HUB, Login, Logins
from envbuild.tools.manifests import (
    ACCEPT,
    DIGEST,
    Blob,
    Challenge,
    Config,
    Document,
    Manifest,
    Raw,
    challenges,
    decoded,
    fitting,
)
from envbuild.tools.net import Http, NetError, Response, is_loopback
from envbuild.tools.references import Mirror, Reference, mirrored, parse

_HUB_HOST = "registry-1.docker.io"

_LONGEST = 8 * 1024 * 1024
"""Bytes of a manifest or a token's answer; registries refuse manifests of more than 4 MiB."""

_CLIENT = "envbuild"


class _Token(Struct, frozen=True):
    token: str = ""
    access_token: str = ""


class Registry:
    """The registries that a user can reach, with the logins and mirrors of that user."""

    def __init__(self, http: Http, logins: Logins, mirrors: Iterable[Mirror]) -> None:
        self._http = http
        self._logins = logins
        self._mirrors = tuple(mirrors)
        self._turn = threading.Lock()
        self._turns: dict[tuple[str, str], threading.Lock] = {}
        self._schemes: dict[str, str] = {}
        self._headers: dict[tuple[str, str], str] = {}

    def manifest(self, reference: str, architecture: str) -> Manifest:
        """The manifest of an image for Linux on an architecture (``amd64``, ``arm64``).

        Raises:
            NetError: there is none, or it cannot be read; the message is one for a reader who
                knows which image was asked for.
        """
        asked = parse(mirrored(reference, self._mirrors))
        document, digest = self._document(asked, asked.digest or asked.tag or "latest")
        of_index = bool(document.manifests)
        if of_index:
            document, digest = self._document(asked, fitting(document.manifests, architecture))
        if document.config is None or not document.layers:
            raise NetError("the registry's manifest is not that of an image", detail=asked.text())
        for blob in (document.config, *document.layers):
            if not DIGEST.fullmatch(blob.digest):
                raise NetError("the registry's manifest names no sha256", detail=asked.text())
        manifest = Manifest(digest=digest, config=document.config, layers=document.layers)
        if not of_index and not self._is_for(asked, manifest, architecture):
            raise NetError(f"the image has no linux/{architecture}", detail=asked.text())
        return manifest

    def created(self, reference: str, manifest: Manifest) -> str:
        """The moment at which an image says that it was made (RFC 3339); empty if it does not.

        Raises:
            NetError: its configuration cannot be read.
        """
        return self._config(parse(mirrored(reference, self._mirrors)), manifest).created or ""

    def blob(self, reference: str, blob: Blob) -> Iterator[bytes]:
        """The bytes of a blob as they come; when the last has come, they are held to the digest.

        Raises:
            NetError: they cannot be read, or are not those of the digest.
        """
        asked = parse(mirrored(reference, self._mirrors))
        found = hashlib.sha256()
        with self._get(asked, f"blobs/{blob.digest}", {}) as answer:
            for chunk in answer.chunks():
                found.update(chunk)
                yield chunk
        if f"sha256:{found.hexdigest()}" != blob.digest:
            raise _other_bytes(asked)

    def raw(self, reference: str, architecture: str) -> tuple[Raw, ...]:
        """The manifest of an image for Linux on an architecture as it is stored, and before it the
        index that leads to it, where there is one.

        Raises:
            NetError: as :meth:`manifest`.
        """
        asked = parse(mirrored(reference, self._mirrors))
        found = [self._raw(asked, asked.digest or asked.tag or "latest")]
        document = decoded(found[0].data, Document, asked.text())
        if document.manifests:
            found.append(self._raw(asked, fitting(document.manifests, architecture)))
        return tuple(found)

    def part(self, reference: str, digest: str, start: int = 0) -> tuple[int, Response]:
        """A blob from a byte on: the byte at which the answer begins (0 where the registry gives
        no parts), and the answer, to be closed. Nothing is held against the digest here.

        Raises:
            NetError: there is none.
        """
        asked = parse(mirrored(reference, self._mirrors))
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        answer = self._get(asked, f"blobs/{digest}", headers)
        return (start if answer.status == 206 else 0), answer

    def _is_for(self, asked: Reference, manifest: Manifest, architecture: str) -> bool:
        """Whether an image is for an architecture, as its configuration says."""
        config = self._config(asked, manifest)
        return (config.os, config.architecture) == ("linux", architecture)

    def _config(self, asked: Reference, manifest: Manifest) -> Config:
        with self._get(asked, f"blobs/{manifest.config.digest}", {}) as answer:
            data = answer.read(_LONGEST)
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != manifest.config.digest:
            raise _other_bytes(asked)
        return decoded(data, Config, asked.text())

    def _document(self, asked: Reference, name: str) -> tuple[Document, str]:
        """An index or a manifest by tag or digest, and the digest of its bytes."""
        found = self._raw(asked, name)
        return decoded(found.data, Document, asked.text()), found.digest

    def _raw(self, asked: Reference, name: str) -> Raw:
        with self._get(asked, f"manifests/{name}", ACCEPT) as answer:
            data = answer.read(_LONGEST)
            said = answer.headers.get("docker-content-digest", "")
            kind = answer.headers.get("content-type", "").partition(";")[0].strip()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        wanted = name if ":" in name else said if said.startswith("sha256:") else digest
        if digest != wanted:
            raise _other_bytes(asked)
        return Raw(digest=digest, media_type=kind, data=data)

    # --- Asking a registry -------------------------------------------------------------------

    def _get(self, asked: Reference, path: str, headers: Mapping[str, str]) -> Response:
        """An answer of status 200 (206 for a part); a challenge is met once.

        Raises:
            NetError: there is none, with the reason.
        """
        place = (asked.registry, asked.repository)
        known = self._headers.get(place)
        sent = {**headers, **({"Authorization": known} if known else {})}
        answer = self._ask(asked, path, sent)
        if answer.status == 401:
            said = challenges(answer.headers.get("www-authenticate", ""))
            answer.close()
            header = self._header(asked, said, refused=known)
            answer = self._ask(asked, path, {**headers, "Authorization": header})
        if answer.status == 200 or (answer.status == 206 and "Range" in headers):
            return answer
        answer.close()
        raise _refusal(answer, self._logins(asked.registry, asked.repository) is not None)

    def _ask(self, asked: Reference, path: str, headers: Mapping[str, str]) -> Response:
        host = _HUB_HOST if asked.registry == HUB else asked.registry
        where = f"{host}/v2/{asked.repository}/{path}"
        scheme = self._schemes.get(host, "")
        if scheme:
            return self._http.get(f"{scheme}://{where}", headers)
        try:
            answer = self._http.get(f"https://{where}", headers)
        except NetError as error:
            if not is_loopback(urlsplit(f"//{host}").hostname or ""):
                raise _unreachable(error) from None
            answer = self._plain(where, headers)
            self._schemes[host] = "http"
            return answer
        self._schemes[host] = "https"
        return answer

    def _plain(self, where: str, headers: Mapping[str, str]) -> Response:
        """Plain http, as docker speaks it to a registry of this machine."""
        try:
            return self._http.get(f"http://{where}", headers)
        except NetError as error:
            raise _unreachable(error) from None

    def _header(self, asked: Reference, said: Iterable[Challenge], *, refused: str | None) -> str:
        """The header for a repository: several that ask for it at a time need one."""
        place = (asked.registry, asked.repository)
        with self._turn:
            turn = self._turns.setdefault(place, threading.Lock())
        with turn:
            known = self._headers.get(place)
            if known is None or known == refused:
                known = self._headers[place] = self._authorization(asked, said)
            return known

    def _authorization(self, asked: Reference, said: Iterable[Challenge]) -> str:
        """The header that a registry wants: of a token where it offers one, else the login."""
        login = self._logins(asked.registry, asked.repository)
        by_scheme = {one.scheme: one.parameters for one in said}
        if "bearer" in by_scheme:
            return f"Bearer {self._token(asked, by_scheme['bearer'], login)}"
        if "basic" in by_scheme and login and login.user:
            return login.basic()
        raise NetError("the registry wants a login", hint=_LOGIN, detail=asked.registry)

    def _token(self, asked: Reference, challenge: Mapping[str, str], login: Login | None) -> str:
        realm = challenge.get("realm", "")
        scope = challenge.get("scope") or f"repository:{asked.repository}:pull"
        parts = urlsplit(realm)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise NetError("the registry's tokens do not come by https", detail=realm)
        form = {"service": challenge.get("service", ""), "scope": scope}
        form = {name: value for name, value in form.items() if value}
        if login and login.identity:
            grant = {"grant_type": "refresh_token", "refresh_token": login.identity}
            body = urlencode({**form, **grant, "client_id": _CLIENT}).encode()
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._http.get(realm, kind, body=body)
        else:
            headers = {"Authorization": login.basic()} if login else {}
            joint = "&" if parts.query else "?"
            answer = self._http.get(f"{realm}{joint}{urlencode(form)}", headers)
        with answer:
            if answer.status != 200:
                raise _refusal(answer, login is not None)
            token = decoded(answer.read(_LONGEST), _Token, asked.text())
        found = token.token or token.access_token
        if not found or not found.isascii() or not found.isprintable():
            raise NetError("the registry gave no token", detail=realm)
        return found


_LOGIN = "log in with docker login or podman login"

_REASONS = {
    403: "the registry refuses this image to this user",
    404: "the registry has no such image",
    429: "the registry's rate limit is reached",
}


def _refusal(answer: Response, known: bool) -> NetError:  # noqa: FBT001
    """What a status that is not 200 means; ``known``: the user has a login."""
    detail = f"{urlsplit(answer.url).netloc} answers {answer.status}"
    if answer.status == 401:
        said = "the registry refuses the login" if known else "the registry wants a login"
        return NetError(said, detail=detail, hint=_LOGIN, status=401)
    hint = None
    if answer.status == 429:
        after = answer.headers.get("retry-after", "")
        detail += f", ask again after {after} s" if after.isdigit() else ""
        hint = "wait, or log in: who is known may ask more often"
    usual = f"the registry answers with status {answer.status}"
    said = _REASONS.get(answer.status, usual)
    return NetError(said, detail=detail, hint=hint, status=answer.status)


def _unreachable(error: NetError) -> NetError:
    words = {"it cannot be reached": "the registry cannot be reached"}
    said = words.get(error.message) or f"the registry: {error.message}"
    return NetError(said, detail=error.detail, hint=error.hint)


class _OtherBytesError(NetError):
    other_bytes = True


def _other_bytes(asked: Reference) -> NetError:
    return _OtherBytesError(
        "the registry sent other bytes than its digest says", detail=asked.text()
    )
