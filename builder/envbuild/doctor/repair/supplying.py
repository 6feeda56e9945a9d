"""The wheel of a repair, from the user's own index: chosen by its tags, checked by its hash."""

from __future__ import annotations

from envbuild.build import wheels
from envbuild.build.supply import Supply
from envbuild.doctor.repair.repairing import Replacement, said
from envbuild.errors import ToolError
from envbuild.knowledge import facts
from envbuild.lock import pylock


def wheel(wanted: Replacement, supply: Supply, *, as_of: str) -> str:
    """The path of the wheel in the store. ``as_of`` is now (RFC 3339, UTC).

    uv says which wheels there are; it runs with envbuild's own Python, never with the one that the
    wheel is for.

    Raises:
        ToolError: the index does not answer, or has no wheel that fits.
    """
    question = pylock.Question(
        python=wanted.python,
        platform=facts.uv_machine(wanted.machine, wanted.glibc),
        as_of=as_of,
        pins=((wanted.distribution, wanted.version),),
    )

    def answer() -> tuple[wheels.Chosen, ...]:
        ranks = wheels.supported(question.python, question.platform)
        for package in wheels.ask(question, supply):
            hashes = {f"sha256:{file.hashes.get('sha256', '')}" for file in package.wheels}
            chosen = wheels.choose(package, hashes, ranks)
            if chosen:
                return chosen[:1]
        raise ToolError(
            f"the package index has no wheel of {said(wanted)} for Python {wanted.python} on "
            f"{wanted.machine} with glibc {wanted.glibc}",
            hint="the repair that the finding names may have another index",
        )

    key = ("repair", 1, question.python, question.platform, question.pins)
    found = [got.path for _, got in wheels.kept(key, answer, supply, what=said(wanted))]
    return found[0]
