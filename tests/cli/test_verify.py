"""``envbuild verify`` of saved images, and what it says of its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from envbuild.build.comparing import Difference
from envbuild.build.layout import Comparison, Group
from envbuild.cli import verify_report
from envbuild.cli.console import Console
from envbuild.cli.rebuilding import Rebuilt
from envbuild.lock import folder
from envbuild.lock.inputs import solver_input
from envbuild.lock.model import HEADER, LOCK_FORMAT, AptPins, FileDigest, ImagePin, Lock
from envbuild.profile.resolve import Source, resolve
from tests.cli.running import Said, inside
from tests.support.image import Layer, apt_packages, layer, python_package
from tests.support.layers import configuration
from tests.support.layers import image as layers_image
from tests.support.locks import package, variant
from tests.support.workspace import PROFILE

NAME = "linux-amd64-cu128"
SITE = "usr/lib/python3.11/site-packages"
BASE = "sha256:" + "b" * 64


class Space:
    """A workspace with one locked profile that asks for beta, and images of it."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = root / "ws"
        self._patch = patch
        (self.root / "envs").mkdir(parents=True)
        text = PROFILE.format(name="one", requirements="beta") + "apt: [curl]\n"
        (self.root / "envs/one.yaml").write_text(text)
        source = Source(name="one", file="envs/one.yaml", text=text)
        asked, _ = solver_input(
            resolve("one", {"one": source}).variants[0], as_of="2026-01-01T00:00:00Z"
        )
        wheels = f"beta==2.0 \\\n    --hash=sha256:{'a' * 64}\n    # via profile\n".encode()
        file = FileDigest(path=f"{NAME}.txt", sha256=folder.sha256(wheels))
        self.locked = msgspec.structs.replace(
            variant(package("beta", "2.0")),
            digest=folder.input_digest(asked),
            input=asked,
            wheels=file,
            images=(
                ImagePin(role="base", reference="docker.io/library/ubuntu:22.04", digest=BASE),
            ),
            apt=AptPins(archive="x", as_of="2026-01-01T00:00:00Z", packages=("curl=7.81",)),
        )
        lock = Lock(format=LOCK_FORMAT, profile="one", tools={}, variants={NAME: self.locked})
        place = self.root / "lockfiles/one"
        place.mkdir(parents=True)
        (place / HEADER).write_bytes(folder.encode(lock))
        (place / file.path).write_bytes(wheels)

    def image(self, *layers: Layer, **labels: str) -> str:
        found = {
            "io.envbuild.profile": "one",
            "io.envbuild.variant": NAME,
            "io.envbuild.lock-digest": folder.lock_digest(self.locked),
            "org.opencontainers.image.base.digest": BASE,
            **{key.replace("_", "."): value for key, value in labels.items()},
        }
        place = self.root.parent / "image"
        data = [layer(files) for files in layers]
        said = {"Labels": found, "WorkingDir": "/workspace/"}
        layers_image(place, *data, config=configuration(data, config=said))
        return f"oci:{place}"

    def verify(self, *arguments: str) -> Said:
        return inside(["verify", *arguments], self.root, self._patch)


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    return Space(tmp_path, monkeypatch)


GOOD: Mapping[str, str] = {**python_package(SITE, "beta", "2.0"), **apt_packages(("curl", "7.81"))}


def test_an_image_that_is_what_the_lock_says(space: Space) -> None:
    image = space.image(GOOD, python_package(SITE, "pip", "23.0"))
    for arguments in ((), ("one",), ("one", "--variant", NAME), ("--quick",)):
        said = space.verify("--image", image, *arguments)
        assert said.exit == 0, said.stderr
        assert f"one/{NAME}: {image} is what the lock says" in said.stderr
    (data,) = json.loads(space.verify("--image", image, "--json").stdout)
    assert data["status"] == "same"
    assert [note["what"] for note in data["notes"]] == ["pip"]
    assert not (space.root / ".envbuild/verify").exists()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (python_package(SITE, "beta", "1.0"), "beta: 2.0 in the lock, 1.0 in the image"),
        ({"etc/x": ""}, "beta: 2.0 in the lock, nothing in the image"),
        (apt_packages(("curl", "7.99")), "apt curl: 7.81 in the lock, 7.99 in the image"),
    ],
)
def test_packages_that_are_not_the_locks(space: Space, files: Layer, said: str) -> None:
    layers = (GOOD, {f"{SITE}/.wh..wh..opq": ""}, files) if "apt" not in said else (GOOD, files)
    found = space.verify("--image", space.image(*layers))
    assert found.exit == 1
    assert said in found.stderr
    assert "hint: envbuild build one" in found.stderr


def test_labels_of_another_lock_variant_or_base(space: Space) -> None:
    image = space.image(
        GOOD,
        io_envbuild_profile="one",
        **{
            "io.envbuild.lock-digest": "sha256:1",
            "org.opencontainers.image.base.digest": "sha256:2",
        },
    )
    found = space.verify("--image", image, "--quick")
    assert found.exit == 1
    assert "its label io.envbuild.lock-digest is sha256:1, and should be sha256:" in found.stderr
    assert f"it stands on sha256:2, and the lock on {BASE}" in found.stderr


def test_a_stale_lock_says_which_input_moved(space: Space) -> None:
    image = space.image(GOOD)
    path = space.root / "envs/one.yaml"
    path.write_text(path.read_text().replace("[beta]", "[beta, alpha]"))
    found = space.verify("--image", image)
    assert found.exit == 1
    assert "requirements: + alpha" in found.stderr


def test_an_image_of_nobody(space: Space) -> None:
    image = space.image(GOOD, **{"io.envbuild.profile": "other"})
    found = space.verify("--image", image)
    assert found.exit == 2
    assert "names no profile of this workspace in its labels" in found.stderr
    assert space.verify("--image", image, "one").exit == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--online",), "--online goes with --rebuild"),
        (("--offline",), "--offline goes with --rebuild"),
        (("--rebuild", "--image", "x"), "--image does not go with --rebuild"),
        (("--rebuild", "--quick"), "--quick does not go with --rebuild"),
        (("--rebuild", "--online", "--offline"), "--offline does not go with --online"),
        (("--image", "oci:nowhere"), "oci:nowhere does not exist"),
        (("--image", "oci:nowhere", "one", "two"), "oci:nowhere does not exist"),
        (("--mirror", "x"), "--mirror takes PREFIX=PLACE, not 'x'"),
        ((), "nothing was built here"),
        (("unknown",), "unknown"),
    ],
)
def test_what_cannot_be_asked(space: Space, arguments: tuple[str, ...], said: str) -> None:
    found = space.verify(*arguments)
    assert found.exit == 2
    assert said in found.stderr


# --- Two builds ----------------------------------------------------------------------------------


def rebuilt(*groups: Group) -> Rebuilt:
    return Rebuilt(
        profile="one",
        variant=NAME,
        engine="docker 20.10",
        normalised=True,
        seconds=(1.0, 2.0),
        comparison=Comparison(
            identical=not groups,
            digests=("sha256:1", "sha256:2"),
            layers=(3, 3),
            instructions={2: "RUN   pip install " + "x" * 80},
            groups=groups,
        ),
        log=".envbuild/logs/x",
    )


def test_two_builds_that_differ_are_told_by_cause(capsys: pytest.CaptureFixture[str]) -> None:
    shown = tuple(
        Difference(cause="content", path=f"opt/{number}", layer=2, detail="from byte 1")
        for number in range(20)
    )
    group = Group(cause="content", title="another content", hint="look", count=70, shown=shown)
    answer = rebuilt(group)
    verify_report.say(Console({}, volume=-1), answer)
    lines = capsys.readouterr().err.splitlines()
    assert (
        lines[0]
        == f"error: one/{NAME}: two builds by docker 20.10, normalised, differ (1.0 s, 2.0 s)"
    )
    assert lines[1] == "  another content: 70 differences"
    assert lines[2].startswith("    opt/0 from byte 1  [layer 2: RUN pip install xxx")
    assert lines[2].endswith("…]")
    assert lines[7] == "    … 65 more"
    assert lines[8] == "  hint: look"
    assert verify_report.exit_status([answer]) == 1
    assert verify_report.as_data(answer)["status"] == "differs"


def test_two_builds_that_are_one_image(capsys: pytest.CaptureFixture[str]) -> None:
    answer = rebuilt()
    verify_report.say(Console({}), answer)
    assert "are one image: sha256:1" in capsys.readouterr().err
    assert verify_report.exit_status([answer]) == 0
    assert verify_report.as_data(answer)["status"] == "identical"
    assert verify_report.summary([answer]) == "1 image: 1 good"
