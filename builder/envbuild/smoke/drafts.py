"""The tests of an image as steps: the profile's own, and what follows from the rest of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from envbuild.lock.model import VariantLock
from envbuild.profile.model import Contract, SmokeTest
from envbuild.profile.resolved import Variant
from envbuild.smoke import orders
from envbuild.smoke.machine import Machine
from envbuild.smoke.model import Need, Step

CLOSE = 60.0
"""Seconds that an app may take to close (over 60 s is known from close() that never returns)."""

_FRANKA = frozenset({"isaaclab_assets", "isaaclab_assets.robots.franka"})
_CAMERA_EXTENSIONS = frozenset({"isaacsim.sensors.camera", "omni.isaac.sensor"})
_NUMPY_CHECKS = ("numpy-submodules", "numpy-one-root", "numpy-round-trip")
_ANSWERING = 60.0
"""Seconds that a server has for its answer and its end, beside those for its start."""


class Options(Struct, frozen=True, kw_only=True):
    """What is asked for: ``tests`` to run alone, deadlines in seconds, whether the container has a
    network, the arguments of a server (None: the profile's). ``elsewhere`` are tests, and the
    static stage, that another machine runs, each with the words for where."""

    tests: tuple[str, ...] = ()
    cold: float | None = None
    warm: float | None = None
    close: float = CLOSE
    network: bool = False
    serve: tuple[str, ...] | None = None
    elsewhere: tuple[tuple[str, str], ...] = ()


class Image(Struct, frozen=True, kw_only=True):
    """What is known of an image before it runs: its variables, and what it starts by itself."""

    environment: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()


class Snippet(Struct, frozen=True, kw_only=True):
    """A piece of Python to run alone; ``file`` is what tracebacks call it."""

    code: str
    file: str
    launch: str = "none"
    cameras: bool = False
    extensions: tuple[str, ...] = ()
    need: Need | None = None
    timeout: float = 300.0


class Question(Struct, frozen=True, kw_only=True):
    """What a plan is made from."""

    variant: Variant
    locked: VariantLock
    machine: Machine = Machine()
    options: Options = Options()
    image: Image = Image()

    @property
    def versions(self) -> Mapping[str, str]:
        """Every package that the image has, by the lock: its own and the image's."""
        return {one.name: one.version for one in self.locked.provided} | self.locked_versions

    @property
    def locked_versions(self) -> dict[str, str]:
        """Every package that the lock installs."""
        conda = {one.python: one.version for one in self.locked.conda_packages if one.python}
        return conda | {one.name: one.version for one in self.locked.packages}

    @property
    def simulator(self) -> bool:
        """Whether a test of the profile starts a simulator."""
        return any(test.launch != "none" for test in self.variant.environment.smoke)


class Draft(Struct, frozen=True, kw_only=True):
    """A test before it is known whether it is run. ``reason`` is why it is not, whatever the
    machine has; ``timeout`` in seconds, where it is not a ``test`` of the profile."""

    name: str
    steps: tuple[Step, ...]
    need: Need | None = None
    launch: bool = False
    test: SmokeTest | None = None
    timeout: float = 300.0
    reason: str = ""


def drafts(asked: Question) -> tuple[Draft, ...]:
    """Every test of an image.

    Raises:
        InputError: the profile has no test, or one that has nothing to test.
    """
    has_numpy = "numpy" in asked.versions
    own = orders.tests(asked.variant, numpy=has_numpy)
    return (*(_own(test, has_numpy=has_numpy) for test in own), *_added(asked))


def snippet(one: Snippet) -> Draft:
    """A piece of Python, started as the profile starts its own tests."""
    steps: list[Step] = []
    if one.launch != "none":
        steps.append(_launch(one.launch, cameras=one.cameras))
        steps.append({"check": "extensions", "do": "extensions", "extensions": [*one.extensions]})
    steps.append({"check": "code", "do": "code", "code": one.code, "file": one.file})
    return Draft(
        name="snippet",
        steps=tuple(steps),
        need=one.need,
        launch=one.launch != "none",
        timeout=one.timeout,
    )


def _own(test: SmokeTest, *, has_numpy: bool) -> Draft:
    steps: list[Step] = [
        {"check": f"before-launch:{name}", "do": "import", "module": name}
        for name in test.before_launch
    ]
    if test.launch != "none":
        steps.append(_launch(test.launch, cameras=test.cameras))
        if test.launch == "app-launcher" and (
            test.cameras or _CAMERA_EXTENSIONS & {*test.extensions}
        ):
            steps.append({"check": "cameras", "do": "cameras"})
        steps.append({"check": "extensions", "do": "extensions", "extensions": [*test.extensions]})
    steps += ({"check": f"import:{name}", "do": "import", "module": name} for name in test.imports)
    if _FRANKA & {*test.imports}:
        steps += ({"check": name, "do": name} for name in ("franka", "franka-usd"))
    if has_numpy:
        steps += ({"check": name, "do": name} for name in _NUMPY_CHECKS)
    return Draft(
        name=test.name,
        steps=tuple(steps),
        need=None if test.needs == "nothing" else test.needs,
        launch=test.launch != "none",
        test=test,
    )


def _launch(kind: str, *, cameras: bool) -> Step:
    return {"check": "launch", "do": "launch", "with": kind, "cameras": cameras}


def _added(asked: Question) -> Iterator[Draft]:
    """What follows from the rest of a profile: its GPUs, its contracts."""
    environment = asked.variant.environment
    gpus = environment.hardware.gpus
    if gpus and asked.variant.accelerator != "cpu" and "torch" in asked.versions:
        step: Step = {"check": "architectures", "do": "torch-architectures", "gpus": [*gpus]}
        yield Draft(name="torch", steps=(step,))
        step = {"check": "operation", "do": "torch-operation"}
        yield Draft(name="torch-gpu", steps=(step,), need="gpu")
    encodings = {one.encoding for one in environment.contracts}
    steps: list[Step] = []
    if "msgpack-npy" in encodings:
        steps.append({"check": "codec", "do": "wire-codec"})
    if "pickle" in encodings:
        steps.append({"check": "numpy-2-pickle", "do": "wire-pickle"})
    if steps:
        yield Draft(name="wire", steps=tuple(steps))
    for contract in environment.contracts:
        if contract.role == "server" and contract.port is not None:
            yield _service(asked, contract)


def _service(asked: Question, contract: Contract) -> Draft:
    environment, options = asked.variant.environment, asked.options
    command = options.serve if options.serve is not None else environment.command
    argv = [*environment.entrypoint, *command] or [*asked.image.command]
    deadline = options.cold or 900.0
    step: Step = {
        "check": "port",
        "do": "service-port",
        "port": contract.port,
        "transport": contract.transport,
        "argv": argv,
        "deadline": deadline,
    }
    reason = ""
    if not argv:
        reason = "the profile names no server to start (entrypoint)"
    elif options.serve is None and environment.entrypoint and not environment.command:
        reason = 'the server is not told what to serve: --serve "--model-path …"'
    return Draft(
        name="service",
        steps=(step,),
        need="gpu" if environment.hardware.gpus else None,
        timeout=deadline + _ANSWERING,
        reason=reason,
    )
