"""What a build is given: its turn, images below, the context, secrets, the revision."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

import envbuild
from envbuild.build import doing, labelling, planning, secrets
from envbuild.cli.condatool import user_settings
from envbuild.cli.uvtool import Tool
from envbuild.engines.model import BuildRequest
from envbuild.errors import EnvbuildError, InputError
from envbuild.lock import indexes
from envbuild.speech import counted
from envbuild.tools import files, proc, store, temporary, turns
from envbuild.tools.git import Git
from envbuild.tools.proc import Command
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from envbuild.build import fetching
    from envbuild.build.secrets import Secret
    from envbuild.cli.build_targets import Target
    from envbuild.cli.building import Run
    from envbuild.cli.main import Session

_PATIENCE = 6 * 3600.0
"""Seconds that another build of the same variant is waited for."""

_OLD = 24 * 3600.0
"""Seconds after which no build is still at work on its context."""


class Supplied(Struct, frozen=True, kw_only=True):
    """The folder that an engine is given. ``fetched`` bytes came over the network for it;
    ``online`` is what the steps of the build fetch by themselves."""

    place: str
    fetched: int = 0
    online: tuple[str, ...] = ()


class Prepared(Struct, frozen=True, kw_only=True):
    """A build that can begin. ``index`` are the settings of the user's package index, which are
    among the secrets of the request."""

    request: BuildRequest
    supplied: Supplied
    index: tuple[Secret, ...]


def turn(target: Target, session: Session) -> contextlib.AbstractContextManager[None]:
    """The time in which a variant is built by nobody else."""
    return turns.exclusive(
        session.workspace.path(turns.PRIVATE, f"build-{target.profile}.{target.variant.name}"),
        waiting=lambda holder: session.console.say(
            f"{target.name}: waiting for another build of it (process {holder}) to finish"
        ),
        timeout=_PATIENCE,
    )


@contextlib.contextmanager
def prepared(target: Target, run: Run) -> Iterator[Prepared]:
    """The build of a variant, once what it stands on is here and its context is in place.

    Raises:
        InputError: something that it needs is the user's to give.
        ToolError: something cannot be had, or is not what the lock says.
    """
    options = run.options
    references = [reference for _, reference in target.images]
    # A builder elsewhere fetches what it stands on by itself.
    here = references if run.bench.engine.remote is None else []
    if run.vendor:
        run.vendor.load(target, run)
    elif not options.offline:
        doing.pull(here, run.bench, platform=target.variant.platform, say=run.tell)
    doing.refuse_absent(here, run.bench)
    labels = labelling.labels(_origin(run), target.locked)
    with _context(target, run) as supplied, _index(target, run) as given:
        request = BuildRequest(
            dockerfile=f"{supplied.place}/{target.dockerfile}",
            context=supplied.place,
            platform=target.variant.platform,
            arguments=(*target.images, *sorted(proxies(run).items())),
            labels=labels,
            annotations=labelling.in_manifest(target.variant, target.locked, labels),
            secrets=tuple((one.name, one.path) for one in (*options.secrets, *given)),
            network=options.network,
            epoch=planning.epoch(target.locked.input.as_of),
            cache=options.cache,
            cache_from=options.cache_from,
            cache_to=options.cache_to,
            ssh=options.network == "host" and target.ssh,
        )
        yield Prepared(request=request, supplied=supplied, index=given)


def proxies(run: Run) -> dict[str, str]:
    """The user's proxies, where steps use the network."""
    return planning.proxies(run.environ) if run.options.network == "host" else {}


def _context(target: Target, run: Run) -> contextlib.AbstractContextManager[Supplied]:
    if run.options.network == "host":
        return contextlib.nullcontext(_as_rendered(target))
    return _from_vendor(target, run) if run.vendor else _staged(target, run)


def _as_rendered(target: Target) -> Supplied:
    """The rendered folder as it stands: the steps fetch what its lists name."""
    named = tuple(one.path.partition("/")[2] for one in target.inputs)
    return Supplied(place=target.context, online=named)


def sweep(cache: str) -> None:
    """Remove the contexts that killed builds have left."""
    with contextlib.suppress(OSError), os.scandir(f"{cache}/contexts") as found:
        for entry in found:
            if time.time() - entry.stat(follow_symlinks=False).st_mtime > _OLD:
                temporary.remove_tree(entry.path, quietly=True)


@contextlib.contextmanager
def _staged(target: Target, run: Run) -> Iterator[Supplied]:
    """A copy of the rendered folder, with everything that its steps need: removed at the end,
    unless it is to be kept.

    Raises:
        InputError: something of it can only be fetched by the steps themselves.
        ToolError: something cannot be had, or is not what the lock says.
    """
    from envbuild.build import fetching  # 100 ms that an unchanged image does not need

    console, options = run.session.console, run.options
    name = f"{target.profile}.{target.variant.name}"
    cache = store.cache_folder(run.environ)
    sweep(cache)
    tools = fetching.FetchTools(
        environ=run.environ,
        runner=proc.run,
        uv=Tool(offline=options.offline, refresh=False),
        conda=user_settings,
        engine=run.bench.engine,
        images=dict(target.images),
        cache=cache,
        offline=options.offline,
        say=console.detail,
        live=console.live,
    )
    subject = fetching.Subject(variant=target.variant, folder=target.folder, inputs=target.inputs)
    with contextlib.ExitStack() as stack:
        if options.keep_context:
            place = _kept_place(run.session.root, name)
        else:
            place = stack.enter_context(temporary.beside(f"{cache}/contexts/{name}"))
        found = fetching.stage(subject, context=target.context, into=place, tools=tools)
        if options.keep_context:
            console.say(f"{target.name}: the context is kept in {place}")
        _refuse_open(target, found)
        count = sum(one.files for one in found.inputs)
        size = sum(one.bytes for one in found.inputs)
        fetched = sum(one.fetched for one in found.inputs)
        now = f", {fetched / 1e6:.1f} MB of them fetched now" if fetched else ""
        console.say(f"{target.name}: {counted(count, 'file')} ready, {size / 1e6:.1f} MB{now}")
        yield Supplied(place=place, fetched=fetched)


@contextlib.contextmanager
def _from_vendor(target: Target, run: Run) -> Iterator[Supplied]:
    """The same from a vendored folder, which was checked before."""
    console, name = run.session.console, f"{target.profile}.{target.variant.name}"
    cache = store.cache_folder(run.environ)
    sweep(cache)
    assert run.vendor is not None  # who comes here has one
    with contextlib.ExitStack() as stack:
        if run.options.keep_context:
            place = _kept_place(run.session.root, name)
            console.say(f"{target.name}: the context is kept in {place}")
        else:
            place = stack.enter_context(temporary.beside(f"{cache}/contexts/{name}"))
        handed = run.vendor.hand_out(target, place)
        size = f"{handed.bytes / 1e6:.1f} MB"
        where = run.options.vendor
        console.say(f"{target.name}: {counted(handed.files, 'file')} from {where}, {size}")
        yield Supplied(place=place)


def _kept_place(root: str, name: str) -> str:
    try:
        place = f"{os.path.abspath(turns.private_folder(root, 'contexts'))}/{name}"
    except OSError as error:
        raise cannot_write(f"{root}/{turns.PRIVATE}/contexts", error) from None
    if os.path.lexists(place):
        temporary.remove_tree(place)
    return place


def _refuse_open(target: Target, found: fetching.Fetched) -> None:
    """Refuse a build whose steps would need a network that they do not have.

    Raises:
        InputError: with what each needs, and why.
    """
    if not found.hermetic:
        listed = "".join(f"\n  {one.what}: {one.why}" for one in found.not_hermetic)
        raise InputError(
            f"{target.name} cannot be built without network{listed}",
            hint="--online lets its steps fetch by themselves",
        )


def _origin(run: Run) -> labelling.Origin:
    """Who builds, from which revision of which repository, as far as git says."""
    root, environ = run.session.root, run.environ
    revision = _revision(root, environ)
    source = Git(root, environ, proc.run).origin() if revision else ""
    return labelling.Origin(maker=envbuild.__version__, revision=revision, source=source)


def _revision(root: str, environ: Mapping[str, str]) -> str:
    """The git revision of a workspace; with ``-dirty`` where something in it is not committed,
    empty where it is in no repository, or git is missing or refuses to work."""
    git = Git(root, environ, proc.run)
    try:
        commit = git.commit("HEAD")
    except EnvbuildError:
        return ""
    if commit is None:
        return ""
    argv = ("git", "--no-pager", "status", "--porcelain", "--", ".")
    kept = tuple((name, environ[name]) for name in ("PATH", "HOME") if name in environ)
    quiet = (*kept, ("LC_ALL", "C"), ("GIT_OPTIONAL_LOCKS", "0"))
    status = proc.run(Command(argv=argv, environment=quiet, cwd=root, timeout=60.0))
    return f"{commit}-dirty" if status.code or status.stdout.strip() else commit


@contextlib.contextmanager
def _index(target: Target, run: Run) -> Iterator[tuple[Secret, ...]]:
    """The settings of the user's package index as secrets, where steps may ask it, the Dockerfile
    wants them, and the user did not give them another way.

    Raises:
        InputError: such settings cannot be read.
        ToolError: they cannot be written for the build.
    """
    if run.options.network == "none":
        yield ()
        return
    text = files.read_text(f"{target.context}/{target.dockerfile}")
    wanted = secrets.mounts(text) - {one.name for one in run.options.secrets}
    made = {name: one for name, one in _settings(run.environ).items() if name in wanted}
    with temporary.scratch(made) as place:
        yield tuple(
            secrets.Secret(name=name, path=f"{place}/{name}", content=one.encode())
            for name, one in made.items()
        )


def _settings(environ: Mapping[str, str]) -> dict[str, str]:
    def read(path: str) -> str | None:
        return files.read_text(path) if os.path.isfile(path) else None

    return secrets.index_files(indexes.user_indexes(environ, read), environ)
