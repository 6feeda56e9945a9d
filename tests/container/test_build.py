"""A rendered Dockerfile, built by a plain builder over a base that stands in for the vendor's.

Once with the network, and once more, the very same file, from what a hermetic build is given.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from envbuild.lock import folder
from envbuild.lock.folder import decode, lock_digest, sha256
from envbuild.lock.model import AptPins
from envbuild.profile.resolve import Source, resolve
from envbuild.render.tree import render
from tests.support.workspace import ENVBUILD

if TYPE_CHECKING:
    from .conftest import Engine

pytestmark = [pytest.mark.container, pytest.mark.network]

VENDOR = "nvcr.io/nvidia/isaac-sim:5.1.0"
VARIANT = "linux-amd64-cpu"
TEMPLATES = Path(__file__).parents[2] / "templates"
HOSTILE = "two  blanks, 'single', \"double\", $HOME, $(id), `id`, back\\slash, # and ünïcode"

STAND_IN = """\
FROM envbuild-tests/debian:python
RUN python3 -m venv /isaac-sim/kit/python && \\
    printf '#!/bin/sh\\nexec /isaac-sim/kit/python/bin/python "$@"\\n' > /isaac-sim/python.sh && \\
    chmod 755 /isaac-sim/python.sh && \\
    mkdir -p /isaac-sim/extscache/omni.pip-1.0/pip_prebundle/six && \\
    echo "version = 'bundled'" > /isaac-sim/extscache/omni.pip-1.0/pip_prebundle/six/__init__.py
ENTRYPOINT ["/isaac-sim/runheadless.sh"]
"""

PROFILE = f"""\
schema: 1
name: small
summary: A small overlay with everything that an image can have
as-of: 2026-02-01T00:00:00Z
accept-eula: true
base:
  image: {VENDOR}
  distribution: debian-12
  provides: [isaac-sim-5-1-0]
apt: [hello]
python:
  version: 3.11
  source: image
  interpreter: /isaac-sim/python.sh
  bundled-sites: [/isaac-sim/ext*/*/pip_prebundle]
  requirements: [humanize==4.9.0, docopt==0.6.2, packaging]
  build-constraints: [setuptools<81]
  build-from-source:
    - package: docopt
      reason: published as source only
git:
  - name: tool
    url: GIT_URL
    commit: GIT_COMMIT
    path: /srv/checkout
    install: pip
files:
  - {{source: hello.py, path: /opt/hello.py, mode: "0755"}}
env:
  HOSTILE: {json.dumps(HOSTILE, ensure_ascii=False)}
  PYTHONNOUSERSITE: "1"
user: {{name: robot, uid: 1234, create: true}}
entrypoint: [/isaac-sim/python.sh, /opt/hello.py]
variants:
  {VARIANT}: {{}}
"""

HELLO = """\
import json, os, sys
import docopt, humanize, tool
print(json.dumps({
    "humanize": humanize.__version__,
    "docopt": docopt.__version__,
    "tool": [tool.answer, tool.__file__],
    "hostile": os.environ["HOSTILE"],
    "eula": os.environ["ACCEPT_EULA"],
    "uid": os.getuid(),
    "arguments": sys.argv[1:],
}))
"""


BREAKS = f"""\
schema: 1
name: breaks
summary: Packages that the base image has already
as-of: 2026-02-01T00:00:00Z
accept-eula: true
base: {{image: "{VENDOR}", distribution: debian-12}}
python:
  version: 3.11
  source: image
  interpreter: /isaac-sim/python.sh
  bundled-sites: [/isaac-sim/ext*/*/pip_prebundle]
  requirements: [six==1.16.0, setuptools==70.0.0, humanize==4.9.0]
entrypoint: [/isaac-sim/python.sh]
variants:
  {VARIANT}: {{}}
"""


def repository(folder: Path) -> str:
    """A bare repository of one small package, and the commit in it."""
    source = folder / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "tool"\nversion = "0.1"\n'
    )
    (source / "tool.py").write_text("answer = 42\n")
    for arguments in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "one"],
        ["clone", "--quiet", "--bare", ".", str(folder / "tool.git")],
    ):
        subprocess.run(["git", *arguments], cwd=source, check=True)
    said = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=source, check=True, capture_output=True, text=True
    )
    return said.stdout.strip()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose profiles are locked against the real index and rendered."""
    root = tmp_path_factory.mktemp("small")
    (root / "envs").mkdir()
    commit = repository(root)
    text = PROFILE.replace("GIT_URL", "file:///srv/tool.git").replace("GIT_COMMIT", commit)
    (root / "envs/small.yaml").write_text(text)
    (root / "envs/breaks.yaml").write_text(BREAKS)
    (root / "envs/hello.py").write_text(HELLO)
    envbuild(root, "lock")
    envbuild(root, "render")
    return root


def envbuild(root: Path, *arguments: str) -> None:
    """Run a command in a workspace; it must go well."""
    done = subprocess.run(
        [ENVBUILD, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def bases(engine: Engine, debian: str, workspace: Path) -> tuple[str, str]:
    """Two that stand in for the vendor's image; only the first can reach the repository."""
    assert debian
    place = workspace / "stand-in"
    shutil.copytree(workspace / "tool.git", place / "tool.git")
    (place / "Dockerfile").write_text(STAND_IN)
    bare = "envbuild-tests/bare:1"
    engine("build", "--pull=never", "--network=none", "--tag", bare, str(place))
    (place / "Dockerfile").write_text(f"FROM {bare}\nCOPY tool.git /srv/tool.git\n")
    engine("build", "--pull=never", "--network=none", "--tag", VENDOR, str(place))
    return VENDOR, bare


def online() -> list[str]:
    """The options of a build that asks the user's index."""
    trusted = os.environ.get("SSL_CERT_FILE")
    secrets = ["--secret", f"id=envbuild_ca,src={trusted}"] if trusted else []
    return ["--pull=never", "--network=host", *secrets]


@pytest.fixture(scope="module")
def image(engine: Engine, bases: tuple[str, str], workspace: Path) -> str:
    """The image, built with its folder as the only context."""
    name = "envbuild-tests/small"
    engine("build", *online(), "--tag", name, str(workspace / "Dockerfiles/small"))
    return name


GATHER = """
cd /context
apt-get update -qq
for stage in apt/*; do
  mkdir -p "$stage/files/partial"
  xargs -a "$stage/packages.txt" apt-get install -qq -y --no-install-recommends --download-only \
    -o Dir::Cache::archives="/context/$stage/files"
  rm -rf "$stage/files/partial" "$stage/files/lock"
done
pip() { /isaac-sim/python.sh -m pip --disable-pip-version-check --quiet "$@"; }
for piece in wheels-*; do
  pip download --no-deps --require-hashes -r $piece/requirements.txt -d $piece/files
done
pip download --no-deps --no-binary :all: --require-hashes -r sources/requirements.txt -d sources/files
for place in sources git/tool; do pip download 'setuptools<81' wheel -d $place/files; done
"""


@pytest.fixture(scope="module")
def hermetic(engine: Engine, bases: tuple[str, str], workspace: Path) -> str:
    """The image, built without network from a context that has everything in it."""
    from .conftest import index_options

    context = workspace / "hermetic"
    shutil.copytree(workspace / "Dockerfiles/small", context)
    part = context / VARIANT
    engine(
        "run", "--rm", *index_options(), f"--volume={part}:/context", "--entrypoint=/bin/sh",
        bases[1], "-euc", GATHER,
    )  # fmt: skip
    shutil.copytree(workspace / "tool.git", part / "git/tool/repository")
    name = "envbuild-tests/hermetic"
    engine(
        "build", "--pull=never", "--network=none", "--no-cache",
        "--build-arg", f"BASE_IMAGE={bases[1]}", "--tag", name, str(context),
    )  # fmt: skip
    return name


@pytest.fixture(params=["image", "hermetic"])
def either(request: pytest.FixtureRequest) -> str:
    """Both images, one after the other."""
    name: str = request.getfixturevalue(request.param)
    return name


def test_the_image_runs_what_the_profile_says(engine: Engine, either: str) -> None:
    said = engine("run", "--rm", "--network=none", either, "one", "two words")
    assert json.loads(said.splitlines()[-1]) == {
        "humanize": "4.9.0",
        "docopt": "0.6.2",
        "tool": [42, "/srv/checkout/tool.py"],
        "hostile": HOSTILE,
        "eula": "Y",
        "uid": 1234,
        "arguments": ["one", "two words"],
    }


def test_debian_packages_and_the_checkout_are_there(engine: Engine, either: str) -> None:
    said = engine(
        "run", "--rm", "--network=none", "--entrypoint", "/bin/sh", either,
        "-euc", "hello; ls -A /srv/checkout; ls /var/lib/apt/lists /var/cache/apt/archives; "
        "ls -A /run",
    )  # fmt: skip
    assert "Hello, world!" in said
    assert ".git" in said
    assert "tool.py" in said
    assert "_Packages" not in said
    assert ".deb" not in said


def test_what_the_bundle_provides_was_not_installed(engine: Engine, either: str) -> None:
    said = engine(
        "run", "--rm", "--network=none", "--entrypoint", "/isaac-sim/python.sh", either,
        "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check",
    )  # fmt: skip
    assert "humanize==4.9.0" in said
    assert "packaging==" not in said


def test_the_labels_name_profile_and_lock(engine: Engine, image: str, workspace: Path) -> None:
    labels = json.loads(engine("inspect", "--format", "{{json .Config.Labels}}", image))
    header = (workspace / "lockfiles/small/envbuild.lock.json").read_bytes()
    assert labels["io.envbuild.profile"] == "small"
    held = decode(header, "the lock").variants[VARIANT]
    assert labels["io.envbuild.lock-digest"] == lock_digest(held)


def test_no_certificate_and_no_index_is_in_a_layer(
    engine: Engine, image: str, tmp_path: Path
) -> None:
    engine("save", "--quiet", "--format", "oci-dir", "--output", str(tmp_path / "image"), image)
    configuration = b"".join(
        path.read_bytes()
        for path in (tmp_path / "image").rglob("*")
        if path.is_file() and path.stat().st_size < 100_000
    )
    assert b"index-url" not in configuration
    listed = engine(
        "run", "--rm", "--network=none", "--entrypoint", "/bin/sh", image,
        "-c", "find /run -type f; find / -xdev -name '.wh.*'; ls -l /etc/ssl/certs/ca-certificates.crt",
    )  # fmt: skip
    files = [line for line in listed.splitlines() if line.startswith("/run/")]
    assert [line for line in files if "envbuild" in line or "secrets" in line] == []
    assert "ca-certificates.crt" in listed


def test_a_changed_hash_stops_the_build(engine: Engine, image: str, workspace: Path) -> None:
    """In the list alone it is noticed by the list's own digest; with that changed too, by pip."""
    assert image
    context = workspace / "changed"
    shutil.copytree(workspace / "Dockerfiles/small", context)
    path = context / VARIANT / "wheels-3/requirements.txt"
    locked = path.read_bytes()
    changed = re.sub(rb"sha256:[0-9a-f]{64}", b"sha256:" + b"0" * 64, locked)
    path.write_bytes(changed)
    noticed = engine("build", *online(), str(context), check=False)
    assert "is not what this Dockerfile was rendered from" in noticed
    dockerfile = context / "Dockerfile"
    digests = [sha256(data) for data in (locked, changed)]
    dockerfile.write_text(dockerfile.read_text().replace(*digests))
    refused = engine("build", *online(), str(context), check=False)
    assert "DO NOT MATCH THE HASHES" in refused


def test_a_bundle_that_is_replaced_or_hidden_stops_the_build(
    engine: Engine, bases: tuple[str, str], workspace: Path
) -> None:
    assert bases
    context = workspace / "Dockerfiles/breaks"
    said = engine("build", *online(), "--tag", "envbuild-tests/breaks", str(context), check=False)
    assert "what the base image bundles is no longer what is imported" in said
    hidden = "/isaac-sim/extscache/omni.pip-1.0/pip_prebundle/six"
    site = "/isaac-sim/kit/python/lib/python3.11/site-packages"
    assert f"shadowed {hidden}: by {site}/six.py of six 1.16.0" in said
    assert re.search(rf"(replaced|removed) {site}/\S+: by setuptools 70.0.0", said)
    assert "by humanize" not in said
    assert "envbuild-tests/breaks" not in engine("images", "--format", "{{.Repository}}")


def pinned(workspace: Path, *packages: str) -> Path:
    """The context of a lock that pins these Debian packages, in a folder of its own."""
    held = folder.read(str(workspace / "lockfiles/small"), "the lock")
    assert held.header is not None
    pins = AptPins(archive="a", as_of="2026-02-01T00:00:00Z", packages=packages)
    variant = msgspec.structs.replace(held.header.variants[VARIANT], apt=pins)
    lock = msgspec.structs.replace(held.header, variants={VARIANT: variant})
    text = (workspace / "envs/small.yaml").read_text()
    profile = resolve("small", {"small": Source(name="small", file="small.yaml", text=text)})
    templates = {str(p.relative_to(TEMPLATES)): p.read_text() for p in TEMPLATES.rglob("*.j2")}
    context = workspace / "pinned"
    for file in render(profile, lock, texts=held.texts, templates=templates).files:
        (context / file.path).parent.mkdir(parents=True, exist_ok=True)
        (context / file.path).write_bytes(file.data)
    return context


def test_a_moved_package_costs_its_own_piece_alone(
    engine: Engine, image: str, workspace: Path
) -> None:
    """And what is mounted of a stage that came from the cache is there all the same."""
    assert image
    root = workspace / "moved"
    shutil.copytree(workspace / "envs", root / "envs")
    (root / "envs/breaks.yaml").unlink()
    path = root / "envs/small.yaml"
    path.write_text(path.read_text().replace("humanize==4.9.0", "humanize==4.10.0"))
    envbuild(root, "lock")
    envbuild(root, "render")
    said = engine("build", *online(), "--tag", "moved", str(root / "Dockerfiles/small"))
    steps = re.split(r"^(?=\[\d/\d\] )", said, flags=re.MULTILINE)
    done = [one for one in steps if "STEP" in one and "RUN " in one and "Using cache" not in one]
    ran = "\n".join(done)
    assert "humanize" in ran
    assert "apt-get install" not in ran
    assert "pip wheel" not in ran
    assert "git fetch" not in ran
    assert "bundle.py record" not in ran
    assert "bundled files are as they were" in ran
    said = engine("run", "--rm", "--network=none", "moved", "one")
    assert json.loads(said.splitlines()[-1])["humanize"] == "4.10.0"


def test_another_version_than_the_lock_says_stops_the_build(
    engine: Engine, bases: tuple[str, str], hermetic: str, workspace: Path
) -> None:
    """apt takes what it is given, and from an archive that has no such version, nothing."""
    assert hermetic
    context = pinned(workspace, "hello=0.1-1")
    said = engine("build", *online(), str(context), check=False)
    assert "Version '0.1-1' for 'hello' was not found" in said
    assert "envbuild: if the archive no longer has these versions, lock again" in said
    whole = workspace / "hermetic"
    for part in ("apt/base/files", "apt/sources/files", "git/tool/repository"):
        shutil.copytree(whole / VARIANT / part, context / VARIANT / part)
    said = engine(
        "build", "--pull=never", "--network=none", "--build-arg", f"BASE_IMAGE={bases[1]}",
        str(context), check=False,
    )  # fmt: skip
    assert re.search(r"envbuild: hello: the lock says 0.1-1, installed is 2\.\S+", said)
    assert "envbuild: lock again: envbuild lock small" in said
