"""What ``envbuild doctor`` examines: what was named, as a survey."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeVar

import click
from msgspec import Struct

from envbuild.cli import common, syspath
from envbuild.doctor import judging
from envbuild.doctor.case import Case
from envbuild.doctor.model import Driver, Gpu
from envbuild.doctor.told.telling import Answer
from envbuild.errors import InputError
from envbuild.lock.model import VariantLock
from envbuild.scan import survey
from envbuild.scan.linked import host
from envbuild.scan.model import Start
from envbuild.scan.sources import folders
from envbuild.scan.sources.wanted import Wish
from envbuild.scan.starting import places
from envbuild.tools import driver, proc, store

if TYPE_CHECKING:
    from envbuild.cli import rootfs
    from envbuild.cli.main import Session
    from envbuild.engines.model import Engine
    from envbuild.scan.model import Scan
    from envbuild.scan.starting.places import Places

Kind = Literal["here", "prefix", "python", "image", "container", "layout", "tar"]

_IMAGED: tuple[Kind, ...] = ("image", "container", "layout", "tar")
_NAMED: tuple[Kind, ...] = ("python", *_IMAGED)
_Command = TypeVar("_Command", bound="Callable[..., object]")


class Target(Struct, frozen=True, kw_only=True):
    """What is examined: ``named`` as the user did (empty: the current environment), ``path`` from
    the root (empty: it has none)."""

    kind: Kind
    named: str = ""
    path: str = ""


class Held(Struct, frozen=True, kw_only=True):
    """A lock to hold an environment against, how messages call it, and where it lies."""

    lock: VariantLock | None = None
    name: str = ""
    folder: str = ""


NOTHING = Held()


class Wishes(Struct, frozen=True, kw_only=True):
    """How: every file is hashed, the interpreter may be run, which engine."""

    hashes: bool = False
    run: bool = False
    engine: str = "auto"


def target_options(command: _Command) -> _Command:
    """The argument and the options that name what is examined."""
    for option in reversed(
        (
            click.argument("prefix", required=False, type=click.Path()),
            click.option("--python", metavar="EXE", help="What this interpreter or launcher sees."),
            click.option("--image", metavar="REF", help="An image that an engine has."),
            click.option("--container", metavar="ID", help="A container, running or not."),
            click.option("--layout", metavar="oci:DIR", help="An image in OCI's layout."),
            click.option("--tar", metavar="FILE", help="A saved image, or a root file system."),
            common.engine_option(help="Who has the image or container."),
        )
    ):
        command = option(command)
    return command


def target(session: Session, prefix: str | None, chosen: Mapping[str, object]) -> Target:
    """What was named, its paths relative to the folder of ``-C``.

    Raises:
        UsageError: two things were named.
    """
    named = [kind for kind in _NAMED if chosen[kind]]
    said = [*(f"--{kind}" for kind in named), *(["PREFIX"] if prefix else [])]
    if len(said) > 1:
        raise click.UsageError(f"one environment is examined, not {' and '.join(said)}")
    if prefix:
        return Target(kind="prefix", named=prefix, path=path_of(session, prefix))
    if not named:
        return Target(kind="here")
    kind, text = named[0], str(chosen[named[0]])
    if kind in ("image", "container"):
        return Target(kind=kind, named=text)
    if kind == "python" and os.sep not in text:
        return Target(kind=kind, named=text, path=text)  # looked for on the PATH, as a shell does
    path = path_of(session, text.removeprefix("oci:") if kind == "layout" else text)
    return Target(kind=kind, named=text, path=path)


def path_of(session: Session, named: str) -> str:
    """A path of the command line, from the root."""
    return os.path.abspath(os.path.join(session.here, os.path.expanduser(named)))


def wishes(chosen: Mapping[str, object]) -> Wishes:
    """How it is examined, by the options of a command."""
    return Wishes(
        hashes=bool(chosen.get("hashes") or chosen.get("lock")),
        run=bool(chosen.get("run")),
        engine=str(chosen.get("engine") or "auto"),
    )


def answer(session: Session, target: Target, wishes: Wishes, *, held: Held = NOTHING) -> Answer:
    """Examine what was named, and judge it; ``held`` is the lock that it is held against.

    Raises:
        InputError: it is not there, or is nothing that can be examined.
        ToolError: an engine or the interpreter failed, or there is no room.
    """
    started = time.monotonic()
    found = scan(session, target, wishes)
    case = Case(scan=found, driver=visible(), lock=held.lock, lock_folder=held.folder)
    session.console.live(f"judging {found.label} ...")
    findings = judging.findings(case)
    seconds = time.monotonic() - started
    return Answer(case=case, findings=findings, seconds=seconds, lock=held.name)


def scan(session: Session, target: Target, wishes: Wishes) -> Scan:
    """Read what was named, and survey it.

    Raises:
        InputError: it is not there, or is nothing that can be examined.
        ToolError: an engine or the interpreter failed, or there is no room.
    """
    wish = Wish(hashes="all" if wishes.hashes else "watched")
    if target.kind not in _IMAGED:
        found = _here(session, target, wish, run=wishes.run)
    else:
        found = _elsewhere(session, target, wish, wanted=wishes.engine)
    if not found.sites and not found.products:
        raise InputError(
            f"{found.label} holds no Python environment",
            hint="name the folder of an Isaac Sim, a conda prefix or a virtual environment",
        )
    return found


def named(target: Target) -> Places:
    """Where what was named lies on this machine.

    Raises:
        InputError: it is not there.
    """
    if target.kind == "here":
        return places.current(os.environ)
    if target.kind == "python":
        return places.of_interpreter(target.path, os.environ)
    return places.of_prefix(target.path, os.environ)


def visible() -> Driver | None:
    """The driver of this machine, which an image will meet here too; None: none is seen."""
    found = driver.visible(proc.run, os.environ, _text)
    if found is None:
        return None
    gpus = tuple(Gpu(name=one.name, architecture=one.architecture) for one in found.gpus)
    return Driver(version=found.version, gpus=gpus)


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


# --- Folders of this machine ---------------------------------------------------------------------


def _here(session: Session, target: Target, wish: Wish, *, run: bool) -> Scan:
    found = named(target)
    start = syspath.asked(found, session.console.say) if run else found.start
    session.console.live(f"reading {', '.join(found.roots)} ...")
    tree = folders.read(found.roots, wish)
    label = target.named or found.label
    session.console.live(f"surveying {label} ...")
    return survey.survey(tree, label, start, host.read())


# --- Images and containers -----------------------------------------------------------------------


def _elsewhere(session: Session, target: Target, wish: Wish, *, wanted: str) -> Scan:
    from envbuild.cli import rootfs  # the engines' 60 ms that a folder does not need

    desk = rootfs.Desk(
        wish=wish,
        machine=platform.machine(),
        environ=os.environ,
        runner=proc.run,
        engine=lambda: _engine(session, wanted),
        say=session.console.say,
        live=session.console.live,
    )
    root = _root(target, desk)
    session.console.live(f"surveying {target.named} ...")
    kept = tuple(pair for pair in root.variables if pair[0] in places.VARIABLES)
    return survey.survey(root.tree, target.named, Start(variables=kept), None)


def _root(target: Target, desk: rootfs.Desk) -> rootfs.Root:
    from envbuild.cli import rootfs

    if target.kind == "image":
        return rootfs.from_engine(target.named, desk)
    if target.kind == "container":
        return rootfs.from_container(target.named, desk)
    if target.kind == "layout":
        return rootfs.from_layout(target.path, target.named, desk)
    return rootfs.from_tar(target.path, target.named, desk)


def _engine(session: Session, wanted: str) -> Engine:
    from envbuild.engines import finding

    session.console.live("trying out the engine ...")
    cache = f"{store.cache_folder(os.environ)}/engines"
    return finding.find(wanted, os.environ, proc.run, cache=cache)
