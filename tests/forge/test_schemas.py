"""What is written, held against the schemas of the forges, zizmor, bash and shellcheck."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from envbuild.forge.actions import ACTIONS
from tests.forge.conftest import Write

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
FORMS = {
    "plain": (),
    "whole": (
        "--gpu-runner=self-hosted,gpu",
        "--gpu-runner=arm64=spark",
        "--runner=arm64=big",
        "--registry=ghcr.io/owner/images",
        "--shards=4",
        "--schedule=5 1 * * 1-5",
        "--history=git:nights/all",
    ),
    "other registry": ("--registry=registry.example.com/group/images", "--shards=1"),
}


def schema(kind: str, *files: Path) -> None:
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", f"vendor.{kind}", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def workflows(root: Path) -> list[Path]:
    found = sorted(root.glob(".github/workflows/*.yml"))
    assert found
    return found


def scripts(value: Any) -> Iterator[str]:
    """Every script of a workflow or a pipeline."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "run" and isinstance(inner, str):
                yield inner
            elif key in ("script", "before_script", "after_script"):
                yield "\n".join(_flat(inner))
            else:
                yield from scripts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scripts(inner)


def _flat(lines: list[Any]) -> Iterator[str]:
    """A list of scripts may hold an alias of another one."""
    for line in lines:
        yield from _flat(line) if isinstance(line, list) else (line,)


def good_bash(text: str) -> None:
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{text}"
    if shutil.which("shellcheck"):
        command = ["shellcheck", "--shell=bash", "--severity=warning", "--exclude=SC1091", "-"]
        done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("form", FORMS)
def test_github_takes_the_workflows(write: Write, form: str) -> None:
    texts = write("github", *FORMS[form])
    schema("github-workflows", *workflows(write.root))
    done = subprocess.run(
        [BIN / "zizmor", "--offline", "--format=json", *workflows(write.root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)) == (0, []), done.stdout
    for text in texts.values():
        data = yaml.safe_load(text)
        assert data["permissions"] == {}
        for script in scripts(data):
            assert "${{" not in script
            good_bash(script)
        for job in data["jobs"].values():
            assert "timeout-minutes" in job
            assert "permissions" in job


def test_who_may_write_what(write: Write) -> None:
    texts = write("github", *FORMS["whole"])
    may = {
        (Path(path).stem, name): {
            right for right, how in job["permissions"].items() if how == "write"
        }
        for path, text in texts.items()
        for name, job in yaml.safe_load(text)["jobs"].items()
    }
    assert {where: rights for where, rights in may.items() if rights} == {
        ("envbuild-nightly", "night"): {"packages"},
        ("envbuild-nightly", "report"): {"contents", "security-events"},
        ("envbuild-pull-request", "check"): {"security-events"},
        ("envbuild-pull-request", "build"): {"packages"},
        ("envbuild-relock", "propose"): {"contents", "pull-requests"},
    }
    without = write("github", "--registry=", "--no-sarif")
    assert "packages: write" not in "".join(without.values())
    assert "security-events" not in "".join(without.values())


def test_every_action_is_a_known_one_at_its_commit(write: Write) -> None:
    used = {
        line.partition("uses: ")[2]
        for text in write("github").values()
        for line in text.splitlines()
        if "uses: " in line
    }
    assert used == {str(action) for action in ACTIONS.values()}
    tests = (ROOT / ".github/workflows/tests.yml").read_text()
    assert f"uses: {ACTIONS['checkout']}\n" in tests


@pytest.mark.parametrize("form", FORMS)
def test_gitlab_takes_the_pipeline(write: Write, form: str) -> None:
    text = write("gitlab", *FORMS[form])[".gitlab-ci.yml"]
    schema("gitlab-ci", write.root / ".gitlab-ci.yml")
    for script in scripts(yaml.safe_load(text)):
        good_bash(script)


@pytest.mark.parametrize("runtime", ["apptainer", "pyxis", "podman"])
def test_the_jobs_of_a_cluster_are_good_bash(write: Write, runtime: str) -> None:
    more = ("--partition=gpu", "--account=lab", "--gres=gpu:1", "--memory=32G")
    texts = write("slurm", f"--runtime={runtime}", "--images=ghcr.io/o/r", *more)
    names = ["slurm/night.sbatch", "slurm/report.sbatch", "slurm/submit"]
    assert [name for name in sorted(texts) if not name.endswith(".def")] == names
    for name in names:
        good_bash(texts[name])
    assert (write.root / "slurm/submit").stat().st_mode & 0o111
    night = texts["slurm/night.sbatch"].splitlines()
    directives = [line for line in night if line.startswith("#SBATCH")]
    first = next(number for number, line in enumerate(night) if line and line[0] != "#")
    assert all(number < first for number, line in enumerate(night) if line in directives)
    assert {"#SBATCH --partition=gpu", "#SBATCH --gres=gpu:1", "#SBATCH --requeue"} < {*directives}


def test_a_definition_of_apptainer_is_of_the_image_and_its_lock(write: Write) -> None:
    texts = write("slurm", "--images=ghcr.io/o/r")
    text = texts["slurm/apptainer/child/linux-amd64-cpu.def"]
    assert "\nBootstrap: docker\nFrom: ghcr.io/o/r/child:linux-amd64-cpu\n" in text
    assert "\n# Lock: sha256:" in text
    assert "    /opt/parent/bin/python -c 'import json, ssl'\n" in text
    again = write("slurm", "--images=oci:built")
    text = again["slurm/apptainer/child/linux-amd64-cpu.def"]
    assert "\nBootstrap: oci\nFrom: built/child/linux-amd64-cpu\n" in text


def test_our_own_repository_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for forge in ("github", "gitlab"):
        done = subprocess.run(
            [BIN / "envbuild", "-C", ROOT, "ci", forge, "--check"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_the_hooks_of_others_are_our_own() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    own = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    ours = {hook["id"]: hook for hook in own}
    assert [hook["id"] for hook in hooks] == [
        "envbuild-check",
        "envbuild-lock-check",
        "envbuild-render-check",
    ]
    for hook in hooks:
        assert hook | {"language": "system"} == ours[hook["id"]]
