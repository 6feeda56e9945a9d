"""What is kept of wheels."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest

from envbuild.build.wheels import Chosen
from envbuild.doctor.auditing import wheels
from envbuild.doctor.auditing.wheels import Kept, WheelFacts, facts
from envbuild.scan.sources.wanted import Wish
from envbuild.scan.zipped import wheels as scanned
from tests.support.wheels import numpy_1_module, wheel

OF = Chosen(package="demo", version="1.0", name="demo-1.0-py3-none-any.whl", sha256="ab" * 32)


def read(files: dict[str, bytes], *, verified: bool = True) -> WheelFacts:
    tree = scanned.read(io.BytesIO(wheel("demo", "1.0", files)), "demo.whl", Wish(hashes="none"))
    return facts(tree, OF, verified=verified)


def test_modules_that_were_built_alike_are_counted_and_the_newest_demand_stands():
    found = read(
        {
            "demo/a.so": numpy_1_module(glibc="2.9"),
            "demo/b.so": numpy_1_module(glibc="2.34"),
            "demo/c.so": b"no module at all",
        }
    )
    (built,) = found.built
    assert (built.build.generation, built.count, built.module) == (1, 2, "demo/a.so")
    (asked,) = found.asked
    assert (asked.family, asked.version, asked.module) == ("GLIBC", "2.34", "demo/b.so")
    assert found.modules == 2


def test_what_is_kept_is_found_again(tmp_path: Path):
    kept = Kept(str(tmp_path))
    found = read({})
    kept.keep(found)
    assert kept.wheel(OF, verified=True) == found
    assert kept.wheel(OF, verified=False) is None


def test_what_was_read_in_parts_never_passes_for_the_whole(tmp_path: Path):
    kept = Kept(str(tmp_path))
    kept.keep(read({}, verified=False))
    assert kept.wheel(OF, verified=True) is None
    assert kept.wheel(OF, verified=False) is not None


@pytest.mark.parametrize("change", [{"reader": 0}, {"sha256": "cd" * 32}])
def test_what_an_older_envbuild_kept_is_read_anew(tmp_path: Path, change: dict[str, object]):
    kept = Kept(str(tmp_path))
    kept.keep(read({}))
    (file,) = tmp_path.rglob("*.json")
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(read({}), **change)))
    assert kept.wheel(OF, verified=True) is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"reader": 1}', b"\xff"])
def test_a_broken_file_of_the_cache_is_none(tmp_path: Path, data: bytes):
    kept = Kept(str(tmp_path))
    kept.keep(read({}))
    (file,) = tmp_path.rglob("*.json")
    file.write_bytes(data)
    assert kept.wheel(OF, verified=True) is None


def test_the_facts_of_a_lock_are_kept_as_one(tmp_path: Path):
    record = str(tmp_path / "locks" / "x.json")
    assert wheels.recall(record) is None
    wheels.keep(record, (read({}),))
    assert wheels.recall(record) == (read({}),)
    wheels.keep(record, (msgspec.structs.replace(read({}), reader=0),))
    assert wheels.recall(record) is None
