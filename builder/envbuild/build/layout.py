"""Two saved images held against each other: is it one image, and if not, why not?"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from envbuild.build import causes, comparing
from envbuild.build.comparing import Difference
from envbuild.tools import oci

SHOWN = 20
"""Differences of one cause that are kept; the rest is counted."""

_TIMES = ("created",)


class Group(Struct, frozen=True, kw_only=True):
    """Everything of one cause: how many differences, and the first :data:`SHOWN` of them."""

    cause: causes.Name
    title: str
    hint: str
    count: int
    shown: tuple[Difference, ...]


class Comparison(Struct, frozen=True, kw_only=True):
    """Two images. ``identical``: every byte that a registry would be given is the same.

    ``digests`` are those of the manifests (of the configurations where one image was saved without
    a manifest). ``layers`` is how many layers each has, ``instructions`` the instruction behind
    each layer that differs, by its number from 1. ``groups`` begin with the worst cause.
    """

    identical: bool
    digests: tuple[str, str]
    layers: tuple[int, int]
    instructions: Mapping[int, str]
    groups: tuple[Group, ...] = ()


def compare(old: str, new: str, *, scratch: str) -> Comparison:
    """Compare two images: folders in OCI's layout, or archives as engines save them.

    Layers are read in pieces; packed ones that differ are unpacked into the folder ``scratch``,
    one pair at a time, and removed again.

    Raises:
        InputError: one of them is no image, or is not whole.
        ToolError: ``scratch`` cannot be written.
    """
    with oci.opened(old, old) as before, oci.opened(new, new) as after:
        found = _Groups()
        for one in _differences(before, after, scratch):
            found.add(one)
        groups = found.groups()
        named = {one.layer for group in groups for one in group.shown if one.layer}
        instructions = _instructions(after.config)
        return Comparison(
            identical=not groups,
            digests=_digests(before, after),
            layers=(len(before.layers), len(after.layers)),
            instructions={at: instructions.get(at, "") for at in sorted(named)},
            groups=groups,
        )


class _Groups:
    """Differences as they come, counted by their cause."""

    def __init__(self) -> None:
        self._counts: dict[causes.Name, int] = {}
        self._shown: dict[causes.Name, list[Difference]] = {}

    def add(self, one: Difference) -> None:
        self._counts[one.cause] = self._counts.get(one.cause, 0) + 1
        shown = self._shown.setdefault(one.cause, [])
        if len(shown) < SHOWN:
            shown.append(one)

    def groups(self) -> tuple[Group, ...]:
        return tuple(
            Group(
                cause=cause.name,
                title=cause.title,
                hint=cause.hint,
                count=self._counts[cause.name],
                shown=tuple(self._shown[cause.name]),
            )
            for cause in causes.CAUSES
            if cause.name in self._counts
        )


def _differences(old: oci.SavedImage, new: oci.SavedImage, scratch: str) -> Iterator[Difference]:
    found = False
    settings = _configurations(old.config, new.config)
    for one in itertools.chain(settings, _layers(old, new, scratch)):
        found = True
        yield one
    before, after = _digests(old, new)
    if not found and before != after:
        keys = _keys(old.manifest, new.manifest) or "another spelling of its JSON"
        yield Difference(cause="manifest", path="manifest", detail=keys)


def _digests(old: oci.SavedImage, new: oci.SavedImage) -> tuple[str, str]:
    if old.digest and new.digest:
        return old.digest, new.digest
    return old.identity, new.identity


# --- Configuration -------------------------------------------------------------------------------


def _configurations(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was == now or key in ("rootfs", "history", "config"):
            continue
        cause: causes.Name = "created" if key in _TIMES else "config"
        yield Difference(cause=cause, path=key, detail=_change(was, now))
    yield from _settings(old.get("config"), new.get("config"))
    yield from _history(oci.items(old, "history"), oci.items(new, "history"))


def _settings(old: Any, new: Any) -> Iterator[Difference]:  # noqa: ANN401 (JSON)
    before = old if isinstance(old, dict) else {}
    after = new if isinstance(new, dict) else {}
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        if was == now:
            continue
        if key == "Labels":
            yield from _labels(was or {}, now or {})
        else:
            yield Difference(cause="config", path=f"config.{key}", detail=_change(was, now))


def _labels(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            detail = _change(old.get(key), new.get(key))
            yield Difference(cause="labels", path=key, detail=detail)


def _history(old: list[Any], new: list[Any]) -> Iterator[Difference]:
    if len(old) != len(new):
        yield Difference(cause="config", path="history", detail=f"{len(old)} -> {len(new)} steps")
        return
    for number, (was, now) in enumerate(zip(old, new, strict=True), 1):
        if was == now:
            continue
        same = _timeless(was) == _timeless(now)
        yield Difference(
            cause="created" if same else "config",
            path=f"history {number}",
            detail=_change(
                *(one.get("created" if same else "created_by") for one in (was, now))
                if isinstance(was, dict) and isinstance(now, dict)
                else (was, now)
            ),
        )


def _timeless(step: Any) -> Any:  # noqa: ANN401 (JSON)
    if not isinstance(step, dict):
        return step
    return {key: value for key, value in step.items() if key not in _TIMES}


def _instructions(config: Mapping[str, Any]) -> dict[int, str]:
    """The instruction behind each layer, by its number from 1, as the history says it."""
    made = [
        one
        for one in oci.items(config, "history")
        if isinstance(one, dict) and one.get("empty_layer") is not True
    ]
    return {number: oci.text(one, "created_by") for number, one in enumerate(made, 1)}


# --- Layers --------------------------------------------------------------------------------------


def _layers(old: oci.SavedImage, new: oci.SavedImage, scratch: str) -> Iterator[Difference]:
    if len(old.layers) != len(new.layers):
        detail = f"{len(old.layers)} -> {len(new.layers)}"
        yield Difference(cause="layers", path="layers", detail=detail)
    for number, (was, now) in enumerate(zip(old.layers, new.layers, strict=False), 1):
        if was.digest and was.digest == now.digest:
            continue
        if was.diff_id and was.diff_id == now.diff_id:
            if was.digest and now.digest:
                detail = f"{was.media_type} -> {now.media_type}"
                same = was.media_type == now.media_type
                yield Difference(
                    cause="compression", path="", layer=number, detail="" if same else detail
                )
            continue
        with contextlib.ExitStack() as stack:
            sides = [
                comparing.Side(
                    file=stack.enter_context(image.unpacked(layer, scratch)),
                    label=f"{image.label}: the layer {layer.path}",
                )
                for image, layer in ((old, was), (new, now))
            ]
            yield from comparing.layers(*sides, number=number)


def _keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    return ", ".join(sorted(key for key in {*old, *new} if old.get(key) != new.get(key)))


def _change(was: object, now: object) -> str:
    return f"{_shown(was)} -> {_shown(now)}"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= SHOWN * 5 else f"{text[: SHOWN * 5]}…"
