"""An image that no engine here keeps: checked as an archive, pushed by its builder."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from envbuild.build import elsewhere, records
from envbuild.build.doing import Bench
from envbuild.build.guarding import RefusedError
from envbuild.engines.model import Capabilities, Engine, Remote
from envbuild.errors import ToolError
from envbuild.tools.proc import Command, Outcome
from tests.support.image import layer
from tests.unit.build.test_doing import SEARCHED, WORDS, order

PUSHES = ("r.example/arm:1", "r.example/arm:2")
CLIENT = ("docker", "buildx")
ENGINE = Engine(
    name="docker",
    builder="buildx",
    program=("docker",),
    version="client",
    capabilities=Capabilities(clamp="export", runs=False),
    remote=Remote(name="far", driver="remote", client=CLIENT),
    keeps=False,
)


class Far:
    """A builder that writes archives, and notes what it pushes; ``other``: what it pushes then is
    another image than what it has given."""

    def __init__(self, *, other: bool = False, user: str = "1234", text: str = "clean") -> None:
        self.other = other
        self.user = user
        self.text = text
        self.pushed: list[str] = []
        self.identity = ""

    def follow(self, command: Command, log: str, line: Callable[[str], None]) -> Outcome:
        Path(log).write_text("#1 DONE\n")
        line("#1 DONE")
        (output,) = [one for one in command.argv if one.startswith("--output=")]
        (place,) = [one for one in command.argv if one.startswith("--metadata-file=")]
        if "dest=" in output:
            self._archive(Path(output.partition("dest=")[2].partition(",")[0]))
        else:
            self.pushed.append(output)
        config = "sha256:other" if self.other and self.pushed else self.identity
        said = {"containerimage.digest": "sha256:9", "containerimage.config.digest": config}
        Path(place.partition("=")[2]).write_text(json.dumps(said))
        return Outcome(command=command, code=0, stdout="", stderr="", seconds=1.0)

    def _archive(self, path: Path) -> None:
        settings = {"User": self.user, "WorkingDir": "/w", "Labels": {"a": "b"}}
        said = {"config": settings, "os": "linux", "architecture": "amd64"}
        config = json.dumps(said).encode()
        self.identity = f"sha256:{hashlib.sha256(config).hexdigest()}"
        manifest = json.dumps([{"Config": "config.json", "Layers": ["layer.tar"]}]).encode()
        with tarfile.open(path, "w") as tar:
            for name, data in (
                ("manifest.json", manifest),
                ("config.json", config),
                ("layer.tar", layer({"opt/a": self.text})),
            ):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def make(root: Path, far: Far, **changed: object) -> records.BuiltImage:
    def never(command: Command) -> Outcome:
        raise AssertionError(command.argv)

    bench = Bench(engine=ENGINE, environ={}, runner=never, clean=never, follow=far.follow)
    (root / "contexts").mkdir(exist_ok=True)
    asked = msgspec.structs.replace(order(root), **changed)
    return elsewhere.make(asked, bench, pushes=PUSHES, root=str(root), line=lambda _: None)


def test_it_is_checked_and_then_pushed_under_all_names(tmp_path: Path) -> None:
    far = Far()
    made = make(tmp_path, far)
    assert (made.identity, made.digest, made.tags) == (far.identity, "sha256:9", PUSHES)
    assert made.builder == "far"
    bare, named = far.pushed
    assert '"name=r.example/arm",push=true' in bare
    assert "push-by-digest=true" in bare
    assert '"name=r.example/arm:1,r.example/arm:2",push=true' in named
    assert records.read(str(tmp_path), "arm", "v") == made
    assert list((tmp_path / "contexts").iterdir()) == []
    assert [one.name for one in (tmp_path / ".envbuild/logs").iterdir()] == ["build-arm.v.log"]


def test_what_is_not_what_was_meant_is_pushed_nowhere(tmp_path: Path) -> None:
    far = Far(user="")
    with pytest.raises(RefusedError, match="it runs as root"):
        make(tmp_path, far)
    assert far.pushed == []
    assert records.read(str(tmp_path), "arm", "v") is None


def test_what_holds_a_secret_is_pushed_nowhere(tmp_path: Path) -> None:
    far = Far(text=f"the {WORDS}")
    with pytest.raises(RefusedError, match="the secret t is in /opt/a"):
        make(tmp_path, far, **SEARCHED)
    assert far.pushed == []


def test_another_image_gets_no_name(tmp_path: Path) -> None:
    far = Far(other=True)
    with pytest.raises(ToolError, match="the builder far gave another image"):
        make(tmp_path, far)
    assert len(far.pushed) == 1
    assert "push-by-digest=true" in far.pushed[0]
    assert records.read(str(tmp_path), "arm", "v") is None
