"""``envbuild build`` with real engines: what is built, what is refused, and what is left behind.

The base is a Debian that stands in for the vendor's image, in a registry on loopback that is its
mirror; packages come from the index that the user's settings name.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import Engine, base_tar, import_base, need, private_engine
from tests.support.registry import Registry, serve
from tests.support.workspace import ENVBUILD

pytestmark = [pytest.mark.container, pytest.mark.network]

VARIANT = "linux-amd64-cpu"
VENDOR = "nvcr.io/nvidia/isaac-sim"

STAND_IN = """\
FROM envbuild-tests/debian:python
RUN python3 -m venv /isaac-sim/kit/python && \\
    printf '#!/bin/sh\\nexec /isaac-sim/kit/python/bin/python "$@"\\n' > /isaac-sim/python.sh && \\
    chmod 755 /isaac-sim/python.sh
"""

PROFILE = f"""\
schema: 1
name: small
summary: An overlay of two wheels
as-of: 2026-02-01T00:00:00Z
accept-eula: true
base:
  image: {VENDOR}:5.1.0
  distribution: debian-12
  provides: [isaac-sim-5-1-0]
python:
  version: 3.11
  source: image
  interpreter: /isaac-sim/python.sh
  requirements: [humanize==4.9.0, tomli-w==1.0.0]
files:
  - {{source: hello.py, path: /opt/hello.py, mode: "0755"}}
user: {{name: robot, uid: 1234, create: true}}
entrypoint: [/isaac-sim/python.sh, /opt/hello.py]
variants:
  {VARIANT}: {{}}
  linux-arm64-cpu: {{}}
"""

HELLO = "import humanize, tomli_w\nprint(humanize.__version__)\n"

TEMPLATE = """\
{% extends "dockerfile/main.j2" %}
{% block files %}
{{ super() }}
RUN LINE
{% endblock %}
"""


class Shop:
    """A workspace with an engine, a registry and a cache of its own."""

    def __init__(self, root: Path, engine: Engine, registry: Registry, cache: Path) -> None:
        self.root = root
        self.engine = engine
        self.registry = registry
        self.cache = cache
        self.environment = {
            **engine.environment,
            "XDG_CACHE_HOME": str(cache),
            "NO_COLOR": "1",
            "GIT_CEILING_DIRECTORIES": str(root.parent),
        }

    def start(self, *argv: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [ENVBUILD, *argv],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*argv)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def build(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return self.run("build", "--engine", "podman", *self.registry.mirrors(), *argv)

    def one(self, *argv: str) -> dict[str, object]:
        """What a build that must end well says of the variant that it builds."""
        done = self.build("--json", *argv)
        assert done.returncode == 0, done.stderr
        (row,) = [row for row in json.loads(done.stdout) if row["status"] != "skipped"]
        return dict(row)

    def template(self, line: str) -> None:
        """A step of the user's own, rendered."""
        (self.root / "templates").mkdir(exist_ok=True)
        (self.root / "templates/Dockerfile.j2").write_text(TEMPLATE.replace("LINE", line))
        done = self.run("render")
        assert done.returncode == 0, done.stderr

    def copy(self, into: Path) -> Shop:
        """The same workspace elsewhere, with nothing built in it."""
        shutil.copytree(self.root, into, ignore=shutil.ignore_patterns(".envbuild"))
        return Shop(into, self.engine, self.registry, self.cache)

    def record(self) -> dict[str, object] | None:
        path = self.root / f".envbuild/builds/small.{VARIANT}.json"
        return dict(json.loads(path.read_bytes())) if path.exists() else None

    def left(self) -> list[str]:
        """What a build has left of its work: contexts, copies, containers."""
        folder = self.cache / "envbuild/contexts"
        contexts = [path.name for path in folder.iterdir()] if folder.exists() else []
        logs = [path.name for path in (self.root / ".envbuild/logs").glob("*.out*")]
        containers = self.engine("ps", "--all", "--external", "--format", "{{.Names}}").split()
        return [*contexts, *logs, *containers]

    def has(self, name: str) -> bool:
        return self.engine.run("image", "exists", name).returncode == 0


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A profile that is locked against a mirror of its base, and rendered."""
    need("docker-registry", "skopeo")
    home = tmp_path_factory.mktemp("build")
    for name in ("engine", "registry", "ws/envs", "stand-in", "cache"):
        (home / name).mkdir(parents=True)
    with private_engine(home / "engine") as engine, serve(home / "registry") as registry:
        engine.trust(registry.place)
        import_base(engine, base_tar())
        (home / "stand-in/Dockerfile").write_text(STAND_IN)
        name = registry.name(f"{VENDOR}:5.1.0")
        engine("build", "--pull=never", "--network=none", "--tag", name, str(home / "stand-in"))
        engine("push", "--quiet", "--tls-verify=false", "--compression-format=zstd", name)
        engine("rmi", name)
        (home / "ws/envs/small.yaml").write_text(PROFILE)
        (home / "ws/envs/hello.py").write_text(HELLO)
        made = Shop(home / "ws", engine, registry, home / "cache")
        for command in (("lock", *registry.mirrors()), ("render",)):
            done = made.run(*command)
            assert done.returncode == 0, done.stderr
        yield made


@pytest.fixture(scope="module")
def built(shop: Shop) -> dict[str, object]:
    """The first build: hermetic."""
    return shop.one()


def certificate(seed: str) -> str:
    """A file as a company's certificate is one; nothing verifies it here."""
    der = b"\x30\x82" + b"".join(
        hashlib.sha256(f"{seed}{number}".encode()).digest() for number in range(24)
    )
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = "\n".join(text[place : place + 64] for place in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


# --- What is built -------------------------------------------------------------------------------


def test_a_hermetic_build(shop: Shop, built: dict[str, object]) -> None:
    assert (built["status"], built["hermetic"]) == ("built", True)
    assert built["reference"] == f"small:{VARIANT}"
    assert (
        built["base-digest"]
        == json.loads((shop.root / "lockfiles/small/envbuild.lock.json").read_bytes())["variants"][
            VARIANT
        ]["images"][0]["digest"]
    )
    assert shop.engine("run", "--rm", "--network=none", f"small:{VARIANT}").strip() == "4.9.0"
    said = json.loads(shop.engine("image", "inspect", f"small:{VARIANT}"))[0]
    labels = said["Config"]["Labels"]
    assert labels["io.envbuild.lock-digest"] == built["lock-digest"]
    assert labels["io.envbuild.version"]
    assert f"sha256:{said['Id']}" == built["identity"]
    log = (shop.root / str(built["log"])).read_text()
    assert "--network=none" in log
    assert "STEP" in log
    assert shop.left() == []


def test_what_is_not_for_this_machine_is_left_out(shop: Shop, built: dict[str, object]) -> None:
    assert built
    done = shop.build("--json")
    rows = {row["variant"]: row for row in json.loads(done.stdout)}
    assert rows["linux-arm64-cpu"]["status"] == "skipped"
    assert "for linux/arm64, and this machine is linux/amd64" in rows["linux-arm64-cpu"]["reason"]


def test_an_unchanged_image_is_not_built_again(shop: Shop, built: dict[str, object]) -> None:
    started = time.monotonic()
    again = shop.one("--tag", "other:1")
    assert time.monotonic() - started < 10
    assert (again["status"], again["identity"]) == ("unchanged", built["identity"])
    assert shop.has("other:1")
    plan = shop.build("--dry-run").stdout
    assert "skip build small/linux-amd64-cpu" in plan
    assert "unchanged" in plan


def test_a_forced_build_of_the_same_gives_the_same(shop: Shop, built: dict[str, object]) -> None:
    forced = shop.one("--no-cache")
    assert (forced["status"], forced["identity"]) == ("built", built["identity"])
    assert (shop.root / f".envbuild/logs/build-small.{VARIANT}.log.1").exists()


def test_an_image_that_is_gone_is_built_again(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    other.one("--tag", "gone:1")
    other.engine("rmi", "--force", str(other.one("--tag", "gone:1")["identity"]))
    again = other.one("--tag", "gone:1")
    assert (again["status"], again["reason"]) == (
        "built",
        "its image is not in podman any more",
    )


def test_buildah_builds_it_too(shop: Shop, tmp_path: Path) -> None:
    need("buildah")
    other = shop.copy(tmp_path / "ws")
    made = other.one("--engine", "buildah", "--tag", "by-buildah:1")
    assert str(made["engine"]).startswith("buildah ")
    assert shop.engine("run", "--rm", "--network=none", "by-buildah:1").strip() == "4.9.0"


def test_offline_builds_from_what_is_cached(
    shop: Shop, built: dict[str, object], tmp_path: Path
) -> None:
    assert built
    other = shop.copy(tmp_path / "ws")
    made = other.one("--offline", "--no-cache", "--tag", "offline:1")
    assert (made["status"], made["fetched"]) == ("built", 0)


def test_an_online_build_asks_the_users_index(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    trusted = os.environ.get("SSL_CERT_FILE")
    bundle = ["--ca-bundle", trusted] if trusted else []
    made = other.one("--online", *bundle, "--no-cache", "--tag", "online:1")
    assert (made["status"], made["hermetic"]) == ("built", False)
    assert any("wheels-" in str(one) for one in made["not-hermetic"])  # type: ignore[attr-defined]
    assert shop.engine("run", "--rm", "--network=none", "online:1").strip() == "4.9.0"
    assert "--network=host" in (other.root / str(made["log"])).read_text()


def test_it_is_pushed_and_written_as_a_layout(shop: Shop, tmp_path: Path) -> None:
    name = shop.registry.name("team/small:1")
    pushed = shop.one("--tag", name, "--push", "--output", f"oci:{tmp_path}/image")
    asked = ["skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}"]
    there = subprocess.run(
        [*asked, f"docker://{name}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert pushed["digest"] == there
    record = shop.record()
    assert record is not None
    assert record["digest"] == there
    index = json.loads((tmp_path / "image/index.json").read_bytes())
    (listed,) = index["manifests"]
    place = tmp_path / "image/blobs" / listed["digest"].replace(":", "/")
    stated = json.loads(place.read_bytes())["annotations"]
    assert stated["org.opencontainers.image.created"] == "2026-02-01T00:00:00Z"
    assert stated["io.envbuild.lock-digest"] == pushed["lock-digest"]
    labels = json.loads(shop.engine("image", "inspect", name))[0]["Config"]["Labels"]
    assert labels["org.opencontainers.image.created"] == "2026-02-01T00:00:00Z"


def test_an_image_that_was_edited_under_the_same_labels_is_found(
    shop: Shop, tmp_path: Path
) -> None:
    shop.one()  # other tests take its name away
    image, stated = f"small:{VARIANT}", tmp_path / "stated"
    for argv in (
        ("attest", "small", "-o", str(stated)),
        ("sbom", "small", "--image", image, "-o", str(tmp_path / "bill.json")),
        ("verify", image, "--engine", "podman", "--quick"),
    ):
        done = shop.run(*argv)
        assert done.returncode == 0, done.stderr
    assert "and as it was built (the record of its build)" in done.stderr
    bill = json.loads((tmp_path / "bill.json").read_bytes())
    versions = {row["name"]: row["version"] for row in bill["components"]}
    assert versions["humanize"] == "4.9.0"
    assert "python3-venv" in versions  # the base's own

    elsewhere = shop.copy(tmp_path / "ws")
    quick = ("--engine", "podman", "--quick")
    assert "no build of it is recorded here" in elsewhere.run("verify", image, *quick).stderr
    attested = ("--attestation", str(stated))
    assert elsewhere.run("verify", image, *quick, *attested).returncode == 0

    shop.engine("create", "--name", "edited", image)
    shop.engine("cp", str(stated), "edited:/opt/more")
    shop.engine("commit", "edited", "edited:1")
    shop.engine("rm", "edited")
    for where, more in ((shop, ()), (elsewhere, attested)):
        done = where.run("verify", "edited:1", *quick, *more)
        assert done.returncode == 1
        assert "edited:1 is not the image that was built" in done.stderr
        assert "1 layer more than " in done.stderr
    shop.engine("rmi", "edited:1")


def test_a_kept_context_is_what_the_engine_was_given(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    done = other.build("--keep-context", "--tag", "kept:1")
    assert done.returncode == 0, done.stderr
    context = other.root / f".envbuild/contexts/small.{VARIANT}"
    assert str(context) in done.stderr
    wheels = [path.name for path in context.rglob("*.whl")]
    assert len(wheels) == 2
    plain = other.engine.run(
        "build", "--network=none", "--build-arg",
        f"BASE_IMAGE={other.registry.name(VENDOR)}:5.1.0", str(context),
    )  # fmt: skip
    assert plain.returncode == 0, plain.stdout


@pytest.mark.parametrize("engine", ["podman", "buildah"])
def test_built_twice_it_is_the_same(shop: Shop, built: dict[str, object], engine: str) -> None:
    done = shop.run("verify", "--rebuild", "--engine", engine, "--json", *shop.registry.mirrors())
    assert done.returncode == 0, done.stderr
    (said,) = json.loads(done.stdout)
    assert said["status"] == "identical"
    assert not said["normalised"]
    assert shop.left() == []
    assert shop.run("verify", "small", "--engine", "podman").returncode == 0


def test_the_cause_of_a_difference_is_named(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    other.template("date +%s%N > /opt/when")
    done = other.run("verify", "small", "--rebuild", "--engine", "podman", *shop.registry.mirrors())
    assert done.returncode == 1
    assert "opt/when" in done.stdout + done.stderr
    assert other.left() == []


# --- What is refused -----------------------------------------------------------------------------


def test_a_stale_lock_is_refused_with_what_moved(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    path = other.root / "envs/small.yaml"
    path.write_text(path.read_text().replace("humanize==4.9.0", "humanize==4.8.0"))
    done = other.build("--json")
    assert done.returncode == 2
    assert "small: lock is stale" in done.stderr
    assert "humanize==4.8.0" in done.stderr
    assert "hint: envbuild lock small" in done.stderr
    assert json.loads(done.stdout)[0]["status"] == "failed"
    assert other.record() is None


def test_a_dockerfile_that_was_edited_is_refused(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    with (other.root / "Dockerfiles/small/Dockerfile").open("a") as file:
        file.write("RUN rm -rf /opt\n")
    done = other.build()
    assert done.returncode == 2
    assert "Dockerfiles/small/Dockerfile: differs" in done.stderr
    assert "hint: envbuild render small" in done.stderr


def test_a_failing_step_is_reported(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    words = "AttributeError: module 'numpy' has no attribute '_no_nep50_warning'"
    other.template(f'for n in $(seq 100); do echo "line $n"; done; echo "{words}"; exit 7')
    done = other.build("--tag", "failing:1")
    assert done.returncode == 3
    assert "small/linux-amd64-cpu" in done.stderr
    assert "| line 100" in done.stderr
    assert "| line 20\n" not in done.stderr
    assert f".envbuild/logs/build-small.{VARIANT}.log" in done.stderr
    assert "diagnosis: " in done.stderr
    assert "1 failed" in done.stderr.splitlines()[-1]
    assert "line 20\n" in (other.root / f".envbuild/logs/build-small.{VARIANT}.log").read_text()
    assert not other.has("failing:1")
    assert other.record() is None
    assert other.left() == []


def test_a_secret_and_certificates_stay_in_no_layer(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    (tmp_path / "token").write_text("correct horse battery staple\n")
    (tmp_path / "ca.pem").write_text(certificate("own"))
    given = ("--secret", f"id=token,src={tmp_path}/token", "--ca-bundle", f"{tmp_path}/ca.pem")
    other.template(
        "--mount=type=secret,id=token --mount=type=secret,id=envbuild_ca "
        "test -s /run/secrets/envbuild_ca && wc -c < /run/secrets/token > /opt/count"
    )
    made = other.one(*given, "--tag", "secret:1")
    assert made["status"] == "built"
    said = other.engine("run", "--rm", "--entrypoint", "/bin/cat", "secret:1", "/opt/count")
    assert said.strip() == "29"
    listed = other.engine(
        "run", "--rm", "--network=none", "--user=0", "--entrypoint", "/bin/ls", "secret:1",
        "-lR", "/run/secrets", "/etc/ssl/certs/ca-certificates.crt",
    )  # fmt: skip
    assert "/etc/ssl/certs/ca-certificates.crt" in listed
    assert "token" not in listed


def test_an_image_that_holds_a_secret_is_refused(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    (tmp_path / "token").write_text("correct horse battery staple\n")
    (tmp_path / "ca.pem").write_text(certificate("own"))
    given = ("--secret", f"id=token,src={tmp_path}/token", "--ca-bundle", f"{tmp_path}/ca.pem")
    other.template(
        "--mount=type=secret,id=token --mount=type=secret,id=envbuild_ca set -e; "
        "cp /run/secrets/token /opt/token; cp /run/secrets/envbuild_ca /opt/ca.pem; "
        "mkdir -p /run/envbuild/x; echo left > /run/envbuild/x/y"
    )
    done = other.build(*given, "--tag", "leaking:1")
    assert done.returncode == 1, done.stderr
    assert "the secret token is in /opt/token" in done.stderr
    assert "the certificates of --ca-bundle are in /opt/ca.pem" in done.stderr
    assert "/run/envbuild/x/y was left there (5 bytes)" in done.stderr
    assert "correct horse" not in done.stderr
    assert not other.has("leaking:1")
    for identity in other.engine("images", "--all", "--quiet").split():
        assert "/opt/token" not in other.engine("history", "--no-trunc", identity)
    assert other.record() is None
    assert other.left() == []


def test_an_image_that_is_not_what_was_meant_is_refused(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    (other.root / "templates").mkdir()
    (other.root / "templates/Dockerfile.j2").write_text(
        '{% extends "dockerfile/main.j2" %}\n{% block settings %}\n{{ super() }}\n'
        "LABEL io.envbuild.version=forged\nUSER root\n{% endblock %}\n"
    )
    if other.run("render").returncode:
        return  # render has noticed it first
    done = other.build("--tag", "another:1")
    assert done.returncode == 1
    assert "it runs as root, and should run as robot" in done.stderr
    assert not other.has("another:1")


def test_one_that_fails_does_not_keep_the_others(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    text = PROFILE.replace("name: small", "name: broken").replace("humanize==", "humanize>=")
    (other.root / "envs/broken.yaml").write_text(text)
    done = other.build("--json", "--tag", "{profile}:{variant}")
    assert done.returncode == 2
    states = {(row["profile"], row["status"]) for row in json.loads(done.stdout)}
    assert states == {("broken", "failed"), ("small", "built"), ("small", "skipped")}
    assert done.stderr.splitlines()[-1] == "3 variants: 1 built, 1 failed, 1 skipped"


# --- Two at once, and one that is interrupted ----------------------------------------------------


def waited(process: subprocess.Popen[str], shop: Shop, words: str) -> None:
    """Wait until the log of the build has these words."""
    log = shop.root / f".envbuild/logs/build-small.{VARIANT}.log"
    deadline = time.monotonic() + 60
    while not (log.exists() and words in log.read_text()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_interrupted_build_leaves_nothing(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    other.template("echo the step has begun; sleep 120")
    process = other.start("build", "--engine", "podman", *shop.registry.mirrors(), "--tag", "cut:1")
    waited(process, other, "\nthe step has begun")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err.endswith("error: interrupted: nothing is half written\n")
    assert not other.has("cut:1")
    assert other.record() is None
    assert other.left() == []


def test_two_builds_of_one_variant_take_turns(shop: Shop, tmp_path: Path) -> None:
    other = shop.copy(tmp_path / "ws")
    other.template("echo the step has begun; sleep 3")
    argv = ("build", "--json", "--engine", "podman", *shop.registry.mirrors(), "--tag", "turn:1")
    first = other.start(*argv)
    waited(first, other, "\nthe step has begun")
    second = other.run(*argv)
    out, err = first.communicate(timeout=60)
    assert first.returncode == second.returncode == 0, err + second.stderr
    assert f"waiting for another build of it (process {first.pid})" in second.stderr
    status = [row["status"] for row in json.loads(out) + json.loads(second.stdout)]
    assert sorted(status) == ["built", "skipped", "skipped", "unchanged"]
