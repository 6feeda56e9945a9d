"""What is wrong with each image, and what `envbuild smoke` must say of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.replica.broken import PIP, SITE, Broken, seeded, switched

NUMPY_2 = f"{PIP} /run/in/numpy-2.2.6*.whl\n"
CORE = "/isaac-sim/exts/omni.isaac.core_archive/pip_prebundle"
REPLICATOR = "/isaac-sim/extscache/omni.replicator.core-*/omni/replicator/core"


LAB = ("note release-mismatch", "warning requirement-unmet")
"""What is true of every image of the tier ``lab``: a newer torch than the release brings, and Isaac
Lab without the packages that no test needs."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What smoke says: the verdict of one check, the id of its cause, the exit status.

    ``passes`` is a check that must pass beside it, ``only`` says that one cause explains all;
    ``words`` stand in the check's reason or lines.
    """

    check: str
    diagnosis: str = ""
    verdict: str = "fail"
    status: int = 1
    passes: str = ""
    only: bool = False
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Case:
    """An image, the profile that it should be, options of smoke, and what comes of it.

    ``doctor`` is what `envbuild doctor` finds in its files alone: each severity and id.
    """

    image: Broken
    says: Said
    doctor: tuple[str, ...] = ()
    profile: str = "layout"
    options: list[str] = field(default_factory=list)


def numpy_2(seed: int, message: str) -> Case:
    return Case(
        image=Broken(wheels=("numpy==2.2.6",), recipe=NUMPY_2 + seeded(seed)),
        says=Said(
            check="numpy-first/import:isaacsim.core.api",
            diagnosis="numpy-2-over-1",
            passes="app-first/import:isaacsim.sensors.camera",
            only=True,
            words=message,
        ),
        doctor=("error numpy-two-winners",),
    )


CASES = {
    "numpy-2-seed-0": numpy_2(0, "numpy.dtype size changed"),
    "numpy-2-seed-1": numpy_2(1, "_no_nep50_warning"),
    "numpy-2-seed-2": numpy_2(2, "cannot import name 'broadcast_to'"),
    "old-pybind11": Case(
        profile="plain",
        image=Broken(
            over="debian",
            settings=False,
            wheels=("numpy==2.2.6",),
            files=("frame_writer.so", "frames.py"),
            recipe="""\
RUN --mount=type=bind,target=/run/in python3 -m venv /opt/venv && \\
    /opt/venv/bin/pip install --quiet --no-index --no-compile /run/in/*.whl && \\
    cp /run/in/frame* /opt/venv/lib/python3.11/site-packages
""",
        ),
        says=Said(
            check="frames/import:frames",
            diagnosis="numpy-2-writer",
            passes="frames/import:frame_writer",
            words="kind=f, size=0",
        ),
        doctor=("warning numpy-abi-degraded",),
    ),
    "numpy-1.26.4": Case(
        image=Broken(wheels=("numpy==1.26.4",), recipe=f"{PIP} /run/in/numpy-*.whl\n"),
        says=Said(
            check="numpy-first/numpy-one-root",
            diagnosis="numpy-minor-mix",
            passes="numpy-first/import:isaacsim.sensors.camera",
            words="modules of NumPy 1.26.0 run under NumPy 1.26.4",
        ),
        doctor=("warning numpy-two-winners",),
    ),
    "packaging-downgraded": Case(
        image=Broken(
            wheels=("packaging==21.3",),
            recipe=f"{PIP} --upgrade --target {CORE} /run/in/packaging-*.whl\n",
        ),
        says=Said(
            check="static/bundle",
            diagnosis="archive-package-removed",
            passes="app-first/import:isaacsim.sensors.camera",
            words="packaging 23.0 of the bundle is replaced or shadowed by 21.3",
        ),
        doctor=("error two-versions",),
    ),
    "lerobot": Case(
        profile="five-one",
        image=Broken(
            wheels=("lerobot==0.4.4", "numpy==2.2.6", "packaging==25.0"),
            recipe=f"{PIP} /run/in/*.whl\n",
        ),
        says=Said(
            check="numpy-first/import:isaacsim.sensors.camera",
            diagnosis="numpy-2-over-1",
            passes="app-first/launch",
        ),
        doctor=("error numpy-two-winners", "warning requirement-unmet"),
    ),
    "torch-before-the-app": Case(
        profile="torch-first",
        image=Broken(over="lab", recipe=switched("REPLICA_PRELOAD=no")),
        says=Said(
            check="torch-first/launch",
            diagnosis="static-tls",
            passes="torch-first/before-launch:torch",
        ),
        doctor=LAB,
    ),
    "no-cameras": Case(
        profile="no-cameras",
        image=Broken(
            over="lab",
            files=("camera_scene.py",),
            recipe=f"COPY camera_scene.py {SITE}/camera_scene.py\n",
        ),
        says=Said(
            check="app-first/import:camera_scene",
            diagnosis="camera-flag-missing",
            passes="app-first/launch",
        ),
        doctor=LAB,
    ),
    "licence-not-accepted": Case(
        image=Broken(
            settings=False,
            recipe='ENV PYTHONNOUSERSITE=1 TERM=xterm\nENTRYPOINT ["/isaac-sim/python.sh"]\n',
        ),
        says=Said(check="app-first/launch", diagnosis="eula-prompt"),
    ),
    "licence-asked-for-ever": Case(
        image=Broken(
            settings=False,
            recipe="ENV PYTHONNOUSERSITE=1 TERM=xterm REPLICA_EULA=again\n"
            'ENTRYPOINT ["/isaac-sim/python.sh"]\n',
        ),
        options=["--cold", "4", "--test", "app-first"],
        says=Said(check="app-first/verdict", diagnosis="eula-prompt"),
    ),
    "hangs-busily": Case(
        image=Broken(recipe=switched("REPLICA_START=hang")),
        options=["--cold", "4", "--test", "app-first"],
        says=Said(check="app-first/verdict", diagnosis="test-hung", words="in spin"),
    ),
    "close-never-returns": Case(
        image=Broken(recipe=switched("REPLICA_CLOSE=never")),
        options=["--close", "3", "--test", "app-first"],
        says=Said(
            check="app-first/close",
            diagnosis="crash-at-exit",
            verdict="warn",
            status=0,
            passes="app-first/import:isaacsim.sensors.camera",
        ),
    ),
    "close-with-status-0": Case(
        image=Broken(
            recipe=f"RUN rm -r {REPLICATOR}/__pycache__ && "
            f"echo 'raise ImportError(\"no renderer\")' > $(echo {REPLICATOR})/__init__.py\n"
        ),
        says=Said(
            check="app-first/import:omni.replicator.core",
            diagnosis="extension-start-failed",
            passes="app-first/launch",
            words="no renderer",
        ),
    ),
    "child-stays": Case(
        image=Broken(recipe=switched("REPLICA_CHILD=stays")),
        says=Said(
            check="app-first/processes",
            diagnosis="process-outlives-test",
            passes="app-first/import:isaacsim.sensors.camera",
            words="replica-child",
        ),
    ),
    "entrypoint-swallows": Case(
        image=Broken(recipe='ENTRYPOINT ["/isaac-sim/runheadless.sh"]\n'),
        says=Said(
            check="image/entrypoint",
            diagnosis="entrypoint-swallows-command",
            passes="app-first/import:isaacsim.sensors.camera",
        ),
    ),
    "disk-full": Case(
        image=Broken(recipe=switched("REPLICA_START=full", "HOME=/dev/shm/home")),
        says=Said(check="app-first/launch", diagnosis="disk-full"),
    ),
    "out-of-memory": Case(
        image=Broken(recipe=switched("REPLICA_START=memory")),
        options=["--memory", "300m", "--test", "app-first"],
        says=Said(check="app-first/verdict", diagnosis="out-of-memory"),
    ),
}
