"""One image: built, checked, named, remembered. If any of it fails there is no image."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping

import msgspec
from msgspec import Struct

from envbuild.build import guarding, records
from envbuild.build.guarding import Expected
from envbuild.build.leaks import Hidden
from envbuild.build.records import BuiltImage, Origin
from envbuild.engines import building, calling, images
from envbuild.engines.model import BuildRequest, Engine, ImageFacts
from envbuild.errors import EnvbuildError, ToolError
from envbuild.tools import proc, temporary, typed
from envbuild.tools.following import Follower, follow
from envbuild.tools.proc import Runner
from envbuild.tools.trouble import cannot_write
from envbuild.tools.turns import private_folder

_LOGS = "logs"

_ELSEWHERE = "another registry that has it is named with --mirror PREFIX=PLACE"


class Bench(Struct, frozen=True, kw_only=True):
    """What a build is done with. ``clean`` runs what tidies up, after Ctrl-C too."""

    engine: Engine
    environ: Mapping[str, str]
    runner: Runner = proc.run
    clean: Runner = proc.clean
    follow: Follower = follow


class Order(Struct, frozen=True, kw_only=True):
    """One image to make.

    ``request`` is the build, ``names`` what the image is called afterwards, ``base`` the reference
    of the image that it stands on, ``hidden`` what must not be in it; ``searched``: its layers are
    read. ``log`` is the path of the full log, ``scratch`` a path beside which a copy of the image
    can lie while it is read.
    """

    profile: str
    variant: str
    request: BuildRequest
    names: tuple[str, ...]
    base: str
    base_digest: str
    lock_digest: str
    origin: Origin
    expected: Expected
    log: str
    scratch: str
    hidden: Hidden = Hidden()
    searched: bool = False

    @property
    def target(self) -> str:
        """The order as messages call it."""
        return f"{self.profile}/{self.variant}"


def make(order: Order, bench: Bench, *, root: str, line: Callable[[str], None]) -> BuiltImage:
    """Build an image, check it, name it and write its record; ``line`` hears the builder.

    Raises:
        RefusedError: it is not what was meant; it is removed.
        ToolError: the engine failed.
    """
    before = _identities(order, bench, root)
    identity = ""
    try:
        watch = building.Watch(log=order.log, line=line, follow=bench.follow)
        built = building.build(
            bench.engine, order.request, environ=bench.environ, watch=watch, runner=bench.runner
        )
        identity = built.identity
        facts = check(order, identity, bench)
        for name in order.names:
            images.tag(
                bench.engine, identity, name=name, runner=bench.runner, environ=bench.environ
            )
        made = record(order, facts, identity=identity, seconds=built.seconds, bench=bench)
        made = msgspec.structs.replace(made, log=os.path.relpath(order.log, root))
        records.write(root, made)
    except BaseException:
        if identity and identity not in before:
            with contextlib.suppress(EnvbuildError):
                images.remove(bench.engine, identity, runner=bench.clean, environ=bench.environ)
        raise
    return made


def record(
    order: Order, facts: ImageFacts, *, identity: str, seconds: float, bench: Bench
) -> BuiltImage:
    """What is remembered of an image, as far as the build itself knows."""
    return BuiltImage(
        profile=order.profile,
        variant=order.variant,
        reference=order.names[0],
        tags=order.names,
        identity=identity,
        engine=bench.engine.name,
        builder=bench.engine.remote.name if bench.engine.remote else "",
        lock_digest=order.lock_digest,
        origin=order.origin,
        base_digest=order.base_digest,
        seconds=round(seconds, 3),
        size=facts.size,
        layers=facts.layers,
        settings=records.settings(facts),
    )


def _identities(order: Order, bench: Bench, root: str) -> frozenset[str]:
    """The images that have a name of ours already: a build may give one of them once more, and
    then it is not ours to remove."""
    record = records.read(root, order.profile, order.variant)
    names = (*order.names, *(record.tags if record else ()))
    found = (image(name, bench) for name in dict.fromkeys(names))
    known = {facts.identity for facts in found if facts}
    return frozenset(known | ({record.identity} if record else set()))


def image(reference: str, bench: Bench) -> ImageFacts | None:
    """What the engine says of an image; None where it has none of that name."""
    return images.facts(bench.engine, reference, runner=bench.runner, environ=bench.environ)


def check(order: Order, identity: str, bench: Bench) -> ImageFacts:
    """What the engine says of an image that may get a name.

    Raises:
        RefusedError: it may not.
    """
    facts = image(identity, bench)
    if facts is None:
        raise ToolError(f"{order.target}: {bench.engine.name} does not find what it has built")
    faults = guarding.in_facts(facts, order.expected)
    if order.searched:
        base = contents(order.base, bench)
        with temporary.beside(order.scratch) as folder:
            archive = _archive(identity, folder, bench, size=facts.size)
            faults += guarding.in_saved(archive, order.hidden, base=base, label=order.target)
    if faults:
        raise guarding.RefusedError(order.target, faults)
    return facts


def _archive(identity: str, folder: str, bench: Bench, *, size: int) -> str:
    """The path of an archive with the image, in a new folder; its layers are bare, because packing
    20 GB takes a quarter of an hour.

    Raises:
        ToolError: it does not fit on the disk, or the engine failed.
    """
    path = f"{folder}/image.tar"
    try:
        os.mkdir(folder)
        disk = os.statvfs(folder)
    except OSError as error:
        raise cannot_write(folder, error) from None
    free = disk.f_bavail * disk.f_frsize
    if free < size:
        raise ToolError(
            f"the image cannot be checked: its copy needs {size / 1e6:.0f} MB, and the disk of "
            f"{os.path.dirname(folder)} has {free / 1e6:.0f} MB",
            hint="free some space, or set XDG_CACHE_HOME to a larger disk",
        )
    asked = {
        "podman": ("save", "--quiet", "--format=docker-archive", f"--output={path}", identity),
        "buildah": ("push", "--quiet", identity, f"docker-archive:{path}"),
        "docker": ("save", f"--output={path}", identity),
    }[bench.engine.name]
    outcome = calling.call(
        bench.engine, asked, runner=bench.runner, environ=bench.environ, timeout=calling.LONG
    )
    if outcome.code:
        raise calling.failed(bench.engine, "save the image to be checked", outcome)
    return path


def contents(reference: str, bench: Bench) -> tuple[str, ...]:
    """The digests of what the layers of an image unpack to, from below; empty where the engine
    does not say."""
    asked: tuple[str, ...] = ("image", "inspect", "--format", "{{json .RootFS.Layers}}")
    if bench.engine.name == "buildah":
        asked = ("inspect", "--type=image", "--format", "{{json .OCIv1.RootFS.DiffIDs}}")
    outcome = calling.call(
        bench.engine,
        (*asked, calling.reference(reference)),
        runner=bench.runner,
        environ=bench.environ,
    )
    try:
        return typed.decode(outcome.stdout, tuple[str, ...]) if outcome.code == 0 else ()
    except msgspec.MsgspecError:
        return ()


def pull(
    references: Iterable[str], bench: Bench, *, platform: str, say: Callable[[str], None]
) -> None:
    """Fetch the images that a build stands on and that the engine does not have: by the engine,
    before the build, which may have no network.

    Raises:
        ToolError: one cannot be fetched.
    """
    for reference in dict.fromkeys(references):
        if image(reference, bench) is None:
            say(f"pulling {reference} ...")
            try:
                images.pull(
                    bench.engine,
                    reference,
                    platform=platform,
                    runner=bench.runner,
                    environ=bench.environ,
                )
            except ToolError as error:
                error.hint = error.hint or _ELSEWHERE
                raise


def refuse_absent(references: Iterable[str], bench: Bench) -> None:
    """Refuse to begin without an image that a build stands on.

    Raises:
        ToolError: with the image.
    """
    for reference in dict.fromkeys(references):
        if image(reference, bench) is None:
            raise ToolError(
                f"{bench.engine.name} does not have {reference}, and --offline fetches nothing",
                hint="build once without --offline, or read it from elsewhere with --mirror",
            )


def push(names: Iterable[str], bench: Bench, *, say: Callable[[str], None]) -> str:
    """Push an image under its names; the digest of its manifest.

    Raises:
        ToolError: a registry refuses it.
    """
    digest = ""
    for name in names:
        say(f"pushing {name} ...")
        digest = images.push(bench.engine, name, runner=bench.runner, environ=bench.environ)
    return digest


def log_path(root: str, profile: str, variant: str) -> str:
    """The path of a new full log; the log of the build before gets the ending ``.1``.

    Raises:
        ToolError: the workspace cannot be written.
    """
    try:
        folder = os.path.normpath(private_folder(root, _LOGS))
        path = f"{folder}/build-{profile}.{variant}.log"
        if os.path.exists(path):
            os.replace(path, f"{path}.1")
    except OSError as error:
        raise cannot_write(f"{root}/.envbuild/{_LOGS}", error) from None
    return path
