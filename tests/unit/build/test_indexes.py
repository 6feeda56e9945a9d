"""What uv's settings say of indexes, and who the user is to them."""

import base64
from pathlib import Path

import pytest

from envbuild.build.indexes import addresses, with_find_links
from envbuild.lock.uv import Uv
from envbuild.tools.credentials import Credentials


def uv(configuration: dict[str, object] | None = None, **variables: str) -> Uv:
    return Uv(
        executable="uv",
        python="python",
        environment=tuple(variables.items()),
        configuration=configuration or {},
    )


def test_every_address_of_the_settings_is_known() -> None:
    tool = uv(
        {
            "index": [{"name": "team", "url": "https://team.example/simple"}],
            "index-url": "https://main.example/simple",
            "extra-index-url": ["https://more.example/simple"],
        },
        UV_DEFAULT_INDEX="https://bob:x@default.example/simple",
        UV_INDEX="https://a.example/simple own-b=https://b.example/simple",
        UV_INDEX_OWN_B_USERNAME="ann",
        UV_INDEX_OWN_B_PASSWORD="p@ss:/word",
        UV_INDEX_TEAM_PASSWORD="token",
    )
    assert list(addresses(tool)) == [
        "https://bob:x@default.example/simple",
        "https://a.example/simple",
        "https://ann:p%40ss%3A%2Fword@b.example/simple",
        "https://:token@team.example/simple",
        "https://main.example/simple",
        "https://more.example/simple",
    ]


def test_pip_s_find_links_are_looked_at_beside_uv_s_own(tmp_path: Path) -> None:
    there, environ = (
        str(tmp_path),
        {"PIP_FIND_LINKS": f"{tmp_path} {tmp_path}/missing https://l.example/"},
    )
    made = with_find_links(uv({"find-links": ["/a"]}, UV_FIND_LINKS="/b,/a", HOME="/h"), environ)
    assert made.configuration == {"find-links": ["/b", "/a", there, "https://l.example/"]}
    assert made.environment == (("HOME", "/h"),)


def test_without_pip_s_setting_nothing_changes() -> None:
    tool = uv(UV_FIND_LINKS="/b")
    assert with_find_links(tool, {}) is tool
    assert with_find_links(tool, {"PIP_FIND_LINKS": "/no/such/folder"}) is tool


def said(headers: dict[str, str]) -> str:
    kind, _, text = headers["Authorization"].partition(" ")
    assert kind == "Basic"
    return base64.b64decode(text).decode()


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    (tmp_path / "netrc").write_text(
        "machine net.example login nat password secret\nmachine both.example login n password n\n"
    )
    listed = (
        "https://ann:p%40ss@both.example/simple",
        "https://open.example",
        "http://u@one.example:81/",
    )
    return Credentials(lambda: listed, {"NETRC": str(tmp_path / "netrc")})


def test_who_the_user_is_to_a_host(credentials: Credentials) -> None:
    assert said(credentials.headers("https://both.example/files/a.whl")) == "ann:p@ss"
    assert said(credentials.headers("https://both.example:443/a.whl")) == "ann:p@ss"
    assert said(credentials.headers("https://net.example/a.whl")) == "nat:secret"
    assert said(credentials.headers("https://x:y@open.example/a.whl")) == "x:y"
    assert said(credentials.headers("http://one.example:81/a")) == "u:"


@pytest.mark.parametrize(
    "url",
    [
        "https://open.example/a",
        "http://one.example/a",
        "https://one.example:81/a",
        "https://other.example/a",
    ],
)
def test_nobody_else_is_told(credentials: Credentials, url: str) -> None:
    assert credentials.headers(url) == {}


@pytest.mark.parametrize("text", [None, "machine\n", "garbage here"])
def test_a_netrc_that_is_missing_or_broken_is_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "netrc"
    if text is not None:
        path.write_text(text)
    assert Credentials(tuple, {"NETRC": str(path)}).headers("https://a.example/") == {}
