"""Every reason why an engine is none, and the way out of it."""

from __future__ import annotations

import pytest

from envbuild.engines import finding
from envbuild.errors import InputError, ToolError

from .programs import HYBRID, LEGACY, NO_BUILDX, PODMAN, Programs, docker
from .table import Table


def refusal(wanted: str, programs: Programs, *rows: object) -> ToolError:
    with pytest.raises(ToolError) as caught:
        finding.find(wanted, programs.environ, Table(*rows))  # type: ignore[arg-type]
    return caught.value


def test_the_legacy_builder_is_refused(programs: Programs) -> None:
    where = programs.add("docker")
    error = refusal(
        "docker",
        programs,
        ("docker version", (0, docker("28.2.2", "28.2.2"), "")),
        ("buildx build", NO_BUILDX),
        ("docker build", LEGACY),
    )
    assert error.message == (
        f"docker does not work here: docker ({where}/docker) 28.2.2 has no BuildKit, only the"
        " legacy builder, which can mount nothing into a build"
    )
    assert error.hint == (
        "install buildx for docker (the package docker-buildx or docker-buildx-plugin), or use"
        " podman"
    )


JOIN = "add yourself to the group docker (sudo usermod -aG docker $USER) and log in again"


@pytest.mark.parametrize(
    ("said", "host", "why", "hint"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
            "",
            "finds no daemon: it is not running",
            "start it (sudo systemctl start docker), or use podman, which needs no daemon",
        ),
        (
            "error during connect: Get http://x/v1.24/version: Is the docker daemon running?",
            "tcp://x",
            "finds no daemon at tcp://x: it is not running",
            "check DOCKER_HOST, or use podman, which needs no daemon",
        ),
        (
            "Got permission denied while trying to connect to the Docker daemon socket at /x",
            "",
            "may not talk to its daemon: permission denied",
            f"{JOIN}, or use podman, which needs no daemon",
        ),
        (
            "Error response from daemon: client version 1.50 is too new",
            "",
            "gets no answer from its daemon: client version 1.50 is too new",
            "repair docker, or use podman, which needs no daemon",
        ),
    ],
)
def test_a_daemon_that_does_not_answer(
    said: str, host: str, why: str, hint: str, programs: Programs
) -> None:
    where = programs.add("docker")
    answer = (1, '{"Client":{"Version":"28.2.2"},"Server":null}', said)
    environ = {**programs.environ, **({"DOCKER_HOST": host} if host else {})}
    with pytest.raises(ToolError) as caught:
        finding.find("docker", environ, Table(("version", answer)))
    assert caught.value.message == f"docker does not work here: docker ({where}/docker) {why}"
    assert caught.value.hint == hint


def test_podman_under_dockers_name(programs: Programs) -> None:
    programs.add("docker")
    said = '{"Client":{"APIVersion":"4.3.1","Version":"4.3.1"}}'
    error = refusal("docker", programs, ("version", (0, said, "Emulate Docker CLI using podman.")))
    assert "is podman under docker's name" in error.message
    assert error.hint == "call it by its own name: --engine podman"


def test_a_processor_that_no_image_is_for(programs: Programs) -> None:
    programs.add("docker")
    error = refusal("docker", programs, ("version", (0, docker(arch="riscv64"), "")))
    assert "runs on riscv64" in error.message


def test_a_program_that_does_not_say_its_version(programs: Programs) -> None:
    programs.add("podman")
    error = refusal("podman", programs, ("--version", (1, "", "podman: libgpgme.so not found")))
    assert error.message.endswith("does not say its version: podman: libgpgme.so not found")


def test_nothing_installed(programs: Programs) -> None:
    programs.add()
    error = refusal("auto", programs)
    assert error.message == (
        "no engine works here: podman is not installed; buildah is not installed;"
        " docker is not installed"
    )
    assert error.hint == "install podman, which needs no daemon"
    error = refusal("buildah", programs)
    assert error.message == "buildah does not work here: buildah is not installed"


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        (HYBRID, "crun cannot run here: install runc"),
        ("Error: unknown flag: --secret", "it is too old: take a newer one"),
        ("Error: newuidmap: write to uid_map failed", "/etc/subuid"),
        ("Error: write /var: no space left on device", "the disk is full: free some space"),
        ("Error: something else", "install podman, which needs no daemon"),
    ],
)
def test_a_probe_that_fails(said: str, hint: str, programs: Programs) -> None:
    where = programs.add("podman")
    error = refusal("podman", programs, *PODMAN[:1], ("build", (125, "", said)))
    reason = said.removeprefix("Error: ")
    assert error.message == (
        f"podman does not work here: podman ({where}/podman) fails at a first build: {reason}"
    )
    assert hint in (error.hint or "")


def test_every_candidate_is_named(programs: Programs) -> None:
    programs.add("podman", "docker")
    error = refusal(
        "auto",
        programs,
        ("podman --version", PODMAN[0][1]),
        ("podman build", (125, "", HYBRID)),
        ("podman", (125, "", HYBRID)),
        ("docker version", (1, "", "Cannot connect to the Docker daemon")),
    )
    for words in ("podman (", "buildah is not installed", "docker (", "hybrid mode"):
        assert words in error.message
    assert (error.hint or "").startswith("crun cannot run here: install runc; or start it (")


def test_an_unknown_name_is_the_users_mistake() -> None:
    with pytest.raises(InputError, match="'nerdctl' is no engine") as caught:
        finding.find("nerdctl", {}, Table())
    assert caught.value.hint == "known are auto, podman, buildah, docker"
