"""Which package index is asked: the user's own settings, and nothing else.

uv's variables (``UV_DEFAULT_INDEX`` …) reach uv as they are. Of the user's ``uv.toml`` only what
names indexes and the way to them is taken over; of pip's settings only ``index-url``, and only
where uv's name no default. Nothing of it is written to a lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from envbuild.errors import InputError

ReadText = Callable[[str], str | None]
"""The text of a file, None when there is none."""

_KEPT = (
    "index",
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "index-strategy",
    "keyring-provider",
    "allow-insecure-host",
    "native-tls",
    "system-certs",
    "cache-dir",
)
_USUAL = re.compile(r"^\[global\]\n(?:[^\[\n].*\n|\n)*?index-url *= *(?P<url>\S+) *$", re.MULTILINE)
"""An index in pip's settings, as ``pip config set`` writes it."""

_NAMED = re.compile(r"^[ \t]*index-url", re.MULTILINE | re.IGNORECASE)
"""What stands in pip's settings if they name an index at all."""

_UV_DEFAULTS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")


class IndexSettings(Struct, frozen=True, kw_only=True):
    """``configuration`` are uv.toml keys, ``environment`` variables to add, ``origin`` the place
    that names the default index, for messages."""

    configuration: dict[str, object]
    environment: dict[str, str]
    origin: str


def user_indexes(environ: Mapping[str, str], read: ReadText) -> IndexSettings:
    """The user's index settings from the environment and the files that uv and pip read.

    Raises:
        InputError: such a file cannot be read as TOML or INI.
    """
    configuration = _uv_settings(environ, read)
    for variable in _UV_DEFAULTS:
        if environ.get(variable):
            return IndexSettings(configuration=configuration, environment={}, origin=variable)
    if _names_default(configuration):
        return IndexSettings(configuration=configuration, environment={}, origin="uv.toml")
    url, origin = _pip_index(environ, read)
    if url:
        return IndexSettings(
            configuration=configuration, environment={"UV_DEFAULT_INDEX": url}, origin=origin
        )
    return IndexSettings(configuration=configuration, environment={}, origin="uv's default")


def _names_default(configuration: Mapping[str, object]) -> bool:
    tables = configuration.get("index")
    listed = tables if isinstance(tables, list) else []
    return "index-url" in configuration or any(table.get("default") for table in listed)


def _config_home(environ: Mapping[str, str]) -> str:
    return environ.get("XDG_CONFIG_HOME") or f"{environ.get('HOME', '')}/.config"


def _uv_settings(environ: Mapping[str, str], read: ReadText) -> dict[str, object]:
    named = environ.get("UV_CONFIG_FILE")
    paths = (named,) if named else (f"{_config_home(environ)}/uv/uv.toml", "/etc/uv/uv.toml")
    for path in paths:
        text = read(path)
        if text is None:
            continue
        import tomllib  # where there is such a file

        try:
            settings = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{path} is not TOML: {error}") from None
        merged = {**settings.get("pip", {}), **settings}
        return {key: merged[key] for key in _KEPT if key in merged}
    return {}


def _pip_index(environ: Mapping[str, str], read: ReadText) -> tuple[str, str]:
    if environ.get("PIP_INDEX_URL"):
        return environ["PIP_INDEX_URL"], "PIP_INDEX_URL"
    named = environ.get("PIP_CONFIG_FILE")
    home = environ.get("HOME", "")
    usual = (f"{_config_home(environ)}/pip/pip.conf", f"{home}/.pip/pip.conf", "/etc/pip.conf")
    for path in (*((named,) if named else ()), *usual):
        text = read(path)
        if text is None or not _NAMED.search(text):
            continue
        written = _USUAL.search(text)
        if written:
            return written["url"], path
        import configparser  # 4 ms, for what is written in another way

        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text)
        except configparser.Error as error:
            message = str(error).splitlines()[0]
            raise InputError(f"{path} is not a pip configuration: {message}") from None
        url = parser.get("global", "index-url", fallback="")
        if url:
            return url, path
    return "", ""
