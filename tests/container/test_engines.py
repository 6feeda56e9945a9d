"""The room `engines` with real podman, buildah and two real dockers: images are built of a program
of 150 bytes, so nothing is fetched and no base is needed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from envbuild.engines import building, calling, containers, finding, images, probe
from envbuild.engines.building import Built, Watch
from envbuild.engines.model import BuildRequest, Engine, Mount, RunRequest
from envbuild.errors import ToolError
from envbuild.tools import proc
from tests.support.dockerd import Daemon, dockerd, newer
from tests.support.engine import need
from tests.support.registry import configuration, serve

pytestmark = pytest.mark.container

EPOCH = 1_700_000_000
PLACE = "127.0.0.1:5000"
"""The registry in a docker's own network."""

DOCKERFILE = """\
FROM scratch AS good
COPY probe /probe
ARG NEEDED
ARG SOURCE_DATE_EPOCH
RUN --mount=type=bind,source=bound,target=/run/in --mount=type=secret,id=word \
["/probe", "/run/in/file", "/run/secrets/word"]
ENV A=b=c
WORKDIR /work
ENTRYPOINT ["/probe"]

FROM good AS bad
RUN ["/probe", "/not/there"]

FROM good AS slow
COPY slow /
RUN ["/bin/sleep", "61.25"]
"""


@dataclass(frozen=True)
class Bench:
    """An engine as envbuild found it, and what it works with."""

    engine: Engine
    environ: dict[str, str]
    registry: str
    folder: Path

    def build(self, target: str, *, cache: bool = True) -> Built:
        request = BuildRequest(
            dockerfile=str(self.folder / "context/Dockerfile"),
            context=str(self.folder / "context"),
            platform=f"linux/{probe.ARCHITECTURES[os.uname().machine]}",
            target=target,
            arguments=(("NEEDED", "x"),),
            labels=(("io.envbuild.test", "1"),),
            secrets=(("word", str(self.folder / "word")),),
            epoch=EPOCH,
            cache=cache,
        )
        watch = Watch(log=str(self.log), line=lambda line: None)
        return building.build(self.engine, request, environ=self.environ, watch=watch)

    @property
    def log(self) -> Path:
        return self.folder / "logs/build.log"

    def run(self, image: str, *command: str, **more: object) -> proc.Outcome:
        request = RunRequest(image=image, command=command, **more)  # type: ignore[arg-type]
        return containers.run(self.engine, request, runner=proc.run, environ=self.environ)

    def ask(self, *argv: str) -> str:
        done = calling.call(self.engine, argv, runner=proc.run, environ=self.environ)
        assert done.code == 0, done.stderr
        return done.stdout

    @property
    def own(self) -> dict[str, object]:
        return {"runner": proc.run, "environ": self.environ}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("context")
    (folder / "context/bound").mkdir(parents=True)
    (folder / "context/bound/file").write_text("")
    program = folder / "context/probe"
    program.write_bytes(probe.program(probe.ARCHITECTURES[os.uname().machine]))
    program.chmod(0o755)
    (folder / "context/Dockerfile").write_text(DOCKERFILE)
    (folder / "word").write_text("open sesame")
    _sleep(folder / "context/slow")
    return folder


def _sleep(folder: Path) -> None:
    """This machine's sleep with the libraries it names, to build something that takes time."""
    sleep = shutil.which("sleep")
    assert sleep is not None
    listed = subprocess.run(["ldd", sleep], capture_output=True, text=True, check=True).stdout
    for path in (sleep, *re.findall(r"(/\S+) \(0x", listed)):
        place = "/bin/sleep" if path == sleep else path
        (folder / place.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / place.lstrip("/"))


@pytest.fixture(scope="module", params=["podman", "buildah", "docker-20", "docker-26"])
def bench(
    request: pytest.FixtureRequest, context: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    need("docker-registry", "ldd")
    home = tmp_path_factory.mktemp("e")
    if request.param.startswith("docker"):
        programs = newer() if request.param == "docker-26" else None
        with dockerd(home, programs=programs) as daemon, _registry_in(daemon, home):
            engine = finding.find("docker", daemon.environ, proc.run)
            yield Bench(engine, daemon.environ, PLACE, context)
        return
    need(request.param, "runc")
    # The machine's own settings hold, but for the storage: limits and runtime are to be found.
    (home / "storage.conf").write_text(
        f'[storage]\ndriver="overlay"\nrunroot="{home}/run"\ngraphroot="{home}/root"\n'
    )
    environ = {**os.environ, "CONTAINERS_STORAGE_CONF": f"{home}/storage.conf"}
    environ.pop("CONTAINERS_CONF", None)
    with serve(home) as registry:
        yield Bench(
            finding.find(request.param, environ, proc.run), environ, registry.place, context
        )
    subprocess.run(
        [request.param, "rmi", "--all", "--force"], env=environ, capture_output=True, check=False
    )
    for mounted in (home / "root/overlay", home / "root"):
        subprocess.run(["umount", str(mounted)], capture_output=True, check=False)
    shutil.rmtree(home, ignore_errors=True)


class _registry_in:  # noqa: N801 (a context manager that reads as a function)
    """A registry where a docker can reach it; docker's own network is not this process's."""

    def __init__(self, daemon: Daemon, home: Path) -> None:
        config = home / "registry.yml"
        config.write_text(configuration(home / "registry", PLACE))
        self._argv = daemon.inside("docker-registry", "serve", str(config))
        self._ask = daemon.inside("bash", "-c", f": < /dev/tcp/{PLACE.replace(':', '/')}")

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._argv, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while subprocess.run(self._ask, stderr=subprocess.DEVNULL, check=False).returncode:
            assert time.monotonic() < end, "no registry"
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)


@pytest.fixture(scope="module")
def image(bench: Bench) -> str:
    return bench.build("good").identity


def test_what_the_probe_finds(bench: Bench) -> None:
    able = bench.engine.capabilities
    assert able.no_network
    assert able.runs == (bench.engine.name != "buildah")
    expected = {"podman": "flag", "buildah": "flag", "buildx": "export", "buildkit": "none"}
    assert able.clamp == expected[bench.engine.builder]
    assert able.registry_cache == (bench.engine.builder != "buildkit")
    assert bench.ask("images", "--all", "--quiet").split() == []


def test_the_same_image_twice_where_times_can_be_set(bench: Bench, image: str) -> None:
    again = bench.build("good", cache=False).identity
    assert (again == image) is (bench.engine.capabilities.clamp != "none")


def test_what_it_is(bench: Bench, image: str) -> None:
    facts = images.facts(bench.engine, image, **bench.own)
    assert facts is not None
    assert facts.identity == image
    assert facts.platform == f"linux/{probe.ARCHITECTURES[os.uname().machine]}"
    assert dict(facts.labels)["io.envbuild.test"] == "1"
    assert facts.entrypoint == ("/probe",)
    assert dict(facts.environment)["A"] == "b=c"
    assert facts.workdir == "/work"
    assert facts.size > 0
    assert images.facts(bench.engine, "envbuild-tests/not-there:1", **bench.own) is None


def test_names_come_and_go(bench: Bench) -> None:
    other = bench.build("good", cache=False)
    for name in ("envbuild-tests/one:1", "envbuild-tests/two:2"):
        images.tag(bench.engine, other.identity, name=name, **bench.own)
        found = images.facts(bench.engine, name, **bench.own)
        assert found is not None
        assert found.identity == other.identity
    assert images.remove(bench.engine, other.identity, **bench.own)
    assert images.facts(bench.engine, "envbuild-tests/one:1", **bench.own) is None
    assert images.facts(bench.engine, other.identity, **bench.own) is None
    assert not images.remove(bench.engine, other.identity, **bench.own)


def test_through_a_registry_and_back(bench: Bench) -> None:
    image = bench.build("good").identity
    name = f"{bench.registry}/envbuild/x:1"
    images.tag(bench.engine, image, name=name, **bench.own)
    digest = images.push(bench.engine, name, **bench.own)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", digest)
    assert images.remove(bench.engine, image, **bench.own)
    pinned = f"{bench.registry}/envbuild/x@{digest}"
    platform = f"linux/{probe.ARCHITECTURES[os.uname().machine]}"
    pulled = images.pull(bench.engine, pinned, platform=platform, **bench.own)
    assert pulled == image
    with pytest.raises(ToolError, match="cannot fetch"):
        images.pull(bench.engine, f"{name}-none", platform=platform, **bench.own)


def test_a_layout_is_whole(bench: Bench, tmp_path: Path) -> None:
    image = bench.build("good").identity
    folder = tmp_path / "a b:c"
    images.save(bench.engine, image, folder=str(folder), **bench.own)
    assert [path.name for path in tmp_path.iterdir()] == ["a b:c"]
    index = json.loads((folder / "index.json").read_text())
    manifest = json.loads(_blob(folder, index["manifests"][0]["digest"]))
    config = json.loads(_blob(folder, manifest["config"]["digest"]))
    assert config["config"]["Entrypoint"] == ["/probe"]
    assert len(manifest["layers"]) == len(config["rootfs"]["diff_ids"])
    for layer in manifest["layers"]:
        assert len(_blob(folder, layer["digest"])) == layer["size"]


def _blob(folder: Path, digest: str) -> bytes:
    data = (folder / "blobs" / digest.replace(":", "/")).read_bytes()
    assert hashlib.sha256(data).hexdigest() == digest.removeprefix("sha256:")
    return data


def test_containers_end_as_their_program_and_are_gone(bench: Bench, tmp_path: Path) -> None:
    image = bench.build("good").identity
    if not bench.engine.capabilities.runs:
        with pytest.raises(ToolError, match="buildah builds images and does not run them"):
            bench.run(image)
        return
    (tmp_path / "file").write_text("")
    tmp_path.chmod(0o755)
    mounts = (Mount(source=str(tmp_path), target="/mnt"),)
    assert bench.run(image, "/probe").code == 0
    assert bench.run(image, "/none").code == 1
    assert bench.run(image, "/probe", "/mnt/file", entrypoint="", mounts=mounts, user="1").code == 0
    missing = bench.run(image, "/none", entrypoint="")
    assert missing.code == 127
    assert "/none" in missing.stderr
    with pytest.raises(ToolError, match="cannot run a container of envbuild-tests/not-there"):
        bench.run("envbuild-tests/not-there")
    assert bench.ask("ps", "--all", "--quiet") == ""


def test_a_failed_step_is_named_and_the_log_is_whole(bench: Bench) -> None:
    with pytest.raises(ToolError) as caught:
        bench.build("bad")
    error = caught.value
    assert re.fullmatch(
        rf'{bench.engine.name} could not build the image at RUN \["/probe", ?"/not/there"\]:'
        r" exit (code: |status )1",
        error.message,
    )
    assert error.hint == f"the whole log: {bench.log}"
    lines = bench.log.read_text().splitlines()
    assert lines[0] == f"$ {error.command}"
    assert any("/not/there" in line for line in lines[1:])


def test_a_build_that_is_ended_leaves_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """podman 4 lets the step run on, for hours, when it is ended by a signal to itself."""
    bench.build("good")
    monkeypatch.setattr(calling, "LONG", 3.0)
    with pytest.raises(ToolError, match="no end after"):
        bench.build("slow")
    assert _sleeping("61.25") == []
    if bench.engine.name == "podman":
        assert bench.ask("ps", "--all", "--external", "--quiet") == ""
    elif bench.engine.name == "buildah":
        assert bench.ask("containers", "--quiet") == ""


def _sleeping(seconds: str, patience: float = 5.0) -> list[str]:
    """Processes that sleep so long; a daemon may need a moment to end what its client began."""
    end = time.monotonic() + patience
    while True:
        found = [
            str(path)
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if path.exists() and _words(path) == ["/bin/sleep", seconds]
        ]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.1)


def _words(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:  # it ended meanwhile
        return []


def test_a_container_past_its_time_is_gone(bench: Bench, context: Path) -> None:
    image = bench.build("good").identity
    if not bench.engine.capabilities.runs:
        with pytest.raises(ToolError, match="buildah builds images and does not run them"):
            bench.run(image, "/bin/sleep", "62.25", entrypoint="")
        return
    mounts = tuple(
        Mount(source=str(context / "context/slow" / name), target=f"/{name}")
        for name in sorted(path.name for path in (context / "context/slow").iterdir())
    )
    done = bench.run(image, "/bin/sleep", "62.25", entrypoint="", mounts=mounts, timeout=1.5)
    assert done.timed_out
    assert bench.ask("ps", "--all", "--quiet") == ""
    assert _sleeping("62.25") == []
