"""Asking a git repository elsewhere which commit a branch or a tag is at; nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from envbuild.errors import EnvbuildError
from envbuild.tools.proc import Command, Outcome, Runner

_PASSED = re.compile(
    r"PATH|HOME|USER|XDG_CONFIG_HOME|SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR)|GIT_SSL_CAINFO"
    r"|GIT_SSH_COMMAND|GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|((HTTPS?|ALL|NO)_PROXY)",
)
_SECONDS = 45.0
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=5"
_LINE = re.compile(r"(?P<commit>[0-9a-f]{40})\t(?P<ref>\S+)")


class RemoteError(EnvbuildError):
    """No commit came back: the ref is ``missing``, means two things (``ambiguous``), or the
    repository could not be asked (``network``)."""

    def __init__(
        self,
        kind: Literal["missing", "ambiguous", "network"],
        message: str,
        *,
        hint: str | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.detail = detail


def commit_of(url: str, ref: str, environ: Mapping[str, str], runner: Runner) -> str:
    """The commit (40 hex digits) that a branch or a tag is at; an annotated tag's is the commit
    that it names.

    Raises:
        RemoteError: there is none.
    """
    asked = (ref,) if ref.startswith("refs/") else (f"refs/tags/{ref}", f"refs/heads/{ref}")
    patterns = tuple(pattern for one in asked for pattern in (one, f"{one}^{{}}"))
    outcome = runner(
        Command(
            argv=("git", "ls-remote", "--quiet", "--", url, *patterns),
            environment=_environment(environ),
            timeout=_SECONDS,
        )
    )
    if outcome.code or outcome.timed_out:
        raise _failed(outcome)
    return chosen(refs(outcome.stdout), ref)


def refs(text: str) -> dict[str, str]:
    """What ``git ls-remote`` lists: commits by ref, annotated tags peeled."""
    found = {
        line["ref"]: line["commit"] for line in map(_LINE.fullmatch, text.splitlines()) if line
    }
    peeled = {name[:-3]: commit for name, commit in found.items() if name.endswith("^{}")}
    return {name: commit for name, commit in found.items() if not name.endswith("^{}")} | peeled


def chosen(found: Mapping[str, str], ref: str) -> str:
    """The commit of a branch or a tag among what a repository lists.

    Raises:
        RemoteError: it has neither, or both, at different commits.
    """
    if ref in found and ref.startswith("refs/"):
        return found[ref]
    tag, branch = found.get(f"refs/tags/{ref}"), found.get(f"refs/heads/{ref}")
    if tag and branch and tag != branch:
        raise RemoteError(
            "ambiguous",
            f"{ref} is a tag and a branch, at different commits",
            hint=f"say which: ref: refs/tags/{ref}, or ref: refs/heads/{ref}",
        )
    commit = tag or branch
    if not commit:
        hint = "check its spelling, or give a commit"
        raise RemoteError("missing", f"the repository has no branch or tag {ref}", hint=hint)
    return commit


def _environment(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    kept = {name: value for name, value in environ.items() if _PASSED.fullmatch(name.upper())}
    certificates = kept.get("SSL_CERT_FILE", "")
    own = {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",
        "GIT_SSH_COMMAND": kept.get("GIT_SSH_COMMAND") or _SSH,
        "GIT_HTTP_LOW_SPEED_LIMIT": "1",
        "GIT_HTTP_LOW_SPEED_TIME": "15",
    }
    if certificates and not kept.get("GIT_SSL_CAINFO"):
        own["GIT_SSL_CAINFO"] = certificates
    return tuple(sorted({**kept, **own}.items()))


def _failed(outcome: Outcome) -> RemoteError:
    if outcome.missing:
        return RemoteError("network", "git is not installed", hint="install git")
    said = outcome.stderr.strip().splitlines()
    detail = next((line for line in said if line.startswith("fatal:")), said[-1] if said else "")
    if "could not read Username" in outcome.stderr or "Permission denied" in outcome.stderr:
        hint = "teach git a login for it: a credential helper, or an ssh agent"
        return RemoteError("network", "the repository wants a login", hint=hint, detail=detail)
    return RemoteError("network", "the repository cannot be reached", detail=detail)
