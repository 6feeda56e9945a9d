"""Layers without what differs by chance: what goes, what stays, and what becomes of bytecode."""

from __future__ import annotations

import importlib.util
import marshal
import os
import random
import tarfile
from pathlib import Path

import pytest

from tests.support.layers import (
    LATER,
    THEN,
    blobs_of,
    bytecode,
    configuration,
    content,
    entry,
    folder,
    hard_link,
    image,
    link,
    members,
    tar,
)
from tests.unit.build.normal import BASE, CACHED, SOURCE, normal


def rewritten(tmp_path: Path, *layers: bytes) -> list[bytes]:
    """What becomes of layers above a base."""
    _, into = normal(image(tmp_path / "image", BASE, *layers))
    _, config, found = blobs_of(into)
    assert found[0] == BASE
    assert config["rootfs"]["diff_ids"] == configuration(found)["rootfs"]["diff_ids"]
    return found[1:]


def names(layer: bytes) -> list[str]:
    return [member.name for member in members(layer)]


def test_no_time_is_later_than_the_moment_and_earlier_ones_stay(tmp_path: Path) -> None:
    pax = {"atime": "1.5", "ctime": f"{LATER}.25", "SCHILY.xattr.user.one": "two"}
    layer = tar(
        entry("early", mtime=5),
        entry("late", b"x", mtime=LATER + 0.5, pax_headers=pax),
        entry("negative", mtime=-5),
        folder("place", mtime=LATER),
    )
    (found,) = rewritten(tmp_path, layer)
    times = {member.name: member.mtime for member in members(found)}
    assert times == {"early": 5, "late": THEN, "negative": 0, "place": THEN}
    (late,) = [member for member in members(found) if member.name == "late"]
    assert late.pax_headers == {"SCHILY.xattr.user.one": "two"}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_all_but_the_time_of_an_entry_stays(tmp_path: Path, form: int) -> None:
    entries = (
        entry("a" * 140 + "/" + "b" * 140, b"x" * 1000, mode=0o4755, uid=7, gid=8, uname="u"),
        entry("big id", uid=3_000_000, gid=3_000_000),
        link("link", "to/" + "c" * 150),
        entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        entry("pipe", type=tarfile.FIFOTYPE),
        hard_link("second", "big id"),
        entry("ünïcode", b"y"),
    )
    (found,) = rewritten(tmp_path, tar(*entries, form=form))
    before = {member.name: member for member in members(tar(*entries, form=form))}
    after = {member.name: member for member in members(found)}
    assert before.keys() == after.keys()
    for name, was in before.items():
        now = after[name]
        for field in ("type", "size", "mode", "uid", "gid", "uname", "linkname", "devmajor"):
            assert getattr(was, field) == getattr(now, field), (name, field)
        assert now.mtime == THEN
    assert content(found, "a" * 140 + "/" + "b" * 140) == b"x" * 1000


def test_attributes_that_are_no_text_stay_to_the_byte(tmp_path: Path) -> None:
    """A capability is binary, with zero bytes and bytes that are no UTF-8."""
    value = b"\x01\0\0\x02\0\x20\0\0\xff\0"
    record = b"SCHILY.xattr.security.capability=" + value + b"\n"
    text = b"%d %s" % (len(record) + 3, record) + b"20 mtime=1700001000\n"
    header = bytearray(tarfile.TarInfo("x").tobuf())
    header[124:136] = b"%011o\0" % len(text)
    header[156:157] = b"x"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    layer = bytes(header) + text.ljust(512, b"\0") + tar(entry("bin/ping", b"ping"))
    (found,) = rewritten(tmp_path, layer)
    assert record in found
    assert b"mtime=" not in found
    assert [(one.name, one.mtime) for one in members(found)] == [("bin/ping", THEN)]


def test_logs_and_caches_of_the_build_go_and_nothing_else(tmp_path: Path) -> None:
    gone = (
        "var/log/apt/history.log",
        "var/log/apt/eipp.log.xz",
        "var/log/dpkg.log",
        "var/log/alternatives.log",
        "var/cache/apt/pkgcache.bin",
        "var/cache/ldconfig/aux-cache",
        "var/lib/apt/lists/partial/x",
        "root/.cache/pip/http/1",
    )
    kept = (
        "etc/ld.so.cache",
        "root/.cache/uv/archive/1",
        "tmp/mine",
        "var/cache/apt/archives/x.deb",
        "var/log/.wh.dpkg.log",
        "var/log/apt/.wh.term.log",
        "var/log/mine.log",
    )
    (found,) = rewritten(tmp_path, tar(*(entry(path) for path in (*gone, *kept))))
    assert sorted(names(found)) == sorted(kept)


def test_what_a_hard_link_leads_to_is_kept(tmp_path: Path) -> None:
    layer = tar(entry("var/log/dpkg.log", b"x"), hard_link("keep", "var/log/dpkg.log"))
    (found,) = rewritten(tmp_path, layer)
    assert names(found) == ["var/log/dpkg.log", "keep"]


def test_entries_are_sorted_so_that_they_can_be_unpacked(tmp_path: Path) -> None:
    entries = [
        folder("a"),
        entry("a/-first"),
        entry("a/.wh..wh..opq"),
        entry("a/.wh.gone"),
        entry("a/b"),
        folder("a/b.d"),
        entry("a/b.d/c"),
        entry("a.txt"),
        entry("z", b"x"),
        hard_link("a/0", "z"),
    ]
    found = set()
    for number in range(5):
        random.Random(number).shuffle(entries)
        (layer,) = rewritten(tmp_path / str(number), tar(*entries))
        found.add(layer)
    (layer,) = found
    order = names(layer)
    assert order == [
        "a", "a.txt", "a/.wh..wh..opq", "a/.wh.gone", "a/-first", "a/b", "a/b.d", "a/b.d/c", "z", "a/0",
    ]  # fmt: skip


def test_a_path_named_twice_keeps_the_order(tmp_path: Path) -> None:
    entries = (entry("z", b"1"), hard_link("a", "z"), entry("z", b"22"))
    (found,) = rewritten(tmp_path, tar(*entries))
    assert names(found) == ["z", "a", "z"]


# --- Bytecode ------------------------------------------------------------------------------------


def time_in(layer: bytes, path: str = CACHED) -> int:
    return int.from_bytes(content(layer, path)[8:12], "little")


@pytest.mark.parametrize("layers", [1, 2])
def test_valid_bytecode_stays_valid(tmp_path: Path, layers: int) -> None:
    source = entry(SOURCE, b"x = 1\n", mtime=LATER)
    cached = entry(CACHED, bytecode(LATER, b"c" * 3_000_000))
    many = (tar(source, cached),) if layers == 1 else (tar(source), tar(cached))
    done, into = normal(image(tmp_path / "image", BASE, *many))
    found = blobs_of(into)[2][-1]
    assert time_in(found) == THEN
    assert content(found, CACHED) == bytecode(THEN, b"c" * 3_000_000)
    assert (done.layers, done.bytecode) == (layers, 1)


def test_python_itself_finds_the_bytecode_valid(tmp_path: Path) -> None:
    """Unpacked, a module is loaded from its bytecode: its source says something else."""
    code = compile("X = 'bytecode'", "one.py", "exec")
    text = b"X = 'source'  "
    head = importlib.util.MAGIC_NUMBER + bytes(4) + LATER.to_bytes(4, "little")
    data = head + len(text).to_bytes(4, "little") + marshal.dumps(code)
    cached = importlib.util.cache_from_source("one.py")
    (found,) = rewritten(tmp_path, tar(entry("one.py", text), entry(cached, data)))
    place = tmp_path / "unpacked"
    (tmp_path / "layer.tar").write_bytes(found)
    with tarfile.open(tmp_path / "layer.tar") as file:
        for member in file:
            path = place / member.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.extractfile(member).read())
            os.utime(path, (member.mtime, member.mtime))
    spec = importlib.util.spec_from_file_location("one", place / "one.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert vars(module)["X"] == "bytecode"


@pytest.mark.parametrize(
    ("source", "header"),
    [
        (THEN - 5, bytecode(THEN - 5)),  # earlier than the moment: the source keeps its time too
        (LATER, bytecode(LATER - 1)),  # stale before, and stays stale
        (LATER, bytecode(LATER, flags=1)),  # a hash of the source
        (LATER, bytecode(LATER, flags=3)),
        (LATER, b"\xa7\r\r\n"),  # cut off
        (LATER, b""),
    ],
)
def test_bytecode_that_is_left_alone(tmp_path: Path, source: int, header: bytes) -> None:
    layer = tar(entry(SOURCE, b"x", mtime=source), entry(CACHED, header))
    (found,) = rewritten(tmp_path, layer)
    assert content(found, CACHED) == header


def test_bytecode_of_a_source_in_the_base_is_left_alone(tmp_path: Path) -> None:
    base = tar(entry(SOURCE, mtime=LATER))
    done, into = normal(image(tmp_path / "image", base, tar(entry(CACHED, bytecode(LATER)))))
    assert time_in(blobs_of(into)[2][1]) == LATER
    assert done.bytecode == 0


def test_bytecode_of_a_source_that_a_later_layer_replaces_does_not_become_valid(
    tmp_path: Path,
) -> None:
    """Both times would become the same moment, and Python would take the old code for the new."""
    first = tar(entry(SOURCE, b"one", mtime=LATER), entry(CACHED, bytecode(LATER)))
    second = tar(entry(SOURCE, b"two", mtime=LATER + 60))
    found = rewritten(tmp_path, first, second)
    assert time_in(found[0]) == LATER
    assert [member.mtime for member in members(found[1])] == [THEN]
