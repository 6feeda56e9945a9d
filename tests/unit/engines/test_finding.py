"""Which engine is taken and with which options, by engines that answer from a table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envbuild.engines import finding, probe
from envbuild.tools.proc import Command

from .programs import (
    BUILDAH,
    DIGITS,
    DOCKER,
    HYBRID,
    LEGACY,
    NO_BUILDX,
    OK,
    PODMAN,
    Programs,
    built,
    docker,
    exported,
)
from .table import Answer, Table, option

RLIMIT = "Error: runc: error setting rlimit type 7: operation not permitted"


def test_what_works_at_once_is_taken_as_it_is(programs: Programs) -> None:
    programs.add("podman", "docker")
    table = Table(("build --layers", built), ("run", OK), *PODMAN)
    engine = finding.find("auto", programs.environ, table)
    assert (engine.name, engine.version) == ("podman", "4.3.1")
    assert engine.program == (f"{programs.folders[0]}/podman",)
    assert (engine.global_options, engine.build_options, engine.run_options) == ((), (), ())
    able = engine.capabilities
    assert (able.no_network, able.clamp, able.registry_cache, able.runs) == (
        True,
        "flag",
        True,
        True,
    )
    assert not [line for line in table.lines() if "docker" in line.partition(" ")[0]]


def test_the_probe_is_a_real_build_and_nothing_stays(programs: Programs) -> None:
    programs.add("podman")

    def check(command: Command) -> Answer:
        folder = Path(option(command, "--file")).parent
        assert (folder / "Dockerfile").read_text() == probe.DOCKERFILE
        assert os.access(folder / "context/probe", os.X_OK)
        secret = option(command, "--secret").split("src=")[1]
        assert Path(secret).is_file()
        seen.append(folder)
        return built(command)

    seen: list[Path] = []
    table = Table(("build --layers", check), ("run", OK), *PODMAN)
    finding.find("podman", programs.environ, table)
    line = " ".join(table.asked[1].argv)
    for words in ("--network=none", "--timestamp=1000000", "--no-cache", "--secret=id="):
        assert words in line
    assert not seen[0].exists()
    assert table.lines()[-1].endswith(f"rmi sha256:{DIGITS}")


def test_limits_are_lowered_only_where_containers_need_it(programs: Programs) -> None:
    programs.add("podman")
    for needed in (1, 2):

        def start(command: Command, needed: int = needed) -> Answer:
            given = sum(one.startswith("--ulimit=") for one in command.argv)
            return OK if given >= needed else (126, "", RLIMIT)

        table = Table(("build --layers", built), ("run", start), *PODMAN)
        engine = finding.find("podman", programs.environ, table)
        assert len(engine.run_options) == needed
        assert engine.run_options[0].startswith("--ulimit=nofile=")
        assert engine.build_options == ()


def test_runc_is_tried_where_crun_fails_and_kept(programs: Programs) -> None:
    programs.add("podman", "buildah", "runc")
    failing = ("build --layers", (125, "", HYBRID))
    for name, field, rows in (
        ("podman", "global_options", PODMAN),
        ("buildah", "build_options", BUILDAH),
    ):
        table = Table(("--runtime=runc --layers", built), failing, ("run", OK), *rows)
        engine = finding.find(name, programs.environ, table)
        assert getattr(engine, field) == ("--runtime=runc",)
        assert engine.capabilities.no_network


def test_a_build_without_any_runtime_is_the_last_resort(programs: Programs) -> None:
    programs.add("podman")
    table = Table(
        ("build --isolation=chroot --network=host", built),
        ("build --layers", (125, "", HYBRID)),
        ("run", (126, "", HYBRID)),
        *PODMAN,
    )
    engine = finding.find("auto", programs.environ, table)
    able = engine.capabilities
    assert (able.no_network, able.runs) == (False, False)
    assert "hybrid mode" in able.trouble


def test_auto_prefers_who_can_do_all(programs: Programs) -> None:
    """buildah alone builds and runs nothing; docker does both."""
    programs.add("buildah", "docker")
    table = Table(
        ("docker version", (0, docker(), "")),
        ("docker buildx build rewrite-timestamp", exported(probe.EPOCH)),
        ("docker buildx build --load", built),
        ("docker run", OK),
        ("buildah build --layers", built),
        *BUILDAH,
        *DOCKER,
    )
    assert finding.find("auto", programs.environ, table).name == "docker"
    assert finding.find("buildah", programs.environ, table).name == "buildah"


def test_buildah_is_taken_where_it_is_all_there_is(programs: Programs) -> None:
    programs.add("buildah")
    table = Table(("build --layers", built), *BUILDAH)
    engine = finding.find("auto", programs.environ, table)
    assert (engine.name, engine.capabilities.runs) == ("buildah", False)


# --- docker --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cached", [True, False])
def test_buildx_that_sets_times(programs: Programs, cached: bool) -> None:
    programs.add("docker")
    refusal = (1, "", "ERROR: Cache export is not supported for the docker driver.")
    table = Table(
        ("docker version", (0, docker(), "")),
        ("--cache-to=type=local", built if cached else refusal),
        ("buildx build rewrite-timestamp", exported(probe.EPOCH)),
        ("run", OK),
        *DOCKER,
    )
    engine = finding.find("docker", programs.environ, table)
    assert (engine.builder, engine.version) == ("buildx", "26.1.5")
    assert (engine.capabilities.clamp, engine.capabilities.registry_cache) == ("export", cached)


@pytest.mark.parametrize("how", ["refuses", "ignores"])
def test_buildx_that_does_not_set_times(programs: Programs, how: str) -> None:
    programs.add("docker")
    refusal = (1, "", "ERROR: Docker exporter is not supported for the docker driver.")
    table = Table(
        ("docker version", (0, docker("26.1.5", "20.10.24"), "")),
        ("rewrite-timestamp", refusal if how == "refuses" else exported(1)),
        ("buildx build --load", built),
        ("run", OK),
        *DOCKER,
    )
    engine = finding.find("docker", programs.environ, table)
    assert (engine.builder, engine.capabilities.clamp) == ("buildx", "none")
    assert engine.version == "26.1.5, daemon 20.10.24"


def test_an_older_client_has_buildkit_in_it(programs: Programs) -> None:
    programs.add("docker")
    table = Table(
        ("docker version", (0, docker("20.10.24", "20.10.24"), "")),
        ("buildx build", NO_BUILDX),
        ("docker build --progress=plain", built),
        ("run", OK),
        *DOCKER,
    )
    engine = finding.find("docker", programs.environ, table)
    assert (engine.builder, engine.environment) == ("buildkit", (("DOCKER_BUILDKIT", "1"),))
    assert not engine.capabilities.registry_cache
    build = next(one for one in table.asked if "--progress=plain" in one.argv)
    assert ("DOCKER_BUILDKIT", "1") in build.environment


def test_every_docker_on_path_is_tried(programs: Programs) -> None:
    newer, older = programs.add("docker"), programs.add("docker")
    table = Table(
        ("docker version", (0, docker("20.10.24", "20.10.24"), "")),
        (f"{newer}/docker buildx", NO_BUILDX),
        (f"{newer}/docker build", LEGACY),
        (f"{older}/docker buildx", NO_BUILDX),
        (f"{older}/docker build", built),
        ("run", OK),
        *DOCKER,
    )
    assert finding.find("docker", programs.environ, table).program == (f"{older}/docker",)


# --- The probe's program -------------------------------------------------------------------------


@pytest.mark.parametrize(("architecture", "machine"), [("amd64", 62), ("arm64", 183)])
def test_the_program_is_a_whole_file_of_its_processor(architecture: str, machine: int) -> None:
    data = probe.program(architecture)
    assert data[:7] == b"\x7fELF\x02\x01\x01"
    assert int.from_bytes(data[18:20], "little") == machine
    entry = int.from_bytes(data[24:32], "little")
    offset = int.from_bytes(data[72:80], "little")
    address = int.from_bytes(data[80:88], "little")
    size = int.from_bytes(data[96:104], "little")
    assert (offset, size) == (0, len(data))
    assert address <= entry < address + size
