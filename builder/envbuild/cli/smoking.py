"""What ``envbuild smoke`` and ``envbuild run`` share: images, mounts, variables, words."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from envbuild.engines.model import Mount
from envbuild.errors import InputError
from envbuild.smoke import telling

if TYPE_CHECKING:
    from envbuild.cli.console import Console, Style
    from envbuild.cli.main import Session
    from envbuild.knowledge.signaturebook import Signature
    from envbuild.smoke.model import SmokeReport, Verdict

_STYLES: Mapping[Verdict, Style] = {
    "pass": "",
    "warn": "warning",
    "fail": "error",
    "not-run": "dim",
}


def mounts(texts: Iterable[str], here: str) -> tuple[Mount, ...]:
    """``SRC:DST`` or ``SRC:DST:rw``; the source is relative to ``here``.

    Raises:
        InputError: one has another form, or its source is not there.
    """
    found = []
    for text in texts:
        source, _, rest = text.partition(":")
        target, _, mode = rest.partition(":")
        if not source or not target.startswith("/") or mode not in ("", "ro", "rw"):
            raise InputError(
                f"--mount {text!r} is no mount", hint="SRC:DST or SRC:DST:rw, DST from the root"
            )
        path = os.path.abspath(os.path.join(here, os.path.expanduser(source)))
        if not os.path.exists(path):
            raise InputError(f"--mount {text}: {source} does not exist")
        found.append(Mount(source=path, target=target, writable=mode == "rw"))
    return tuple(found)


def variables(texts: Iterable[str], environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """``NAME=VALUE``; a ``NAME`` alone has the value that it has here.

    Raises:
        InputError: one has no name.
    """
    found = []
    for text in texts:
        name, is_set, value = text.partition("=")
        if not name or any(char.isspace() for char in name):
            raise InputError(f"--env {text!r} sets no variable", hint="--env NAME=VALUE")
        if is_set or name in environ:
            found.append((name, value if is_set else environ[name]))
    return tuple(found)


def signatures(session: Session) -> tuple[Signature, ...]:
    """The shipped signatures and those of the workspace, whose samples must be what they say.

    Raises:
        InputError: with every problem of the workspace's.
    """
    from envbuild.diagnose import samples
    from envbuild.knowledge import signaturebook

    own = signaturebook.own(session.workspace.knowledge("signatures"))
    problems = samples.problems(own)
    if problems:
        raise InputError("signatures of yours cannot be used", problems=problems)
    return (*signaturebook.shipped(), *own.signatures)


def tell(console: Console, report: SmokeReport) -> None:
    """A report on stdout, its end on stderr."""
    for text, verdict in telling.lines(report):
        console.data(console.styled(text, _STYLES[verdict] if verdict else ""))
    for need in report.missing:
        word = "RT cores" if need == "rt-cores" else "a GPU"
        console.fail(f"{report.profile}: {word} is required, and this machine does not have it")
    console.say(telling.summary(report), style="good" if report.ok else "error")
    if report.folder:
        console.say(f"logs and verdicts: {report.folder}")


def terminal() -> bool:
    """Whether a terminal is there to be handed over."""
    return sys.stdin.isatty() and sys.stdout.isatty()
