"""A stand-in simulator on a path of its own, and the probes run over it as plain processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from envbuild.smoke import judging, planning, running
from envbuild.smoke.model import (
    PLAN_SCHEMA,
    CheckResult,
    Intent,
    Plan,
    Planned,
    Ran,
    StaticPlan,
    Step,
    Trial,
)
from envbuild.tools.proc import Command, Outcome

PROBES = Path(running.__file__).parent / "probes"

LAUNCH: Step = {"check": "launch", "do": "launch", "with": "simulation-app", "cameras": False}

SIMULATOR = {
    "isaacsim/__init__.py": """
        class SimulationApp:
            def __init__(self, settings):
                assert settings == {"headless": True}
                print("app ready", flush=True)

            def update(self):
                pass

            def close(self):
                print("Simulation App Shutting Down", flush=True)
        """,
    "omni/kit/app.py": """
        class _Manager:
            def __init__(self):
                self.on = set()

            def is_extension_enabled(self, name):
                return name in self.on

            def set_extension_enabled_immediate(self, name, value):
                if name != "omni.absent":
                    self.on.add(name)

        class _App:
            manager = _Manager()

            def get_extension_manager(self):
                return self.manager

        def get_app():
            return _App()
        """,
}


def site(folder: Path, files: Mapping[str, str]) -> Path:
    """A folder of modules: the simulator, and what a test puts beside it or in its place."""
    for name, text in {**SIMULATOR, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
    return folder


def imports(*names: str) -> tuple[Step, ...]:
    return tuple({"check": f"import:{name}", "do": "import", "module": name} for name in names)


def trial(*steps: Step, deadline: float = 20.0, close: float = 5.0) -> Trial:
    return Trial(name="test", steps=steps, deadline=deadline, close=close)


def static(*checks: str, **values: object) -> StaticPlan:
    given = {
        "packages": {},
        "provided": {},
        "bundled_sites": (),
        "numpy": "",
        "simulator": False,
        "cores": (),
        **values,
    }
    return StaticPlan(checks=checks, **given)  # type: ignore[arg-type]


def intent(*trials: Trial, asked: StaticPlan | None = None, numpy: str = "") -> Intent:
    """A plan of tests that are called test-0, test-1 …"""
    named = tuple(
        msgspec.structs.replace(one, name=f"test-{number}") for number, one in enumerate(trials)
    )
    return Intent(
        profile="probe",
        variant="linux-amd64-cpu",
        interpreter=sys.executable,
        plan=Plan(
            schema=PLAN_SCHEMA,
            seed=planning.SEED,
            numpy=numpy,
            network=False,
            static=asked or static(),
            tests=named,
        ),
        tests=tuple(
            Planned(
                name=one.name,
                checks=(*(step["check"] for step in one.steps), *planning.AFTER),
                number=number,
            )
            for number, one in enumerate(named)
        ),
    )


def run(
    made: Intent,
    folder: Path,
    *,
    path: Iterable[Path] = (),
    python: str = sys.executable,
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """The probes over a path, as an interpreter of this machine runs them."""
    running.prepare(made, str(folder))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [python, "-s", PROBES / "supervise.py", folder / "plan.json", folder / "out"],
        env={**kept, "PYTHONPATH": os.pathsep.join(map(str, path)), **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    outcome = Outcome(
        command=Command(argv=(python,)),
        code=done.returncode,
        stdout=done.stdout,
        stderr=done.stderr,
        seconds=0.0,
    )
    return running.read(made, outcome, str(folder / "out"))


def judged(made: Intent, ran: Ran) -> dict[str, CheckResult]:
    """The checks by their ids."""
    return {one.id: one for one in judging.checks(made, ran)}


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
