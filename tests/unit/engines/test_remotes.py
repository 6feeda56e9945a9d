"""Builders of buildx that stand elsewhere: what is read of them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from envbuild.engines import building, failing, inspecting, probe, remotes
from envbuild.engines.building import Results, Watch
from envbuild.engines.model import BuildRequest, Engine, Remote
from envbuild.errors import InputError, ToolError
from envbuild.tools.proc import Command, Outcome

from .programs import DIGITS, DOCKER, OK, Programs, built, docker, exported
from .table import BUILDX, PODMAN, Answer, Table, option

RUNNING = """\
Name:          fleet
Driver:        remote
Last Activity: 2026-01-01 00:00:00 +0000 UTC

Nodes:
Name:             fleet0
Endpoint:         tcp://a:1234
Status:           running
BuildKit version: v0.12.5
Platforms:        linux/amd64, linux/amd64/v2, linux/arm64
Labels:
 org.mobyproject.buildkit.worker.hostname: a

Name:      fleet1
Endpoint:  tcp://b:1234
Status:    running
Platforms: linux/arm64*
"""
GONE = """\
Name:   fleet
Driver: remote

Nodes:
Name:     fleet0
Endpoint: tcp://a:1234
Status:   inactive
"""
BROKEN = "Name: k\nDriver: kubernetes\n\nNodes:\nName: k0\nEndpoint: k8s\nError: no such cluster\n"
IDLE = "Name: c\nDriver: docker-container\n\nNodes:\nName: c0\nEndpoint: x\nStatus: inactive\n"
NO_SUCH = (1, "", 'ERROR: no builder "fleet" found\n')
VERSION = ("buildx version", (0, "github.com/docker/buildx 0.13.1\n", ""))

REMOTE = Remote(
    name="fleet", driver="remote", client=("/bin/docker", "buildx"), platforms=("linux/amd64",)
)
FAR = msgspec.structs.replace(BUILDX, remote=REMOTE)
REQUEST = BuildRequest(dockerfile="/c/Dockerfile", context="/c", platform="linux/amd64", epoch=1)
RESULTS = Results(folder="/out")


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    made = Programs(tmp_path)
    made.add("docker")
    return made


def test_nodes_are_read_with_their_own_platforms() -> None:
    found = inspecting.parsed(RUNNING)
    assert found.driver == "remote"
    assert [(node.endpoint, node.version, node.platform) for node in found.nodes] == [
        ("tcp://a:1234", "v0.12.5", "linux/amd64"),
        ("tcp://b:1234", "", "linux/arm64"),
    ]
    assert found.trouble == ""


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (GONE, "nothing answers at tcp://a:1234"),
        (BROKEN, "no such cluster"),
        ("Name: x\nDriver: remote\n", "it has no node"),
        (IDLE, ""),
    ],
)
def test_what_is_down_and_what_is_started_by_use(said: str, trouble: str) -> None:
    assert inspecting.parsed(said).trouble == trouble


def probing(command: Command) -> Answer:
    archive = any(one.startswith("--output=") for one in command.argv)
    return exported(probe.EPOCH)(command) if archive else built(command)


def test_docker_builds_elsewhere_and_keeps_here(programs: Programs) -> None:
    table = Table(
        VERSION,
        ("inspect fleet", (0, RUNNING, "")),
        ("version --format", (0, docker(), "")),
        ("--cache-to", probing),
        ("build", probing),
        ("run", OK),
        *DOCKER,
    )
    found = remotes.find("fleet", "auto", programs.environ, table)
    assert found.remote is not None
    assert (found.name, found.builder, found.keeps) == ("docker", "buildx", True)
    assert found.remote.client == (f"{programs.folders[0]}/docker", "buildx")
    assert found.remote.platforms == ("linux/amd64", "linux/arm64")
    assert found.capabilities.clamp == "export"
    assert any("--builder=fleet" in line and "dest=" in line for line in table.lines())


def test_another_docker_is_called_by_its_context(programs: Programs) -> None:
    said = RUNNING.replace("Driver:        remote", "Driver:        docker")
    table = Table(
        VERSION,
        ("inspect fleet", (0, said, "")),
        ("version --format", (0, docker(), "")),
        ("build", probing),
        ("run", OK),
        *DOCKER,
    )
    found = remotes.find("fleet", "docker", programs.environ, table)
    assert found.remote is not None
    assert found.remote.client[1:] == ("--context=fleet", "buildx")


def test_without_an_engine_here_the_image_is_not_kept(programs: Programs) -> None:
    down = (1, "", "Cannot connect to the Docker daemon. Is the docker daemon running?")
    table = Table(
        VERSION,
        ("inspect fleet", (0, RUNNING, "")),
        ("version --format", down),
        ("build", probing),
    )
    found = remotes.find("fleet", "auto", programs.environ, table)
    assert (found.keeps, found.capabilities.runs) == (False, False)
    with pytest.raises(ToolError, match="docker does not work here"):
        remotes.find("fleet", "docker", programs.environ, table)


def test_what_is_known_is_kept_for_these_nodes(programs: Programs, tmp_path: Path) -> None:
    down = (1, "", "Cannot connect to the Docker daemon")
    rows = (VERSION, ("version --format", down), ("build", probing))
    table = Table(("inspect fleet", (0, RUNNING, "")), *rows)
    cache = str(tmp_path / "cache")
    found = remotes.find("fleet", "auto", programs.environ, table, cache=cache)
    asked = Table(("inspect fleet", (0, RUNNING, "")), *rows[:2])
    assert remotes.find("fleet", "auto", programs.environ, asked, cache=cache) == found
    other = Table(("inspect fleet", (0, RUNNING.replace("a:1234", "c:1"), "")), *rows)
    remotes.find("fleet", "auto", programs.environ, other, cache=cache)
    assert any(" build " in line for line in other.lines()), "another node is tried anew"


def test_no_builder_of_that_name(programs: Programs) -> None:
    with pytest.raises(ToolError, match="there is no builder fleet") as error:
        remotes.find("fleet", "auto", programs.environ, Table(VERSION, ("inspect", NO_SUCH)))
    assert "docker buildx ls" in (error.value.hint or "")


def test_a_builder_that_is_down(programs: Programs) -> None:
    table = Table(VERSION, ("inspect", (0, GONE, "")))
    with pytest.raises(ToolError, match="the builder fleet is down: nothing answers at tcp://a"):
        remotes.find("fleet", "auto", programs.environ, table)


def test_a_builder_that_builds_nothing(programs: Programs) -> None:
    table = Table(
        VERSION,
        ("inspect fleet", (0, RUNNING, "")),
        ("version --format", (1, "", "Cannot connect")),
        ("build", (1, "", "ERROR: forbidden\n")),
    )
    with pytest.raises(ToolError, match=r"the builder fleet does not work here: .*forbidden"):
        remotes.find("fleet", "auto", programs.environ, table)


def test_without_buildx(programs: Programs) -> None:
    table = Table(("version", (1, "", "docker: 'buildx' is not a docker command.\n")))
    with pytest.raises(ToolError, match="--builder needs buildx"):
        remotes.find("fleet", "auto", programs.environ, table)


def test_names_and_keepers_that_cannot_be(programs: Programs) -> None:
    with pytest.raises(InputError, match="is no builder's name"):
        remotes.find("--help", "auto", programs.environ, Table())
    with pytest.raises(InputError, match="buildah takes no image from a builder"):
        remotes.find("fleet", "buildah", programs.environ, Table())


# --- The build ------------------------------------------------------------------------------------


def test_the_image_comes_back_as_an_archive() -> None:
    line = building.command(FAR, REQUEST, results=RESULTS)
    assert line[:4] == ("/bin/docker", "buildx", "build", "--builder=fleet")
    assert "--output=type=docker,dest=/out/image.tar,rewrite-timestamp=true" in line
    assert "--network=none" in line
    plain = msgspec.structs.replace(
        FAR, capabilities=msgspec.structs.replace(FAR.capabilities, clamp="none")
    )
    assert "--output=type=docker,dest=/out/image.tar" in building.command(
        plain, REQUEST, results=RESULTS
    )


def test_podman_keeps_what_a_builder_builds() -> None:
    engine = msgspec.structs.replace(PODMAN, builder="buildx", remote=REMOTE)
    assert building.command(engine, REQUEST, results=RESULTS)[:2] == ("/bin/docker", "buildx")
    table = Table(("load", OK))
    building.load(engine, RESULTS, runner=table, environ={})
    assert table.lines() == ["/bin/podman load --input=/out/image.tar"]


def test_the_builder_pushes_without_a_name_and_then_with_all() -> None:
    request = msgspec.structs.replace(REQUEST, push=("r.example/a",), push_by_digest=True)
    (output,) = [
        one for one in building.command(FAR, request, results=RESULTS) if "--output" in one
    ]
    assert output.startswith('--output=type=image,"name=r.example/a",push=true')
    assert output.endswith(",push-by-digest=true,name-canonical=true")
    request = msgspec.structs.replace(REQUEST, push=("r.example/a:1", "r.example/a:2"))
    line = building.command(FAR, request, results=RESULTS)
    assert any('"name=r.example/a:1,r.example/a:2"' in one for one in line)
    assert not any("push-by-digest" in one for one in line)


def test_what_no_engine_keeps_is_left_as_an_archive(tmp_path: Path) -> None:
    def follow(command: Command, log: str, line: object) -> Outcome:
        del log, line
        folder = Path(option(command, "--iidfile")).parent
        (folder / "image.tar").write_bytes(b"an image")
        (folder / "metadata.json").write_text(
            f'{{"containerimage.config.digest": "sha256:{DIGITS}",'
            ' "containerimage.digest": "sha256:2"}'
        )
        return Outcome(command=command, code=0, stdout="", stderr="", seconds=2.0)

    watch = Watch(log=str(tmp_path / "log"), line=lambda _: None, follow=follow)
    request = msgspec.structs.replace(REQUEST, archive=str(tmp_path / "kept.tar"))
    built = building.build(FAR, request, environ={}, watch=watch, runner=Table())
    assert (built.identity, built.manifest) == (f"sha256:{DIGITS}", "sha256:2")
    assert (tmp_path / "kept.tar").read_bytes() == b"an image"


@pytest.mark.parametrize(
    ("last", "inspected", "lost"),
    [
        ("ERROR: rpc error: code = Unavailable desc = EOF", RUNNING, "code = Unavailable"),
        ("ERROR: process did not end well", GONE, "nothing answers at tcp://a:1234"),
    ],
)
def test_a_builder_that_is_lost_is_named(
    tmp_path: Path, last: str, inspected: str, lost: str
) -> None:
    def follow(command: Command, log: str, line: object) -> Outcome:
        del log
        assert callable(line)
        line(last)
        return Outcome(command=command, code=1, stdout="", stderr="", seconds=2.0)

    watch = Watch(log=str(tmp_path / "log"), line=lambda _: None, follow=follow)
    with pytest.raises(ToolError, match="the builder fleet was lost while it built") as error:
        building.build(
            FAR, REQUEST, environ={}, watch=watch, runner=Table(("inspect", (0, inspected, "")))
        )
    assert lost in error.value.message
    assert "--builder OTHER" in (error.value.hint or "")


def test_a_step_that_fails_is_not_the_builders_fault() -> None:
    command = Command(argv=("x",), environment=(), timeout=1.0)
    outcome = Outcome(command=command, code=1, stdout="", stderr="", seconds=1.0)
    error = failing.failure(FAR, outcome, lines=("#5 ERROR: exit code: 3",), log="log")
    assert error.message.startswith("the builder fleet could not build the image")


def engine_without(engine: Engine) -> Engine:
    return msgspec.structs.replace(engine, remote=None)


def test_an_engine_without_a_builder_is_never_lost() -> None:
    assert inspecting.lost(engine_without(FAR), environ={}, runner=Table()) == ""
