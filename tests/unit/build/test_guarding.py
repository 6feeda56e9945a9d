"""What is found in an image before it gets a name."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import msgspec
import pytest

from envbuild.build import guarding, secrets
from envbuild.build.guarding import Expected
from envbuild.build.leaks import Hidden
from envbuild.build.secrets import Needle, Secret
from envbuild.engines.model import ImageFacts
from envbuild.errors import InputError
from envbuild.tools.packing import Packing, packer
from tests.support.image import Layer, layer, oci_layout
from tests.unit.build.test_planning import VARIANTS
from tests.unit.build.test_secrets import pem

WORDS = b"correct horse battery staple"
TOKEN = Needle(name="the secret token", content=WORDS)
BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def saved(root: Path, *layers: Layer | bytes, config: dict[str, object] | None = None) -> str:
    """An OCI layout of these layers, from below."""
    datas = [one if isinstance(one, bytes) else layer(one) for one in layers]
    blobs: dict[str, bytes] = {}

    def put(data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return f"sha256:{digest}"

    said = {"rootfs": {"type": "layers", "diff_ids": diff_ids(*layers)}, **(config or {})}
    manifest = {
        "config": {"digest": put(json.dumps(said).encode())},
        "layers": [{"digest": put(data)} for data in datas],
    }
    entry: dict[str, object] = {"digest": put(json.dumps(manifest).encode())}
    return str(oci_layout(root, (blobs, entry)))


def diff_ids(*layers: Layer | bytes) -> list[str]:
    plain = [one if isinstance(one, bytes) else layer(one) for one in layers]
    return [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in plain]


def found(folder: str, hidden: Hidden, *base: str) -> tuple[str, ...]:
    return guarding.in_saved(folder, hidden, base=base, label="arm/v")


def bundle(*seeds: int) -> Hidden:
    text = "".join(map(pem, seeds)).encode()
    return Hidden(certificates=secrets.certificates(text, label="b"))


# --- Secrets in layers ---------------------------------------------------------------------------


@pytest.mark.parametrize("packing", ["none", "gzip", "zstd"])
def test_a_secret_in_a_file_is_found_however_the_layer_is_packed(
    tmp_path: Path, packing: Packing
) -> None:
    text = "x" * 3_000_000 + WORDS.decode() + "\n"
    pack = packer(packing)
    data = pack.compress(layer({"opt/a": "clean", "opt/b": text})) + pack.flush()
    folder = saved(tmp_path, data)
    assert found(folder, Hidden(needles=(TOKEN,))) == ("the secret token is in /opt/b",)
    assert found(folder, Hidden()) == ()


def test_a_secret_over_the_border_of_two_reads_is_found(tmp_path: Path) -> None:
    for place in range(len(WORDS) + 2):
        text = "x" * ((1 << 20) - place) + WORDS.decode()
        folder = saved(tmp_path / str(place), {"a": text})
        assert found(folder, Hidden(needles=(TOKEN,))) == ("the secret token is in /a",)


def test_what_the_base_holds_is_not_ours(tmp_path: Path) -> None:
    below, above = {"opt/a": WORDS.decode()}, {"opt/b": "clean"}
    folder = saved(tmp_path, below, above)
    hidden = Hidden(needles=(TOKEN,))
    assert found(folder, hidden, *diff_ids(below)) == ()
    assert found(folder, hidden, *diff_ids(above)) == ("the secret token is in /opt/a",)
    assert found(folder, hidden) == ("the secret token is in /opt/a",)


def test_a_secret_of_a_file_that_a_later_layer_removes_is_found(tmp_path: Path) -> None:
    folder = saved(tmp_path, {"opt/a": WORDS.decode()}, {"opt/.wh.a": ""})
    assert found(folder, Hidden(needles=(TOKEN,))) == ("the secret token is in /opt/a",)


def test_a_secret_in_history_and_variables_is_found(tmp_path: Path) -> None:
    text = WORDS.decode()
    config = {
        "history": [{"created_by": "RUN true"}, {"created_by": f"RUN login '{text}'"}],
        "config": {"Env": ["A=b", f"TOKEN={text}"]},
    }
    folder = saved(tmp_path, {"a": "b"}, config=config)
    assert found(folder, Hidden(needles=(TOKEN,))) == (
        "the secret token is in the image's configuration (history.created_by)",
        "the secret token is in the image's configuration (config.Env)",
    )


# --- Certificates --------------------------------------------------------------------------------


def test_one_of_a_few_certificates_is_found(tmp_path: Path) -> None:
    folder = saved(tmp_path, {"opt/ca.pem": pem(3), "opt/other.pem": pem(9)})
    assert found(folder, bundle(2, 3)) == ("the certificates of --ca-bundle are in /opt/ca.pem",)
    assert found(folder, bundle(2)) == ()


def test_a_certificate_in_der_is_found(tmp_path: Path) -> None:
    der = b"store" + base64.b64decode("".join(pem(3).splitlines()[1:-1]))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        member = tarfile.TarInfo("opt/keystore")
        member.size = len(der)
        tar.addfile(member, io.BytesIO(der))
    folder = saved(tmp_path, out.getvalue())
    assert found(folder, bundle(3)) == ("the certificates of --ca-bundle are in /opt/keystore",)


def test_public_certificates_of_a_long_bundle_may_come_with_a_package(tmp_path: Path) -> None:
    public, own = list(range(1, 12)), 40
    certifi = {"opt/certifi/cacert.pem": "".join(map(pem, reversed(public)))}
    folder = saved(tmp_path / "certifi", certifi)
    assert found(folder, bundle(*public, own)) == ()
    copied = {**certifi, "opt/ca.pem": "".join(map(pem, [own, *public]))}
    folder = saved(tmp_path / "copied", copied)
    assert found(folder, bundle(*public, own)) == (
        "the certificates of --ca-bundle are in /opt/ca.pem",
    )


def test_the_systems_certificates_must_not_go(tmp_path: Path) -> None:
    fault = "/etc/ssl/certs/ca-certificates.crt of the base image is deleted"
    below = {BUNDLE: "x"}
    for number, gone in enumerate(
        ("etc/ssl/certs/.wh.ca-certificates.crt", "etc/.wh.ssl", "etc/ssl/certs/.wh..wh..opq")
    ):
        place = tmp_path / str(number)
        assert found(saved(place / "a", below, {gone: ""}), Hidden()) == (fault,)
        again = saved(place / "b", below, {gone: ""}, {BUNDLE: "y"})
        assert found(again, Hidden()) == ()
        same = saved(place / "c", below, {gone: "", BUNDLE: "y"})
        assert found(same, Hidden()) == ()
    other = saved(tmp_path / "o", below, {"etc/ssl/certs/.wh.other.crt": ""})
    assert found(other, Hidden()) == ()


def test_nothing_of_a_mount_stays(tmp_path: Path) -> None:
    left = {
        "run/envbuild/in/requirements.txt": "numpy",
        "run/secrets": None,
        "./run/secrets/token": "abc",
        "run/secrets/empty": "",
    }
    assert found(saved(tmp_path, left), Hidden()) == (
        "/run/envbuild/in/requirements.txt was left there (5 bytes)",
        "/run/secrets/token was left there (3 bytes)",
    )


def test_an_image_that_is_not_whole(tmp_path: Path) -> None:
    folder = Path(saved(tmp_path / "a", {"a": "b"}))
    for path in folder.rglob("sha256/*"):
        if not path.read_bytes().startswith(b"{"):
            path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(InputError, match="arm/v cannot be read"):
        found(str(folder), Hidden())
    with pytest.raises(InputError):
        found(str(tmp_path / "nothing"), Hidden())


def test_no_secret_is_in_what_is_said(tmp_path: Path) -> None:
    needles = secrets.needles([Secret(name="token", path="/t", content=WORDS)], {})
    (said,) = found(saved(tmp_path, {"a": WORDS.decode()}), Hidden(needles=needles))
    assert WORDS.decode() not in said
    error = guarding.RefusedError("arm/v", (said,))
    assert error.exit_code == 1
    assert "the secret token is in /a" in error.message


# --- What an engine says -------------------------------------------------------------------------

FACTS = ImageFacts(
    identity="sha256:1",
    platform="linux/amd64",
    size=1,
    labels=(("io.envbuild.profile", "arm"), ("other", "x")),
    entrypoint=("/bin/a", "b"),
    command=("c",),
    user="1234",
    workdir="/workspace/",
)
WANTED = Expected(
    labels={"io.envbuild.profile": "arm"},
    platform="linux/amd64",
    workdir="/workspace",
    users=("robot", "1234"),
    entrypoint=("/bin/a", "b"),
    command=("c",),
)


def test_an_image_as_it_was_meant() -> None:
    assert guarding.in_facts(FACTS, WANTED) == ()
    bare = Expected(labels={}, platform="linux/amd64", workdir="/workspace")
    assert guarding.in_facts(FACTS, bare) == ()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("labels", (), "its label io.envbuild.profile is missing, and should be arm"),
        ("platform", "linux/arm64", "it is for linux/arm64"),
        ("user", "", "it runs as root, and should run as robot"),
        ("workdir", "", "its working folder is /, and should be /workspace"),
        ("entrypoint", (), "its entrypoint is [], and should be ['/bin/a', 'b']"),
        ("command", ("d",), "its command is ['d']"),
    ],
)
def test_an_image_that_is_another(field: str, value: object, words: str) -> None:
    (fault,) = guarding.in_facts(msgspec.structs.replace(FACTS, **{field: value}), WANTED)
    assert words in fault


def test_what_a_variant_must_say() -> None:
    wanted = guarding.expected(VARIANTS[0], lock_digest="sha256:5", labels=(("x", "y"),))
    assert wanted.labels == {
        "io.envbuild.profile": "arm",
        "io.envbuild.variant": "linux-amd64-cu128",
        "io.envbuild.lock-digest": "sha256:5",
        "x": "y",
    }
    assert wanted.users == ()
