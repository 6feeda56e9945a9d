"""An image asked by Apptainer and by Pyxis: the commands, and what is made of their answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envbuild.engines.model import Mount
from envbuild.errors import InputError, ToolError
from envbuild.lock.folder import lock_digest
from envbuild.smoke import asking, cluster, planning
from envbuild.smoke.choosing import Target
from envbuild.smoke.cluster import apptainer, pyxis
from envbuild.smoke.machine import Machine
from envbuild.smoke.running import MARK, Scene
from envbuild.tools.proc import Command, Outcome
from tests.unit.smoke import values

SCENE = Scene(image="/i/one.sif", folder="/logs", environment=(("A", "b,c"),), gpus=True)
PLAIN = planning.intent(values.asked(values.BASE + values.SMOKE))
LAUNCH = """
    smoke:
      - {name: app, launch: simulation-app, imports: [numpy]}
    """


def test_apptainer_brings_nothing_of_the_users_home() -> None:
    made = apptainer(PLAIN, SCENE, "apptainer", environ={"PATH": "/bin"})
    assert made.argv[:7] == (
        *("apptainer", "exec", "--contain", "--cleanenv", "--writable-tmpfs"),
        *("--home", "/logs/home"),
    )
    assert "--nv" in made.argv
    assert made.argv[-5:] == (
        "/i/one.sif",
        "/opt/venv/bin/python",
        "/run/envbuild/probes/supervise.py",
        "/run/envbuild/plan.json",
        "/run/envbuild/out",
    )
    assert (
        "--mount=type=bind,source=/logs/plan.json,destination=/run/envbuild/plan.json,ro"
        in made.argv
    )
    assert "--mount=type=bind,source=/logs/out,destination=/run/envbuild/out" in made.argv
    inner = dict(made.environment)
    assert inner["PATH"] == "/bin"
    assert inner["APPTAINERENV_PYTHONNOUSERSITE"] == inner["SINGULARITYENV_PYTHONNOUSERSITE"] == "1"
    assert inner["APPTAINERENV_A"] == "b,c"
    assert made.timeout == PLAIN.seconds


def test_a_simulator_can_write_where_kit_does() -> None:
    intent = planning.intent(values.asked(values.SIMULATOR.rstrip() + LAUNCH, values.bundled()))
    places = {mount.target: mount.writable for mount in cluster.written(intent, "/logs")}
    assert places == {
        "/logs/home": True,
        **{f"/isaac-sim/kit/{name}": True for name in ("cache", "data", "logs")},
    }
    assert [mount.target for mount in cluster.written(PLAIN, "/logs")] == ["/logs/home"]


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("ghcr.io/o/r/one:v", "ghcr.io#o/r/one:v"),
        ("localhost:5000/one:v", "localhost:5000#one:v"),
        ("/images/one.sqsh", "/images/one.sqsh"),
        ("./one.sqsh", "./one.sqsh"),
        ("ubuntu:24.04", "ubuntu:24.04"),
    ],
)
def test_pyxis_names_images_as_enroot_does(image: str, said: str) -> None:
    scene = Scene(image=image, folder="/logs", environment=(("A", "b"),))
    made = pyxis(PLAIN, scene, "srun", environ={})
    assert f"--container-image={said}" in made.argv
    assert "--no-container-mount-home" in made.argv
    assert "--container-env=PYTHONNOUSERSITE,A" in made.argv
    mounts = next(word for word in made.argv if word.startswith("--container-mounts="))
    assert ",/logs/plan.json:/run/envbuild/plan.json:ro,/logs/out:/run/envbuild/out" in mounts
    assert dict(made.environment) == {"PYTHONNOUSERSITE": "1", "A": "b"}


@pytest.mark.parametrize(("make", "sign"), [(apptainer, ","), (pyxis, ":")])
def test_a_path_that_cannot_be_mounted_is_refused(make: object, sign: str) -> None:
    scene = Scene(image="/i", folder="/logs", mounts=(Mount(source=f"/a{sign}b", target="/x"),))
    with pytest.raises(InputError, match="cannot be mounted"):
        make(PLAIN, scene, "program", environ={})  # type: ignore[operator]


class Runtime:
    """Answers as Apptainer does, and leaves the verdict of a test that passed."""

    def __init__(self, place: Path, labels: dict[str, str], *, code: int = 0) -> None:
        self.place, self.labels, self.code = place, labels, code
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, command: Command) -> Outcome:
        self.asked.append(command.argv)
        if command.argv[1] == "inspect":
            said = json.dumps({"data": {"attributes": {"labels": self.labels}}})
            return outcome(command, said)
        if self.code:
            return outcome(command, "", code=self.code, stderr="FATAL: no user namespaces")
        names = [step["check"] for step in PLAIN.plan.tests[0].steps]
        results = [{"check": name, "verdict": "pass"} for name in names]
        verdict = {"schema": 1, "results": results}
        (self.place / "out/00.verdict.json").write_text(json.dumps(verdict))
        ended = {
            "code": 0,
            "stopped": "",
            "seconds": 0.1,
            "closing": 0.0,
            "killed_for_memory": False,
        }
        static = [{"check": name, "verdict": "pass"} for name in PLAIN.plan.static.checks]
        events = [
            {"event": "start", "python": "3.11.9"},
            {"event": "static", "results": static},
            {"event": "test", "number": 0, "ended": ended},
        ]
        return outcome(command, "".join(f"{MARK}{json.dumps(one)}\n" for one in events))


def outcome(command: Command, stdout: str, *, code: int = 0, stderr: str = "") -> Outcome:
    return Outcome(command=command, code=code, stdout=stdout, stderr=stderr, seconds=1.0)


def job(place: Path, runtime: Runtime) -> asking.Job:
    (place.parent / "one.sif").write_text("")
    target = Target(
        variant=values.profile(values.BASE + values.SMOKE),
        locked=values.lock(),
        image=str(place.parent / "one.sif"),
    )
    tools = asking.Tools(engine=cluster.NO_ENGINE, runner=runtime, environ={}, machine=Machine())
    return asking.Job(
        target=target, tools=tools, wishes=asking.Wishes(strict=True), place=str(place)
    )


def test_the_same_judgement_as_by_an_engine(tmp_path: Path) -> None:
    place = tmp_path / "logs"
    runtime = Runtime(place, {"io.envbuild.lock-digest": lock_digest(values.lock())})
    report = cluster.ask(job(place, runtime), "apptainer", "apptainer")
    found = {one.id: one.verdict for one in report.checks}
    assert report.ok
    assert report.engine == "apptainer"
    assert found["image/lock"] == "pass"
    assert found["image/entrypoint"] == "not-run"
    assert found["packages/import:numpy"] == "pass"
    assert (place / "home").is_dir()


def test_an_image_of_another_lock_has_failed(tmp_path: Path) -> None:
    report = cluster.ask(job(tmp_path / "logs", Runtime(tmp_path / "logs", {})), "apptainer", "a")
    assert [one.id for one in report.checks if one.verdict == "fail"] == ["image/lock"]


def test_pyxis_says_nothing_of_labels(tmp_path: Path) -> None:
    runtime = Runtime(tmp_path / "logs", {})
    report = cluster.ask(job(tmp_path / "logs", runtime), "pyxis", "srun")
    found = {one.id: one.verdict for one in report.checks if one.test == "image"}
    assert found["image/lock"] == "not-run"
    assert [argv[0] for argv in runtime.asked] == ["srun"]


def test_a_runtime_that_cannot_begin_is_an_error_of_its_own(tmp_path: Path) -> None:
    runtime = Runtime(tmp_path / "logs", {}, code=255)
    with pytest.raises(ToolError, match="apptainer could not run the image") as error:
        cluster.ask(job(tmp_path / "logs", runtime), "apptainer", "apptainer")
    assert "no user namespaces" in error.value.output


def test_an_image_that_is_not_there(tmp_path: Path) -> None:
    one = job(tmp_path / "logs", Runtime(tmp_path / "logs", {}))
    (tmp_path / "one.sif").unlink()
    with pytest.raises(InputError, match="there is no image"):
        cluster.ask(one, "apptainer", "apptainer")
