"""What a zip holds, if it can be read in one way only."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib

import pytest

from envbuild.errors import InputError
from envbuild.scan.zipped import zips
from tests.support import wheels
from tests.support.wheels import Raw, crafted

A = Raw(name="a.py")
B = Raw(name="b/c.py", data=b"y = 2\n" * 100)


def archive(data: bytes) -> zips.Archive:
    return zips.Archive(io.BytesIO(data), "x.whl")


def contents(data: bytes) -> dict[str, bytes]:
    found = archive(data)
    found.verify()
    return {one.name: b"".join(found.pieces(one)) for one in found.members if one.kind == "file"}


def refusal(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        contents(data)
    return caught.value.message


# --- What is read --------------------------------------------------------------------------------


@pytest.mark.parametrize("deflated", [True, False])
def test_content_comes_as_it_was_packed(deflated: bool) -> None:
    big = Raw(name="big.so", data=random.Random(0).randbytes(900_000), deflated=deflated)
    made = crafted(A, big, Raw(name="empty.py", data=b"", deflated=deflated))
    assert contents(made) == {"a.py": A.data, "big.so": big.data, "empty.py": b""}


def test_pieces_are_small_however_much_they_unpack_to() -> None:
    found = archive(crafted(Raw(data=bytes(30_000_000))))
    sizes = [len(piece) for piece in found.pieces(found.members[0])]
    assert (sum(sizes), max(sizes)) == (30_000_000, 1 << 18)


def test_a_zip_that_python_wrote_is_read() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("ä/b.py", "x")
        written.mkdir("folder")
        with written.open("large.py", "w", force_zip64=True) as file:
            file.write(b"z")
        written.comment = b"by hand"
    assert contents(made.getvalue()) == {"ä/b.py": b"x", "large.py": b"z"}


def test_a_zip_that_was_written_to_a_pipe_is_read() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data) -> int:
            self.data += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("a.py", "x")
        with written.open("b.py", "w", force_zip64=True) as file:
            file.write(b"z")
        written.writestr(zipfile.ZipInfo("stored.py"), "s")
    assert contents(pipe.data) == {"a.py": b"x", "b.py": b"z", "stored.py": b"s"}


@pytest.mark.parametrize("marked", [True, False])
def test_a_description_behind_a_member_may_say_what_its_header_leaves_open(marked: bool) -> None:
    described = {"flags": 8}
    one = Raw(
        local={**described, "crc": 0, "packed": 0, "size": 0},
        central=described,
        between=A.description(marked=marked),
    )
    assert contents(crafted(one, B))["a.py"] == A.data


def test_sizes_may_be_said_again_in_64_bits() -> None:
    again = struct.pack("<2H2Q", 1, 16, len(A.data), len(A.packed))
    assert contents(crafted(Raw(local={"extra": again}))) == {"a.py": A.data}


def large(*, said: dict[str, int], small: dict[str, int]) -> bytes:
    whole = crafted(A, B)
    begin = whole.rindex(b"PK\5\6")
    return whole[:begin] + wheels.large_end(begin, said) + wheels.small_end(small)


def numbers() -> dict[str, int]:
    count, size, directory = struct.unpack_from("<H2L", crafted(A, B)[-12:])
    return {"count": count, "size": size, "directory": directory}


@pytest.mark.parametrize(
    "small", [{}, {"count": 0xFFFF, "size": 0xFFFFFFFF, "directory": 0xFFFFFFFF}]
)
def test_an_end_of_64_bits_is_read(small: dict[str, int]) -> None:
    assert set(contents(large(said=numbers(), small={**numbers(), **small}))) == {"a.py", "b/c.py"}


def test_a_zip_without_members_is_one() -> None:
    assert contents(crafted()) == {}


# --- What is refused: another reader would see something else ------------------------------------


def streamed(data: bytes) -> list[str]:
    """The names as a reader sees them that goes from header to header and never to the end."""
    names, place = [], 0
    while data[place : place + 4] == b"PK\3\4":
        packed, _, named, more = struct.unpack_from("<2L2H", data, place + 18)
        names.append(data[place + 30 : place + 30 + named].decode())
        place += 30 + named + more + packed
    return names


HIDDEN = Raw(name="hidden.py")

DISAGREE = {
    "a member that the directory leaves out": crafted(
        Raw(between=HIDDEN.own_header() + HIDDEN.packed), B
    ),
    "a member before all others": crafted(A, before=HIDDEN.own_header() + HIDDEN.packed),
    "a member behind all others": crafted(A, Raw(name="b.py", between=HIDDEN.own_header())),
    "another name in its own header": crafted(Raw(local={"name": b"z.py"})),
    "a member under two names": crafted(A, B).replace(b"b/c.py", b"b/d.py", 1),
}


@pytest.mark.parametrize("data", DISAGREE.values(), ids=DISAGREE)
def test_what_two_readers_see_differently_is_refused(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert other.namelist() != streamed(data)
    refusal(data)


def doubled() -> bytes:
    """A whole zip in the comment of another."""
    inner = crafted(Raw(name="inner.py"))
    return crafted(A, comment=inner)


TWO_WAYS = {
    "a zip in the comment of another": (doubled(), "has no end, or two"),
    "an end in a comment": (crafted(A, comment=b"PK\5\6" + bytes(18)), "has no end, or two"),
    "something behind the end": (crafted(A) + b"\n", "has no end, or two"),
    "something in front": (b"#!/bin/sh\n" + crafted(A), "that is not where its end says"),
    "something in front that is counted": (crafted(A, before=b"#!"), "before its first member"),
    "nothing but something in front": (crafted(before=b"#!"), "before its directory"),
    "one header twice": (crafted(A, Raw(name="b.py", central={"offset": 0})), "overlaps"),
    "the same name twice": (crafted(A, A), "'a.py' is there twice"),
    "a file that is a folder": (crafted(A, Raw(name="a.py/b.py")), "is a file and a folder"),
    "fewer members than there are": (crafted(A, B, end={"count": 1}), "behind the last entry"),
    "more members than there are": (crafted(A, end={"count": 2}), "fewer members"),
    "another size in its own header": (crafted(Raw(local={"size": 5})), "own header"),
    "another checksum in its own header": (crafted(Raw(local={"crc": 5})), "own header"),
    "another method in its own header": (crafted(Raw(local={"method": 0})), "own header"),
    "other marks in its own header": (crafted(Raw(local={"flags": 0x800})), "own header"),
    "a header that is none": (crafted(A).replace(b"PK\3\4", b"PK\3\5"), "not where the directory"),
    "something between two": (crafted(Raw(between=b"?"), B), "belongs to no member"),
    "much between two": (crafted(Raw(between=bytes(99_999)), B), "belongs to no member"),
    "a description that lies": (
        crafted(Raw(local={"flags": 8}, central={"flags": 8}, between=B.description())),
        "behind it",
    ),
    "a description that is missing": (
        crafted(Raw(local={"flags": 8}, central={"flags": 8}), B),
        "behind it",
    ),
    "a second name": (
        crafted(Raw(central={"extra": struct.pack("<2HBL4s", 0x7075, 9, 1, 0, b"b.py")})),
        "has two names",
    ),
    "a size in 64 bits that is another": (
        crafted(Raw(central={"extra": struct.pack("<2HQ", 1, 8, 7)})),
        "its size in two ways",
    ),
    "two sizes in 64 bits": (
        crafted(Raw(central={"extra": struct.pack("<2HQ", 1, 8, 6) * 2})),
        "its size in two ways",
    ),
    "a size that stands nowhere": (crafted(Raw(central={"size": 0xFFFFFFFF})), "in two ways"),
    "half an extra field": (crafted(Raw(central={"extra": b"\1"})), "a broken extra field"),
    "an extra field that is too short": (
        crafted(Raw(central={"extra": struct.pack("<2H", 1, 8)})),
        "a broken extra field",
    ),
    "an end of 64 bits that says something else": (
        large(said={**numbers(), "count": 1}, small=numbers()),
        "an end that can be read in two ways",
    ),
    "a name that is no UTF-8": (
        crafted(Raw(local={"name": b"\xe4.py"}, central={"name": b"\xe4.py"})),
        "unknown alphabet",
    ),
}


@pytest.mark.parametrize(("data", "said"), TWO_WAYS.values(), ids=TWO_WAYS)
def test_what_can_be_read_in_two_ways_is_refused(data: bytes, said: str) -> None:
    assert said in refusal(data)


# --- What is refused: names ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../a.py", "leads out"),
        ("a/../../b.py", "leads out"),
        ("..", "leads out"),
        ("/etc/passwd", "absolute"),
        ("C:/a.py", "absolute"),
        ("c:a.py", "absolute"),
        ("a\\b.py", "forbidden character"),
        ("..\\a.py", "forbidden character"),
        ("a\0.py", "forbidden character"),
        ("a\x1b[2J.py", "forbidden character"),
        ("a\u202egnp.py", "forbidden character"),
        ("a//b.py", "in two ways"),
        ("./a.py", "in two ways"),
        ("a/.", "in two ways"),
        ("", "in two ways"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str, said: str) -> None:
    message = refusal(crafted(Raw(name=name)))
    assert said in message
    assert message.isprintable()


# --- What is refused: members that lie -----------------------------------------------------------

DEFLATED = Raw(data=b"y = 2\n" * 100)
BOTH = ("local", "central")


def lying(member: Raw, **said: int) -> bytes:
    return crafted(Raw(name=member.name, data=member.data, local=said, central=said))


LIES = {
    "longer": (lying(DEFLATED, size=599), "is longer than it says"),
    "shorter": (lying(DEFLATED, size=601), "is shorter than it says"),
    "checksum": (lying(DEFLATED, crc=1), "is not what its checksum says"),
    "impossible": (lying(DEFLATED, size=1 << 30), "cannot have the size"),
    "encrypted": (lying(DEFLATED, flags=1), "is encrypted"),
    "strongly encrypted": (lying(DEFLATED, flags=0x41), "is encrypted"),
    "patch": (lying(DEFLATED, flags=0x20), "is a patch"),
    "unknown mark": (lying(DEFLATED, flags=0x400), "marks that are not known"),
    "bzip2": (lying(DEFLATED, method=12), "is not read (method 12)"),
    "not deflate": (
        crafted(Raw(data=b"\xff" * 8, deflated=False, local={"method": 8}, central={"method": 8})),
        "cannot be unpacked",
    ),
    "stored and longer": (crafted(Raw(deflated=False, central={"size": 7})), "cannot have"),
    "link": (crafted(Raw(central={"mode": 0o120777})), "is a link"),
    "device": (crafted(Raw(central={"mode": 0o060644})), "neither a file nor a folder"),
    "folder that is a file": (crafted(Raw(central={"mode": 0o040755})), "neither a file"),
    "folder with content": (crafted(Raw(name="a/", central={"mode": 0o040755})), "cannot have"),
    "elsewhere": (crafted(Raw(central={"disk": 1})), "lies in another file"),
    "too many": (crafted(A, end={"count": 0xFFFE}), "fewer members"),
}


@pytest.mark.parametrize(("data", "said"), LIES.values(), ids=LIES)
def test_a_member_that_lies_is_refused(data: bytes, said: str) -> None:
    assert said in refusal(data)


def test_content_that_ends_before_its_size_is_cut_off() -> None:
    half = zlib.compressobj(wbits=-15)
    data = half.compress(b"y" * 100) + half.flush(zlib.Z_SYNC_FLUSH)  # no last block

    class Cut(Raw):
        @property
        def packed(self) -> bytes:
            return data

    assert "'a.py' is cut off" in refusal(crafted(Cut(data=b"y" * 100)))


def test_content_with_something_behind_it_is_refused() -> None:
    class Longer(Raw):
        @property
        def packed(self) -> bytes:
            return super().packed + b"?"

    assert "behind its content" in refusal(crafted(Longer()))


def test_no_more_comes_of_a_bomb_than_it_says() -> None:
    """Ten gigabytes would come of it."""
    bomb = Raw(data=bytes(8_000_000))
    found = archive(lying(bomb, size=1000))
    sizes: list[int] = []
    with pytest.raises(InputError, match="longer than it says"):
        sizes.extend(len(piece) for piece in found.pieces(found.members[0]))
    assert sum(sizes) <= 1000


def test_members_that_share_their_bytes_are_no_way_to_a_bomb() -> None:
    kernel = Raw(name="0.py", data=bytes(1_000_000))
    data = kernel.own_header() + kernel.packed
    entries = b"".join(Raw(name=f"{n}.py", data=kernel.data).entry(0) for n in range(50))
    said = {"count": 50, "size": len(entries), "directory": len(data)}
    assert "overlaps" in refusal(data + entries + wheels.small_end(said))


def test_too_much_together_is_refused_before_anything_is_unpacked() -> None:
    entries, data = b"", b""
    for n in range(17):
        said = {"size": 0xFFFFFFFE, "packed": 0x7FFFFF}
        one = Raw(name=f"{n}", local=said, central=said)
        entries += one.entry(len(data))
        data += one.own_header()
    made = (
        data
        + entries
        + wheels.small_end({"count": 17, "size": len(entries), "directory": len(data)})
    )
    assert "would unpack to more than 64 GB" in refusal(made)


@pytest.mark.parametrize("data", [b"", b"PK\5\6", b"x" * 100_000, b"PK\5\6" * 20_000])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    assert "x.whl" in refusal(data)


def test_a_zip_that_is_cut_off_is_refused_wherever_it_is_cut() -> None:
    whole = crafted(A, B)
    for length in range(len(whole)):
        refusal(whole[:length])


# --- Whatever comes ------------------------------------------------------------------------------

GOOD = wheels.wheel("demo", "1.0", {"demo/__init__.py": b"x" * 500, "demo/m.so": bytes(3000)})
MARKS = [b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\7\x08", b"\xff" * 4, bytes(8)]


def broken(chance: random.Random) -> bytes:
    """The good wheel with some of its bytes others, moved, doubled or gone."""
    data = bytearray(GOOD)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                data[place : place + 4] = chance.choice(MARKS)
            case 2:
                del data[place : place + chance.randint(1, 60)]
            case 3:
                data[place:place] = data[place : place + chance.randint(1, 80)]
            case _:
                struct.pack_into(
                    "<H", data, min(place, len(data) - 2), chance.choice([0, 1, 0xFFFF])
                )
        if not data:
            break
    return bytes(data)


def test_of_a_broken_wheel_comes_an_input_error_or_what_its_checksums_say() -> None:
    chance = random.Random(6)
    refused = 0
    for _ in range(3000):
        data = broken(chance)
        try:
            found = contents(data)
        except InputError as error:
            refused += error.message.isprintable()
            continue
        with zipfile.ZipFile(io.BytesIO(data)) as other:  # what two readers see alike
            assert {n: other.read(n) for n in other.namelist()} == found
    assert 2900 < refused < 3000  # most changes are seen; times and modes may be anything
