"""What is asked of engines about images, and what is read from their answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from envbuild.engines import images
from envbuild.engines.model import Engine, ImageFacts
from envbuild.errors import InputError, ToolError
from envbuild.tools.proc import Command

from .table import BUILDAH, BUILDKIT, ENGINES, PODMAN, Answer, Table, option

CONFIG = {
    "Env": ["A=b=c", "EMPTY="],
    "Labels": {"y": "2", "x": "1"},
    "Entrypoint": ["/run.sh"],
    "Cmd": ["-c"],
    "User": "isaac",
    "WorkingDir": "/w",
}
DIGITS = "1" * 64
FACTS = ImageFacts(
    identity=f"sha256:{DIGITS}",
    platform="linux/amd64",
    size=7,
    labels=(("x", "1"), ("y", "2")),
    entrypoint=("/run.sh",),
    command=("-c",),
    environment=(("A", "b=c"), ("EMPTY", "")),
    user="isaac",
    workdir="/w",
)


def inspected(engine: Engine, names: tuple[str, ...] = ()) -> str:
    if engine is BUILDAH:
        config = {"os": "linux", "architecture": "amd64", "config": CONFIG}
        manifest = {"layers": [{"size": 3}, {"size": 4}]}
        said = {"FromImageID": DIGITS, "Config": json.dumps(config)}
        return json.dumps({**said, "Manifest": json.dumps(manifest)})
    identity = DIGITS if engine is PODMAN else f"sha256:{DIGITS}"
    system = {"Os": "linux", "Architecture": "amd64", "Size": 7}
    return json.dumps([{"Id": identity, **system, "Config": CONFIG, "RepoTags": names}])


UNKNOWN = {
    "podman": "Error: inspecting object: p: image not known",
    "buildah": "Error: importing settings: p: image not known",
    "docker": "Error response from daemon: no such image: p: No such image: p:latest",
}

every = pytest.mark.parametrize("engine", ENGINES, ids=lambda one: one.builder)


@every
def test_facts(engine: Engine) -> None:
    table = Table(("inspect p", (0, inspected(engine), "")))
    assert images.facts(engine, "p", runner=table, environ={}) == FACTS


@every
def test_an_image_without_settings(engine: Engine) -> None:
    """docker and podman write null for what an image does not set."""
    if engine is BUILDAH:
        said = json.dumps(
            {"FromImageID": DIGITS, "Config": '{"config": null}', "Manifest": '{"layers": null}'}
        )
    else:
        said = '[{"Id": "1", "Config": {"Env": null, "Labels": null, "Cmd": null}}]'
    found = images.facts(engine, "p", runner=Table(("inspect", (0, said, ""))), environ={})
    assert found is not None
    assert (found.labels, found.environment, found.command, found.size) == ((), (), (), 0)


@every
def test_an_image_that_is_not_there(engine: Engine) -> None:
    table = Table(("inspect", (1, "[]\n", UNKNOWN[engine.name])))
    assert images.facts(engine, "p", runner=table, environ={}) is None
    assert not images.remove(engine, "p", runner=table, environ={})


@every
def test_an_engine_that_fails_is_no_missing_image(engine: Engine) -> None:
    table = Table(("inspect", (1, "", "Error: database is locked")))
    with pytest.raises(ToolError, match=f"^{engine.name} cannot say what the image p is: database"):
        images.facts(engine, "p", runner=table, environ={})
    with pytest.raises(ToolError, match="in JSON"):
        images.facts(engine, "p", runner=Table(("inspect", (0, "x", ""))), environ={})


@every
@pytest.mark.parametrize(
    "call",
    [
        lambda engine, table: images.facts(engine, "-v", runner=table, environ={}),
        lambda engine, table: images.tag(engine, "-v", name="x", runner=table, environ={}),
        lambda engine, table: images.tag(engine, "x", name="--y", runner=table, environ={}),
        lambda engine, table: images.push(engine, "-v", runner=table, environ={}),
        lambda engine, table: images.pull(engine, "-v", platform="a/b", runner=table, environ={}),
        lambda engine, table: images.save(engine, "-v", folder="/x", runner=table, environ={}),
        lambda engine, table: images.remove(engine, "-v", runner=table, environ={}),
        lambda engine, table: images.remove(engine, "", runner=table, environ={}),
    ],
)
def test_nothing_is_taken_for_an_option(
    engine: Engine, call: Callable[[Engine, Table], object]
) -> None:
    with pytest.raises(InputError):
        call(engine, Table())


@every
def test_tag(engine: Engine) -> None:
    table = Table(("tag", (0, "", "")))
    images.tag(engine, "sha256:1", name="p:light", runner=table, environ={})
    assert table.lines() == [f"{engine.program[0]} tag sha256:1 p:light"]
    table = Table(("tag", (125, "", "Error: no such thing")))
    with pytest.raises(ToolError, match="cannot name an image p:light: no such thing"):
        images.tag(engine, "sha256:1", name="p:light", runner=table, environ={})


DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize("engine", [PODMAN, BUILDAH], ids=["podman", "buildah"])
@pytest.mark.parametrize(
    ("ref", "plain"),
    [
        ("127.0.0.1:5000/x:1", True),
        ("localhost:5000/x", True),
        ("localhost/x", True),
        ("nvcr.io/x:1", False),
        ("127.example.com/x", False),
        ("x:1", False),
    ],
)
def test_push_of_podman_and_buildah(engine: Engine, ref: str, plain: bool) -> None:
    def answer(command: Command) -> Answer:
        Path(option(command, "--digestfile")).write_text(DIGEST)
        return 0, "", ""

    table = Table(("push", answer))
    assert images.push(engine, ref, runner=table, environ={}) == DIGEST
    assert ("--tls-verify=false" in table.asked[0].argv) is plain
    assert table.asked[0].argv[-1] == ref


def test_push_of_docker() -> None:
    said = f"The push refers to repository [r/x]\n1: digest: {DIGEST} size: 529\n"
    table = Table(("push", (0, said, "")))
    assert images.push(BUILDKIT, "127.0.0.1:5000/x:1", runner=table, environ={}) == DIGEST
    assert table.lines() == ["/bin/docker push 127.0.0.1:5000/x:1"]


@every
def test_a_push_that_fails(engine: Engine) -> None:
    table = Table(("push", (1, "", "Error: unauthorized: access denied")))
    with pytest.raises(ToolError, match="cannot push r/x: unauthorized") as caught:
        images.push(engine, "r/x", runner=table, environ={})
    assert "log in" in (caught.value.hint or "")
    with pytest.raises(ToolError, match="say the digest of r/x"):
        images.push(engine, "r/x", runner=Table(("push", (0, "", ""))), environ={})


@every
def test_pull(engine: Engine) -> None:
    rows = (("pull", (0, "", "")), ("inspect", (0, inspected(engine), "")))
    table = Table(*rows)
    got = images.pull(engine, "r/x@sha256:0", platform="linux/amd64", runner=table, environ={})
    assert got == FACTS.identity
    assert table.lines()[0] == f"{engine.program[0]} pull --platform=linux/amd64 r/x@sha256:0"
    with pytest.raises(ToolError, match="fetch r/x for linux/arm64: it is for linux/amd64"):
        images.pull(engine, "r/x", platform="linux/arm64", runner=Table(*rows), environ={})
    table = Table(("pull", (1, "", "Error: connection refused")))
    with pytest.raises(ToolError, match="fetch r/x for linux/arm64: connection refused"):
        images.pull(engine, "r/x", platform="linux/arm64", runner=table, environ={})


@pytest.mark.parametrize("engine", [PODMAN, BUILDKIT], ids=["podman", "docker"])
def test_an_image_goes_with_all_its_names(engine: Engine) -> None:
    said = inspected(engine, ("a:1", "b:2"))
    table = Table(("inspect", (0, said, "")), ("rmi", (0, "", "")))
    assert images.remove(engine, "sha256:1", runner=table, environ={})
    assert table.lines()[-1] == f"{engine.program[0]} rmi a:1 b:2"


def test_buildah_says_names_in_its_list_alone() -> None:
    listed = [{"id": "2" * 64, "names": ["c:3"]}, {"id": DIGITS, "names": ["a:1"]}]
    table = Table(
        ("inspect", (0, inspected(BUILDAH), "")),
        ("images --json", (0, json.dumps(listed), "")),
        ("rmi", (0, "", "")),
    )
    assert images.remove(BUILDAH, "x", runner=table, environ={})
    assert table.lines()[-1] == "/bin/buildah rmi a:1"


@every
def test_an_image_in_use_is_told(engine: Engine) -> None:
    table = Table(
        ("inspect", (0, inspected(engine), "")),
        ("images --json", (0, "[]", "")),
        ("rmi", (2, "", "Error: image used by 0123: image is in use by a container")),
    )
    with pytest.raises(ToolError, match="cannot remove the image x: image used by 0123"):
        images.remove(engine, "x", runner=table, environ={})
    assert table.lines()[-1] == f"{engine.program[0]} rmi x"


@every
def test_a_name_is_taken_from_its_image_alone(engine: Engine) -> None:
    table = Table(("rmi", (0, "", "")))
    assert images.unname(engine, "p:a", runner=table, environ={})
    assert table.lines() == [f"{engine.program[0]} rmi p:a"]
    gone = Table(("rmi", (1, "", UNKNOWN[engine.name])))
    assert not images.unname(engine, "p:a", runner=gone, environ={})
    used = Table(("rmi", (1, "", "Error: image is in use by a container")))
    with pytest.raises(ToolError, match="take the name p:a from its image"):
        images.unname(engine, "p:a", runner=used, environ={})
