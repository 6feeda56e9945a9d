"""What moved in the inputs of a lock: images, commits, indexes, requirements, relaxations. Pure.

Where something comes from a place that it did not come from before, that is a security move.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from envbuild.lock.conda.inputs import spec_name
from envbuild.lock.model import CondaInput, Lock, Relaxation, SolverInput, Unpinned, VariantLock
from envbuild.lock.moves import Move, Risk, touches_cuda, touches_glibc, version_move
from envbuild.names import requirement_name
from envbuild.tools.proc import masked

_IMAGE = re.compile(
    r"(?P<name>.*?)(?::(?P<tag>[^/:@]+))?(?:@(?P<digest>sha\d+:[0-9a-f]+))?", re.DOTALL
)
_URL = re.compile(r"(?:[a-z][a-z+.-]*://)?(?:[^@/]*@)?(?P<host>[^/:@]+)(?::\d+)?[/:](?P<path>.*)")


def moved(old: VariantLock, new: VariantLock) -> Iterator[Move]:
    """What differs between the inputs of two locks of a variant."""
    before, after = old.input, new.input
    yield from _image(before.image, after.image)
    if before.python != after.python:
        risk, why = version_move("python", before.python, after.python)
        yield Move(risk=risk, what="Python", old=before.python, new=after.python, why=why)
    yield from _platform(before.platform, after.platform)
    if before.as_of != after.as_of:
        why = "the index is believed up to another moment"
        yield Move(risk="input", what="as-of", old=before.as_of, new=after.as_of, why=why)
    yield from _git(before.git, after.git)
    yield from _indexes(before, after)
    yield from _conda(before.conda, after.conda)
    yield from _apt(before.apt, after.apt)
    yield from _requirements(before, after)
    yield from _relaxations(old.relaxations, new.relaxations)
    yield from _unpinned(old.unpinned, new.unpinned)


def of_whole_locks(old: Lock, new: Lock) -> Iterator[Move]:
    """What differs beside the variants: the seal, the tools, and the files that are copied."""
    if old.seal and not new.seal:
        why = "without its seal an edit by hand is not noticed"
        yield Move(risk="security", what="seal", old="sealed", why=why)
    for name in sorted(old.tools.keys() | new.tools.keys()):
        before, after = old.tools.get(name, ""), new.tools.get(name, "")
        if before != after:
            yield Move(risk="input", what=f"tool {name}", old=before, new=after)
    digests = ({file.path: file.sha256 for file in lock.files} for lock in (old, new))
    was, now = digests
    for path in sorted(was.keys() | now.keys()):
        before, after = was.get(path, ""), now.get(path, "")
        if before != after:
            shown = (f"sha256:{digest[:12]}" if digest else "" for digest in (before, after))
            yield Move(risk="input", what=path, old=next(shown), new=next(shown), why="is copied")


# --- Where things come from ----------------------------------------------------------------------


def host_of(url: str) -> tuple[str, str]:
    """The host and the path of an address, without user name, port and ``.git``."""
    found = _URL.fullmatch(url)
    if not found:
        return "", url
    return found["host"].lower(), found["path"].strip("/").removesuffix(".git")


def registry_of(name: str) -> str:
    """The registry that an image comes from; Docker's own where the name begins with none."""
    first, slash, _ = name.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return first if named else "docker.io"


def _image(old: str, new: str) -> Iterator[Move]:
    if old == new:
        return
    before, after = _IMAGE.fullmatch(old), _IMAGE.fullmatch(new)
    assert before is not None  # the pattern takes any text
    assert after is not None
    risk: Risk = "input"
    why = "another base image: what it brings may have moved"
    same_tag = (before["name"], before["tag"]) == (after["name"], after["tag"])
    if registry_of(before["name"]) != registry_of(after["name"]):
        risk, why = "security", "comes from another registry"
    elif before["digest"] and not after["digest"]:
        risk, why = "security", "no longer pinned by its digest"
    elif same_tag and before["digest"]:
        risk, why = "security", "the same tag holds other content"
    elif same_tag:
        why = "is pinned by its digest now"
    yield Move(risk=risk, what="base image", old=old, new=new, why=why)


def _git(old: Iterable[str], new: Iterable[str]) -> Iterator[Move]:
    for before, after in _paired(old, new, _repository):
        was, now = before.rpartition("@"), after.rpartition("@")
        what = f"git {_repository(after or before)}"
        risk: Risk = "input"
        why = "another commit" if before and after else "a new source" if after else ""
        if before and after and host_of(was[0]) != host_of(now[0]):
            risk = "security"
            same_host = host_of(was[0])[0] == host_of(now[0])[0]
            why = f"comes from another {'owner' if same_host else 'host'}"
        yield Move(risk=risk, what=what, old=masked(before), new=masked(after), why=why)


def _repository(source: str) -> str:
    return host_of(source.rpartition("@")[0])[1].rpartition("/")[2] or source


def _indexes(old: SolverInput, new: SolverInput) -> Iterator[Move]:
    for before, after in _paired(old.indexes, new.indexes, str):
        risk, why = _source(after, "index")
        yield Move(risk=risk, what="index", old=before, new=after, why=why)


def _source(come: str, noun: str) -> tuple[Risk, str]:
    """What it means that packages come from a place more, or from one less."""
    if come:
        return "security", f"packages come from one {noun} more"
    return "input", f"one {noun} less is asked"


# --- What the image is made for ------------------------------------------------------------------


def _platform(old: str, new: str) -> Iterator[Move]:
    if old != new:
        why = "wheels for another glibc: the base image must have it"
        yield Move(risk="glibc", what="platform", old=old, new=new, why=why)


def _conda(old: CondaInput | None, new: CondaInput | None) -> Iterator[Move]:
    was, now = (one or CondaInput(channels=(), packages=(), targets=()) for one in (old, new))
    for before, after in _paired(was.channels, now.channels, str):
        risk, why = _source(after, "channel")
        yield Move(risk=risk, what="conda channel", old=before, new=after, why=why)
    both = set(was.channels) & set(now.channels)
    kept = [[name for name in one.channels if name in both] for one in (was, now)]
    if kept[0] != kept[1]:
        order = (" > ".join(one.channels) for one in (was, now))
        why = "which channel comes first decides where a package is taken from"
        yield Move(
            risk="security", what="conda channels", old=next(order), new=next(order), why=why
        )
    for before, after in _paired(was.packages, now.packages, spec_name):
        name = spec_name(after or before)
        risk, why = _conda_risk(name)
        yield Move(risk=risk, what=f"conda {name}", old=before, new=after, why=why)
    has = tuple({target.platform: target for target in one.targets} for one in (was, now))
    for platform in sorted(has[0].keys() | has[1].keys()):
        was_has, now_has = (
            one[platform].virtual_packages if platform in one else () for one in has
        )
        for before, after in _paired(was_has, now_has, lambda text: text.partition("=")[0]):
            name = (after or before).partition("=")[0]
            risk, why = _conda_risk(name)
            old_value, new_value = (text.partition("=")[2] for text in (before, after))
            what = f"{name} of {platform}"
            yield Move(risk=risk, what=what, old=old_value, new=new_value, why=why)


def _conda_risk(name: str) -> tuple[Risk, str]:
    if name == "__glibc" or touches_glibc(name):
        return "glibc", "the target machine must have it"
    if name == "__cuda" or touches_cuda(name):
        return "cuda", "must fit torch and the driver"
    if name == "python":
        return "abi", "compiled modules are for one minor Python"
    return "input", ""


def _apt(old: Iterable[str], new: Iterable[str]) -> Iterator[Move]:
    for before, after in _paired(old, new, lambda text: text.partition("=")[0]):
        name = (after or before).partition("=")[0]
        risk: Risk = "cuda" if touches_cuda(name) else "input"
        yield Move(risk=risk, what=f"apt {name}", old=before, new=after)


# --- What was asked ------------------------------------------------------------------------------


def _requirements(old: SolverInput, new: SolverInput) -> Iterator[Move]:
    lists = (
        ("requirement", old.requirements, new.requirements),
        ("constraint", old.constraints, new.constraints),
        ("build constraint", old.build_constraints, new.build_constraints),
        ("source build", old.source_builds, new.source_builds),
        ("placeholder", old.stubs, new.stubs),
        ("stated metadata", old.metadata, new.metadata),
    )
    for word, before, after in lists:
        name = requirement_name if word != "stated metadata" else str
        for was, now in _paired(before, after, name):
            what = word if word == "stated metadata" else f"{word} {name(now or was)}"
            yield Move(risk="input", what=what, old=was, new=now)


def _relaxations(old: Iterable[Relaxation], new: Iterable[Relaxation]) -> Iterator[Move]:
    was = {(row.kind, row.requirement): row.reason for row in old}
    now = {(row.kind, row.requirement): row.reason for row in new}
    for kind, requirement in sorted(was.keys() | now.keys()):
        key = (kind, requirement)
        if key not in was:
            yield Move(risk="input", what=f"relaxation {kind}", new=requirement, why=now[key])
        elif key not in now:
            why = "the bound holds again"
            yield Move(risk="input", what=f"relaxation {kind}", old=requirement, why=why)


def _unpinned(old: Iterable[Unpinned], new: Iterable[Unpinned]) -> Iterator[Move]:
    was, now = ({row.what: row.why for row in rows} for rows in (old, new))
    for what in sorted(now.keys() - was.keys()):
        yield Move(risk="input", what="not pinned", new=what, why=now[what])
    for what in sorted(was.keys() - now.keys()):
        yield Move(risk="input", what="not pinned", old=what, why="is pinned now, or gone")


def _paired(
    old: Iterable[str], new: Iterable[str], name: Callable[[str], str]
) -> Iterator[tuple[str, str]]:
    """What is in one list only; an old and a new line with one name together, empty for none."""
    before, after = set(old), set(new)
    gone: dict[str, list[str]] = {}
    come: dict[str, list[str]] = {}
    for lines, by_name in ((before - after, gone), (after - before, come)):
        for line in sorted(lines):
            by_name.setdefault(name(line), []).append(line)
    for key in sorted(gone.keys() | come.keys()):
        was, now = gone.get(key, []), come.get(key, [])
        for index in range(max(len(was), len(now))):
            yield (
                was[index] if index < len(was) else "",
                now[index] if index < len(now) else "",
            )
