"""How a wheel is read that lies behind an address: in parts where that pays, else as a whole."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envbuild.build.supply import Means, supply
from envbuild.build.wheels import Chosen
from envbuild.doctor.auditing.reading import Reader
from envbuild.doctor.auditing.wheels import Kept
from envbuild.errors import ToolError
from envbuild.lock.uv import Uv
from envbuild.tools import proc
from envbuild.tools.net import Http
from tests.support import file_server
from tests.support.file_server import Fault, Served, serving
from tests.support.wheels import numpy_1_module, wheel

FILLING = random.Random(4).randbytes(5_000_000)
NAME = "demo-1.0-cp311-cp311-linux_x86_64.whl"
MOSTLY_DATA = wheel("demo", "1.0", {"demo/x.bin": FILLING, "demo/m.so": numpy_1_module()})
MOSTLY_MODULES = wheel("demo", "1.0", {"demo/m.so": numpy_1_module() + FILLING})


@contextmanager
def reading(
    tmp_path: Path, data: bytes, fault: Fault | None = None, *, offline: bool = False
) -> Iterator[tuple[Reader, Chosen, Served]]:
    """A reader with an empty cache, and a wheel behind an address."""
    served_from = tmp_path / "served"
    served_from.mkdir()
    (served_from / NAME).write_bytes(data)
    environ = {"HOME": "/nonexistent"}
    tool = Uv(executable="/nonexistent", python="", environment=(), configuration={})

    means = Means(
        environ=environ,
        runner=proc.run,
        uv=lambda: tool,
        cache=str(tmp_path / "cache"),
        offline=offline,
        live=lambda _: None,
    )
    with serving(served_from, {NAME: fault} if fault else {}) as served:
        digest = hashlib.sha256(data).hexdigest()
        url = f"{served.url}/{NAME}"
        chosen = Chosen(
            package="demo", version="1.0", name=NAME, sha256=digest, url=url, size=len(data)
        )
        kept = Kept(str(tmp_path / "cache"))
        yield Reader(supply=supply(means), kept=kept, http=Http(environ)), chosen, served


def test_little_of_a_wheel_that_is_mostly_data_comes(tmp_path: Path) -> None:
    with reading(tmp_path, MOSTLY_DATA) as (reader, chosen, served):
        found = reader.one(chosen)
        assert (found.verified, found.modules) == (False, 1)
        assert [one.build.generation for one in found.built] == [1]
        count = len(served.asked)
        assert reader.one(chosen) == found
        assert len(served.asked) == count
        assert reader.supply.store.find(chosen.sha256, NAME) is None


@pytest.mark.parametrize(
    ("data", "fault"), [(MOSTLY_MODULES, None), (MOSTLY_DATA, file_server.no_ranges)]
)
def test_the_whole_is_fetched_hashed_and_left_for_the_build(
    tmp_path: Path, data: bytes, fault: Fault | None
) -> None:
    with reading(tmp_path, data, fault) as (reader, chosen, _):
        found = reader.one(chosen)
        assert (found.verified, found.modules) == (True, 1)
        assert reader.supply.store.find(chosen.sha256, NAME)


def test_what_was_read_in_parts_is_read_anew_once_it_is_here(tmp_path: Path) -> None:
    with reading(tmp_path, MOSTLY_DATA) as (reader, chosen, _):
        assert not reader.one(chosen).verified
        reader.supply.fetch([chosen.wanted()], "a wheel")
        assert reader.one(chosen).verified


def test_a_wheel_of_this_disk_is_read_where_it_lies(tmp_path: Path) -> None:
    with reading(tmp_path, MOSTLY_DATA) as (reader, chosen, served):
        here = Chosen(
            package="demo",
            version="1.0",
            name=NAME,
            sha256=chosen.sha256,
            url=f"file://{tmp_path}/served/{NAME}",
        )
        assert reader.one(here).verified
        assert served.asked == []
        assert reader.supply.store.find(chosen.sha256, NAME) is None


def test_a_wheel_with_other_bytes_than_the_lock_is_no_answer(tmp_path: Path) -> None:
    with reading(tmp_path, MOSTLY_MODULES) as (reader, chosen, _):
        other = Chosen(package="demo", version="1.0", name=NAME, sha256="0" * 64, url=chosen.url)
        with pytest.raises(ToolError, match=r"has another .* than the lock"):
            reader.one(other)


def test_without_network_nothing_is_asked(tmp_path: Path) -> None:
    with reading(tmp_path, MOSTLY_DATA, offline=True) as (reader, chosen, served):
        assert reader.local(chosen) is None
        with pytest.raises(ToolError, match="the network is off"):
            reader.one(chosen)
        assert served.asked == []
