"""An image that is read from the top down is the one that its layers make from the bottom up."""

from __future__ import annotations

import contextlib
import gzip
import posixpath
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import layers
from tests.support.layers import entry, folder, hard_link, link, tar

from envbuild.errors import InputError
from envbuild.scan.sources import layered
from envbuild.scan.sources.wanted import Wish
from envbuild.scan.tree import Entry
from envbuild.tools import oci

pytestmark = pytest.mark.property

NAMES = st.sampled_from(["a", "b", "VERSION"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
STEP = st.one_of(
    st.tuples(st.just("file"), PATHS, st.binary(min_size=1, max_size=3)),
    st.tuples(st.just("folder"), PATHS, st.none()),
    st.tuples(st.just("link"), PATHS, PATHS),
    st.tuples(st.just("hard link"), PATHS, PATHS),
    st.tuples(st.just("whiteout"), PATHS, st.none()),
    st.tuples(st.just("opaque"), PATHS | st.just(""), st.none()),
)
LAYER = st.lists(STEP, max_size=8)

LOST = ("file", None)
FOLDER = ("folder", None)


def member(step):
    kind, path, value = step
    if kind == "file":
        return entry(path, value)
    if kind == "folder":
        return folder(path)
    if kind == "link":
        return link(path, value)
    if kind == "hard link":
        return hard_link(path, value)
    if kind == "whiteout":
        above, name = posixpath.split(path)
        return entry(posixpath.join(above, f".wh.{name}"))
    return entry(posixpath.join(path, ".wh..wh..opq"))


def within(path, folder):
    return folder == "" or path.startswith(f"{folder}/")


def naive(steps_of_layers):
    """Every path with what stands there: one layer after the other laid over those below it."""
    state = {}
    for steps in steps_of_layers:
        for kind, path, _ in steps:
            if kind == "whiteout":
                state = {
                    one: v for one, v in state.items() if one != path and not within(one, path)
                }
            elif kind == "opaque":
                state = {one: v for one, v in state.items() if not within(one, path)}
        state = over(state, upper(steps, state))
    return state


def upper(steps, below):
    """What a layer brings; its hard links may lead to what is below."""
    found = {}
    for kind, path, value in steps:
        if kind in ("whiteout", "opaque"):
            continue
        new = (kind, value)
        if kind == "hard link":
            new = over(below, found).get(value, LOST)
            new = LOST if new == FOLDER else new
        for above in parents(path):
            found[above] = FOLDER
        if not (new == FOLDER and found.get(path) == FOLDER):
            found = {one: v for one, v in found.items() if not within(one, path)}
            found[path] = new
    return found


def over(below, found):
    """A layer over what is below it: of both, folders alone become one."""
    hidden = {path for path, one in found.items() if one != FOLDER}
    kept = {path: one for path, one in below.items() if not hidden & {*parents(path)}}
    return kept | found


def parents(path):
    while path := posixpath.dirname(path):
        yield path


def read(steps_of_layers, packed):
    with tempfile.TemporaryDirectory() as place:
        data = [tar(*map(member, steps)) for steps in steps_of_layers]
        root = layers.image(Path(place) / "image", *data, packed=packed)
        with oci.opened(str(root), "oci:image") as saved:
            return layered.image(saved, Wish(), place)


@settings(max_examples=400)
@given(st.lists(LAYER, min_size=1, max_size=4), st.sampled_from([None, 1]))
def test_the_image_is_what_its_layers_make(steps_of_layers, packed):
    tree = read(steps_of_layers, packed)
    expected = naive(steps_of_layers)
    found = {
        posixpath.join(above, name).lstrip("/"): one
        for above, names in tree.folders.items()
        for name, one in names.items()
    }
    assert found == {path: _entry(*one) for path, one in expected.items()}
    folders = {f"/{path}" for path, one in expected.items() if one == FOLDER}
    assert tree.folders.keys() == folders | {"/"}
    assert tree.texts == {
        f"/{path}": one[1]
        for path, one in expected.items()
        if one[0] == "file" and one != LOST and posixpath.basename(path) == "VERSION"
    }
    assert {one.path for one in tree.troubles} == {
        f"/{path}" for path, one in expected.items() if one == LOST
    }


WHOLE = tar(
    entry("a/VERSION", b"1.0"), hard_link("b/VERSION", "a/VERSION"), entry("x.so", b"\x7fELF" * 99)
)


@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(WHOLE)),
    st.sampled_from([bytes, gzip.compress]),
)
def test_a_damaged_tar_is_read_or_refused(changes, length, pack):
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    with tempfile.TemporaryDirectory() as place, contextlib.suppress(InputError):
        path = Path(place) / "root.tar"
        path.write_bytes(pack(bytes(data[:length])))
        tree = layered.rootfs(str(path), "tar:x", Wish(), place)
        assert set(tree.texts) <= {
            posixpath.join(above, name) for above, names in tree.folders.items() for name in names
        }


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_packing_is_read_or_refused(changes):
    data = bytearray(gzip.compress(WHOLE, mtime=0))
    for place, value in changes:
        data[place] = value
    with tempfile.TemporaryDirectory() as place, contextlib.suppress(InputError):
        path = Path(place) / "root.tar"
        path.write_bytes(data)
        layered.rootfs(str(path), "tar:x", Wish(), place)


def _entry(kind, value):
    if kind == "file":
        return Entry("file", len(value or b""))
    return Entry("link", 0, value) if kind == "link" else Entry("folder")
