"""The questions of a condition but those about packages. Pure.

Each gives every way in which the answer is yes, and where in the profile that stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from envbuild.knowledge import facts, terms
from envbuild.knowledge.finding import Found, yes
from envbuild.knowledge.ranges import admitted, number
from envbuild.knowledge.torch import NONE, covers, torch_of

if TYPE_CHECKING:
    from envbuild.knowledge.conditions import Comparison, ContractTest, GitTest, GpuTest
    from envbuild.knowledge.world import World
    from envbuild.profile.model import Contract
    from envbuild.profile.resolved import KeyPath


def _fits(version: str | None, releases: str) -> bool:
    """Whether a version is among releases; ``3.0.0-beta`` counts as 3.0.0."""
    if version is None:
        return False
    return releases == "*" or admitted(releases).holds(version.partition("-")[0])


def isaac_sim(world: World, releases: str) -> Iterator[Found]:
    """The world's Isaac Sim is one of these."""
    yield from yes(_fits(world.isaac_sim, releases))


def isaac_lab(world: World, releases: str) -> Iterator[Found]:
    """The world's Isaac Lab is one of these."""
    yield from yes(_fits(world.isaac_lab, releases))


def gr00t(world: World, releases: str) -> Iterator[Found]:
    """The world's GR00T is one of these."""
    generation = (world.gr00t or "").removeprefix("n")
    yield from yes(_fits(generation or None, releases))


def simulator(world: World, way: str) -> Iterator[Found]:
    """Isaac Sim comes this way."""
    yield from yes(world.simulator == way)


def python(world: World, releases: str) -> Iterator[Found]:
    """The interpreter is one of these, by its first two numbers."""
    yield from yes(_fits(world.python, releases))


def cuda(world: World, releases: str) -> Iterator[Found]:
    """The variant's CUDA is one of these."""
    yield from yes(_fits(world.cuda, releases))


def architecture(world: World, name: str) -> Iterator[Found]:
    """The variant is for this processor."""
    yield from yes(world.variant.architecture == name)


def image(world: World, patterns: tuple[str, ...]) -> Iterator[Found]:
    """The base image is called like one of these."""
    name = world.environment.base.image
    if any(fnmatchcase(name, pattern) for pattern in patterns):
        yield Found(at=("base", "image"))


def git(world: World, asked: GitTest) -> Iterator[Found]:
    """A git source has such an address, and is installed so."""
    for index, source in enumerate(world.environment.git):
        right = not asked.install or source.install in asked.install
        if right and fnmatchcase(source.url.lower().removesuffix(".git"), asked.url.lower()):
            yield Found(values={"source": source.name}, at=("git", index, "url"))


def conda(world: World, patterns: tuple[str, ...]) -> Iterator[Found]:
    """The conda environment has such a package."""
    packages = world.environment.conda.packages if world.environment.conda else ()
    for index, text in enumerate(packages):
        if any(fnmatchcase(text, pattern) for pattern in patterns):
            yield Found(values={"package": text}, at=("conda", "packages", index))


def conda_channel(world: World, patterns: tuple[str, ...]) -> Iterator[Found]:
    """The conda environment asks such a channel."""
    channels = world.environment.conda.channels if world.environment.conda else ()
    for index, text in enumerate(channels):
        if any(fnmatchcase(text, pattern) for pattern in patterns):
            yield Found(values={"channel": text}, at=("conda", "channels", index))


def env_missing(world: World, names: tuple[str, ...]) -> Iterator[Found]:
    """A variable that the image does not set."""
    for name in names:
        if not world.environment.env.get(name):
            yield Found(values={"variable": name})


def env_set(world: World, names: tuple[str, ...]) -> Iterator[Found]:
    """A variable that the image sets."""
    for name in names:
        if world.environment.env.get(name):
            yield Found(values={"variable": name}, at=("env", name))


def eula(world: World, _asked: str) -> Iterator[Found]:
    """The profile does not say whether NVIDIA's terms are accepted."""
    yield from yes(world.environment.accept_eula is None)


def entrypoint(world: World, asked: str) -> Iterator[Found]:
    """The image has no entrypoint of its own, or one that a shell reads."""
    words = world.environment.entrypoint
    if asked == "missing":
        yield from yes(not words, {"entrypoint": ""})
        return
    shell = len(words) > 1 and words[0].rpartition("/")[2] in ("sh", "bash", "dash")
    by_shell = shell and any(word.startswith("-") and "c" in word for word in words[1:3])
    one_string = len(words) == 1 and " " in words[0].strip()
    if by_shell or one_string:
        yield Found(values={"entrypoint": " ".join(words)}, at=("entrypoint",))


def gpu(world: World, asked: GpuTest) -> Iterator[Found]:
    """A GPU of the profile that this is true of."""
    for index, name in enumerate(world.environment.hardware.gpus):
        if asked.named and name not in asked.named:
            continue
        floor = _floor(name, asked.cuda)
        if asked.cuda and (floor is None or world.cuda is None):
            continue
        if asked.cuda and floor and world.cuda and number(world.cuda) >= number(floor):
            continue
        if asked.torch and not _without_code(world, name):
            continue
        yield Found(
            values={"gpu": name, "gpu-cuda": floor or "unknown"}, at=("hardware", "gpus", index)
        )


def _floor(gpu: str, asked: str | None) -> str | None:
    """The first CUDA for a GPU: for its family (code for sm_120 runs on sm_121), or for itself."""
    family = facts.gpu_floor(f"{gpu[:-1]}0")
    own = facts.gpu_floor(gpu) or family
    chosen = (family or own) if asked == "cannot-target" else own
    return chosen.cuda if chosen else None


def _without_code(world: World, gpu: str) -> bool:
    torch = torch_of(world)
    return torch is not None and bool(torch.gpus) and not covers(torch.gpus, gpu)


def contract(world: World, asked: ContractTest) -> Iterator[Found]:
    """A contract of the profile that this is true of."""
    for index, ours in enumerate(world.environment.contracts):
        if asked.encoding and ours.encoding not in asked.encoding:
            continue
        values = {"peer": ours.peer, "encoding": ours.encoding}
        at: KeyPath = ("contracts", index)
        peers = world.peers.get(ours.peer, ())
        if asked.peer_numpy is not None:
            versions = [peer.version("numpy") or _series(peer) for peer in peers]
            fitting = [one for one in versions if one and _fits(one, asked.peer_numpy)]
            if not fitting:
                continue
            values["peer-numpy"] = fitting[0]
        if asked.disagrees is not None:
            theirs = _other(world, ours, asked.disagrees, peers)
            if theirs is None:
                continue
            values |= {"ours": _said(ours, asked.disagrees), "theirs": theirs}
            at = ("contracts", index, asked.disagrees) if _said(ours, asked.disagrees) else at
        yield Found(values=values, at=at)


def _series(world: World) -> str | None:
    """The first version that a world leaves to NumPy, where it says one."""
    low = world.admitted("numpy").low
    return str(low) if low is not None else None


def _said(contract: Contract, key: str) -> str:
    return str(getattr(contract, key) or "")


def _other(world: World, ours: Contract, key: str, peers: tuple[World, ...]) -> str | None:
    """What the peer's contracts with this profile say of ``key``, where none of them fits."""
    theirs = [
        row for peer in peers for row in peer.environment.contracts if row.peer == world.profile
    ]
    if not theirs or any(_agree(ours, row, key) for row in theirs):
        return None
    return " or ".join(sorted({_said(row, key) or "none" for row in theirs}))


def _agree(ours: Contract, theirs: Contract, key: str) -> bool:
    if key == "role":
        return ours.role != theirs.role
    one, other = getattr(ours, key), getattr(theirs, key)
    return one is None or other is None or one == other


def known(world: World, names: tuple[str, ...]) -> Iterator[Found]:
    """Each of these values can be told."""
    yield from yes(all(terms.value(name, world) is not None for name in names))


def compare(world: World, asked: Comparison) -> Iterator[Found]:
    """One value stands so to the other, and both are known."""
    one = terms.value(asked.value, world)
    other = asked.than if asked.than[0].isdigit() else terms.value(asked.than, world)
    if not isinstance(one, str) or other is None:
        return
    others = (other,) if isinstance(other, str) else other
    if _related(one, others, asked.relation):
        yield Found(values={"value": one, "than": ", ".join(others)})


def _related(one: str, others: tuple[str, ...], relation: str) -> bool:
    if relation in ("equal", "different"):
        return any(_same(one, other) for other in others) == (relation == "equal")
    if one == NONE or NONE in others:
        return False
    mine, theirs = number(one), [number(other) for other in others]
    return mine < min(theirs) if relation == "older" else mine > max(theirs)


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    if not (one[0].isdigit() and other[0].isdigit()) or "-" in f"{one}{other}":
        return False
    return number(one) == number(other)
