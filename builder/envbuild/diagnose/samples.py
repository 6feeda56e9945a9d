"""Signatures held against their own samples: each sample must be known by it, no near miss may."""

from __future__ import annotations

from envbuild.diagnose.index import Index
from envbuild.diagnose.lines import blocks
from envbuild.diagnose.scan import Scan
from envbuild.errors import Problem
from envbuild.knowledge.signaturebook import Own


def seen(index: Index, text: str) -> tuple[str, ...]:
    """The ids of the signatures that a text shows."""
    scan = Scan(index)
    scan.read(blocks([text.encode()]))
    return tuple(one.signature.id for one in scan.seen())


def problems(own: Own) -> tuple[Problem, ...]:
    """What the user's signatures say of their samples that is not so."""
    found = []
    for signature in own.signatures:
        mark = own.marks[signature.id]
        index = Index((signature,))
        for text in signature.samples:
            if signature.id not in seen(index, text):
                message = f"{signature.id} does not match its own sample {_short(text)}"
                hint = "the pattern must match one line; then is for a second one"
                found.append(Problem(message=message, mark=mark, hint=hint))
        for text in signature.near_misses:
            if signature.id in seen(index, text):
                message = f"{signature.id} matches its near miss {_short(text)}"
                hint = "make the pattern say more"
                found.append(Problem(message=message, mark=mark, hint=hint))
    return tuple(found)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else f"{line[:59]}…")
