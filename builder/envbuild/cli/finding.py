"""Which folder is the workspace, when nobody says it."""

from __future__ import annotations

import os

_SIGNS = ("envs", "lockfiles", "Dockerfiles", ".envbuild")
"""What only a workspace has: a folder with one of these is its own, and nothing is searched."""

_PROFILES = "envs"


def way_up(home: str) -> str:
    """The way from this folder to its workspace: ``.``, ``..``, ``../..``.

    A folder above is one when its ``envs`` has profiles right in it (``envs`` of conda has none).
    As git does it, nothing is searched above ``home``, on another file system, or in a folder of
    another user, who could have put templates there. Where there is none, it is this folder.
    """
    if any(os.path.lexists(sign) for sign in _SIGNS):
        return os.curdir
    try:
        place, here = os.getcwd(), os.stat(os.curdir)
    except OSError:  # this folder was removed; the command itself says what follows from that
        return os.curdir
    top = os.path.realpath(home)
    way = os.curdir
    while place not in (top, os.path.dirname(place)):
        place = os.path.dirname(place)
        way = os.path.normpath(os.path.join(way, os.pardir))
        above = os.stat(way)
        if (above.st_dev, above.st_uid) != (here.st_dev, here.st_uid):
            break
        if _has_profiles(way):
            return way
    return os.curdir


def _has_profiles(folder: str) -> bool:
    try:
        with os.scandir(os.path.join(folder, _PROFILES)) as found:
            return any(entry.name.endswith(".yaml") for entry in found)
    except OSError:
        return False
