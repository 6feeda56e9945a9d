"""``envbuild export`` as it is typed: what it prints, writes, names as lost and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envbuild.export.model import FORMATS
from tests.cli.running import Said, inside
from tests.support.exports import CONDA, FULL, PLAIN, Locking, lock_folder, place

BUILT = Locking(pins={"alpha==1.0": "wheel", "beta==2": "source"})
TWO = PLAIN.replace("  linux-amd64-cpu: {}\n", "  linux-amd64-cpu: {}\n  linux-arm64-cpu: {}\n")


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs the command in a workspace whose profile ``one`` is locked."""

    def run(text: str, *arguments: str, said: Locking = Locking()) -> Said:  # noqa: B008
        place(tmp_path, text, said)
        return inside(["export", "one", *arguments], tmp_path, monkeypatch)

    return run


LOCAL = [name for name in FORMATS if name != "pylock"]


@pytest.mark.parametrize("form", LOCAL)
def test_stdout_has_the_format_and_stderr_what_is_lost(export, form: str) -> None:
    said = export(CONDA, "--format", form)
    assert said.exit == 0, said.stderr
    assert said.stdout.endswith("\n")
    assert "not in this format" not in said.stdout
    lost = [line for line in said.stderr.splitlines() if line.startswith("not in this format: ")]
    assert bool(lost) == (form != "devcontainer")


@pytest.mark.parametrize("form", LOCAL)
def test_a_file_holds_what_stdout_has_and_stays_when_it_is_right(
    export, tmp_path: Path, form: str
) -> None:
    printed = export(CONDA, "--format", form).stdout
    said = export(CONDA, "--format", form, "-o", "out.txt")
    assert (said.exit, said.stdout) == (0, "")
    assert said.stderr.endswith("out.txt: written\n")
    assert (tmp_path / "out.txt").read_text() == printed
    again = export(CONDA, "--format", form, "--output", "out.txt")
    assert again.stderr.endswith("out.txt: unchanged\n")
    assert not list(tmp_path.glob(".envbuild-*"))


def test_the_whole_of_what_is_said_of_requirements(export) -> None:
    assert export(PLAIN, "--format", "requirements").stderr.splitlines() == [
        "not in this format: Python 3.11 itself",
        "not in this format: that what has wheels is never built from source",
        "not in this format: the place of the environment, /opt/one",
        "not in this format: the base image ubuntu:22.04",
        "not in this format: the working folder /workspace",
    ]


@pytest.mark.parametrize("form", ["requirements", "explicit", "environment", "pixi", "pylock"])
def test_strict_refuses_and_writes_nothing(export, tmp_path: Path, form: str) -> None:
    said = export(CONDA, "--format", form, "--strict", "-o", "out.txt")
    assert (said.exit, said.stdout) == (1, "")
    *lost, error, hint = said.stderr.splitlines()
    assert error == f"error: one as {form} would lose {len(lost)} things"
    assert hint == "  hint: without --strict it is made all the same"
    assert all(line.startswith("not in this format: ") for line in lost)
    assert not (tmp_path / "out.txt").exists()


def test_strict_takes_what_loses_nothing(export) -> None:
    said = export(PLAIN, "--format", "devcontainer", "--strict")
    assert said.exit == 0
    assert json.loads(said.stdout)["name"] == "one (linux-amd64-cpu)"


def test_quiet_says_nothing_of_losses_but_with_strict_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path, PLAIN)
    words = ["-q", "export", "one", "--format", "requirements"]
    assert inside(words, tmp_path, monkeypatch).stderr == ""
    said = inside([*words, "--strict"], tmp_path, monkeypatch)
    assert "not in this format: Python 3.11 itself\n" in said.stderr


@pytest.mark.parametrize("form", ["explicit", "environment"])
def test_conda_s_formats_need_conda_packages(export, form: str) -> None:
    said = export(PLAIN, "--format", form)
    assert (said.exit, said.stdout) == (2, "")
    assert said.stderr == (
        f"error: one has no conda packages: there is nothing to say in {form}\n"
        "  hint: one of requirements, pylock, pixi, devcontainer\n"
    )


def test_the_first_variant_is_taken_unless_another_is_named(export) -> None:
    first = export(TWO, "--format", "pixi").stdout
    second = export(TWO, "--format", "pixi", "--variant", "linux-arm64-cpu").stdout
    assert "linux-64" in first
    assert "linux-aarch64" in second
    other = export(TWO, "--format", "devcontainer", "--variant", "linux-arm64-cpu").stdout
    assert json.loads(other)["build"] == {
        "dockerfile": "../Dockerfiles/one/Dockerfile.linux-arm64-cpu",
        "context": "../Dockerfiles/one",
        "options": ["--platform=linux/arm64"],
    }


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("linux-amd64-cpux", "did you mean linux-amd64-cpu?"),
        ("gpu", "variants: linux-amd64-cpu, linux-arm64-cpu"),
    ],
)
def test_a_variant_that_is_none(export, name: str, hint: str) -> None:
    said = export(TWO, "--format", "pixi", "--variant", name)
    assert said.exit == 2
    assert said.stderr == f"error: one has no variant {name!r}\n  hint: {hint}\n"


def test_a_lock_that_is_stale_is_refused_with_the_input_that_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path, PLAIN)
    (tmp_path / "envs/one.yaml").write_text(PLAIN.replace("2026-01-01", "2026-01-02"))
    said = inside(["export", "one", "--format", "pixi", "-o", "x"], tmp_path, monkeypatch)
    assert (said.exit, said.stdout) == (2, "")
    assert said.stderr == (
        "error: one: lock is stale\n"
        "  as-of: 2026-01-01T00:00:00Z -> 2026-01-02T00:00:00Z\n"
        "  hint: envbuild lock one\n"
    )
    assert not (tmp_path / "x").exists()


def test_a_lock_whose_files_were_changed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path, CONDA)
    (tmp_path / "lockfiles/one/linux-64.explicit.txt").write_text("@EXPLICIT\n")
    said = inside(["export", "one", "--format", "explicit"], tmp_path, monkeypatch)
    assert said.exit == 2
    assert said.stderr.splitlines()[:2] == [
        "error: one: lock is broken",
        "  lockfiles/one/linux-64.explicit.txt was changed since it was locked",
    ]


def test_explicit_is_the_lock_s_own_file(export) -> None:
    said = export(CONDA, "--format", "explicit")
    assert said.stdout.encode() == lock_folder(CONDA)["linux-64.explicit.txt"]


def test_a_container_needs_its_dockerfile_and_who_accepts_the_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path, "accept-eula: false\n" + PLAIN)
    words = ["export", "one", "--format", "devcontainer"]
    note = "NVIDIA's licence terms are not accepted: who accepts them sets ACCEPT_EULA=Y and OMNI_KIT_ACCEPT_EULA=YES\n"
    said = inside(words, tmp_path, monkeypatch)
    assert said.stderr == (
        f"{note}warning: Dockerfiles/one/Dockerfile, which it builds, is not as rendered\n"
        "  hint: envbuild render one\n"
    )
    assert inside(["render", "one"], tmp_path, monkeypatch).exit == 0
    assert inside(words, tmp_path, monkeypatch).stderr == note
    build = json.loads(said.stdout)["build"]
    there = tmp_path / ".devcontainer"
    there.mkdir()
    assert (there / build["dockerfile"]).is_file()
    assert (there / build["context"]).is_dir()


def test_a_full_profile_is_exported(export) -> None:
    for form in ("requirements", "pixi", "devcontainer"):
        assert export(FULL, "--format", form, said=BUILT).exit == 0


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("envs", "error: envs is a folder\n  hint: name a file in it\n"),
        ("new/", "error: new/ is a folder\n  hint: name a file in it\n"),
        ("new/x", "error: new is not a folder\n  hint: make it first: mkdir -p new\n"),
    ],
)
def test_a_place_that_cannot_be_written(export, output: str, message: str) -> None:
    said = export(PLAIN, "--format", "pixi", "-o", output)
    assert said.exit == 2
    assert said.stderr.endswith(message)
