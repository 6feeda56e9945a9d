"""One image, made by an engine that is a table: when it gets its names, and when it is removed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from envbuild.build import doing, records
from envbuild.build.doing import Bench, Order
from envbuild.build.guarding import Expected, RefusedError
from envbuild.build.leaks import Hidden
from envbuild.build.secrets import Needle
from envbuild.engines.model import BuildRequest, Engine
from envbuild.errors import ToolError
from envbuild.tools.proc import Command, Outcome
from tests.support.image import docker_archive, layer
from tests.unit.build.test_records import ORIGIN

WORDS = "correct horse battery staple"
NEW = "sha256:" + hashlib.sha256(b"new").hexdigest()


class Podman:
    """An engine that has images by name and identity; what it builds is always the same."""

    def __init__(self, *, fails: str = "") -> None:
        self.names: dict[str, str] = {}
        self.identities: set[str] = set()
        self.user = "1234"
        self.files = {"opt/a": "clean"}
        self.fails = fails
        self.error = "no"
        self.calls: list[tuple[str, ...]] = []

    def follow(self, command: Command, log: str, line: Callable[[str], None]) -> Outcome:
        line("STEP 1/1: FROM x")
        Path(log).write_text("STEP 1/1: FROM x\n")
        if self.fails == "build":
            return self._said(command, f"Error: {self.error}", code=1)
        (path,) = [one for one in command.argv if one.startswith("--iidfile=")]
        Path(path.removeprefix("--iidfile=")).write_text(NEW)
        self.identities.add(NEW)
        return self._said(command)

    def run(self, command: Command) -> Outcome:
        self.calls.append(command.argv[1:])
        verb, *rest = command.argv[1:]
        if verb == self.fails:
            return self._said(command, f"Error: {self.error}", code=1)
        if verb == "image":
            return self._inspect(command, rest)
        if verb == "tag":
            self.names[rest[1]] = rest[0]
        elif verb == "rmi":
            for name in rest:
                self.identities.discard(self.names.pop(name, name))
        elif verb == "save":
            (path,) = [one for one in rest if one.startswith("--output=")]
            docker_archive(Path(path.removeprefix("--output=")), [layer(self.files), layer({})])
        else:
            raise AssertionError(command.argv)
        return self._said(command)

    def _inspect(self, command: Command, rest: list[str]) -> Outcome:
        identity = self.names.get(rest[-1], rest[-1])
        if identity not in self.identities:
            return self._said(command, "Error: no such image", code=125)
        if "--format" in rest:
            return self._said(command, out="[]")
        said = {
            "Id": identity.removeprefix("sha256:"),
            "Os": "linux",
            "Architecture": "amd64",
            "Size": 12,
            "RepoTags": [name for name, one in self.names.items() if one == identity],
            "Config": {"User": self.user, "WorkingDir": "/w", "Labels": {"a": "b"}},
        }
        return self._said(command, out=json.dumps([said]))

    def _said(self, command: Command, err: str = "", *, out: str = "", code: int = 0) -> Outcome:
        return Outcome(command=command, code=code, stdout=out, stderr=err, seconds=1.0)


ENGINE = Engine(name="podman", builder="podman", program=("podman",), version="5.0")


def bench(podman: Podman) -> Bench:
    return Bench(
        engine=ENGINE, environ={}, runner=podman.run, clean=podman.run, follow=podman.follow
    )


def order(root: Path, **changed: object) -> Order:
    made = Order(
        profile="arm",
        variant="v",
        request=BuildRequest(dockerfile="/c/Dockerfile", context="/c", platform="linux/amd64"),
        names=("arm:v", "r.example/arm:1"),
        base="base:1",
        base_digest="sha256:5",
        lock_digest="sha256:1",
        origin=ORIGIN,
        expected=Expected(
            labels={"a": "b"}, platform="linux/amd64", workdir="/w", users=("robot", "1234")
        ),
        log=doing.log_path(str(root), "arm", "v"),
        scratch=f"{root}/contexts/arm.v.image",
    )
    return msgspec.structs.replace(made, **changed)


def make(root: Path, podman: Podman, **changed: object) -> records.BuiltImage:
    lines: list[str] = []
    made = doing.make(order(root, **changed), bench(podman), root=str(root), line=lines.append)
    assert lines == ["STEP 1/1: FROM x"]
    return made


def left(root: Path) -> list[str]:
    folder = root / "contexts"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


SEARCHED = {
    "searched": True,
    "hidden": Hidden(needles=(Needle(name="the secret t", content=WORDS.encode()),)),
}


def test_an_image_is_named_and_remembered(tmp_path: Path) -> None:
    podman = Podman()
    made = make(tmp_path, podman)
    assert podman.names == {"arm:v": NEW, "r.example/arm:1": NEW}
    assert (made.reference, made.identity, made.size) == ("arm:v", NEW, 12)
    assert made.base_digest == "sha256:5"
    assert made.log == ".envbuild/logs/build-arm.v.log"
    assert records.read(str(tmp_path), "arm", "v") == made


def test_a_build_that_fails_leaves_its_log_and_nothing_else(tmp_path: Path) -> None:
    podman = Podman(fails="build")
    with pytest.raises(ToolError, match="could not build"):
        make(tmp_path, podman)
    assert podman.names == {}
    assert records.read(str(tmp_path), "arm", "v") is None
    assert (tmp_path / ".envbuild/logs/build-arm.v.log").exists()


def test_an_image_that_is_not_what_was_meant_is_removed(tmp_path: Path) -> None:
    podman = Podman()
    podman.user = ""
    with pytest.raises(RefusedError, match="it runs as root"):
        make(tmp_path, podman)
    assert podman.identities == set()
    assert podman.names == {}
    assert records.read(str(tmp_path), "arm", "v") is None


def test_an_image_that_had_a_name_before_is_not_removed(tmp_path: Path) -> None:
    podman = Podman()
    make(tmp_path, podman)
    podman.user = ""
    with pytest.raises(RefusedError):
        make(tmp_path, podman, names=("other:1",))
    assert podman.identities == {NEW}
    assert podman.names["arm:v"] == NEW
    assert "other:1" not in podman.names


def test_layers_are_read_where_there_is_a_secret(tmp_path: Path) -> None:
    podman = Podman()
    make(tmp_path, podman, **SEARCHED)
    podman = Podman()
    podman.files = {"opt/a": f"the {WORDS}"}
    make(tmp_path, podman)  # nobody looks
    podman = Podman()
    podman.files = {"opt/a": f"the {WORDS}"}
    with pytest.raises(RefusedError, match="the secret t is in /opt/a"):
        make(tmp_path / "other", podman, **SEARCHED)
    assert podman.identities == set()
    assert left(tmp_path / "other") == []


@pytest.mark.parametrize("step", ["tag", "save"])
def test_a_step_after_the_build_that_fails(tmp_path: Path, step: str) -> None:
    podman = Podman(fails=step)
    with pytest.raises(ToolError):
        make(tmp_path, podman, **SEARCHED)
    assert podman.identities == set()
    assert records.read(str(tmp_path), "arm", "v") is None
    assert left(tmp_path) == []


def test_an_interrupt_after_the_build(tmp_path: Path) -> None:
    podman = Podman()

    def interrupted(command: Command) -> Outcome:
        if command.argv[1] == "tag":
            raise KeyboardInterrupt
        return podman.run(command)

    tools = msgspec.structs.replace(bench(podman), runner=interrupted)
    with pytest.raises(KeyboardInterrupt):
        doing.make(order(tmp_path), tools, root=str(tmp_path), line=lambda _: None)
    assert podman.identities == set()
    assert records.read(str(tmp_path), "arm", "v") is None


def test_images_that_are_missing() -> None:
    podman = Podman()
    podman.names, podman.identities = {"base:1": NEW}, {NEW}
    doing.refuse_absent(["base:1"], bench(podman))
    with pytest.raises(ToolError, match="podman does not have other:1, and --offline"):
        doing.refuse_absent(["base:1", "other:1"], bench(podman))


def test_logs_are_turned_over(tmp_path: Path) -> None:
    for text in ("first", "second", "third"):
        Path(doing.log_path(str(tmp_path), "arm", "v")).write_text(text)
    folder = tmp_path / ".envbuild/logs"
    kept = {path.name: path.read_text() for path in folder.iterdir()}
    assert kept == {"build-arm.v.log": "third", "build-arm.v.log.1": "second"}


@pytest.mark.parametrize(
    ("said", "hint"), [("no such host", "--mirror"), ("access denied", "log in to the registry")]
)
def test_a_base_that_cannot_be_fetched_has_a_way_out(said: str, hint: str) -> None:
    podman = Podman(fails="pull")
    podman.error = said
    with pytest.raises(ToolError) as caught:
        doing.pull(["nvcr.io/x:1"], bench(podman), platform="linux/amd64", say=lambda _: None)
    assert hint in (caught.value.hint or "")
