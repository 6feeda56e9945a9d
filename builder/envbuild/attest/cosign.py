"""Signing and verifying by cosign, a program of its own: images by their digest in a registry, and
locks as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from envbuild.errors import EnvbuildError, InputError, ToolError
from envbuild.tools import temporary
from envbuild.tools.proc import Command, Outcome, Runner, masked

_SECONDS = 600.0
"""How long cosign may take: without a key it waits for somebody to log in."""

BUNDLE = "envbuild.lock.json.sigstore.json"
"""The file with the signature of a lock, beside its attestations."""


class Signer(Struct, frozen=True, kw_only=True):
    """How cosign is called: the user's whole environment, in which it looks for keys' passwords,
    tokens and the logins of registries; and ``key``, a file or the address of one in a KMS, empty
    for keyless signing. ``options`` are those of every signature: see :func:`ready`."""

    runner: Runner
    environ: Mapping[str, str]
    key: str = ""
    options: tuple[str, ...] = ()


class Trust(Struct, frozen=True, kw_only=True):
    """Whose signature counts: that of a public key, or of an identity with its issuer. ``logged``:
    it has to stand in the transparency log."""

    key: str = ""
    identity: str = ""
    issuer: str = ""
    logged: bool = True

    def options(self) -> tuple[str, ...]:
        """As cosign takes it.

        Raises:
            InputError: neither a key nor an identity with its issuer is given.
        """
        if self.key and not (self.identity or self.issuer):
            return (f"--key={self.key}", *([] if self.logged else ["--insecure-ignore-tlog=true"]))
        if self.identity and self.issuer and not self.key:
            return (
                f"--certificate-identity={self.identity}",
                f"--certificate-oidc-issuer={self.issuer}",
            )
        raise InputError(
            "a signature is held against a key, or against an identity with its issuer",
            hint="--key FILE, or --certificate-identity WHO --certificate-oidc-issuer URL",
        )


def sign_image(signer: Signer, image: str) -> None:
    """Sign an image of a registry (``REPOSITORY@sha256:…``); the signature is put beside it there.

    Raises:
        ToolError: cosign is missing, or failed.
    """
    _must(signer, ("sign", "--yes", *_key(signer), image), f"sign {image}")


def attest_image(signer: Signer, image: str, *, kind: str, predicate: Mapping[str, Any]) -> None:
    """Attach a signed statement to an image of a registry. ``kind`` is cosign's word for it
    (``slsaprovenance1``, ``cyclonedx``, ``spdxjson``).

    Raises:
        ToolError: cosign is missing, or failed.
    """
    with temporary.scratch({"predicate.json": json.dumps(predicate)}) as folder:
        options = (f"--type={kind}", f"--predicate={folder}/predicate.json")
        argv = ("attest", "--yes", *_key(signer), *options, image)
        _must(signer, argv, f"attest {kind} of {image}")


def sign_file(signer: Signer, path: str, *, bundle: str) -> None:
    """Sign a file; all that is needed to verify it is written to ``bundle``.

    Raises:
        ToolError: cosign is missing, or failed.
    """
    argv = ("sign-blob", "--yes", *_key(signer), f"--bundle={bundle}", path)
    _must(signer, argv, f"sign {path}")


def verify_image(signer: Signer, image: str, trust: Trust) -> str:
    """Why the signature of an image does not count; empty: it does.

    Raises:
        InputError: nobody is trusted.
        ToolError: cosign is missing, or could not be run.
    """
    return _answer(_run(signer, ("verify", *trust.options(), image)))


def verify_file(signer: Signer, path: str, trust: Trust, *, bundle: str) -> str:
    """Why the signature of a file does not count; empty: it does.

    Raises:
        InputError: nobody is trusted.
        ToolError: cosign is missing, or could not be run.
    """
    argv = ("verify-blob", *trust.options(), f"--bundle={bundle}", path)
    return _answer(_run(signer, argv))


def ready(signer: Signer, *, logged: bool) -> Signer:
    """The signer, once it is known that cosign is there. Without ``logged`` nothing is written to
    the transparency log, and no service is asked: what its version needs for that, its help says.

    Raises:
        ToolError: it is missing, or does not run.
    """
    known = _must(signer, ("sign-blob", "--help"), "say what it can do")
    options: tuple[str, ...] = ()
    if not logged:
        since_3 = "--use-signing-config" in known
        options = ("--tlog-upload=false", *(["--use-signing-config=false"] if since_3 else []))
    return msgspec.structs.replace(signer, options=options)


def _key(signer: Signer) -> tuple[str, ...]:
    return (*((f"--key={signer.key}",) if signer.key else ()), *signer.options)


def _answer(outcome: Outcome) -> str:
    if outcome.code == 0:
        return ""
    said = [line for line in masked(outcome.stderr).splitlines() if line.strip()]
    last = said[-1] if said else f"cosign ended with {outcome.code}"
    return last.removeprefix("error during command execution: ")


def _must(signer: Signer, argv: tuple[str, ...], what: str) -> str:
    outcome = _run(signer, argv)
    if outcome.code:
        raise ToolError(
            f"cosign could not {what}",
            hint=None
            if signer.key
            else "keyless signing needs a login, or a token of the CI; --key FILE takes a key",
            command=outcome.command.text(),
            output=outcome.stderr or outcome.stdout,
        )
    return outcome.stdout + outcome.stderr


def _run(signer: Signer, argv: tuple[str, ...]) -> Outcome:
    environment = tuple(signer.environ.items())
    command = Command(argv=("cosign", *argv), environment=environment, timeout=_SECONDS)
    outcome = signer.runner(command)
    if outcome.missing:
        raise ToolError(
            "cosign is not installed",
            hint="it is a program of the sigstore project: https://docs.sigstore.dev/cosign",
        )
    if outcome.timed_out:
        raise ToolError(f"cosign did not end within {_SECONDS:.0f} seconds")
    return outcome


def by_digest(reference: str, digest: str) -> str:
    """The image as cosign names it: its repository with its digest.

    Raises:
        EnvbuildError: it is in no registry.
    """
    if not digest or not reference:
        raise EnvbuildError(
            "cosign signs images of a registry, and this one was not pushed",
            hint="envbuild build --push --tag registry.example/team/{profile}:{variant}",
        )
    above, slash, last = reference.rpartition("/")
    return f"{above}{slash}{last.partition(':')[0]}@{digest}"
