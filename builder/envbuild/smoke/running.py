"""A plan carried out: one container, the probes mounted into it, and what they left."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec import Struct

from envbuild.engines import containers
from envbuild.engines.model import Engine, Mount, RunRequest
from envbuild.errors import ToolError
from envbuild.smoke import journal
from envbuild.smoke.model import Ended, Intent, Ran, Told, Traces
from envbuild.tools import files, temporary, typed
from envbuild.tools.proc import Outcome, Runner
from envbuild.tools.trouble import cannot_write

MARK = "@envbuild-smoke "
"""What stands before the lines that the probes write for us (probes/supervising.py)."""

INSIDE = "/run/envbuild"
"""Where everything of ours is, in a container."""

_MOST = 16 << 20
"""Bytes of the end of a log that are read."""

_LAST = 40
"""Lines of a container's output that are kept."""

_OFTEN = 0.25
"""Seconds between two looks at what is going on."""


class Scene(Struct, frozen=True, kw_only=True):
    """The container that a plan is run in. ``folder`` is where plan, verdicts and logs are kept."""

    image: str
    folder: str
    environment: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    gpus: bool = False
    memory: str | None = None


class Means(Struct, frozen=True, kw_only=True):
    """What containers are run with; ``progress`` hears what is going on at a moment."""

    engine: Engine
    runner: Runner
    environ: Mapping[str, str]
    progress: Callable[[str], None]


class Event(Struct, frozen=True, kw_only=True):
    """One line of the supervisor."""

    event: str
    python: str = ""
    results: tuple[Told, ...] = ()
    number: int = -1
    ended: Ended | None = None
    reason: str = ""


def request(intent: Intent, scene: Scene) -> RunRequest:
    """The container of a plan. Pure."""
    return RunRequest(
        image=scene.image,
        command=(
            intent.interpreter,
            f"{INSIDE}/probes/supervise.py",
            f"{INSIDE}/plan.json",
            f"{INSIDE}/out",
        ),
        name=f"envbuild-smoke-{os.urandom(6).hex()}",
        entrypoint="",
        environment=scene.environment,
        mounts=(*ours(scene.folder), *scene.mounts),
        network="host" if intent.plan.network else "none",
        gpus=scene.gpus,
        memory=scene.memory,
        timeout=intent.seconds,
    )


def ours(folder: str) -> tuple[Mount, ...]:
    """What a container is given of ours: the probes and the plan to read, a folder to write."""
    probes = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probes")
    return (
        Mount(source=probes, target=f"{INSIDE}/probes"),
        Mount(source=f"{folder}/plan.json", target=f"{INSIDE}/plan.json"),
        Mount(source=f"{folder}/out", target=f"{INSIDE}/out", writable=True),
    )


def prepare(intent: Intent, folder: str) -> None:
    """A fresh folder with the plan, and with one that any user of an image may write to.

    Raises:
        ToolError: it cannot be made.
    """
    try:
        if os.path.lexists(folder):
            temporary.remove_tree(folder)
        os.makedirs(f"{folder}/out")
        os.chmod(f"{folder}/out", 0o777)  # noqa: S103 (the image's user, whoever that is)
    except OSError as error:
        raise cannot_write(folder, error) from None
    files.write_tree(folder, {"plan.json": msgspec.json.encode(intent.plan)})
    os.chmod(f"{folder}/plan.json", 0o644)


def run(intent: Intent, scene: Scene, means: Means) -> Ran:
    """Carry out a plan; what its tests left.

    Raises:
        ToolError: the container could not be started, or cannot write to its folder.
    """
    prepare(intent, scene.folder)
    out = f"{scene.folder}/out"
    with _watched(intent, out, means.progress):
        outcome = containers.run(
            means.engine, request(intent, scene), runner=means.runner, environ=means.environ
        )
    return read(intent, outcome, out)


def events(text: str) -> tuple[tuple[Event, ...], str]:
    """The supervisor's lines of an output, and the last of the other lines."""
    found, rest = [], []
    for line in text.splitlines():
        if not line.startswith(MARK):
            rest.append(line)
            continue
        with contextlib.suppress(msgspec.MsgspecError):
            found.append(typed.decode(line.removeprefix(MARK), Event))
    return tuple(found), "\n".join(rest[-_LAST:])


def read(intent: Intent, outcome: Outcome, out: str) -> Ran:
    """What a run of the probes left: its output, and the files of the folder ``out``.

    Raises:
        ToolError: it could not write to that folder.
    """
    told, output = events(outcome.stdout)
    unusable = next((one for one in told if one.event == "unusable"), None)
    if unusable is not None:
        raise ToolError(
            f"the container cannot write its verdicts: {unusable.reason}",
            hint="user namespaces or a label of SELinux may forbid it; try another --engine",
        )
    ended = {one.number: one.ended for one in told if one.event == "test"}
    static = next((one.results for one in told if one.event == "static"), None)
    errors = "\n".join(outcome.stderr.splitlines()[-_LAST:])
    return Ran(
        code=outcome.code,
        timed_out=outcome.timed_out,
        seconds=outcome.seconds,
        python=next((one.python for one in told if one.event == "start"), ""),
        static=static,
        tests=tuple(
            _traces(f"{out}/{number:02d}", ended.get(number))
            for number in range(len(intent.plan.tests))
        ),
        output="\n".join(filter(None, (output, errors))),
    )


def _traces(start: str, ended: Ended | None) -> Traces:
    logs = [(name, _end_of(f"{start}.{name}")) for name in ("out", "err", "kit.log")]
    return Traces(
        ended=ended,
        verdict=_end_of(f"{start}.verdict.json"),
        journal=_end_of(f"{start}.journal") or b"",
        logs=tuple((name, data) for name, data in logs if data),
        stacks=(_end_of(f"{start}.stacks") or b"").decode(errors="replace"),
    )


def _end_of(path: str) -> bytes | None:
    """The end of a file that may be large; None where it is not there, or not ours to read."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _MOST))
            return file.read(_MOST)
    except OSError:
        return None


# --- What is going on -----------------------------------------------------------------------------


@contextlib.contextmanager
def _watched(intent: Intent, out: str, progress: Callable[[str], None]) -> Iterator[None]:
    """Tell which check is being made, from the journals, while a container runs."""
    over = threading.Event()

    def watch() -> None:
        said = ""
        while not over.wait(_OFTEN):
            now = _going_on(intent, out)
            if now and now != said:
                said = now
                progress(f"{intent.profile}: {now} …")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _going_on(intent: Intent, out: str) -> str:
    for number in reversed(range(len(intent.plan.tests))):
        text = _end_of(f"{out}/{number:02d}.journal")
        if text is not None:
            name = intent.plan.tests[number].name
            _, begun = journal.notes(text)
            return f"{name}/{begun or 'close'}"
    return ""
