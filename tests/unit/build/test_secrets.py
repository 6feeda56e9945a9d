"""What a build is told in confidence: how it is named, what is refused, what is looked for."""

from __future__ import annotations

import base64

import pytest

from envbuild.build import secrets
from envbuild.build.secrets import LIMIT, Secret
from envbuild.errors import InputError
from envbuild.lock.indexes import IndexSettings


def pem(seed: int = 1, size: int = 700) -> str:
    """Something that looks like a certificate, other bytes for every seed."""
    der = b"\x30\x82" + bytes((seed * 7 + place * place) % 256 for place in range(size))
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = "\n".join(text[place : place + 64] for place in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def secret(content: bytes, name: str = "token") -> Secret:
    return Secret(name=name, path=f"/secrets/{name}", content=content)


def test_a_secret_is_named_as_docker_names_it() -> None:
    assert secrets.parsed("id=token,src=a/b.txt") == ("token", "a/b.txt")
    assert secrets.parsed("type=file,source=x,id=pip_conf") == ("pip_conf", "x")


@pytest.mark.parametrize(
    "text",
    [
        "token",
        "id=token",
        "src=x",
        "id=a b,src=x",
        "id=,src=x",
        "id=t,src=x,env=Y",
        "type=env,id=t",
    ],
)
def test_what_is_no_secret(text: str) -> None:
    with pytest.raises(InputError, match="id=NAME,src=FILE"):
        secrets.parsed(text)


def test_a_message_has_the_parts_of_a_secret_and_not_its_words() -> None:
    with pytest.raises(InputError) as raised:
        secrets.parsed("token=hunter2hunter2")
    assert "hunter2" not in raised.value.message


def test_certificates_have_an_option_of_their_own() -> None:
    with pytest.raises(InputError) as raised:
        secrets.parsed("id=envbuild_ca,src=x")
    assert raised.value.hint == "use --ca-bundle FILE"


def test_refusals() -> None:
    with pytest.raises(InputError, match="token is given twice"):
        secrets.refuse_twice(["token", "other", "token"])
    with pytest.raises(InputError, match="token is empty"):
        secrets.refuse_empty(secret(b" \n"))
    secrets.refuse_empty(secret(b"x"))


def test_what_buildkit_takes() -> None:
    secrets.refuse_too_long([secret(b"x" * LIMIT)], engine="docker 26.1.5")
    with pytest.raises(InputError, match=r"has 500 KiB, and docker 26\.1\.5 takes .* 500 KiB"):
        secrets.refuse_too_long([secret(b"x" * (LIMIT + 1))], engine="docker 26.1.5")
    with pytest.raises(InputError) as raised:
        secrets.refuse_too_long([secret(b"x" * 2 * LIMIT, "envbuild_ca")], engine="docker")
    assert "only the certificates" in str(raised.value.hint)


DOCKERFILE = """\
RUN --mount=type=secret,id=envbuild_ca,mode=0444 \\
    --mount=type=bind,source=x,target=/run/envbuild/in \\
    --mount=target=/t,id=pip_conf,type=secret \\
    pip install --mount=type=cache,id=other
"""


def test_the_secrets_that_a_dockerfile_reads() -> None:
    assert secrets.mounts(DOCKERFILE) == {"envbuild_ca", "pip_conf"}
    secrets.refuse_unmounted([secret(b"x", "pip_conf")], DOCKERFILE, label="D")
    secrets.refuse_unmounted([secret(b"x", "envbuild_ca")], "FROM x", label="D")
    with pytest.raises(InputError, match="no step of D reads the secret token") as raised:
        secrets.refuse_unmounted([secret(b"x")], DOCKERFILE, label="D")
    assert raised.value.hint == "it reads: envbuild_ca, pip_conf"


def test_certificates_are_told_apart() -> None:
    first, second = secrets.certificates((pem(1) + "# comment\n" + pem(2)).encode(), label="b")
    assert first != second
    assert first.line.decode() in pem(1)
    assert first.line.decode() not in pem(2)
    assert base64.b64decode(first.line) == first.der
    whole = base64.b64decode("".join(pem(1).splitlines()[1:-1]))
    assert first.der in whole


def test_one_certificate_twice_is_one() -> None:
    crlf = pem(1).replace("\n", "\r\n")
    assert len(secrets.certificates((pem(1) + crlf).encode(), label="b")) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing", "b holds no certificate"),
        (pem(1) + "-----BEGIN RSA PRIVATE KEY-----\n", "b holds a private key"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "is broken"),
        (pem(1).replace("MII", "!!!"), "is broken"),
    ],
)
def test_what_is_no_bundle(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        secrets.certificates(text.encode(), label="b")


def test_what_is_looked_for() -> None:
    conf = b"[global]\nindex-url = https://robot:hunter2hunter2@pypi.example/simple\n"
    found = secrets.needles(
        [secret(conf, "pip_conf"), secret(b"short"), secret(b"pem", "envbuild_ca")],
        {"HTTPS_PROXY": "http://me:p4ssw0rd-of-mine@proxy.example:3128", "NO_PROXY": "x"},
    )
    assert {one.content for one in found} == {
        conf.strip(),
        b"robot:hunter2hunter2",
        b"me:p4ssw0rd-of-mine",
    }
    assert "the login of HTTPS_PROXY" in {one.name for one in found}
    assert secrets.too_short([secret(b"short"), secret(b"x" * 16)]) == ("token",)


def test_the_value_of_a_setting_that_is_called_a_secret_is_looked_for() -> None:
    text = b'# token = not-this-one-at-all\n[a]\nAPI_KEY = "0123456789abcdef-key"\nurl = http://x\n'
    found = {one.content for one in secrets.needles([secret(text)], {})}
    assert found == {text.strip(), b"0123456789abcdef-key"}


def test_no_secret_is_shown() -> None:
    assert "hunter2" not in repr(secret(b"hunter2hunter2hunter2"))
    assert "hunter2" not in repr(secrets.needles([secret(b"hunter2hunter2hunter2")], {}))


# --- The user's index ----------------------------------------------------------------------------


def settings(**configuration: object) -> IndexSettings:
    return IndexSettings(configuration=configuration, environment={}, origin="test")


def test_the_users_index_for_pip_and_for_uv() -> None:
    environ = {
        "UV_DEFAULT_INDEX": "https://a:b@one.example/simple",
        "UV_INDEX": "cuda=https://two.example/simple https://three.example/simple",
    }
    made = secrets.index_files(settings(), environ)
    assert made["pip_conf"] == (
        "[global]\nindex-url = https://a:b@one.example/simple\n"
        "extra-index-url = https://two.example/simple https://three.example/simple\n"
    )
    assert made["uv_toml"].count("[[index]]") == 3
    assert made["uv_toml"].endswith('url = "https://a:b@one.example/simple"\ndefault = true\n')


def test_the_users_index_from_files() -> None:
    tables = [{"url": "https://x.example", "name": "x"}, {"url": "https://d.example", "default": 1}]
    made = secrets.index_files(settings(index=tables), {})
    assert "index-url = https://d.example\n" in made["pip_conf"]
    assert "extra-index-url = https://x.example\n" in made["pip_conf"]
    made = secrets.index_files(
        settings(**{"index-url": "https://o.example", "extra-index-url": ["https://p.example"]}), {}
    )
    assert made["pip_conf"] == (
        "[global]\nindex-url = https://o.example\nextra-index-url = https://p.example\n"
    )


def test_no_index_of_ones_own_is_no_secret() -> None:
    assert secrets.index_files(settings(), {}) == {}
