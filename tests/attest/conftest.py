"""A workspace with a profile that is locked, and a record of an image of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from envbuild.build import records
from envbuild.build.records import BuiltImage, Origin
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
BASE = f"sha256:{'b' * 64}"
GOOD: Layer = {**python_package(SITE, "beta", "2.0"), **apt_packages(("curl", "7.81"))}


class Space:
    """A workspace with one locked profile that asks for beta."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = root / "ws"
        self.home = root
        self._patch = patch
        (self.root / "envs").mkdir(parents=True)
        text = PROFILE.format(name="one", requirements="beta") + "apt: [curl]\n"
        (self.root / "envs/one.yaml").write_text(text)
        source = Source(name="one", file="envs/one.yaml", text=text)
        resolved = resolve("one", {"one": source}).variants[0]
        asked, _ = solver_input(resolved, as_of="2026-01-01T00:00:00Z")
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

    def run(self, *arguments: str, **environment: str) -> Said:
        return inside(list(arguments), self.root, self._patch, environment)

    def image(self, *layers: Layer, name: str = "image", **labels: str) -> str:
        """A saved image with the labels that a build gives."""
        found = {
            "io.envbuild.profile": "one",
            "io.envbuild.variant": NAME,
            "io.envbuild.lock-digest": folder.lock_digest(self.locked),
            "org.opencontainers.image.base.digest": BASE,
            **labels,
        }
        data = [layer(files) for files in layers]
        said = {"Labels": found, "WorkingDir": "/workspace", "Env": ["PATH=/bin"]}
        layers_image(self.home / name, *data, config=configuration(data, config=said))
        return f"oci:{self.home / name}"

    def record(self, image: str, **fields: object) -> BuiltImage:
        """Remember a saved image as the one that was built here."""
        from envbuild.cli import verifying
        from envbuild.cli.verifying import Desk

        facts = verifying.facts(image, Desk(engine=None, environ={}, root=".", read=False))
        assert facts is not None
        made = BuiltImage(
            profile="one",
            variant=NAME,
            reference=f"one:{NAME}",
            tags=(f"one:{NAME}",),
            identity=facts.identity,
            engine="podman",
            lock_digest=folder.lock_digest(self.locked),
            origin=Origin(
                lock="x", rendered="sha256:2", images=(), engine="podman 4.3.1", network="none"
            ),
            layers=facts.layers,
            settings=records.settings(facts),
        )
        made = msgspec.structs.replace(made, **fields)
        records.write(str(self.root), made)
        return made


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    return Space(tmp_path, monkeypatch)


COSIGN = """\
#!{python}
import os, sys
rest = list(sys.argv[1:])
if rest == ["sign-blob", "--help"]:
    with open({log!r}, "a") as log:
        log.write(repr(rest) + "\\n")
    print("--bundle string")
    sys.exit("Error: token=abcdef" if os.environ.get("COSIGN_FAILS") == "help" else 0)
with open({log!r}, "a") as log:
    log.write(repr(rest) + "\\n")
known = {{
    "sign": (1, {{"--yes", "--key"}}),
    "attest": (1, {{"--yes", "--key", "--type", "--predicate"}}),
    "sign-blob": (1, {{"--yes", "--key", "--bundle"}}),
    "verify": (1, {{"--key", "--certificate-identity", "--certificate-oidc-issuer"}}),
    "verify-blob": (1, {{"--key", "--certificate-identity", "--certificate-oidc-issuer", "--bundle"}}),
}}
command = rest.pop(0)
count, options = known[command]
said = dict(one.partition("=")[::2] for one in rest if one.startswith("--"))
named = [one for one in rest if not one.startswith("--")]
assert set(said) <= options and len(named) == count, (command, rest)
assert rest[:len(said)] == [one for one in rest if one.startswith("--")], "options come first"
if command in ("sign", "attest", "verify"):
    repository, _, digest = named[0].partition("@sha256:")
    assert "/" in repository and ":" not in repository.rpartition("/")[2] and len(digest) == 64
if command.startswith("sign") or command == "attest":
    assert said.get("--yes") == ""
    assert os.path.isfile(named[0]) if command == "sign-blob" else True
if command == "attest":
    assert said["--type"] in ("slsaprovenance1", "cyclonedx", "spdxjson")
    import json; assert isinstance(json.load(open(said["--predicate"])), dict)
if command == "sign-blob":
    open(said["--bundle"], "w").write("{{}}")
if command.startswith("verify"):
    keyless = {{"--certificate-identity", "--certificate-oidc-issuer"}} <= set(said)
    assert keyless != ("--key" in said)
    if said.get("--key") == "other.pub":
        sys.exit("Error: no matching signatures")
if os.environ.get("COSIGN_FAILS") == command:
    sys.exit("Error: token=abcdef no login")
"""
"""A stand-in for cosign: it takes the command lines that cosign's own reference lists, and nothing
else. It signs nothing."""


@pytest.fixture
def cosign(tmp_path: Path) -> tuple[str, Callable[[], list[list[str]]]]:
    """A PATH with the stand-in, and what it was called with so far."""
    import ast
    import sys

    place, log = tmp_path / "bin", tmp_path / "calls"
    place.mkdir()
    (place / "cosign").write_text(COSIGN.format(python=sys.executable, log=str(log)))
    (place / "cosign").chmod(0o755)

    def calls() -> list[list[str]]:
        return [ast.literal_eval(line) for line in log.read_text().splitlines()]

    return f"{place}:/usr/bin:/bin", calls
