"""What registries and files of logins say, read without asking anybody."""

from __future__ import annotations

import base64
import json

import pytest

from envbuild.tools.logins import Entry, Login, Logins, keys, login, server
from envbuild.tools.manifests import Challenge, Platform, challenges, fitting
from envbuild.tools.manifests import Entry as Row
from envbuild.tools.net import Http, NetError, is_loopback
from envbuild.tools.proc import Command, Outcome


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ("Basic", [("basic", {})]),
        ('Basic realm="a, b"', [("basic", {"realm": "a, b"})]),
        (
            'Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"',
            [
                (
                    "bearer",
                    {"realm": "https://a/t", "service": "s", "scope": "repository:a/b:pull,push"},
                )
            ],
        ),
        (
            'Bearer realm="x" , error=invalid_token',
            [("bearer", {"realm": "x", "error": "invalid_token"})],
        ),
        (
            'Negotiate, Basic realm="a\\"b", Bearer realm=x',
            [("negotiate", {}), ("basic", {"realm": 'a"b'}), ("bearer", {"realm": "x"})],
        ),
    ],
)
def test_challenges(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert challenges(header) == tuple(
        Challenge(scheme=scheme, parameters=parameters) for scheme, parameters in expected
    )


def test_the_entry_of_an_index_for_an_architecture() -> None:
    one, other = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
    rows = (
        Row(digest=other, platform=Platform("arm64", "linux", "v9")),
        Row(digest=other, platform=Platform("amd64", "windows")),
        Row(digest="md5:1", platform=Platform("amd64", "linux")),
        Row(digest=one, platform=Platform("amd64", "linux")),
    )
    assert fitting(rows, "amd64") == one
    with pytest.raises(NetError, match="the image has no linux/arm64"):
        fitting(rows, "arm64")


def test_the_names_of_docker_hub() -> None:
    assert server("docker.io") == "https://index.docker.io/v1/"
    assert keys("docker.io", "library/debian")[0] == "https://index.docker.io/v1/"
    assert keys("a.io", "b/c") == (
        "a.io/b/c",
        "a.io/b",
        "a.io",
        "https://a.io",
        "https://a.io/v1/",
    )


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (Entry(), None),
        (Entry(auth=coded("me:a:b")), Login(user="me", password="a:b")),
        (Entry(auth=coded("me:x\0\0")), Login(user="me", password="x")),
        (Entry(username="me", password="x"), Login(user="me", password="x")),
        (Entry(auth=coded("me:x"), identity="token"), Login(identity="token")),
    ],
)
def test_a_login(entry: Entry, expected: Login | None) -> None:
    assert login(entry) == expected


@pytest.mark.parametrize("auth", ["%%%", coded("nobody"), "AAA"])
def test_a_login_that_cannot_be_read(auth: str) -> None:
    with pytest.raises(NetError, match="cannot be read"):
        login(Entry(auth=auth))


def test_no_login_shows_itself() -> None:
    shown = repr((Login(user="me", password="secret"), Entry(auth="secret", identity="secret")))
    assert "secret" not in shown


def nobody(command: Command) -> Outcome:
    raise AssertionError(command)


def test_the_file_that_is_named_expressly_comes_first() -> None:
    def file(password: str) -> str:
        return json.dumps({"auths": {"a.io": {"auth": coded(f"me:{password}")}}, "HttpHeaders": {}})

    texts = {"/auth": file("first"), "/home/.docker/config.json": file("second")}
    environ = {"HOME": "/home", "REGISTRY_AUTH_FILE": "/auth"}
    found = Logins(environ, texts.get, nobody)
    assert found("a.io", "b") == Login(user="me", password="first")
    assert Logins({"HOME": "/home"}, texts.get, nobody)("a.io", "b") == Login(
        user="me", password="second"
    )
    assert found("b.io", "a") is None


def test_a_file_of_logins_that_is_broken() -> None:
    with pytest.raises(NetError, match="the file of logins cannot be read"):
        Logins({"HOME": "/home"}, lambda _: "{", nobody)("a.io", "b")


def test_a_helper_whose_name_is_a_path() -> None:
    text = json.dumps({"credsStore": "../../bin/sh"})
    with pytest.raises(NetError, match="is no name"):
        Logins({"HOME": "/home"}, lambda _: text, nobody)("a.io", "b")


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://a.io/x", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("https://a.io/x", {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        (
            "https://a.io/x",
            {"HTTPS_PROXY": "http://q:1", "https_proxy": "http://p:1"},
            "http://p:1",
        ),
        ("http://a.io/x", {"https_proxy": "http://p:1"}, ""),
        ("http://a.io/x", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.io/x", {"https_proxy": "http://p:1", "no_proxy": "b.io,.io"}, ""),
        ("https://127.0.0.1:5/x", {"https_proxy": "http://p:1"}, ""),
    ],
)
def test_the_proxy_of_an_address(url: str, environ: dict[str, str], proxy: str) -> None:
    assert Http(environ)._proxy(url) == proxy


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.1.2.3", True), ("[::1]", True), ("10.0.0.1", False), ("a", False)],
)
def test_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) == expected


def test_certificates_that_cannot_be_read() -> None:
    with pytest.raises(NetError) as raised:
        Http({"SSL_CERT_FILE": "/nowhere"})._context()
    assert "SSL_CERT_FILE" in (raised.value.hint or "")
