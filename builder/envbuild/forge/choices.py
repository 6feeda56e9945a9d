"""What the options of ``envbuild ci`` say, as values that can stand in any of the files."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from envbuild.errors import InputError
from envbuild.forge.model import ARCHITECTURES, Machine, Machines

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+")
_BRANCH = re.compile(r"git:[A-Za-z0-9][A-Za-z0-9_-]*([./][A-Za-z0-9_-]+)*")
_FIELD = r"(\*|[0-9]{1,2}(-[0-9]{1,2})?)(/[0-9]{1,2})?"
_CRON = re.compile(rf"{_FIELD}(,{_FIELD})*( {_FIELD}(,{_FIELD})*){{4}}")
_INSTALLED = re.compile(
    r"\.|\./[A-Za-z0-9._/-]+|[A-Za-z0-9][A-Za-z0-9._-]*(\[[a-z0-9,_-]+\])?"
    r"([=<>!~]=?[A-Za-z0-9.*+!]+(,[=<>!~]=?[A-Za-z0-9.*+!]+)*)?"
    r"|git\+https://[A-Za-z0-9._/~:@-]+"
)
_SLURM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:,+=-]*")
_TIME = re.compile(r"([0-9]+-)?[0-9]{1,3}(:[0-9]{2}){0,2}")
_PATH = re.compile(r"[A-Za-z0-9._/~-]+")

_GITHUB = {"amd64": ("ubuntu-24.04",), "arm64": ("ubuntu-24.04-arm",)}
"""GitHub's own machines with podman, buildah and docker on them."""


class Choices(Struct, frozen=True, kw_only=True):
    """What a user wants of the workflows.

    ``install`` is what pip is told to get envbuild, ``registry`` a repository below which images
    and layers are kept (empty: none), ``cron`` when a night begins and ``relock`` when locks are
    made anew (UTC), ``history`` the branch of the nights (``git:BRANCH``).
    """

    machines: Machines
    install: str
    shards: int
    cron: str
    relock: str
    registry: str = ""
    history: str = "git:envbuild-history"

    @property
    def branch(self) -> str:
        """The branch's own name."""
        return self.history.removeprefix("git:")

    @property
    def host(self) -> str:
        """The registry's host."""
        return self.registry.partition("/")[0]


def machines(plain: Iterable[str], gpu: Iterable[str], *, default: bool) -> Machines:
    """``LABEL,…`` or ``ARCH=LABEL,…`` as machines; ``default``: GitHub's own where none is named.

    Raises:
        InputError: a label is none, or an architecture comes twice.
    """
    named = _machines(plain, gpu=False, option="--runner")
    missing = {one.architecture for one in named}
    own = [
        Machine(architecture=name, gpu=False, labels=_GITHUB[name])
        for name in ARCHITECTURES
        if default and name not in missing
    ]
    ordered = sorted((*named, *own), key=lambda one: one.architecture)
    return Machines(plain=tuple(ordered), gpu=_machines(gpu, gpu=True, option="--gpu-runner"))


def untagged() -> Machines:
    """The one machine of a forge whose runners take every job."""
    return Machines(plain=(Machine(architecture="amd64", gpu=False, labels=()),))


def _machines(texts: Iterable[str], *, gpu: bool, option: str) -> tuple[Machine, ...]:
    found: dict[str, Machine] = {}
    for text in filter(None, texts):
        before, equals, after = text.rpartition("=")
        name = before if equals else "amd64"
        if name not in ARCHITECTURES:
            hint = f"{option} arm64=LABEL,LABEL"
            raise InputError(f"{option} {text!r}: {name!r} is no architecture", hint=hint)
        labels = tuple(after.split(","))
        for label in labels:
            _refuse(_LABEL, label, f"{option} {text!r}", "labels are letters, digits, . _ / -")
        if name in found:
            raise InputError(f"{option} names {name} twice", hint="one set of labels for each")
        found[name] = Machine(architecture=name, gpu=gpu, labels=labels)
    return tuple(found[name] for name in sorted(found))


def checked(one: Choices) -> Choices:
    """The choices, when each has its form.

    Raises:
        InputError: with the option whose value cannot stand in a workflow.
    """
    _refuse(_INSTALLED, one.install, f"--install {one.install!r}", "envbuild==0.1.0, or . or ./DIR")
    _refuse(_CRON, one.cron, f"--schedule {one.cron!r}", 'five fields: "17 2 * * *"')
    _refuse(_CRON, one.relock, f"--relock {one.relock!r}", 'five fields: "17 5 * * 1"')
    if one.registry:
        text = f"--registry {one.registry!r}"
        _refuse(_REPOSITORY, one.registry, text, "ghcr.io/owner/repository, in small letters")
    _refuse(_BRANCH, one.history, f"--history {one.history!r}", "git:BRANCH")
    return one


def _refuse(form: re.Pattern[str], text: str, label: str, hint: str) -> None:
    if not form.fullmatch(text):
        raise InputError(f"{label} cannot stand in a workflow", hint=hint)


class SlurmChoices(Struct, frozen=True, kw_only=True):
    """What a user wants of a Slurm cluster.

    ``images``: where images come from, a registry's repository or ``oci:DIR``; ``gres`` is the
    GPU that a task asks for (``gpu:1``), ``time`` its limit, ``cpus`` and ``memory`` its share of
    a machine; empty: the cluster's own default.
    """

    runtime: str
    images: str
    shards: int
    install: str
    partition: str = ""
    account: str = ""
    gres: str = ""
    time: str = "08:00:00"
    cpus: int = 8
    memory: str = ""
    work: str = ".envbuild/slurm"


def checked_slurm(one: SlurmChoices) -> SlurmChoices:
    """The choices, when each has its form.

    Raises:
        InputError: with the option whose value cannot stand in a script.
    """
    for name in ("partition", "account", "gres", "memory"):
        if text := getattr(one, name):
            _refuse(_SLURM, text, f"--{name} {text!r}", "one word, as sbatch takes it")
    _refuse(_TIME, one.time, f"--time {one.time!r}", "08:00:00, or 1-00:00:00")
    _refuse(_PATH, one.work, f"--work {one.work!r}", "a folder that every node sees")
    place = one.images.removeprefix("oci:")
    form = _PATH if one.images.startswith("oci:") else _REPOSITORY
    _refuse(form, place, f"--images {one.images!r}", "ghcr.io/owner/repository, or oci:DIR")
    if one.runtime == "pyxis" and form is _PATH:
        raise InputError(
            "--runtime pyxis takes its images from a registry", hint="--images ghcr.io/owner/name"
        )
    return one
