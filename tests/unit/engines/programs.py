"""Programs on PATH that nobody starts, and what engines of their names would answer."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

from envbuild.tools.proc import Command

from .table import Answer, option

OK = (0, "", "")
DIGITS = "1" * 64
IMAGE = f'[{{"Id": "sha256:{DIGITS}", "Os": "linux", "Architecture": "amd64"}}]'
HELP = (0, "--cache-from string\n--cache-to string\n", "")
HYBRID = "Error: crun: cgroups in hybrid mode not supported, drop all controllers from cgroupv2"
NO_BUILDX = (1, "", "docker: 'buildx' is not a docker command.\nSee 'docker --help'\n")
LEGACY = (1, "", "ERROR: BuildKit is enabled but the buildx component is missing or broken.\n")


class Programs:
    """Folders on PATH with programs in them that nobody starts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folders: list[str] = []

    def add(self, *names: str) -> str:
        folder = self.root / f"bin{len(self.folders)}"
        folder.mkdir()
        for name in names:
            (folder / name).write_text("")
            (folder / name).chmod(0o755)
        self.folders.append(str(folder))
        return str(folder)

    @property
    def environ(self) -> dict[str, str]:
        return {"PATH": os.pathsep.join(self.folders), "HOME": str(self.root)}


def built(command: Command) -> Answer:
    """A builder that writes what it made, as all of them do."""
    Path(option(command, "--iidfile")).write_text(f"sha256:{DIGITS}")
    return OK


def exported(moment: int) -> Callable[[Command], Answer]:
    """buildx, writing an image whose layer holds a file of that moment."""

    def answer(command: Command) -> Answer:
        target = option(command, "--output").split("dest=")[1].split(",")[0]
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w:gz") as tar:
            member = tarfile.TarInfo("probe")
            member.mtime = moment
            tar.addfile(member)
        with tarfile.open(target, "w") as tar:
            for name, data in (
                ("manifest.json", json.dumps([{"Layers": ["layer"]}]).encode()),
                ("layer", layer.getvalue()),
            ):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        return built(command)

    return answer


PODMAN = (
    ("podman --version", (0, "podman version 4.3.1\n", "")),
    ("image inspect", (0, IMAGE, "")),
    ("build --help", HELP),
    ("rmi", OK),
    ("rm --force", OK),
)
BUILDAH = (
    ("buildah --version", (0, "buildah version 1.28.2 (image-spec 1.1.0)\n", "")),
    (
        "buildah inspect",
        (0, json.dumps({"FromImageID": DIGITS, "Config": "{}", "Manifest": "{}"}), ""),
    ),
    ("buildah build --help", HELP),
    ("buildah images", (0, "[]", "")),
    ("buildah rmi", OK),
)


def docker(client: str = "26.1.5", server: str = "26.1.5", arch: str = "amd64") -> str:
    return json.dumps({"Client": {"Version": client}, "Server": {"Version": server, "Arch": arch}})


DOCKER = (("image inspect", (0, IMAGE, "")), ("rmi", OK), ("rm --force", OK), ("load", OK))
