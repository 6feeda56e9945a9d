"""The parts of addresses of files."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit


def filename(url: str) -> str:
    """The name of the file that an address leads to."""
    return path(url).rpartition("/")[2]


def path(url: str) -> str:
    """The path in an address as it is on a disk."""
    return unquote(urlsplit(url).path)


def is_file(url: str) -> bool:
    """Whether an address leads to a file of this machine."""
    return urlsplit(url).scheme == "file"


def host(url: str) -> str:
    """The host in an address, with its port, without user name and password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def bare(url: str) -> str:
    """An address without user name and password, and without what stands behind a ``#``."""
    return urlsplit(url)._replace(netloc=host(url), fragment="").geturl()
