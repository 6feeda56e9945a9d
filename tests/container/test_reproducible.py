"""One Dockerfile, built twice from nothing: the same image, or why not, by each engine."""

from __future__ import annotations

import hashlib
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envbuild.build import layout
from envbuild.build.layout import Comparison
from envbuild.build.normalising import Normalised, normalise
from envbuild.engines import building, images
from envbuild.engines.model import BuildRequest, Capabilities, Engine
from envbuild.tools import proc
from tests.support.dockerd import Daemon, dockerd
from tests.support.engine import EPOCH, need

if TYPE_CHECKING:
    from .conftest import Engine as Podman

pytestmark = pytest.mark.container

SMALL_BASE = "envbuild-tests/small:python"
MOMENT = int(EPOCH)
PLATFORM = "linux/amd64"

PIP = "/opt/venv/bin/python $(echo /usr/share/python-wheels/pip-*.whl)/pip"

CLEAN = f"""\
ARG BASE_IMAGE
FROM ${{BASE_IMAGE}}
ARG SOURCE_DATE_EPOCH
COPY --chmod=0755 hello.py /opt/hello.py
RUN --mount=type=bind,source=in,target=/run/in \\
    export SOURCE_DATE_EPOCH PYTHONDONTWRITEBYTECODE=1 && python3 -m venv --without-pip /opt/venv && \\
    {PIP} install --isolated --no-index --no-cache-dir --require-hashes --find-links /run/in \\
        -r /run/in/requirements.txt
ENTRYPOINT ["/opt/venv/bin/python", "/opt/hello.py"]
"""

NAIVE = f"""\
ARG BASE_IMAGE
FROM ${{BASE_IMAGE}}
COPY hello.py in /opt/in/
RUN python3 -m venv --without-pip /opt/venv && {PIP} install --no-index --find-links /opt/in small && \\
    mkdir -p /var/log/apt /var/cache/apt && date +%s%N | tee /var/log/apt/history.log \\
        /var/log/dpkg.log /var/cache/apt/pkgcache.bin /opt/stamp && mktemp /opt/left.XXXXXXXX
"""

HELLO = "import small\nprint(small.answer())\n"
SMALL = {
    "small/__init__.py": "from small.more import answer\n",
    "small/more.py": "def answer() -> int:\n    return 42\n",
    "small-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n",
    "small-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


class Builder:
    """An engine of envbuild's own, on storage of the tests' own."""

    def __init__(self, engine: Engine, base: str, environ: Mapping[str, str], root: Path) -> None:
        self.engine = engine
        self.base = base
        self.environ = environ
        self.root = root
        self.count = 0

    def build(self, context: Path, dockerfile: str) -> Path:
        """The image of a build without any cache, as a folder in OCI's layout."""
        self.count += 1
        name = f"{self.engine.builder}-{self.count}"
        request = BuildRequest(
            dockerfile=str(context / dockerfile),
            context=str(context),
            platform=PLATFORM,
            arguments=(("BASE_IMAGE", self.base),),
            epoch=MOMENT,
            cache=False,
        )
        watch = building.Watch(log=str(self.root / f"{name}.log"), line=lambda _: None)
        built = building.build(self.engine, request, environ=self.environ, watch=watch)
        folder = self.root / name
        images.save(
            self.engine, built.identity, folder=str(folder), runner=proc.run, environ=self.environ
        )
        return folder

    def twice(self, context: Path, dockerfile: str) -> tuple[Path, Path]:
        return self.build(context, dockerfile), self.build(context, dockerfile)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reproducible")


@pytest.fixture(scope="module")
def context(root: Path) -> Path:
    """Two Dockerfiles, a file to copy, and a folder with one hashed wheel."""
    place = root / "context"
    (place / "in").mkdir(parents=True)
    for name, text in {"clean": CLEAN, "naive": NAIVE, "hello.py": HELLO}.items():
        (place / name).write_text(text)
    wheel = place / "in/small-1.0-py3-none-any.whl"
    rows = [f"{name},,\n" for name in (*SMALL, "small-1.0.dist-info/RECORD")]
    with zipfile.ZipFile(wheel, "w") as file:
        for name, text in (SMALL | {"small-1.0.dist-info/RECORD": "".join(rows)}).items():
            file.writestr(name, text)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (place / "in/requirements.txt").write_text(f"small==1.0 --hash=sha256:{digest}\n")
    return place


UNUSED = re.compile(
    r"usr/share/(doc|locale|man|info|zoneinfo|perl)/.*|var/(cache|log)/.*|var/lib/dpkg/info/.*"
    r"|usr/lib/x86_64-linux-gnu/(perl|gconv|perl-base)/.*"
)


@pytest.fixture(scope="module")
def base(base_tar: Path, root: Path) -> Path:
    """The base image without what no test here needs: every engine packs it for each build."""
    path = root / "base.tar"
    with tarfile.open(base_tar, "r|") as source, tarfile.open(path, "w") as target:
        for member in source:
            if not UNUSED.fullmatch(member.name.removeprefix("./")):
                target.addfile(member, source.extractfile(member) if member.isreg() else None)
    return path


@pytest.fixture(scope="module")
def imported(engine: Podman, base: Path) -> str:
    engine("import", "--quiet", str(base), SMALL_BASE)
    return f"localhost/{SMALL_BASE}"


@pytest.fixture(scope="module")
def podman(engine: Podman, imported: str, root: Path) -> Builder:
    found = Engine(
        name="podman",
        builder="podman",
        program=("podman",),
        version="",
        capabilities=Capabilities(clamp="flag"),
    )
    return Builder(found, imported, engine.environment, root)


@pytest.fixture(scope="module")
def buildah(engine: Podman, imported: str, root: Path) -> Builder:
    need("buildah")
    found = Engine(
        name="buildah",
        builder="buildah",
        program=("buildah",),
        version="",
        capabilities=Capabilities(clamp="flag"),
        build_options=("--runtime=runc",),
    )
    return Builder(found, imported, engine.environment, root)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Iterator[Daemon]:
    with dockerd(tmp_path_factory.mktemp("d")) as found:
        found("import", str(base), SMALL_BASE)
        yield found


@pytest.fixture(scope="module")
def docker(daemon: Daemon, root: Path) -> Builder:
    """The BuildKit that is in docker 20.10, which cannot set times."""
    found = Engine(
        name="docker",
        builder="buildkit",
        program=("docker",),
        version="",
        capabilities=Capabilities(clamp="none"),
        environment=(("DOCKER_BUILDKIT", "1"),),
    )
    return Builder(found, SMALL_BASE, daemon.environ, root)


def compared(old: Path, new: Path) -> Comparison:
    return layout.compare(str(old), str(new), scratch=str(old.parent))


def paths(found: Comparison, cause: str) -> set[str]:
    return {one.path for group in found.groups if group.cause == cause for one in group.shown}


def normal(source: Path) -> tuple[Path, Normalised]:
    into = source.with_name(f"{source.name}-normal")
    return into, normalise(str(source), str(into), base_layers=1, epoch=MOMENT)


@pytest.mark.parametrize("name", ["podman", "buildah"])
def test_engines_that_set_times_give_the_same_manifest(
    name: str, context: Path, request: pytest.FixtureRequest
) -> None:
    builder = request.getfixturevalue(name)
    found = compared(*builder.twice(context, "clean"))
    assert found.identical, found.groups


@pytest.fixture(scope="module")
def normals(docker: Builder, context: Path) -> list[tuple[Path, Normalised]]:
    """Two builds of the clean Dockerfile by an older docker, normalised."""
    first, second = docker.twice(context, "clean")
    raw = compared(first, second)
    assert not raw.identical
    assert {group.cause for group in raw.groups} <= {"time", "created"}, raw.groups
    return [normal(first), normal(second)]


def test_an_older_docker_gives_the_same_manifest_through_the_normaliser(
    normals: list[tuple[Path, Normalised]],
) -> None:
    (one, first), (two, second) = normals
    found = compared(one, two)
    assert found.identical, found.groups
    assert first == second
    assert found.digests[0] == first.digest


def test_a_normalised_image_loads_and_runs(
    normals: list[tuple[Path, Normalised]], engine: Podman, daemon: Daemon
) -> None:
    place, made = normals[0]
    engine("pull", "--quiet", f"oci:{place}")
    said = engine("run", "--rm", "--network=none", made.identity.removeprefix("sha256:"))
    assert said.strip() == "42"
    need("skopeo")
    name = "envbuild-tests/normal:1"
    argv = ["skopeo", "copy", "--quiet", f"--dest-daemon-host={daemon.environ['DOCKER_HOST']}"]
    subprocess.run([*argv, f"oci:{place}", f"docker-daemon:{name}"], check=True)
    assert daemon("run", "--rm", "--network=none", name).strip() == "42"


STALE = """\
import importlib._bootstrap_external as loader, pathlib, sys
stale = 0
for path in pathlib.Path(sys.argv[1]).rglob("*.pyc"):
    data = path.read_bytes()
    source = pathlib.Path(loader.source_from_cache(str(path)))
    if int.from_bytes(data[4:8], "little") == 0:
        stale += int.from_bytes(data[8:12], "little") != int(source.stat().st_mtime)
print(stale, len(list(pathlib.Path(sys.argv[1]).rglob("*.pyc"))))
"""


@pytest.fixture(scope="module")
def naive(docker: Builder, context: Path) -> tuple[Comparison, list[tuple[Path, Normalised]]]:
    """Two builds of the naive Dockerfile, compared, and what the normaliser makes of them."""
    pair = docker.twice(context, "naive")
    return compared(*pair), [normal(one) for one in pair]


def test_the_causes_of_a_naive_dockerfile_are_named(
    naive: tuple[Comparison, list[tuple[Path, Normalised]]],
) -> None:
    raw, made = naive
    assert "opt/stamp" in paths(raw, "content")
    assert {"var/log/apt/history.log", "var/log/dpkg.log"} <= paths(raw, "log")
    assert "var/cache/apt/pkgcache.bin" in paths(raw, "cache")
    assert paths(raw, "bytecode")
    assert all(path.endswith(".pyc") for path in paths(raw, "bytecode"))
    for cause in ("extra", "missing"):
        (path,) = paths(raw, cause)
        assert path.startswith("opt/left.")
    assert paths(raw, "time")
    clean = compared(made[0][0], made[1][0])
    left = {group.cause for group in clean.groups}
    assert left == {"content", "extra", "missing"}, clean.groups
    assert paths(clean, "content") == {"opt/stamp"}
    assert [one for one in clean.instructions.values() if "/opt/stamp" in one]


def test_no_bytecode_is_stale_after_the_normaliser(
    naive: tuple[Comparison, list[tuple[Path, Normalised]]], engine: Podman
) -> None:
    """Times that are set alone would make all of it stale: Python would compile at each start."""
    place, made = naive[1][0]
    assert made.bytecode > 0
    engine("pull", "--quiet", f"oci:{place}")
    identity = made.identity.removeprefix("sha256:")
    said = engine(
        "run", "--rm", "--network=none", identity,
        "/opt/venv/bin/python", "-c", STALE, "/opt/venv",
    )  # fmt: skip
    stale, every = map(int, said.split())
    assert (stale, every) == (0, made.bytecode)
