"""``envbuild ci``: what it remembers, what it leaves alone, and what it refuses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import Said, inside
from tests.cli.samples import envbuild, locked, profile

NIGHT = ".github/workflows/envbuild-nightly.yml"


class Space:
    """A workspace with one profile."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._monkeypatch = monkeypatch
        profile(root, "one")

    def ci(self, *arguments: str) -> Said:
        return inside(["ci", *arguments], self.root, self._monkeypatch)

    def text(self, name: str = NIGHT) -> str:
        return (self.root / name).read_text()


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    return Space(tmp_path, monkeypatch)


def test_options_are_remembered_until_they_are_taken_back(space: Space) -> None:
    said = space.ci("github", "--shards", "5", "--gpu-runner", "it,gpu", "--no-sarif")
    assert said.exit == 0, said.stderr
    mark = "# Written by envbuild. Do not edit: envbuild ci github"
    assert space.text().startswith(f"{mark} --gpu-runner it,gpu --shards 5 --no-sarif\n")
    before = space.text()
    assert space.ci("github", "--check").exit == 0
    said = space.ci("github")
    assert said.stderr.count("unchanged") == 3
    assert space.text() == before
    assert space.ci("github", "--shards", "2", "--gpu-runner", "", "--sarif").exit == 0
    assert space.text().startswith(f"{mark} --shards 2 --sarif\n")


def test_drift_is_said_with_the_lines_that_differ(space: Space) -> None:
    space.ci("github")
    path = space.root / NIGHT
    path.write_text(space.text().replace("timeout-minutes: 360", "timeout-minutes: 9"))
    (space.root / ".github/workflows/envbuild-relock.yml").unlink()
    said = space.ci("github", "--check")
    assert said.exit == 1
    assert f"error: {NIGHT}: differs\n" in said.stderr
    assert "  -    timeout-minutes: 9\n  +    timeout-minutes: 360\n" in said.stderr
    assert "envbuild-relock.yml: missing\n" in said.stderr
    assert said.stderr.endswith("hint: envbuild ci github\n")
    said = space.ci("github", "--dry-run")
    assert said.exit == 0
    assert f"run  write {NIGHT}" in said.stdout
    assert space.ci("github").exit == 0
    assert space.ci("github", "--check").exit == 0


def test_a_file_of_somebody_else_is_left_alone(space: Space) -> None:
    path = space.root / ".gitlab-ci.yml"
    path.write_text("stages: [mine]\n")
    said = space.ci("gitlab")
    assert said.exit == 2
    assert ".gitlab-ci.yml is not envbuild's" in said.stderr
    assert "--force" in said.stderr
    assert path.read_text() == "stages: [mine]\n"
    assert space.ci("gitlab", "--check").exit == 1
    assert space.ci("gitlab", "--force").exit == 0
    assert path.read_text().startswith("# Written by envbuild.")


def test_a_link_is_never_written_through(space: Space) -> None:
    (space.root / "real").write_text("# Written by envbuild. Do not edit: envbuild ci gitlab\n")
    (space.root / ".gitlab-ci.yml").symlink_to("real")
    assert space.ci("gitlab").exit == 2
    assert space.ci("gitlab", "--force").exit == 0
    assert not (space.root / ".gitlab-ci.yml").is_symlink()
    assert space.text("real").count("\n") == 1


def test_a_mark_with_options_that_there_are_not(space: Space) -> None:
    path = space.root / ".gitlab-ci.yml"
    path.write_text("# Written by envbuild. Do not edit: envbuild ci gitlab --nonsense 1\n")
    said = space.ci("gitlab", "--check")
    assert said.exit == 2
    assert "the first line of .gitlab-ci.yml names options that cannot be read" in said.stderr


def test_printed_and_elsewhere(space: Space) -> None:
    said = space.ci("github", "--stdout")
    assert said.stdout.count("# --- .github/workflows/envbuild-") == 3
    assert not (space.root / ".github").exists()
    assert space.ci("github", "--output", "else/where").exit == 0
    assert (space.root / "else/where" / NIGHT).is_file()


def test_an_own_template_wins(space: Space) -> None:
    path = space.root / "templates/ci/gitlab/gitlab-ci.yml.j2"
    path.parent.mkdir(parents=True)
    path.write_text("<{ mark }>\nown: <{ install | yaml }>\n")
    assert space.ci("gitlab", "--install", ".").exit == 0
    assert space.text(".gitlab-ci.yml").endswith('\nown: "."\n')
    path.write_text("<{ mark }>\n<{ nothing }>\n")
    said = space.ci("gitlab")
    assert said.exit == 2
    assert "templates/ci/gitlab/gitlab-ci.yml.j2" in said.stderr
    assert "'nothing' is undefined" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("github", "--runner", "${{ x }}"), "cannot stand in a workflow"),
        (("github", "--runner", "mips=x"), "'mips' is no architecture"),
        (("github", "--gpu-runner", "a", "--gpu-runner", "b"), "names amd64 twice"),
        (("github", "--schedule", "@daily"), "--schedule '@daily' cannot stand"),
        (("github", "--registry", "ghcr.io/Big"), "--registry 'ghcr.io/Big' cannot stand"),
        (("github", "--history", "folder"), "--history 'folder' cannot stand"),
        (("github", "--install", "a; id"), "--install 'a; id' cannot stand"),
        (("github", "--shards", "0"), "0 is not in the range"),
        (("slurm", "--runtime", "pyxis"), "takes its images from a registry"),
        (("slurm", "--time", "soon"), "--time 'soon' cannot stand"),
        (("slurm", "--images", "x"), "--images 'x' cannot stand"),
        (("slurm",), "one has no lock for linux-amd64-cpu"),
        (("targets", "--shards", "2"), "--shards goes with --matrix"),
        (("targets", "--machine", "big"), "there is no machine 'big'"),
        (("targets", "--shard", "3/2"), "is no part"),
        (("targets", "--base", "HEAD"), "this is no git repository"),
        (("merge", "gone.json"), "gone.json does not exist"),
        (("nothing",), "no such command"),
    ],
)
def test_what_cannot_be_is_refused(space: Space, arguments: tuple[str, ...], said: str) -> None:
    answer = space.ci(*arguments)
    assert (answer.exit, said in answer.stderr) == (2, True), answer.stderr
    assert not (space.root / ".github").exists()
    assert not (space.root / "slurm").exists()


def test_a_revision_that_there_is_not(space: Space) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=space.root, check=True)
    said = space.ci("targets", "--base", "nothing")
    assert said.exit == 2
    assert "there is no revision 'nothing'" in said.stderr
    assert "shallow" in said.stderr


def test_more_variants_than_a_matrix_holds(space: Space) -> None:
    for number in range(257):
        profile(space.root, f"p{number}")
    said = space.ci("targets", "--matrix")
    assert said.exit == 2
    assert "258 variants are more than the 256" in said.stderr
    rows = json.loads(space.ci("targets", "--matrix", "--shards", "8").stdout)["include"]
    assert len(rows) == 8
    assert len(rows[0]["profiles"]) == 258


def test_what_has_no_machine_is_said(space: Space) -> None:
    path = space.root / "envs/one.yaml"
    path.write_text(path.read_text().replace("amd64", "arm64"))
    said = space.ci("targets", "--runner", "arm64=x", "--matrix")
    assert '"runner":["x"]' in said.stdout
    assert space.ci("targets", "--machine", "amd64", "--lines").stdout == ""


def test_definitions_follow_the_profiles(tmp_path: Path) -> None:
    locked(tmp_path, "one", "two")
    assert envbuild(tmp_path, "ci", "slurm").exit == 0
    gone = tmp_path / "slurm/apptainer/two/linux-amd64-cpu.def"
    foreign = tmp_path / "slurm/apptainer/mine.def"
    foreign.write_text("Bootstrap: docker\n")
    assert gone.is_file()
    (tmp_path / "envs/two.yaml").unlink()
    said = envbuild(tmp_path, "ci", "slurm", "--check")
    assert said.exit == 1
    assert "two/linux-amd64-cpu.def: nothing asks for it" in said.stderr
    assert envbuild(tmp_path, "ci", "slurm").exit == 0
    assert not gone.exists()
    assert foreign.is_file()


def test_an_image_where_no_runtime_is(tmp_path: Path) -> None:
    locked(tmp_path, "one")
    path = tmp_path / "envs/one.yaml"
    path.write_text(path.read_text() + "smoke:\n  - name: plain\n    imports: [json]\n")
    said = envbuild(tmp_path, "ci", "smoke", "one", "--runtime", "apptainer", "--image", "no.sif")
    assert said.exit == 2
    assert "there is no image" in said.stderr
    (tmp_path / "no.sif").write_text("")
    said = envbuild(tmp_path, "ci", "smoke", "one", "--runtime", "apptainer", "--image", "no.sif")
    assert said.exit == 3
    assert "apptainer is not installed" in said.stderr
