"""What a build is told in confidence: certificates, secrets, and what to look for afterwards.

Pure. Messages name a secret, never its content.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from envbuild.errors import InputError

if TYPE_CHECKING:
    from envbuild.lock.indexes import IndexSettings

CERTIFICATES = "envbuild_ca"
"""The id under which a rendered Dockerfile mounts certificates."""

LIMIT = 500 * 1024
"""Bytes of one secret that BuildKit takes (``secrets.MaxSecretSize``); podman has no limit."""

SHORTEST = 16
"""Bytes from which on content is looked for in layers: less may stand anywhere by chance."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PEM = re.compile(
    rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----\s+(.*?)\s+-----END (?:TRUSTED )?CERTIFICATE-----",
    re.DOTALL,
)
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_SEQUENCE = b"\x30"
"""The first byte of a certificate in DER."""

_LINE = 64
"""Characters of a full line of PEM (RFC 7468), 48 bytes of DER."""

_LOGIN = re.compile(rb"://([^/\s'\"@]+)@")
_NAMED = re.compile(
    rb"(?im)^[^#;\n]*?(?:token|password|passwd|secret|api[_-]?key)\w*[\"']?\s*[=:]\s*[\"']?"
    rb"([^\s\"']+)"
)


class Secret(Struct, frozen=True, kw_only=True):
    """A file that the steps of a build may read: its id, its path here, and what it holds."""

    name: str
    path: str
    content: bytes

    def __repr__(self) -> str:
        return f"Secret({self.name}, {len(self.content)} bytes)"


class Certificate(Struct, frozen=True):
    """By what a certificate is recognised in a file: one full line of its PEM, and the same bytes
    as they stand in DER. Both lie in its signature, so no other certificate has them."""

    line: bytes
    der: bytes


class Needle(Struct, frozen=True, kw_only=True):
    """Bytes that must not be in a layer; ``name`` is the secret that they are of."""

    name: str
    content: bytes

    def __repr__(self) -> str:
        return f"Needle({self.name}, {len(self.content)} bytes)"


def parsed(text: str) -> tuple[str, str]:
    """The id and the path of ``id=NAME,src=FILE``.

    Raises:
        InputError: it is written in another way, or the id is that of the certificates.
    """
    parts = dict(part.partition("=")[::2] for part in text.split(","))
    name, path = parts.pop("id", ""), parts.pop("src", "") or parts.pop("source", "")
    if parts.pop("type", "file") != "file" or parts or not path or not _ID.fullmatch(name):
        shown = ",".join(part.partition("=")[0] for part in text.split(","))
        raise InputError(
            f"a secret is given as id=NAME,src=FILE, and this one has other parts: {shown}",
            hint="--secret id=pip_conf,src=pip.conf",
        )
    if name == CERTIFICATES:
        raise InputError(
            f"the secret {CERTIFICATES} is that of the certificates", hint="use --ca-bundle FILE"
        )
    return name, path


def refuse_twice(names: Iterable[str]) -> None:
    """Refuse two secrets of one id.

    Raises:
        InputError: with the id.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"the secret {name} is given twice", hint="leave one of the two out")
        seen.add(name)


def refuse_empty(secret: Secret) -> None:
    """Refuse a secret with nothing in it: a step would silently do without.

    Raises:
        InputError: with its id and path.
    """
    if not secret.content.strip():
        raise InputError(f"the secret {secret.name} is empty: {secret.path}")


def refuse_too_long(secrets: Iterable[Secret], *, engine: str) -> None:
    """Refuse what BuildKit would refuse in the middle of a build.

    Raises:
        InputError: with the size and the limit.
    """
    for secret in secrets:
        if len(secret.content) <= LIMIT:
            continue
        size = len(secret.content) / 1024
        hint = "use podman or buildah, which have no limit: --engine podman"
        if secret.name == CERTIFICATES:
            hint = f"give only the certificates that the way to the index needs, or {hint}"
        raise InputError(
            f"{secret.path} has {size:.0f} KiB, and {engine} takes secrets of at most "
            f"{LIMIT // 1024} KiB",
            hint=hint,
        )


def refuse_unmounted(secrets: Iterable[Secret], dockerfile: str, *, label: str) -> None:
    """Refuse a secret that no step of a Dockerfile reads: its name is a slip.

    Raises:
        InputError: with the ids that are read.
    """
    mounted = mounts(dockerfile)
    for secret in secrets:
        if secret.name not in mounted and secret.name != CERTIFICATES:
            known = f"it reads: {', '.join(sorted(mounted))}" if mounted else "it reads none"
            raise InputError(f"no step of {label} reads the secret {secret.name}", hint=known)


def mounts(dockerfile: str) -> frozenset[str]:
    """The ids of the secrets that the steps of a Dockerfile read."""
    options = re.findall(r"--mount=(\S*type=secret\S*)", dockerfile)
    return frozenset(found[1] for one in options if (found := re.search(r"\bid=([^,\s]+)", one)))


def certificates(content: bytes, *, label: str) -> tuple[Certificate, ...]:
    """The certificates of a bundle, by what each is recognised.

    Raises:
        InputError: there is none, one is broken, or a private key lies beside them.
    """
    if _KEY.search(content):
        raise InputError(
            f"{label} holds a private key", hint="a bundle of certificates to trust has none"
        )
    found = []
    for match in _PEM.finditer(content):
        text = b"".join(match[1].split())
        found.append(_certificate(text, label))
    if not found:
        raise InputError(
            f"{label} holds no certificate",
            hint="it must be PEM: -----BEGIN CERTIFICATE----- (openssl x509 -inform der converts)",
        )
    return tuple(dict.fromkeys(found))


def _certificate(text: bytes, label: str) -> Certificate:
    try:
        whole = base64.b64decode(text, validate=True)
    except binascii.Error:
        whole = b""
    if len(text) < 2 * _LINE or not whole.startswith(_SEQUENCE):
        raise InputError(f"a certificate of {label} is broken: it is no base64 of DER")
    end = (len(text) - 1) // _LINE * _LINE
    line = text[end - _LINE : end]
    return Certificate(line=line, der=base64.b64decode(line))


def needles(secrets: Iterable[Secret], logins: Mapping[str, str]) -> tuple[Needle, ...]:
    """What must not be in a layer: each secret as a whole, and what opens doors inside of it; of
    ``logins`` (the user's proxies and index settings, by name) what stands before the ``@`` of
    addresses. Certificates are not among them."""
    found: dict[bytes, str] = {}
    for secret in secrets:
        if secret.name == CERTIFICATES:
            continue
        content = secret.content.strip()
        inside = (*_LOGIN.findall(content), *_NAMED.findall(content))
        for part in (content, *inside):
            if len(part) >= SHORTEST:
                found.setdefault(part, f"the secret {secret.name}")
    for name, text in sorted(logins.items()):
        for login in _LOGIN.findall(text.encode()):
            found.setdefault(login, f"the login of {name}")
    return tuple(Needle(name=name, content=content) for content, name in found.items())


def too_short(secrets: Iterable[Secret]) -> tuple[str, ...]:
    """The secrets that are too short to be looked for."""
    return tuple(one.name for one in secrets if len(one.content.strip()) < SHORTEST)


# --- The user's package index --------------------------------------------------------------------


def index_files(settings: IndexSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """The settings of the user's package index as the secrets that a Dockerfile may ask for, by
    their ids; none where no index is named."""
    default, others = _addresses(settings, environ)
    if not default and not others:
        return {}
    pip = ["[global]"] + ([f"index-url = {default}"] if default else [])
    pip += [f"extra-index-url = {' '.join(others)}"] if others else []
    uv = [line for url in others for line in ("[[index]]", f'url = "{url}"')]
    uv += ["[[index]]", f'url = "{default}"', "default = true"] if default else []
    return {"pip_conf": "\n".join((*pip, "")), "uv_toml": "\n".join((*uv, ""))}


def _addresses(settings: IndexSettings, environ: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The default index, empty where none is named, and the others that are asked before it."""
    configuration = settings.configuration
    listed = configuration.get("index")
    tables = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    named = (environ.get("UV_DEFAULT_INDEX"), environ.get("UV_INDEX_URL"))
    default = next(filter(None, (*named, settings.environment.get("UV_DEFAULT_INDEX"))), "")
    default = default or next((str(one["url"]) for one in tables if one.get("default")), "")
    default = default or str(configuration.get("index-url") or "")
    words = f"{environ.get('UV_INDEX', '')} {environ.get('UV_EXTRA_INDEX_URL', '')}".split()
    more = configuration.get("extra-index-url")
    others = [
        *(word.partition("=")[2] if re.match(r"[\w-]+=", word) else word for word in words),
        *(str(one["url"]) for one in tables if not one.get("default") and "url" in one),
        *(str(url) for url in (more if isinstance(more, list) else ())),
    ]
    return default, tuple(dict.fromkeys(url for url in others if url != default))
