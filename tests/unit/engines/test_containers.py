"""The command lines of containers, and that each is removed whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import msgspec
import pytest

from envbuild.engines import containers
from envbuild.engines.model import Capabilities, Engine, Mount, RunRequest
from envbuild.errors import InputError, ToolError
from envbuild.tools.proc import Command, Outcome

from .table import BUILDAH, BUILDKIT, PODMAN, Answer, Table, option

FULL = RunRequest(
    image="p:light",
    command=("python", "-c", "x"),
    name="mine",
    entrypoint="",
    environment=(("A", "b"),),
    mounts=(Mount(source="/s", target="/t"), Mount(source="/w", target="/v", writable=True)),
    gpus=True,
    user="1000",
    workdir="/t",
    memory="1g",
    interactive=True,
)
INSIDE = [
    "--interactive",
    "--tty",
    "--env=A=b",
    "--mount=type=bind,source=/s,target=/t,readonly",
    "--mount=type=bind,source=/w,target=/v",
    "--user=1000",
    "--workdir=/t",
    "--memory=1g",
    "--entrypoint=",
    "p:light",
    "python",
    "-c",
    "x",
]
OUTSIDE = ["run", "--rm", "--pull=never", "--stop-timeout=0"]


def test_podman() -> None:
    engine = msgspec.structs.replace(
        PODMAN, global_options=("--runtime=runc",), run_options=("--ulimit=nofile=1:1",)
    )
    assert list(containers.command(engine, FULL)) == [
        "/bin/podman",
        "--runtime=runc",
        *OUTSIDE,
        "--network=none",
        "--name=mine",
        "--http-proxy=false",
        "--security-opt=label=disable",
        "--device=nvidia.com/gpu=all",
        "--ulimit=nofile=1:1",
        *INSIDE,
    ]


def test_docker() -> None:
    assert list(containers.command(BUILDKIT, FULL, cidfile="/c")) == [
        "/bin/docker",
        *OUTSIDE,
        "--network=none",
        "--name=mine",
        "--cidfile=/c",
        "--gpus=all",
        *INSIDE,
    ]


def test_the_least() -> None:
    request = RunRequest(image="p", network="host")
    assert list(containers.command(PODMAN, request)) == [
        "/bin/podman",
        *OUTSIDE,
        "--network=host",
        "p",
    ]
    line = containers.command(
        PODMAN, msgspec.structs.replace(request, interactive=True, terminal=False)
    )
    assert "--interactive" in line
    assert "--tty" not in line


@pytest.mark.parametrize(
    "request_",
    [
        RunRequest(image="-v"),
        RunRequest(image=""),
        RunRequest(image="a b"),
        RunRequest(image="p", mounts=(Mount(source="/a,readonly=false", target="/b"),)),
        RunRequest(image="p", mounts=(Mount(source="/a", target='/b"'),)),
    ],
)
def test_nothing_is_taken_for_an_option(request_: RunRequest) -> None:
    with pytest.raises(InputError):
        containers.command(PODMAN, request_)


def test_who_cannot_run_says_so() -> None:
    with pytest.raises(ToolError, match="buildah builds images and does not run them") as caught:
        containers.command(BUILDAH, FULL)
    assert "install podman" in (caught.value.hint or "")
    unable = Capabilities(runs=False, trouble="rlimit type 7")
    engine = msgspec.structs.replace(PODMAN, capabilities=unable)
    with pytest.raises(ToolError, match="podman cannot run containers here: rlimit type 7"):
        containers.command(engine, FULL)


# --- The run -------------------------------------------------------------------------------------


def started(code: int = 0, out: str = "", err: str = "") -> object:
    """A run that wrote the container's id, as engines do."""

    def answer(command: Command) -> Answer:
        Path(option(command, "--cidfile")).write_text("c0ffee")
        return code, out, err

    return answer


def run(table: Table, engine: Engine = PODMAN) -> Outcome:
    request = RunRequest(image="p", name="smoke", timeout=7.0)
    return containers.run(engine, request, runner=table, environ={"A": "1"})


def test_the_outcome_is_the_programs_and_the_container_is_removed() -> None:
    table = Table(("run", started(3, "out", "err")), ("rm", (0, "", "")))
    done = run(table)
    assert (done.code, done.stdout, done.stderr) == (3, "out", "err")
    assert table.lines()[1] == "/bin/podman rm --force --volumes c0ffee"
    assert table.asked[0].timeout == 7.0
    assert "--sig-proxy=false" in table.asked[0].argv
    assert table.asked[0].environment == (("A", "1"),)


def test_two_containers_of_one_name_do_not_meet() -> None:
    table = Table(("run", started()), ("rm", (0, "", "")))
    run(table)
    run(table)
    names = [option(command, "--name") for command in table.asked if "run" in command.argv]
    assert len(set(names)) == 2
    assert all(name.startswith("smoke-") for name in names)


def test_an_engine_that_was_ended_before_it_wrote_the_id() -> None:
    table = Table(("run", (-9, "", "")), ("rm", (1, "", "Error: No such container: x")))
    run(table)
    name = option(table.asked[0], "--name")
    assert table.lines()[1] == f"/bin/podman rm --force --volumes {name}"


def test_the_container_of_a_killed_process_is_removed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    left = tmp_path / f"envbuild-{'0' * 16}"

    def killed(command: Command) -> Answer:
        Path(option(command, "--cidfile")).write_text("c0ffee\n")
        shutil.copytree(os.path.dirname(option(command, "--cidfile")), left)
        return 0, "", ""

    run(Table(("run", killed), ("rm", (0, "", ""))))
    table = Table(("rm", (0, "", "")))
    containers.forget_killed(runner=table, environ={"A": "1"})
    assert table.lines() == ["/bin/podman rm --force --volumes c0ffee"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_it_is_removed_when_something_interrupts(error: type[BaseException]) -> None:
    def interrupt(command: Command) -> Answer:
        Path(option(command, "--cidfile")).write_text("c0ffee")
        raise error

    table = Table(("run", interrupt), ("rm", (0, "", "")))
    with pytest.raises(error):
        run(table)
    assert table.lines()[1].endswith(" c0ffee")


def test_a_second_ctrl_c_waits_for_the_removal() -> None:
    removed = []

    def again(command: Command) -> Answer:
        signal.raise_signal(signal.SIGINT)
        removed.append(command)
        return 0, "", ""

    with pytest.raises(KeyboardInterrupt):
        run(Table(("run", started()), ("rm", again)))
    assert removed


@pytest.mark.parametrize(
    ("engine", "said", "why"),
    [
        (PODMAN, "Error: p: image not known", "p: image not known"),
        (
            BUILDKIT,
            "docker: Error response from daemon: No such image: p:latest.\nSee 'docker run --help'.",
            "No such image: p:latest.",
        ),
    ],
    ids=["podman", "docker"],
)
def test_an_engine_that_fails_itself(engine: Engine, said: str, why: str) -> None:
    table = Table(("run", (125, "", said)), ("rm", (1, "", "no such container")))
    with pytest.raises(ToolError) as caught:
        run(table, engine)
    assert caught.value.message == f"{engine.name} cannot run a container of p: {why}"


def test_a_program_may_end_with_the_engines_code() -> None:
    table = Table(("run", started(125, "", "my own trouble")), ("rm", (0, "", "")))
    assert run(table).code == 125


def test_a_container_that_stays_is_told() -> None:
    table = Table(("run", started()), ("rm", (125, "", "Error: device is busy")))
    with pytest.raises(ToolError, match=r"podman cannot remove the container smoke-\w+: device"):
        run(table)


def test_one_that_docker_is_just_removing_is_gone() -> None:
    said = "Error response from daemon: removal of container c0ffee is already in progress"
    assert run(Table(("run", started()), ("rm", (1, "", said))), BUILDKIT).code == 0


# --- The export ----------------------------------------------------------------------------------


def export(table: Table, container: str = "sim", engine: Engine = PODMAN) -> None:
    containers.export(engine, container, path="/s/root.tar", runner=table, environ={"A": "1"})


@pytest.mark.parametrize("engine", [PODMAN, BUILDKIT], ids=["podman", "docker"])
def test_what_is_in_a_container_is_written_to_a_tar(engine: Engine) -> None:
    table = Table(("export", (0, "", "")))
    export(table, engine=engine)
    assert table.lines() == [f"/bin/{engine.name} export --output=/s/root.tar sim"]
    assert dict(table.asked[0].environment or ())["A"] == "1"


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (PODMAN, 'Error: no container with name or ID "sim" found: no such container'),
        (BUILDKIT, "Error response from daemon: No such container: sim"),
    ],
    ids=["podman", "docker"],
)
def test_a_container_that_is_not_there_is_the_users_error(engine: Engine, said: str) -> None:
    with pytest.raises(InputError) as caught:
        export(Table(("export", (1, "", said))), engine=engine)
    assert caught.value.message == f"{engine.name} has no container 'sim'"
    assert f"{engine.name} ps --all" in (caught.value.hint or "")


def test_an_export_that_fails_is_the_engines_error() -> None:
    with pytest.raises(ToolError, match="podman cannot export the container sim: no space left"):
        export(Table(("export", (125, "", "Error: no space left on device"))))


@pytest.mark.parametrize("name", ["", "-v", "a b", "a\nb"])
def test_no_container_is_taken_for_an_option(name: str) -> None:
    table = Table()
    with pytest.raises(InputError, match="is no container"):
        export(table, name)
    assert table.asked == []


def test_buildah_has_no_export() -> None:
    table = Table()
    with pytest.raises(ToolError, match="buildah cannot export containers") as caught:
        export(table, engine=BUILDAH)
    assert "podman" in (caught.value.hint or "")
    assert table.asked == []
