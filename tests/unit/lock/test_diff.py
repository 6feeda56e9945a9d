"""What moved between two locks."""

from __future__ import annotations

import pytest
from tests.support.locks import package, side, variant

from envbuild.errors import InputError
from envbuild.lock.diff import LockSide, moved
from envbuild.lock.diff import side as read_side
from envbuild.lock.folder import LockFolder, sha256
from envbuild.lock.model import FileDigest, Lock, Provided
from envbuild.lock.moves import Move

A, B = "sha256:a", "sha256:b"


def moves(old: LockSide, new: LockSide) -> list[tuple[str, str, str, str]]:
    return [(move.risk, move.what, move.old, move.new) for move in moved(old, new)]


def only(old: LockSide, new: LockSide) -> Move:
    (found,) = moved(old, new)
    return found


def test_nothing_moved() -> None:
    one = side(variant(package("numpy", "1.26.0")), {"numpy": (A,)})
    assert moved(one, one) == ()


def test_the_riskiest_comes_first() -> None:
    old = variant(package("numpy", "1.26.4"), package("gone", "1"), package("small", "1.0.0"))
    new = variant(package("numpy", "2.2.6"), package("come", "1"), package("small", "1.0.1"))
    assert moves(side(old), side(new)) == [
        ("abi", "numpy", "1.26.4", "2.2.6"),
        ("other", "small", "1.0.0", "1.0.1"),
        ("added", "come", "", "1"),
        ("removed", "gone", "1", ""),
    ]


@pytest.mark.parametrize(
    ("was", "now", "risk", "words"),
    [
        ((A,), (B,), "security", "the same version with other hashes"),
        ((A, B), (A,), "security", "1 of 2 hashes of the same version vanished"),
        ((A, B), (A, "sha256:c"), "security", "1 of 2 hashes of the same version vanished, 1 new"),
        ((A,), (), "security", "1 of 1 hashes of the same version vanished"),
        ((A,), (A, B), "other", "1 more of its files are accepted"),
    ],
)
def test_hashes_of_one_version(
    was: tuple[str, ...], now: tuple[str, ...], risk: str, words: str
) -> None:
    one = variant(package("numpy", "1.26.0"))
    found = only(side(one, {"numpy": was}), side(one, {"numpy": now}))
    assert (found.risk, found.why) == (risk, words)


def test_other_hashes_of_another_version_are_no_matter_of_security() -> None:
    old = side(variant(package("a", "1.0.0")), {"a": (A,)})
    new = side(variant(package("a", "1.0.1")), {"a": (B,)})
    assert [move.risk for move in moved(old, new)] == ["other"]


@pytest.mark.parametrize(
    ("was", "now", "risk"),
    [
        ("wheel", "source", "security"),
        ("wheel", "stub", "security"),
        ("wheel", "vendor", "security"),
        ("vendor", "stub", "security"),
        ("source", "stub", "security"),
        ("stub", "vendor", "other"),
        ("source", "wheel", "other"),
    ],
)
def test_what_a_hash_covers(was: str, now: str, risk: str) -> None:
    old = side(variant(package("a", "1.0", integrity=was)))
    new = side(variant(package("a", "1.0", integrity=now)))
    found = only(old, new)
    assert (found.risk, found.old, found.new) == (risk, was, now)


def test_what_the_image_brings_is_shadowed_or_left_to_it() -> None:
    image = (Provided(name="numpy", by="bundle", version="1.26.0"),)
    with_image = side(variant(provided=image))
    installed = side(variant(package("numpy", "2.2.6", "rerun-sdk>=2")))
    over = only(with_image, installed)
    assert (over.risk, over.old, over.new) == ("bundle", "1.26.0 (image)", "2.2.6")
    assert "asked for by rerun-sdk (>=2)" in over.why
    back = only(installed, with_image)
    assert (back.risk, back.old, back.new) == ("bundle", "2.2.6", "1.26.0 (image)")


def test_a_package_of_the_bundle_that_nothing_asked_for_before() -> None:
    old = side(variant(bundle=("numpy==1.26.0", "torch")))
    new = side(variant(package("torch", "2.7.0"), bundle=("numpy==1.26.0",)))
    assert ("bundle", "torch", "? (image)", "2.7.0") in moves(old, new)


def test_what_the_image_brings_moves_as_the_image_does() -> None:
    old = side(variant(bundle=("numpy==1.26.0", "old==1", "same")))
    new = side(variant(bundle=("numpy==2.3.1", "new==1", "same==7")))
    assert moves(old, new) == [
        ("abi", "numpy", "1.26.0 (image)", "2.3.1 (image)"),
        ("added", "new", "", "1 (image)"),
        ("removed", "old", "1 (image)", ""),
    ]


def test_torch_takes_its_companions_with_it() -> None:
    names = ("torch", "torchvision", "torchaudio", "requests")
    old = variant(*map(package, names, ("2.6.0", "0.21.0", "2.6.0", "2.1.0")))
    new = variant(*map(package, names, ("2.7.0", "0.22.0", "2.6.0", "2.1.1")))
    found = {move.what: move for move in moved(side(old), side(new))}
    assert found["torch"].risk == found["torchvision"].risk == "abi"
    assert "not moved with it: torchaudio" in found["torch"].why
    assert found["requests"].risk == "other"
    alone = moves(
        side(variant(package("torchvision", "0.21.0"))),
        side(variant(package("torchvision", "0.22.0"))),
    )
    assert alone[0][0] == "minor"


def test_who_asks_otherwise_is_named() -> None:
    old = side(variant(package("a", "1.0", "x>=1", "y")))
    new = side(variant(package("a", "2.0", "x>=2", "y", "z<3", "v>=1")))
    why = only(old, new).why
    assert why.endswith("now asked for by x (>=2), z (<3) and 1 more")


def test_cuda_that_comes_or_goes() -> None:
    with_it, without = variant(package("nvidia-nccl-cu12", "2.26")), variant()
    assert moves(side(without), side(with_it))[0][0] == "cuda"
    assert moves(side(with_it), side(without))[0][0] == "cuda"


def test_variants_with_equal_moves_say_them_once() -> None:
    old, new = variant(package("a", "1.0")), variant(package("a", "2.0"))
    names = ("linux-amd64-cu128", "linux-arm64-cu130")
    found = only(side(dict.fromkeys(names, old)), side(dict.fromkeys(names, new)))
    assert found.variants == names


def test_a_variant_of_another_cuda_is_held_against_the_one_before() -> None:
    old = side({"linux-amd64-cu126": variant(package("a", "1.0"))})
    new = side({"linux-amd64-cu128": variant(package("a", "1.0"))})
    found = only(old, new)
    assert (found.risk, found.what, found.old, found.new) == (
        "cuda",
        "accelerator",
        "cu126",
        "cu128",
    )
    assert found.variants == ("linux-amd64-cu126 -> linux-amd64-cu128",)


def test_a_variant_more_and_one_less() -> None:
    old = side({"linux-amd64-cpu": variant(package("a", "1"))})
    new = side({"linux-arm64-cpu": variant(package("a", "2"))})
    assert moves(old, new) == [
        ("input", "variant", "", "linux-arm64-cpu"),
        ("input", "variant", "linux-amd64-cpu", ""),
    ]


# --- Reading a folder ----------------------------------------------------------------------------

TEXT = f"numpy==1.26.0 \\\n    --hash={A} \\\n    --hash={B}\n    # via profile\n".encode()


def folder(text: bytes | None, digest: str | None = None) -> LockFolder:
    wheels = FileDigest(path="x.txt", sha256=digest or sha256(text or b""))
    import msgspec

    one = msgspec.structs.replace(variant(package("numpy", "1.26.0")), wheels=wheels)
    header = Lock(format=1, profile="one", tools={}, variants={"linux-amd64-cpu": one})
    texts = {} if text is None else {"x.txt": text}
    return LockFolder(label="lockfiles/one", header=header, texts=texts)


def test_the_hashes_of_a_folder() -> None:
    found = read_side(folder(TEXT))
    assert found.hashes == {"linux-amd64-cpu": {"numpy": frozenset({A, B})}}
    assert found.edited == ()


def test_a_file_that_was_edited_is_a_matter_of_security() -> None:
    edited = read_side(folder(TEXT.replace(b"sha256:b", b"sha256:e"), sha256(TEXT)))
    found = moved(read_side(folder(TEXT)), edited)
    assert [(move.risk, move.what) for move in found] == [
        ("security", "numpy"),
        ("security", "x.txt"),
    ]


@pytest.mark.parametrize("text", [None, b"numpy>=1\n", b"\xff\xfe"])
def test_a_file_that_is_missing_or_not_ours(text: bytes | None) -> None:
    with pytest.raises(InputError, match=r"lockfiles/one/x\.txt"):
        read_side(folder(text))


def test_a_folder_without_a_lock() -> None:
    with pytest.raises(InputError, match="holds no lock"):
        read_side(LockFolder(label="lockfiles/one", header=None, texts={}))
