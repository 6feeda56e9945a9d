"""``vendor.json``: what it says comes back, an edit is noticed, what nobody needs leaves."""

from __future__ import annotations

import json

import pytest

from envbuild.build.vendor import checking, layout, manifest, planning
from envbuild.build.vendor.model import Artifact, Gap, Image, Input, Piece, Target, Vendored
from envbuild.errors import InputError

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def artifact(sha256: str, name: str = "x", **more: str) -> Artifact:
    return Artifact(
        kind="wheel", name=name, version="1", sha256=sha256, size=3, file=more.get("file", sha256)
    )


def target(profile: str, *needs: str, lock: str = "sha256:1", gaps: tuple[Gap, ...] = ()) -> Target:
    pieces = tuple(Piece(path=f"files/{one}", sha256=one) for one in needs)
    return Target(
        profile=profile, variant="v", platform="linux/amd64", lock=lock, lists="sha256:2",
        images=(), inputs=(Input(path="v/wheels-3", kind="wheels", pieces=pieces),), gaps=gaps,
    )  # fmt: skip


def test_what_was_written_is_read() -> None:
    made = manifest.joined(Vendored(), target("one", A), [artifact(A)])
    data = manifest.encode(made)
    read = manifest.decode(data, "vendor.json")
    assert manifest.encode(read) == data
    assert read.target("one", "v") == made.targets[0]
    assert read.target("one", "w") is None
    assert data.endswith(b"}\n")


def test_an_edit_is_noticed() -> None:
    data = manifest.encode(manifest.joined(Vendored(), target("one", A), [artifact(A)]))
    found = json.loads(data)
    found["artifacts"][0]["sha256"] = B
    with pytest.raises(InputError, match="it was edited, or cut"):
        manifest.decode(json.dumps(found).encode(), "vendor.json")
    found["format"] = 2
    with pytest.raises(InputError, match="has format 2; this envbuild reads up to 1"):
        manifest.decode(json.dumps(found).encode(), "vendor.json")
    with pytest.raises(InputError, match="cannot be read"):
        manifest.decode(data[:50], "vendor.json")


def test_two_profiles_share_an_artifact_and_what_nobody_needs_leaves() -> None:
    one = manifest.joined(Vendored(), target("one", A, B), [artifact(A), artifact(B)])
    both = manifest.joined(one, target("two", B, C), [artifact(B), artifact(C)])
    assert [each.sha256 for each in both.artifacts] == [A, B, C]
    moved = manifest.joined(both, target("one", C), [artifact(C)])
    assert [each.sha256 for each in moved.artifacts] == [B, C]
    assert [each.profile for each in moved.targets] == ["one", "two"]


def test_the_order_of_work_makes_no_difference() -> None:
    rows = [(target("one", A), [artifact(A)]), (target("two", B), [artifact(B)])]
    ways = []
    for order in (rows, rows[::-1]):
        found = Vendored()
        for each, artifacts in order:
            found = manifest.joined(found, each, artifacts)
        ways.append(manifest.encode(found))
    assert ways[0] == ways[1]


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (None, "not in the folder yet"),
        (target("one", A), ""),
        (target("one", A, lock="sha256:0"), "the lock has changed"),
        (
            target("one", A, gaps=(Gap(path="p", what="w", why="y"),)),
            "something of it could not be had the last time",
        ),
    ],
)
def test_why_a_variant_is_fetched(there: Target | None, why: str) -> None:
    vendored = Vendored(targets=(there,) if there else ())
    assert planning.why(vendored, target("one")) == why
    step = planning.step("one/v", why)
    assert step.action == ("run" if why else "skip")


def test_a_build_of_another_lock_is_refused() -> None:
    vendored = Vendored(targets=(target("one", lock="sha256:0"),))
    with pytest.raises(InputError, match="holds one/v of another lock"):
        planning.current(vendored, target("one"), "/dir")
    with pytest.raises(InputError, match="holds nothing of two/v, but one/v"):
        planning.current(vendored, target("two"), "/dir")


def test_an_artifact_that_the_manifest_lacks_is_refused() -> None:
    vendored = Vendored(targets=(target("one", A),))
    with pytest.raises(InputError, match=f"sha256 {A}: not in the manifest"):
        checking.refuse("/nowhere", vendored, vendored.targets[0])


def test_a_path_out_of_the_folder_is_no_file_of_it() -> None:
    (fault,) = checking.faults(
        "/nowhere", [artifact(A, file="../etc/passwd")], jobs=1, live=lambda _: None
    )
    assert fault.detail == "its path leads out of the folder"


def test_the_index_names_each_image_once() -> None:
    image = Image(
        argument="BASE_IMAGE", reference=f"docker.io/library/debian@sha256:{A}",
        manifest=f"sha256:{A}", config=f"sha256:{B}", media_type="application/x", blobs=(A, B),
    )  # fmt: skip
    made = layout.heading([image, image], {A: 7})
    (entry,) = json.loads(made["index.json"])["manifests"]
    assert (entry["digest"], entry["size"], entry["mediaType"]) == (
        f"sha256:{A}", 7, "application/x",
    )  # fmt: skip
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == image.reference
