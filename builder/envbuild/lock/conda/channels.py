"""Where channels are read: the user's own conda settings, and nothing else.

A channel has a name in the profile and in every lock (``conda-forge``), an address that the world
knows it by, and the address that this machine reads it from: a mirror where conda's settings name
one. Only the first two are ever written. Read are ``.condarc`` and ``.mambarc`` where conda and
mamba look for them (of the conda manual's search path: what is the user's, and what ``CONDARC``
names), and of those the keys below.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from envbuild.errors import InputError
from envbuild.tools import typed
from envbuild.tools.conda import Access, Channel

ReadText = Callable[[str], str | None]
"""The text of a file, None when there is none."""

ALIAS = "https://conda.anaconda.org"
"""What conda puts before the name of a channel that is no address."""

_ELSEWHERE = {"defaults": "https://repo.anaconda.com/pkgs/main"}
"""Names that conda itself sends elsewhere; its licence terms are a rule's business."""

_READ_TIMEOUT = 60
_RETRIES = 3
"""conda's own defaults of ``remote_read_timeout_secs`` and ``remote_max_retries``."""


class Settings(Struct, frozen=True, kw_only=True):
    """conda's settings as far as they say where and how channels are read.

    ``alias`` stands before names, ``custom`` and ``mirrored`` hold the bases and the whole
    addresses of single channels. ``timeout`` and ``pause`` are in seconds.
    """

    alias: str = ALIAS
    custom: Mapping[str, str] = {}
    mirrored: Mapping[str, str] = {}
    timeout: int = _READ_TIMEOUT
    retries: int = _RETRIES
    pause: float = 0.5

    def channel(self, name: str) -> Channel:
        """A channel with the address that it is read from here."""
        return Channel(name=name, url=self._address(name))

    def _address(self, name: str) -> str:
        if name in self.mirrored:
            return self.mirrored[name].rstrip("/")
        if "://" in name:
            return name.rstrip("/")
        if name in _ELSEWHERE and name not in self.custom:
            return _ELSEWHERE[name]
        for known in sorted(self.custom, key=len, reverse=True):
            if name == known or name.startswith(f"{known}/"):
                return f"{self.custom[known].rstrip('/')}/{name}"
        return f"{self.alias.rstrip('/')}/{name}"

    def access(self, cache: str, *, offline: bool, refresh: bool) -> Access:
        """How channels are reached with these settings."""
        return Access(
            cache=cache,
            offline=offline,
            refresh=refresh,
            timeout=self.timeout,
            retries=self.retries,
            pause=self.pause,
        )


def known_address(name: str) -> str:
    """The address that the world knows a channel by."""
    return name.rstrip("/") if "://" in name else _ELSEWHERE.get(name, f"{ALIAS}/{name}")


def cache_folder(environ: Mapping[str, str]) -> str:
    """Where rattler and pixi keep what they have read; shared with them."""
    home = environ.get("XDG_CACHE_HOME") or f"{environ.get('HOME', '')}/.cache"
    return environ.get("RATTLER_CACHE_DIR") or f"{home}/rattler/cache"


def user_settings(environ: Mapping[str, str], read: ReadText) -> Settings:
    """The user's settings; what stands later in conda's order wins.

    Raises:
        InputError: a file is not YAML, or a key is not what conda says it is.
    """
    merged: dict[str, Any] = {}
    for path in _places(environ):
        text = read(path)
        if text is not None:
            merged |= _parsed(path, text)
    mirrors = merged.get("mirrored_channels", {}).items()
    return Settings(
        alias=environ.get("CONDA_CHANNEL_ALIAS") or merged.get("channel_alias", ALIAS),
        custom=merged.get("custom_channels", {}),
        mirrored={name: urls[0] for name, urls in mirrors if urls},
        timeout=max(1, round(merged.get("remote_read_timeout_secs", _READ_TIMEOUT))),
        retries=merged.get("remote_max_retries", _RETRIES),
        pause=merged.get("remote_backoff_factor", 1) / 2,
    )


def _places(environ: Mapping[str, str]) -> tuple[str, ...]:
    home = environ.get("HOME", "")
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    usual = (
        "/etc/conda/.condarc",
        f"{config}/conda/.condarc",
        f"{home}/.conda/.condarc",
        f"{home}/.condarc",
        f"{home}/.mambarc",
    )
    named = (environ.get("CONDARC"), environ.get("MAMBARC"))
    return (*usual, *(os.path.expanduser(path) for path in named if path))


_KEYS: dict[str, Any] = {
    "channel_alias": str,
    "custom_channels": dict[str, str],
    "mirrored_channels": dict[str, list[str]],
    "remote_read_timeout_secs": int | float,
    "remote_max_retries": int,
    "remote_backoff_factor": int | float,
}
"""What is read, and what conda takes for it."""


def _parsed(path: str, text: str) -> dict[str, Any]:
    import yaml  # where there is such a file

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not YAML: {str(error).splitlines()[0]}") from None
    stated = found.items() if isinstance(found, dict) else ()
    kept = {key: value for key, value in stated if key in _KEYS and value is not None}
    for key, value in kept.items():
        try:
            typed.convert(value, _KEYS[key])
        except msgspec.ValidationError:
            raise InputError(f"{path}: {key} is not what conda takes for it") from None
    return kept
