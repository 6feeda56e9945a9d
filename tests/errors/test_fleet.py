"""What is said of builders that are none, and of parts of a smoke run that are of no one run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli import samples
from tests.cli.running import Said, inside

INSPECT = """\
#!/bin/sh
case "$*" in
*"buildx version") echo "github.com/docker/buildx 0.13.1" ;;
*"inspect down") printf 'Name: down\\nDriver: remote\\n\\nNodes:\\nName: a\\nEndpoint: tcp://a:1\\nStatus: inactive\\n' ;;
*"inspect mute") echo "ERROR: certificate has expired" >&2; exit 1 ;;
*"inspect up") printf 'Name: up\\nDriver: remote\\n\\nNodes:\\nName: a\\nEndpoint: tcp://a:1\\nStatus: running\\n' ;;
*"inspect"*) echo 'ERROR: no builder "x" found' >&2; exit 1 ;;
*) echo "Cannot connect to the Docker daemon. Is the docker daemon running?" >&2; exit 1 ;;
esac
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ws")
    samples.profile(root, "one")
    for stage in (("lock", "--offline"), ("render",)):
        said = samples.envbuild(root, *stage)
        assert said.exit == 0, said.stderr
    (root / "bin").mkdir()
    (root / "bin/docker").write_text(INSPECT)
    (root / "bin/docker").chmod(0o755)
    return root


def say(workspace: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Said:
    variables = {"PATH": str(workspace / "bin"), "XDG_CACHE_HOME": str(workspace / "cache")}
    return inside([*arguments], workspace, monkeypatch, variables)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--builder", "x"), 3, "there is no builder x: no builder"),
        (("--builder", "down"), 3, "the builder down is down: nothing answers at tcp://a:1"),
        (("--builder", "mute"), 3, "the builder mute does not answer: certificate has expired"),
        (("--builder", "up"), 3, "the builder up does not work here"),
        (("--builder", "up", "--engine", "docker"), 3, "docker does not work here"),
        (("--builder", "up", "--engine", "buildah"), 2, "buildah takes no image from a builder"),
        (("--builder", "-x"), 2, "'-x' is no builder's name"),
        (("--builder", "x", "--offline"), 2, "--offline does not go with --builder"),
    ],
    ids=str,
)
def test_a_builder_that_cannot_build(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    said = say(workspace, monkeypatch, "build", *arguments)
    assert (said.exit, said.stdout) == (code, ""), said.stderr
    assert words in said.stderr
    assert "hint: " in said.stderr
    assert not (workspace / ".envbuild/builds").exists()


def test_without_buildx_no_builder(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = inside(["build", "--builder", "x"], workspace, monkeypatch, {"PATH": "/nowhere"})
    assert said.exit == 3
    assert "--builder needs buildx, and it is not installed here" in said.stderr


# --- Parts of a smoke run -------------------------------------------------------------------------


def part(root: Path, name: str, shard: str, **changes: object) -> None:
    rows = [
        {"test": "a", "name": "verdict", "verdict": "pass"},
        {"test": "b", "name": "verdict", "verdict": "not-run", "reason": "in shard 2/2"},
    ]
    report = {
        "profile": "one",
        "variant": "linux-amd64-cpu",
        "image": "one:1",
        "engine": "podman",
        "checks": rows,
        "lock": "sha256:l",
        "content": "sha256:c",
        "shard": shard,
        "ok": True,
    }
    (root / name).write_text(json.dumps({"reports": [{**report, **changes}]}))


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    part(tmp_path, "1.json", "1/2")
    part(tmp_path, "2.json", "2/2")
    part(tmp_path, "locked.json", "2/2", lock="sha256:m")
    part(tmp_path, "image.json", "2/2", content="sha256:d")
    part(tmp_path, "three.json", "2/3")
    part(tmp_path, "whole.json", "")
    part(tmp_path, "two.json", "2/2", profile="two")
    part(tmp_path, "asked.json", "2/2", checks=[])
    part(tmp_path, "again.json", "1/2")
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "cut.json").write_text((tmp_path / "1.json").read_text()[:100])
    (tmp_path / "list.json").write_text("[]")
    return tmp_path


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("1.json", "locked.json"), "1.json is of another lock than locked.json"),
        (("1.json", "image.json"), "1.json is of another image than image.json"),
        (("1.json", "three.json"), "1.json is shard 1/2, and three.json shard 2/3"),
        (("1.json", "whole.json"), "whole.json is no part: it was made without --shard"),
        (("1.json", "two.json"), "1.json is of one/linux-amd64-cpu, and two.json of two/"),
        (("1.json", "asked.json"), "1.json has other checks than asked.json"),
        (("1.json", "again.json"), "1.json and again.json are both shard 1/2"),
        (("empty.json", "nothing.json"), "no shard has a result"),
        ((), "--merge wants the files"),
        (("1.json", "2.json", "--shard", "1/2"), "--merge does not go with --shard"),
        (("1.json", "2.json", "--test", "a"), "--merge does not go with --test"),
    ],
    ids=str,
)
def test_what_is_not_of_one_run_is_refused(
    parts: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], words: str
) -> None:
    said = inside(["smoke", "--merge", *names], parts, monkeypatch, {})
    assert (said.exit, said.stdout) == (2, "")
    assert words in said.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty.json", "empty.json is empty: its shard did not come to its end"),
        ("cut.json", "cut.json is cut, or no result of smoke --json"),
        ("list.json", "list.json is cut, or no result of smoke --json"),
        ("nothing.json", "nothing.json does not exist"),
    ],
)
def test_a_part_without_a_result_is_no_success(
    parts: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    said = inside(["smoke", "--merge", "1.json", name], parts, monkeypatch, {})
    assert said.exit == 1
    assert f"error: {words}" in said.stderr
    assert "error: shard 2/2 has no result: run it again, and merge once more" in said.stderr
    assert f"not run b/verdict: shard 2/2 has no result: {words}" in said.stdout


def test_merged_in_other_forms(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = inside(
        ["smoke", "--merge", "1.json", "--json", "--junit", "out.xml"], parts, monkeypatch, {}
    )
    assert said.exit == 1
    (report,) = json.loads(said.stdout)["reports"]
    assert (report["ok"], report["lost"]) == (False, ["2/2"])
    assert '<error message="shard 2/2 has no result"' in (parts / "out.xml").read_text()


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/2/3"])
def test_a_part_that_is_none(parts: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    said = inside(["smoke", "--shard", text], parts, monkeypatch, {})
    assert said.exit == 2
    assert said.stderr == (
        f"error: --shard '{text}' is no part\n  hint: --shard 2/3: the second of three\n"
    )
