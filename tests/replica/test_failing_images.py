"""Images that do not work, each for one reason, and what `envbuild smoke` says of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.replica import broken
from tests.replica.broken import Broken
from tests.replica.cases import CASES, LAB
from tests.support import replica
from tests.support.engine import Engine
from tests.support.workspace import ENVBUILD

pytestmark = [pytest.mark.container, pytest.mark.network]

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """A workspace with the profiles of the images, locked."""
    root = tmp_path_factory.mktemp("failing")
    shutil.copytree(HERE / "failing/envs", root / "envs")
    done = envbuild(engine, root, "lock")
    assert done.returncode == 0, done.stderr
    return root


def envbuild(engine: Engine, root: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ENVBUILD, *argv],
        cwd=root,
        env={**engine.environment, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def images(engine: Engine) -> Iterator[Callable[[str, Broken], str]]:
    """Builds images, and removes them again."""
    built: list[str] = []

    def make(name: str, what: Broken) -> str:
        built.append(broken.build(engine, name, what, partial(replica.tier, engine)))
        return built[-1]

    yield make
    for image in built:
        engine("rmi", "--force", image, check=False)


@pytest.mark.parametrize("name", CASES)
def test_an_image_that_does_not_work_is_told_why(
    engine: Engine, workspace: Path, images: Callable[[str, Broken], str], name: str
) -> None:
    case = CASES[name]
    image = images(name, case.image)
    done = envbuild(
        engine, workspace, "smoke", case.profile, "--image", image, "--engine", "podman",
        "--json", *case.options,
    )  # fmt: skip
    report = reported(done)
    says = case.says
    found = {one["id"]: one for one in report["checks"]}
    one = found[says.check]
    told = json.dumps(one)
    assert (one["verdict"], one.get("diagnosis", "")) == (says.verdict, says.diagnosis), told
    assert says.words in told
    if says.passes:
        assert found[says.passes]["verdict"] == "pass", found[says.passes]
    if says.only:
        assert {cause["id"] for cause in report["causes"]} == {says.diagnosis}
    assert done.returncode == says.status
    found_by_doctor = doctor(engine, workspace, image)
    assert found_by_doctor == sorted(case.doctor)


def doctor(engine: Engine, workspace: Path, image: str) -> list[str]:
    """Each severity and id of what doctor finds in the files of an image, which does not run."""
    done = envbuild(engine, workspace, "doctor", "--image", image, "--engine", "podman", "--json")
    assert done.stdout, done.stderr
    found = {f"{one['severity']} {one['id']}" for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == any(one.startswith("error") for one in found)
    return sorted(found)


def test_a_failed_run_may_well_end_with_status_0(
    engine: Engine, images: Callable[[str, Broken], str]
) -> None:
    """What the exit status of the simulator is worth: nothing."""
    image = images("close-with-status-0", CASES["close-with-status-0"].image)
    code = "from isaacsim import SimulationApp; SimulationApp().close(); raise SystemExit(1)"
    done = engine.run("run", "--rm", "--network=none", image, "-c", code)
    assert "Failed to startup python extension" in done.stdout
    assert done.returncode == 0


def reported(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one report of `envbuild smoke --json`."""
    assert done.stdout, done.stderr
    whole: dict[str, Any] = json.loads(done.stdout)
    (report,) = whole["reports"]
    return dict(report)


@pytest.mark.parametrize("tier", ["layout", "lab"])
def test_an_image_that_works_is_green_in_both_orders(
    engine: Engine, workspace: Path, images: Callable[[str, Broken], str], tier: str
) -> None:
    """Without it, the failures above would prove nothing."""
    image = images(f"healthy-{tier}", Broken(over=tier, recipe=""))
    done = envbuild(
        engine, workspace, "smoke", tier, "--image", image, "--engine", "podman", "--json"
    )
    found = {one["id"]: one["verdict"] for one in reported(done)["checks"]}
    assert [name for name, verdict in found.items() if verdict == "fail"] == []
    assert [name for name, verdict in found.items() if verdict == "warn"] == ["image/lock"]
    expected = {f"{order}/{check}" for order in ORDERS for check in IN_BOTH_ORDERS}
    expected |= LAUNCHED if tier == "lab" else set()
    assert {name for name in expected if found[name] != "pass"} == set()
    assert done.returncode == 0
    assert doctor(engine, workspace, image) == (sorted(LAB) if tier == "lab" else [])


ORDERS = ("app-first", "numpy-first")
IN_BOTH_ORDERS = (
    "launch",
    "extensions",
    "import:isaacsim.sensors.camera",
    "numpy-one-root",
    "numpy-submodules",
    "numpy-round-trip",
    "close",
)
LAUNCHED = {
    "app-first/cameras",
    "app-first/import:isaaclab.sensors",
    "app-first/import:isaaclab_assets.robots.franka",
    "app-first/franka",
}
"""What Isaac Lab's own launcher and wheels show beside it."""
