"""The environment of a child process: what must reach it, and nothing that changes an answer."""

from __future__ import annotations

from collections.abc import Mapping

_NAMES = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "TMPDIR",
        "NETRC",
        # The way to the index: proxies, credentials; certificates are below.
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "PIP_CLIENT_CERT",
        "SSL_CLIENT_CERT",
        "UV_KEYRING_PROVIDER",
        "UV_NATIVE_TLS",
        "UV_SYSTEM_CERTS",
        "UV_INSECURE_HOST",
        "UV_HTTP_TIMEOUT",
        # Which index, and where its answers are kept.
        "UV_CACHE_DIR",
        "UV_DEFAULT_INDEX",
        "UV_EXTRA_INDEX_URL",
        "UV_FIND_LINKS",
    }
)
_PREFIXES = ("XDG_", "UV_INDEX")
_CERTIFICATES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_FIXED = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def solver_environment(environ: Mapping[str, str], *, offline: bool = False) -> dict[str, str]:
    """What a solver may see of ``environ``: its tools, the index, the way there, a fixed locale.

    Every other ``UV_*``, ``PIP_*``, ``PYTHON*``, ``VIRTUAL_ENV`` and ``CONDA*`` is left out: such
    switches change an answer behind the profile's back. Certificates that are named for pip or
    requests alone are named for the solver too, which reads ``SSL_CERT_FILE`` only. ``offline``
    needs none, and to read a system's takes a tenth of a short call.
    """
    kept = {name: value for name, value in environ.items() if _passes(name)}
    if offline:
        kept = {name: value for name, value in kept.items() if not _names_certificates(name)}
    elif not kept.get("SSL_CERT_FILE"):
        named = next((kept[name] for name in _CERTIFICATES if kept.get(name)), "")
        kept |= {"SSL_CERT_FILE": named} if named else {}
    return dict(sorted({**kept, **_FIXED}.items()))


_CONDA = ("CONDARC", "MAMBARC", "CONDA_CHANNEL_ALIAS", "CONDA_PKGS_DIRS", "MAMBA_ROOT_PREFIX")


def conda_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a conda, mamba or micromamba may see: as a solver, and where its own settings are.

    What it takes the machine for (``CONDA_OVERRIDE_*``) and what is activated are left out.
    """
    own = {name: environ[name] for name in _CONDA if name in environ}
    return dict(sorted({**solver_environment(environ), **own}.items()))


def _passes(name: str) -> bool:
    upper = name.upper()
    return (
        name in _NAMES
        or (upper in _NAMES and upper.endswith("_PROXY"))
        or name.startswith(_PREFIXES)
        or _names_certificates(name)
    )


def _names_certificates(name: str) -> bool:
    return name == "PIP_CERT" or name.startswith("SSL_CERT_") or name.endswith("_CA_BUNDLE")
