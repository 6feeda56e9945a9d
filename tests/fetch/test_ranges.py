"""Parts of files behind addresses, from servers that give some, none, or others."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from envbuild.errors import InputError
from envbuild.scan.sources.wanted import Wish
from envbuild.scan.zipped import wheels
from envbuild.tools import ranges
from envbuild.tools.credentials import Credentials
from envbuild.tools.downloads import Access, Wanted
from envbuild.tools.net import Http, NetError
from tests.support import file_server
from tests.support.file_server import Asked, Fault, Said, Served, serving
from tests.support.wheels import wheel

DATA = random.Random(2).randbytes(3_000_000)
BLOCK = ranges.BLOCK


@contextmanager
def opened(
    folder: Path, data: bytes = DATA, *, fault: Fault | None = None, size: int | None = -1
) -> Iterator[tuple[Served, ranges.Ranged | None]]:
    """The file behind an address; its size is told beforehand unless ``size`` says otherwise."""
    (folder / "x.whl").write_bytes(data)
    access = Access(
        environ={"HOME": "/nonexistent"},
        credentials=Credentials(lambda: (), {"HOME": "/nonexistent"}),
        retries=2,
        pause=0.01,
    )
    with serving(folder, {"x.whl": fault} if fault else {}) as served:
        told = len(data) if size == -1 else size
        url = f"{served.url}/x.whl"
        want = Wanted(url=url, sha256="0" * 64, name="x.whl", what="x 1.0", size=told)
        yield served, ranges.opened(want, access, Http(access.environ))


def test_any_part_is_read_as_from_a_file(tmp_path: Path) -> None:
    chance = random.Random(3)
    with opened(tmp_path) as (_, file):
        assert file is not None
        other = io.BytesIO(DATA)
        assert file.seek(0, 2) == len(DATA)
        for _ in range(60):
            place, size = (
                chance.randrange(len(DATA) + 10),
                chance.choice([0, 1, 30, 9000, BLOCK * 3]),
            )
            assert file.seek(place) == other.seek(place)
            assert file.read(size) == other.read(size)
        file.seek(-5, 2)
        assert file.read() == DATA[-5:]


def test_the_end_comes_first_and_each_block_once(tmp_path: Path) -> None:
    with opened(tmp_path) as (served, file):
        assert file is not None
        file.seek(-70_000, 2)
        file.read()
        file.seek(-70_000, 2)
        file.read(5)
        assert len(served.asked) == 1
        assert file.came <= 2 * BLOCK


def test_a_size_that_was_not_told_is_found_out(tmp_path: Path) -> None:
    with opened(tmp_path, size=None) as (_, file):
        assert file is not None
        assert file.size == len(DATA)
        file.seek(-5, 2)
        assert file.read() == DATA[-5:]


def test_what_is_read_in_order_comes_in_growing_parts(tmp_path: Path) -> None:
    with opened(tmp_path, DATA * 4) as (served, file):
        assert file is not None
        file.seek(0)
        read = b"".join(iter(lambda: file.read(100_000), b""))
        assert read == DATA * 4
        assert len(served.asked) < 12


@pytest.mark.parametrize(
    "fault",
    [
        file_server.no_ranges,
        file_server.status(404),
        file_server.status(416),
        lambda _, right: replace(right, headers={**right.headers, "Content-Encoding": "gzip"}),
        lambda _, right: replace(right, headers={**right.headers, "Content-Range": "bytes 0-9/10"}),
        lambda _, right: replace(right, headers={**right.headers, "Content-Range": "bytes 0-9/*"}),
    ],
)
def test_a_server_that_gives_no_parts_says_so_at_once(tmp_path: Path, fault: Fault) -> None:
    with opened(tmp_path, fault=fault) as (served, file):
        assert file is None
        assert len(served.asked) == 1


def test_a_size_that_is_too_large_means_no_parts(tmp_path: Path) -> None:
    with opened(tmp_path, size=10 * len(DATA)) as (_, file):
        assert file is None


@pytest.mark.parametrize("fault", [file_server.cut_once, file_server.status(429, times=2)])
def test_what_fails_in_passing_is_asked_for_again(tmp_path: Path, fault: Fault) -> None:
    with opened(tmp_path, fault=fault) as (_, file):
        assert file is not None
        file.seek(-9, 2)
        assert file.read() == DATA[-9:]


def test_a_server_that_always_cuts_off_is_given_up(tmp_path: Path) -> None:
    with (
        pytest.raises(
            NetError, match=r"x 1\.0: x\.whl cannot be read from 127\.0\.0\.1:\d+: .* cut off"
        ),
        opened(tmp_path, fault=file_server.always_cut),
    ):
        pass


def later(**headers: str) -> Fault:
    """From the second request on with other headers."""

    def fault(asked: Asked, right: Said) -> Said:
        told = {"ETag": '"1"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
        return replace(
            right, headers={**right.headers, **told, **(headers if asked.before else {})}
        )

    return fault


@pytest.mark.parametrize(
    "fault",
    [
        later(ETag='"2"'),
        later(**{"Last-Modified": "Tue, 02 Jan 2024 00:00:00 GMT"}),
        later(**{"Content-Range": f"bytes 0-{BLOCK - 1}/9999999"}),
    ],
)
def test_a_file_that_becomes_another_one_is_an_error(tmp_path: Path, fault: Fault) -> None:
    with opened(tmp_path, fault=fault) as (served, file):
        assert file is not None
        file.seek(0)
        with pytest.raises(ranges.ChangedError, match="it is another file by now"):
            file.read(10)
        assert len(served.asked) == 2


def test_a_server_that_gives_no_more_parts_is_an_error(tmp_path: Path) -> None:
    def fault(asked: Asked, right: Said) -> Said:
        return Said(status=403) if asked.before else right

    with opened(tmp_path, fault=fault) as (_, file):
        assert file is not None
        file.seek(0)
        with pytest.raises(NetError, match="the server gives no more parts of it"):
            file.read(10)


def test_of_a_wheel_with_little_to_look_into_little_comes(tmp_path: Path) -> None:
    made = wheel("demo", "1.0", {"demo/data.bin": DATA * 3, "demo/small.so": b"\x7fELF"})
    assert zipfile.is_zipfile(io.BytesIO(made))
    with opened(tmp_path, made) as (_, file):
        assert file is not None
        tree = wheels.read(file, "demo.whl", Wish(hashes="none"), sparse=True)
        assert set(tree.modules) == {"/demo/small.so"}
        assert tree.is_file("/demo/data.bin")
        assert file.came < 3 * BLOCK < len(made)


def test_a_wheel_that_lies_is_refused_in_parts_too(tmp_path: Path) -> None:
    made = bytearray(wheel("demo", "1.0", {"demo/small.so": b"\x7fELF" * 9}))
    made[made.index(b"demo/small.so")] ^= 1  # in the header of the member alone
    with opened(tmp_path, bytes(made)) as (_, file):
        assert file is not None
        with pytest.raises(InputError, match="another name in its own header"):
            wheels.read(file, "demo.whl", Wish(hashes="none"), sparse=True)
