"""Manifests and blobs of a registry that answers by the table of a test."""

from __future__ import annotations

import base64
import json
import socket
from pathlib import Path

import pytest

from envbuild.tools.net import NetError
from tests.registry.answers import Asked, Said, Server
from tests.registry.conftest import BASIC, PASSWORD, USER, reach
from tests.registry.images import DOCKER_LIST, DOCKER_MANIFEST, Image, digest, image, index, layer

AMD = image(layer({"etc/a": "amd64"}))
ARM = image(layer({"etc/a": "arm64"}), architecture="arm64")


def pin(server: Server, home: Path, architecture: str = "amd64", **environment: str) -> str:
    """The digest of ``a/b:1`` of the server."""
    return reach(home, **environment).manifest(f"{server.place}/a/b:1", architecture).digest


def refusal(
    server: Server, home: Path, architecture: str = "amd64", **environment: str
) -> NetError:
    """Why there is none."""
    with pytest.raises(NetError) as raised:
        pin(server, home, architecture, **environment)
    return raised.value


@pytest.mark.parametrize(("architecture", "expected"), [("amd64", AMD), ("arm64", ARM)])
@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_the_manifest_of_a_platform(
    server: Server, home: Path, kind: str, architecture: str, expected: Image
) -> None:
    many = index(AMD, ARM) if kind == "oci" else index(AMD, ARM, kind=DOCKER_LIST)
    server.hold("a/b", "1", AMD, ARM, by_tag=many)
    assert pin(server, home, architecture) == expected.digest


def test_an_image_that_is_no_index(server: Server, home: Path) -> None:
    one = image(layer({"a": "b"}), kind=DOCKER_MANIFEST)
    server.hold("a/b", "1", one)
    assert pin(server, home) == one.digest


def test_by_a_digest_of_the_index_or_of_the_manifest(server: Server, home: Path) -> None:
    many = index(AMD, ARM)
    server.hold("a/b", "1", AMD, ARM, by_tag=many)
    server.hold("a/b", digest(many), AMD, ARM, by_tag=many)
    whole = f"{server.place}/a/b:1@"
    assert reach(home).manifest(whole + digest(many), "arm64").digest == ARM.digest
    assert reach(home).manifest(whole + AMD.digest, "amd64").digest == AMD.digest


def test_both_forms_are_asked_for(server: Server, home: Path) -> None:
    server.hold("a/b", "1", AMD)
    pin(server, home)
    accept = server.asked[0].headers["Accept"]
    assert "oci.image.index.v1" in accept
    assert "docker.distribution.manifest.list.v2" in accept


def test_an_arm64_of_another_generation_is_not_taken(server: Server, home: Path) -> None:
    rows = json.loads(index(ARM, ARM))
    rows["manifests"][0]["platform"]["variant"] = "v9"
    rows["manifests"][0]["digest"] = digest(b"another")
    rows["manifests"][1]["platform"]["variant"] = "v8"
    server.hold("a/b", "1", ARM, by_tag=json.dumps(rows).encode())
    assert pin(server, home, "arm64") == ARM.digest


def test_a_mirror_is_read_and_the_name_stays(server: Server, home: Path) -> None:
    server.hold("hub/library/debian", "12", AMD)
    registry = reach(home, f"docker.io={server.place}/hub")
    assert registry.manifest("debian:12", "amd64").digest == AMD.digest


# --- What is refused -----------------------------------------------------------------------------


def test_an_index_without_the_platform(server: Server, home: Path) -> None:
    server.hold("a/b", "1", AMD, by_tag=index(AMD))
    assert refusal(server, home, "arm64").message == "the image has no linux/arm64"


def test_an_image_of_another_platform(server: Server, home: Path) -> None:
    server.hold("a/b", "1", AMD)
    assert refusal(server, home, "arm64").message == "the image has no linux/arm64"


def test_bytes_that_are_not_those_of_the_digest(server: Server, home: Path) -> None:
    server.hold("a/b", "1", AMD, ARM, by_tag=index(AMD, ARM))
    server.answers[f"/v2/a/b/manifests/{AMD.digest}"] = Said(200, ARM.manifest)
    assert refusal(server, home).message == "the registry sent other bytes than its digest says"


def test_a_header_that_names_another_digest(server: Server, home: Path) -> None:
    named = {"Docker-Content-Digest": digest(b"something else")}
    server.hold("a/b", "1", AMD)
    server.answers["/v2/a/b/manifests/1"] = Said(200, AMD.manifest, named)
    assert refusal(server, home).message == "the registry sent other bytes than its digest says"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "the registry has no such image"),
        (403, "the registry refuses this image to this user"),
        (429, "the registry's rate limit is reached"),
        (418, "the registry answers with status 418"),
    ],
)
def test_a_status(server: Server, home: Path, status: int, message: str) -> None:
    server.answers["/v2/a/b/manifests/1"] = Said(status)
    assert refusal(server, home).message == message
    assert len(server.asked) == 1, "asking again would not help"


def test_a_rate_limit_says_when_to_come_back(server: Server, home: Path) -> None:
    server.answers["/v2/a/b/manifests/1"] = Said(429, headers={"Retry-After": "60"})
    assert "ask again after 60 s" in refusal(server, home).detail


def test_what_is_no_manifest(server: Server, home: Path) -> None:
    for body in (b"<html>", b"[]", b'{"schemaVersion": 2}', b'{"layers": 5}'):
        server.answers["/v2/a/b/manifests/1"] = Said(200, body)
        assert "the registry's" in refusal(server, home).message


def test_a_registry_that_is_down(home: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(NetError) as raised:
            reach(home).manifest(f"{place}/a:1", "amd64")
    assert raised.value.message == "the registry cannot be reached"
    assert place in raised.value.detail


def test_what_fails_in_passing_is_asked_again(server: Server, home: Path) -> None:
    server.hold("a/b", "1", AMD)
    states = [Said(503), Said(502), server.answers["/v2/a/b/manifests/1"]]
    server.answers["/v2/a/b/manifests/1"] = lambda _: states.pop(0)
    assert pin(server, home) == AMD.digest


def test_a_manifest_that_is_cut_off(server: Server, home: Path) -> None:
    server.answers["/v2/a/b/manifests/1"] = Said(200, AMD.manifest, cut=20)
    assert refusal(server, home).message == "the answer was cut off"


# --- Logins --------------------------------------------------------------------------------------


def bearer(server: Server, *, wants: str = "", gives: str = "access_token") -> None:
    """Let the image be read with a token alone, and the token be had with ``wants``."""
    server.hold("a/b", "1", AMD)
    held = server.answers["/v2/a/b/manifests/1"]
    challenge = f'Bearer realm="{server.url}/token?x=1",service="the service, ours",scope="repository:a/b:pull"'

    def manifest(asked: Asked) -> Said:
        if asked.headers.get("Authorization") == "Bearer opened":
            assert isinstance(held, Said)
            return held
        return Said(401, headers={"WWW-Authenticate": challenge})

    def token(asked: Asked) -> Said:
        if wants and asked.headers.get("Authorization") != wants:
            return Said(401)
        return Said(200, json.dumps({gives: "opened", "expires_in": 300}).encode())

    server.answers["/v2/a/b/manifests/1"] = manifest
    server.answers["/token"] = token


def docker_config(home: Path, config: dict[str, object]) -> None:
    path = home / ".docker/config.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(config))


def auth(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize("field", ["token", "access_token"])
def test_a_token_for_everybody(server: Server, home: Path, field: str) -> None:
    bearer(server, gives=field)
    assert pin(server, home) == AMD.digest
    asked = next(one.path for one in server.asked if one.path.startswith("/token"))
    assert asked == "/token?x=1&service=the+service%2C+ours&scope=repository%3Aa%2Fb%3Apull"


def test_one_token_serves_a_repository(server: Server, home: Path) -> None:
    bearer(server)
    registry = reach(home)
    manifest = registry.manifest(f"{server.place}/a/b:1", "amd64")
    registry.created(f"{server.place}/a/b:1", manifest)
    assert sum(path.startswith("/token") for path in server.paths()) == 1


def test_a_token_for_a_login(server: Server, home: Path) -> None:
    bearer(server, wants=BASIC)
    docker_config(home, {"auths": {server.place: auth()}})
    assert pin(server, home) == AMD.digest


def test_a_token_for_an_identity(server: Server, home: Path) -> None:
    bearer(server)
    docker_config(home, {"auths": {server.place: {"identitytoken": "who I am"}}})
    assert pin(server, home) == AMD.digest
    posted = next(one for one in server.asked if one.method == "POST")
    assert b"grant_type=refresh_token" in posted.body
    assert b"refresh_token=who+I+am" in posted.body
    assert "Authorization" not in posted.headers


def test_a_login_that_is_refused(server: Server, home: Path) -> None:
    bearer(server, wants=BASIC)
    docker_config(home, {"auths": {server.place: auth(password="wrong words")}})
    error = refusal(server, home)
    assert error.message == "the registry refuses the login"
    assert "wrong words" not in f"{error.message}{error.detail}{error.hint}"


def test_a_registry_that_wants_a_login(server: Server, home: Path) -> None:
    said = {"WWW-Authenticate": 'Basic realm="tests"'}
    server.answers["/v2/a/b/manifests/1"] = Said(401, headers=said)
    assert refusal(server, home).message == "the registry wants a login"


def test_podmans_own_file(server: Server, home: Path, tmp_path: Path) -> None:
    bearer(server, wants=BASIC)
    path = tmp_path / "auth.json"
    path.write_text(json.dumps({"auths": {f"{server.place}/a": auth()}}))
    assert pin(server, home, REGISTRY_AUTH_FILE=str(path)) == AMD.digest
    runtime = tmp_path / "run/containers"
    runtime.mkdir(parents=True)
    path.rename(runtime / "auth.json")
    assert pin(server, home, XDG_RUNTIME_DIR=str(tmp_path / "run")) == AMD.digest


HELPER = """\
#!/bin/sh
[ "$1" = get ] || exit 2
read -r server
case "$server" in
  {place}) printf '{{"ServerURL": "%s", "Username": "{user}", "Secret": "{secret}"}}' "$server" ;;
  *) echo "credentials not found in native keychain"; exit 1 ;;
esac
"""


@pytest.mark.parametrize("how", ["credHelpers", "credsStore"])
@pytest.mark.parametrize("user", [USER, "<token>"])
def test_a_credential_helper(
    server: Server, home: Path, tmp_path: Path, how: str, user: str
) -> None:
    bearer(server, wants=BASIC if user == USER else "")
    programs = tmp_path / "bin"
    programs.mkdir()
    helper = programs / "docker-credential-tests"
    helper.write_text(HELPER.format(place=server.place, user=user, secret=PASSWORD))
    helper.chmod(0o755)
    docker_config(home, {how: {server.place: "tests"} if how == "credHelpers" else "tests"})
    assert pin(server, home, PATH=f"{programs}:/usr/bin:/bin") == AMD.digest
    assert any(one.method == "POST" for one in server.asked) == (user == "<token>")


def test_a_credential_helper_that_is_missing(server: Server, home: Path) -> None:
    bearer(server, wants=BASIC)
    docker_config(home, {"credsStore": "nowhere"})
    assert refusal(server, home).message == "docker-credential-nowhere is not installed"


def test_the_login_goes_to_no_other_host(server: Server, home: Path) -> None:
    said = {"WWW-Authenticate": 'Basic realm="tests"'}
    other = f"http://localhost:{server.place.rpartition(':')[2]}/elsewhere"

    def manifest(asked: Asked) -> Said:
        if asked.headers.get("Authorization") != BASIC:
            return Said(401, headers=said)
        return Said(307, headers={"Location": other})

    server.answers["/v2/a/b/manifests/1"] = manifest
    server.answers["/elsewhere"] = lambda asked: Said(
        400 if "Authorization" in asked.headers else 200, AMD.manifest
    )
    server.hold("a/c", "1", AMD)
    for path in [path for path in server.answers if path.startswith("/v2/a/c/blobs/")]:
        server.answers[path.replace("/a/c/", "/a/b/")] = server.answers[path]
    docker_config(home, {"auths": {server.place: auth()}})
    assert pin(server, home) == AMD.digest


def test_a_token_is_not_fetched_in_the_open(server: Server, home: Path) -> None:
    said = {"WWW-Authenticate": 'Bearer realm="http://198.51.100.7/token",service="x"'}
    server.answers["/v2/a/b/manifests/1"] = Said(401, headers=said)
    docker_config(home, {"auths": {server.place: auth()}})
    assert refusal(server, home).message == "the registry's tokens do not come by https"
