"""What reaches a solver: the way to the index, and nothing that changes an answer."""

from __future__ import annotations

import pytest

from envbuild.tools.env import solver_environment

FIXED = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "TMPDIR",
        "XDG_CACHE_HOME",
        "https_proxy",
        "HTTPS_PROXY",
        "no_proxy",
        "SSL_CERT_DIR",
        "AWS_CA_BUNDLE",
        "PIP_CLIENT_CERT",
        "NETRC",
        "UV_CACHE_DIR",
        "UV_DEFAULT_INDEX",
        "UV_INDEX",
        "UV_INDEX_COMPANY_PASSWORD",
        "UV_EXTRA_INDEX_URL",
        "UV_KEYRING_PROVIDER",
        "UV_INSECURE_HOST",
        "UV_HTTP_TIMEOUT",
    ],
)
def test_what_passes(name: str) -> None:
    assert solver_environment({name: "x"}) == {name: "x", **FIXED}


@pytest.mark.parametrize(
    "name",
    [
        "UV_RESOLUTION",
        "UV_PRERELEASE",
        "UV_EXCLUDE_NEWER",
        "UV_PYTHON",
        "UV_CONSTRAINT",
        "UV_OVERRIDE",
        "UV_TORCH_BACKEND",
        "UV_OFFLINE",
        "PIP_INDEX_URL",
        "PIP_CONSTRAINT",
        "PYTHONPATH",
        "PYTHONHASHSEED",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "home",
        "Path",
        "AWS_SECRET_ACCESS_KEY",
    ],
)
def test_what_does_not(name: str) -> None:
    assert solver_environment({name: "x"}) == FIXED


def test_the_locale_and_the_zone_are_fixed() -> None:
    assert solver_environment({"LANG": "de_DE", "LC_ALL": "tr_TR", "TZ": "Asia/Tokyo"}) == FIXED


def test_certificates_named_for_pip_reach_the_solver() -> None:
    assert solver_environment({"PIP_CERT": "/a.pem"})["SSL_CERT_FILE"] == "/a.pem"
    assert solver_environment({"REQUESTS_CA_BUNDLE": "/b.pem"})["SSL_CERT_FILE"] == "/b.pem"
    both = {"PIP_CERT": "/a.pem", "SSL_CERT_FILE": "/c.pem"}
    assert solver_environment(both)["SSL_CERT_FILE"] == "/c.pem"


def test_without_a_network_no_certificates_are_read() -> None:
    named = {
        "SSL_CERT_FILE": "/a.pem",
        "SSL_CERT_DIR": "/a",
        "PIP_CERT": "/b",
        "AWS_CA_BUNDLE": "/c",
    }
    assert solver_environment({**named, "PATH": "/bin"}, offline=True) == {"PATH": "/bin", **FIXED}
