"""What doctor says: findings with their repair, and what is known beside the scan."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Severity = Literal["error", "warning", "note"]
Certainty = Literal["proven", "heuristic"]


class Install(Struct, frozen=True, kw_only=True, tag="install"):
    """Put a distribution of an exact version in the place of another one.

    ``site`` is the folder that it is in, ``python`` the interpreter whose it is (empty: not
    found), ``distribution`` its name, ``version`` the wanted one, ``found`` the one that is there
    (empty: none is).
    """

    site: str
    distribution: str
    version: str
    found: str
    python: str = ""


class SetAside(Struct, frozen=True, kw_only=True, tag="set-aside"):
    """Move paths (files or folders of one site) out of the way, where they can be had again."""

    paths: tuple[str, ...]


Action = Install | SetAside


class Finding(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One thing that is wrong.

    ``id`` names the kind (``numpy-two-winners``), ``what`` is one sentence without a full stop,
    ``where`` paths of the examined tree, the decisive one first. ``why`` says why it matters,
    ``expect`` the error texts that it will give, verbatim, ``hits`` who dies of it (extensions,
    distributions). ``repair`` are commands or ways out, the best first; ``actions`` what ``--fix``
    can do of it, all of it reversible. ``source`` is where the knowledge comes from.
    """

    id: str
    severity: Severity
    what: str
    where: tuple[str, ...]
    why: str
    sure: Certainty = "proven"
    expect: tuple[str, ...] = ()
    hits: tuple[str, ...] = ()
    repair: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    source: str = ""


class Gpu(Struct, frozen=True, kw_only=True):
    """A GPU that the driver shows: its name, and its architecture (``sm_90``; empty: not told)."""

    name: str
    architecture: str = ""


class Driver(Struct, frozen=True, kw_only=True):
    """NVIDIA's driver on this machine: its version (``580.65.06``) and its GPUs."""

    version: str
    gpus: tuple[Gpu, ...] = ()
