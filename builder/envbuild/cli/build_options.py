"""What the options of ``envbuild build`` say, as values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

import click
from msgspec import Struct

from envbuild.build import planning, secrets
from envbuild.build.secrets import CERTIFICATES, Certificate, Secret
from envbuild.errors import InputError
from envbuild.tools import files, references
from envbuild.tools.references import Mirror


class Options(Struct, frozen=True, kw_only=True):
    """How to build. ``names`` and ``output`` (a folder for OCI's layout, empty for none) may hold
    ``{profile}`` and ``{variant}``."""

    engine: str
    builder: str
    variants: tuple[str, ...]
    platform: str | None
    names: tuple[str, ...]
    network: Literal["none", "host"]
    mirrors: tuple[Mirror, ...]
    secrets: tuple[Secret, ...]
    certificates: tuple[Certificate, ...]
    cache: bool
    cache_from: tuple[str, ...]
    cache_to: tuple[str, ...]
    output: str
    push: bool
    force: bool
    offline: bool
    vendor: str
    keep_context: bool
    dry_run: bool
    as_json: bool


def options(chosen: Mapping[str, object], here: str) -> Options:
    """What was asked for, as far as that can be judged without a profile.

    Raises:
        InputError: an option has a value that cannot be.
    """
    _refuse_beside(chosen)
    bundle = str(chosen["ca_bundle"] or "")
    read = _secrets(_words(chosen["secret"]), bundle, here)
    return Options(
        engine=str(chosen["engine"]),
        builder=str(chosen["builder"] or ""),
        variants=_words(chosen["variant"]),
        platform=str(chosen["platform"]) if chosen["platform"] else None,
        names=_words(chosen["tag"]),
        network="host" if chosen["online"] or chosen["network"] == "host" else "none",
        mirrors=references.mirrors(_words(chosen["mirror"]), os.environ),
        secrets=read,
        certificates=_certificates(read, bundle),
        cache=not chosen["no_cache"],
        cache_from=_repositories(chosen, "cache_from"),
        cache_to=_repositories(chosen, "cache_to"),
        output=_output(str(chosen["output"] or ""), here),
        push=bool(chosen["push"]),
        force=bool(chosen["force"]),
        offline=bool(chosen["offline"] or chosen.get("vendor")),
        vendor=_path(str(chosen["vendor"]), here) if chosen.get("vendor") else "",
        keep_context=bool(chosen["keep_context"]),
        dry_run=bool(chosen["dry_run"]),
        as_json=bool(chosen["as_json"]),
    )


def _refuse_beside(chosen: Mapping[str, object]) -> None:
    """Refuse what contradicts itself."""
    online = bool(chosen["online"]) or chosen["network"] == "host"
    if chosen["online"] and chosen["network"] == "none":
        raise click.UsageError("--online does not go with --network none")
    off = "--vendor" if chosen.get("vendor") else "--offline" if chosen["offline"] else ""
    if off:
        beside = {"--online": online, "--push": chosen["push"], "--builder": chosen["builder"]}
        beside |= {"--cache-from": chosen["cache_from"], "--cache-to": chosen["cache_to"]}
        for name, value in beside.items():
            if value:
                raise click.UsageError(f"{off} does not go with {name}")


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, tuple) else ()


def _repositories(chosen: Mapping[str, object], name: str) -> tuple[str, ...]:
    option = "--" + name.replace("_", "-")
    return tuple(planning.repository(text, option=option) for text in _words(chosen[name]))


def _path(text: str, here: str) -> str:
    return os.path.abspath(os.path.join(here, os.path.expanduser(text)))


def _secrets(texts: tuple[str, ...], bundle: str, here: str) -> tuple[Secret, ...]:
    named = [secrets.parsed(text) for text in texts]
    secrets.refuse_twice(name for name, _ in named)
    named += [(CERTIFICATES, bundle)] if bundle else []
    found = []
    for name, place in named:
        path = _path(place, here)
        label = "the bundle of --ca-bundle" if name == CERTIFICATES else f"the secret {name}"
        content = files.read_bytes(path, label=f"{label} ({place})")
        found.append(Secret(name=name, path=path, content=content))
        secrets.refuse_empty(found[-1])
    return tuple(found)


def _certificates(read: tuple[Secret, ...], label: str) -> tuple[Certificate, ...]:
    for secret in read:
        if secret.name == CERTIFICATES:
            return secrets.certificates(secret.content, label=label)
    return ()


def _output(text: str, here: str) -> str:
    kind, _, place = text.partition(":")
    if text and (kind != "oci" or not place):
        raise InputError(f"--output takes oci:DIR, and {text!r} is none", hint="--output oci:image")
    return _path(place, here) if text else ""
