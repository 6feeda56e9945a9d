"""Who brings a package and who limits it, as text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envbuild.lock.why import Answer, Asker, Speaker, Why
from envbuild.report.plain import printable

_STATUS = {
    "locked": "",
    "provided": "brought by the image: not in the lock",
    "conda": "installed by conda",
    "apt": "a system package: not pinned by the lock",
    "excluded": "left out by the profile",
    "absent": "not in the lock",
}
_INTEGRITY = {
    "source": "built from source",
    "stub": "a placeholder that fetches the vendor's wheel",
    "vendor": "the vendor's wheel",
}
_KINDS = {
    "exclude": "left out",
    "no-deps": "without its requirements",
    "metadata": "stated metadata",
    "source-build": "source build",
    "bundle": "image",
}


def text(found: Why) -> str:
    """The whole answer, every group of equal variants once."""
    several = sum(len(answer.variants) for answer in found.answers) > 1
    answers = (_answer(found.package, answer, several=several) for answer in found.answers)
    return "\n\n".join("\n".join(lines) for lines in answers)


def _answer(package: str, answer: Answer, *, several: bool) -> Iterator[str]:
    words = _STATUS[answer.status] or _INTEGRITY.get(answer.integrity, "")
    version = answer.version or ("(version not known)" if answer.status == "provided" else "")
    head = f"{package} {version}".rstrip() + (f": {words}" if words else "")
    yield printable(f"{head}  [{', '.join(answer.variants)}]" if several else head)
    if answer.asked:
        yield "  asked for by"
        yield from _tree(answer.asked, "    ")
    elif answer.status == "provided":
        yield "  asked for by nobody here"
    if answer.held:
        yield "  also said"
        yield from _speakers(answer.held)


def _tree(askers: Iterable[Asker], indent: str) -> Iterator[str]:
    for asker in askers:
        yield indent + printable(_asker(asker))
        yield from _tree(asker.askers, f"{indent}  ")


def _asker(asker: Asker) -> str:
    if asker.by == "profile":
        return f"the profile: {asker.text}  {asker.place or '(no longer in the profile)'}"
    if asker.by == "bundle":
        named = f" ({asker.text})" if asker.text else ""
        return f"the image{named}  {asker.place}".rstrip()
    again = "  (see there)" if asker.again else ""
    asks = f" asks for {asker.text}" if asker.text else ""
    return f"{asker.by} {asker.version}".rstrip() + asks + again


def _speakers(held: tuple[Speaker, ...]) -> Iterator[str]:
    kinds = [_KINDS.get(speaker.kind, speaker.kind) for speaker in held]
    width = max(map(len, kinds))
    for kind, speaker in zip(kinds, held, strict=True):
        reason = f": {speaker.reason}" if speaker.reason else ""
        place = f"  {speaker.place}" if speaker.place else ""
        yield printable(f"    {kind:<{width}}  {speaker.text}{reason}{place}")
