"""The command lines of builds, what is refused before they run, and what is made of their end."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from envbuild.engines import building
from envbuild.engines.building import Results, Watch
from envbuild.engines.model import BuildRequest, Capabilities, Engine
from envbuild.errors import InputError, ToolError
from envbuild.tools.proc import Command, Outcome

from .table import BUILDAH, BUILDKIT, BUILDX, ENGINES, PODMAN, Table, option

RESULTS = Results(folder="/out")
PLAIN = BuildRequest(dockerfile="/c/Dockerfile", context="/c", platform="linux/amd64")
FULL = BuildRequest(
    dockerfile="/c/Dockerfile.light",
    context="/c",
    platform="linux/arm64",
    target="runtime",
    arguments=(("BASE_IMAGE", "a/b@sha256:0"),),
    labels=(("io.x", "y z"),),
    secrets=(("ca", "/ca.pem"),),
    network="host",
    epoch=1700000000,
    cache=False,
    pull=True,
    ssh=True,
)


def line(engine: Engine, request: BuildRequest) -> list[str]:
    return list(building.command(engine, request, results=RESULTS))


def test_podman_plain() -> None:
    assert line(PODMAN, PLAIN) == [
        "/bin/podman",
        "build",
        "--layers",
        "--force-rm",
        "--pull=false",
        "--http-proxy=false",
        "--file=/c/Dockerfile",
        "--platform=linux/amd64",
        "--network=none",
        "--iidfile=/out/identity",
        "/c",
    ]


@pytest.mark.parametrize("engine", [PODMAN, BUILDAH], ids=["podman", "buildah"])
def test_podman_and_buildah_with_everything(engine: Engine) -> None:
    assert line(engine, FULL) == [
        engine.program[0],
        "build",
        "--layers",
        "--force-rm",
        "--pull=always",
        "--timestamp=1700000000",
        "--file=/c/Dockerfile.light",
        "--platform=linux/arm64",
        "--network=host",
        "--iidfile=/out/identity",
        "--target=runtime",
        "--build-arg=BASE_IMAGE=a/b@sha256:0",
        "--build-arg=SOURCE_DATE_EPOCH=1700000000",
        "--label=io.x=y z",
        "--secret=id=ca,src=/ca.pem",
        "--ssh=default",
        "--no-cache",
        "/c",
    ]


def test_buildkit_with_everything() -> None:
    assert line(BUILDKIT, FULL) == [
        "/bin/docker",
        "build",
        "--progress=plain",
        "--pull",
        "--file=/c/Dockerfile.light",
        "--platform=linux/arm64",
        "--network=host",
        "--iidfile=/out/identity",
        "--target=runtime",
        "--build-arg=BASE_IMAGE=a/b@sha256:0",
        "--build-arg=SOURCE_DATE_EPOCH=1700000000",
        "--label=io.x=y z",
        "--secret=id=ca,src=/ca.pem",
        "--ssh=default",
        "--no-cache",
        "/c",
    ]


def test_buildx_writes_an_archive_only_to_set_times() -> None:
    assert line(BUILDX, FULL)[:8] == [
        "/bin/docker",
        "buildx",
        "build",
        "--progress=plain",
        "--provenance=false",
        "--metadata-file=/out/metadata.json",
        "--output=type=docker,dest=/out/image.tar,rewrite-timestamp=true",
        "--pull",
    ]
    assert "--load" in line(BUILDX, PLAIN)
    unable = msgspec.structs.replace(BUILDX, capabilities=Capabilities())
    assert "--load" in line(unable, FULL)


def test_options_that_this_machine_needs_stand_where_they_belong() -> None:
    engine = msgspec.structs.replace(
        PODMAN, global_options=("--runtime=runc",), build_options=("--isolation=oci",)
    )
    assert line(engine, PLAIN)[:3] == ["/bin/podman", "--runtime=runc", "build"]
    assert "--isolation=oci" in line(engine, PLAIN)


def test_a_moment_is_not_said_twice() -> None:
    request = msgspec.structs.replace(PLAIN, epoch=5, arguments=(("SOURCE_DATE_EPOCH", "6"),))
    arguments = [one for one in line(PODMAN, request) if one.startswith("--build-arg")]
    assert arguments == ["--build-arg=SOURCE_DATE_EPOCH=6"]


def test_a_builder_that_sets_no_times_is_not_asked_to() -> None:
    unable = msgspec.structs.replace(PODMAN, capabilities=Capabilities(clamp="none"))
    assert not [one for one in line(unable, FULL) if one.startswith("--timestamp")]


def test_the_cache_of_a_registry() -> None:
    request = msgspec.structs.replace(PLAIN, cache_from=("r/from",), cache_to=("r/to",))
    assert {"--cache-from=r/from", "--cache-to=r/to"} <= set(line(PODMAN, request))
    assert {
        "--cache-from=type=registry,ref=r/from",
        "--cache-to=type=registry,ref=r/to,mode=max",
    } <= set(line(BUILDX, request))
    with pytest.raises(ToolError, match=r"docker \(buildkit\) cannot keep its build cache"):
        line(BUILDKIT, request)


def test_without_a_network_of_its_own_nothing_hermetic_is_built() -> None:
    chroot = msgspec.structs.replace(PODMAN, capabilities=Capabilities(no_network=False))
    with pytest.raises(ToolError, match="cannot build without network"):
        line(chroot, PLAIN)
    assert line(chroot, msgspec.structs.replace(PLAIN, network="host"))


@pytest.mark.parametrize("engine", ENGINES, ids=lambda one: one.builder)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("context", "-"),
        ("context", "--help"),
        ("context", ""),
        ("dockerfile", "-"),
        ("dockerfile", "a\nb"),
        ("cache_from", ("--x",)),
        ("cache_to", ("a,type=local",)),
        ("secrets", (("ca", "/a,src=/etc/shadow"),)),
        ("secrets", (("ca,src=/etc/shadow", "/a"),)),
    ],
)
def test_nothing_is_taken_for_an_option(engine: Engine, field: str, value: object) -> None:
    able = msgspec.structs.replace(engine, capabilities=Capabilities(registry_cache=True))
    with pytest.raises(InputError):
        line(able, msgspec.structs.replace(PLAIN, **{field: value}))


def test_values_that_look_like_options_stay_values() -> None:
    request = msgspec.structs.replace(PLAIN, target="--pull", arguments=(("A", "--b"),))
    assert {"--target=--pull", "--build-arg=A=--b"} <= set(line(PODMAN, request))


# --- The run -------------------------------------------------------------------------------------

ENVIRON = {"HOME": "/h", "SOURCE_DATE_EPOCH": "7"}
"""A moment in the user's environment is not the build's: newer builders would take it."""

FOUND = '[{"Id": "sha256:1", "Os": "linux", "Architecture": "amd64"}]'
UNKNOWN = (1, "[]", "Error: No such image: x")


class Follower:
    """Answers a build with lines and an exit code, after writing what a builder writes."""

    def __init__(self, code: int = 0, lines: tuple[str, ...] = (), metadata: str = "") -> None:
        self.code = code
        self.lines = lines
        self.metadata = metadata
        self.commands: list[Command] = []

    def __call__(self, command: Command, log: str, line: object) -> Outcome:
        assert callable(line)
        self.commands.append(command)
        if "build" in command.argv and not self.code:
            Path(option(command, "--iidfile")).write_text("sha256:config")
            if self.metadata:
                Path(option(command, "--metadata-file")).write_text(self.metadata)
        for one in self.lines:
            line(one)
        return Outcome(command=command, code=self.code, stdout="", stderr="", seconds=1.5)


def built(
    engine: Engine, request: BuildRequest, follower: Follower, table: Table, tmp_path: Path
) -> building.Built:
    heard: list[str] = []
    watch = Watch(log=str(tmp_path / "logs/log"), line=heard.append, follow=follower)
    made = building.build(engine, request, environ=ENVIRON, watch=watch, runner=table)
    assert heard == list(follower.lines)
    return made


def test_an_image_is_known_by_its_configuration(tmp_path: Path) -> None:
    table = Table(("image inspect sha256:config", (0, FOUND, "")))
    follower = Follower(lines=("STEP 1/1",))
    made = built(PODMAN, PLAIN, follower, table, tmp_path)
    assert (made.identity, made.seconds) == ("sha256:config", 1.5)
    assert follower.commands[0].environment == (("HOME", "/h"),)
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["log"]


def test_docker_with_containerds_store_knows_an_image_by_its_manifest(tmp_path: Path) -> None:
    table = Table(("inspect sha256:config", UNKNOWN), ("inspect sha256:manifest", (0, FOUND, "")))
    follower = Follower(metadata='{"containerimage.digest": "sha256:manifest"}')
    request = msgspec.structs.replace(PLAIN, epoch=1)
    made = built(BUILDX, request, follower, table, tmp_path)
    assert (made.identity, made.seconds) == ("sha256:manifest", 3.0)
    build, load = follower.commands
    archive = option(build, "--output").split("dest=")[1].split(",")[0]
    assert load.argv == ("/bin/docker", "load", f"--input={archive}")


def test_an_image_that_the_engine_does_not_know_is_none(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="does not know the image that it has built"):
        built(PODMAN, PLAIN, Follower(), Table(("inspect", UNKNOWN)), tmp_path)


def test_a_failure_holds_reason_lines_command_and_log(tmp_path: Path) -> None:
    lines = (
        "STEP 1/2: FROM scratch",
        "STEP 2/2: RUN false",
        "about to fail",
        'Error: building at STEP "RUN false": while running runtime: exit status 1',
    )
    request = msgspec.structs.replace(PLAIN, arguments=(("MY_TOKEN", "hidden"),))
    with pytest.raises(ToolError) as caught:
        built(PODMAN, request, Follower(125, lines), Table(), tmp_path)
    error = caught.value
    assert error.message == "podman could not build the image at RUN false: exit status 1"
    assert error.output == "about to fail"
    assert error.hint == f"the whole log: {tmp_path}/logs/log"
    assert error.command.startswith("/bin/podman build ")
    assert "hidden" not in error.command


@pytest.mark.parametrize("engine", ENGINES, ids=lambda one: one.builder)
def test_a_secret_must_be_a_file_that_the_builder_takes(engine: Engine, tmp_path: Path) -> None:
    secret = tmp_path / "ca.pem"
    request = msgspec.structs.replace(PLAIN, secrets=(("ca", str(secret)),))
    with pytest.raises(InputError, match="the secret ca is no file"):
        built(engine, request, Follower(), Table(), tmp_path)
    secret.write_bytes(b"x" * (500 * 1024 + 1))
    table = Table(("inspect", (0, BUILDAH_FOUND if engine is BUILDAH else FOUND, "")))
    if engine.name == "docker":
        with pytest.raises(InputError, match="500 KiB") as caught:
            built(engine, request, Follower(), table, tmp_path)
        assert "podman and buildah have no such limit" in (caught.value.hint or "")
    else:
        assert built(engine, request, Follower(), table, tmp_path).identity == "sha256:config"
    secret.write_bytes(b"x" * 500 * 1024)
    assert built(engine, request, Follower(), table, tmp_path)


BUILDAH_FOUND = '{"FromImageID": "1", "Config": "{}", "Manifest": "{}"}'
