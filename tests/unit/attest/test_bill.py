"""The bill of materials of a lock."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.attest import purls
from envbuild.attest.bill import bill
from envbuild.attest.model import Component
from envbuild.errors import InputError
from tests.unit.attest.samples import COMMIT, NAME, subject


def by_name(name: str, kind: str = "pypi") -> Component:
    (found,) = (one for one in bill(subject()).components if (one.kind, one.name) == (kind, name))
    return found


def test_every_ecosystem_has_its_purl() -> None:
    made = bill(subject())
    assert [one.purl for one in made.components] == sorted(
        [
            f"pkg:oci/ubuntu@sha256:{'e' * 64}?repository_url=docker.io/library/ubuntu&tag=22.04",
            "pkg:pypi/alpha@1.0",
            "pkg:pypi/beta@2.0%2Bcu128",
            "pkg:pypi/numpy@1.26.0",
            "pkg:pypi/kit",
            "pkg:conda/libz@1.0?build=h0&channel=conda-forge&subdir=linux-64",
            "pkg:conda/pip@1.0?build=h0&channel=conda-forge&subdir=linux-64",
            "pkg:conda/python@1.0?build=h0&channel=conda-forge&subdir=linux-64",
            "pkg:deb/ubuntu/curl@7.81-1?arch=amd64&distro=ubuntu-22.04",
            "pkg:deb/ubuntu/wget?arch=amd64&distro=ubuntu-22.04",
            f"pkg:github/team/lab@{COMMIT}",
            f"pkg:generic/own@{COMMIT}?vcs_url=git%2Bhttps://git.example.com/own.git%40{COMMIT}",
        ]
    )
    assert (made.name, made.moment, made.open) == (
        f"one/{NAME}",
        "2026-01-01T00:00:00Z",
        ("placeholders: the vendor has them",),
    )


def test_hashes_and_what_they_cover() -> None:
    assert by_name("alpha").sha256 == ("a" * 64, "b" * 64)
    assert by_name("beta").integrity == "vendor"
    assert by_name("libz", "conda").sha256 == ("2" * 64,)
    assert by_name("wget", "deb").integrity == "unpinned"
    assert (by_name("numpy").origin, by_name("numpy").integrity) == ("base", "provided")


def test_who_asked_for_what() -> None:
    made = bill(subject())
    assert made.needs == ("pkg:pypi/alpha@1.0",)
    assert by_name("alpha").needs == ("pkg:pypi/beta@2.0%2Bcu128",)
    assert by_name("python", "conda").needs == (by_name("libz", "conda").purl,)
    assert by_name("pip", "conda").needs == (by_name("python", "conda").purl,)


def test_nothing_that_opens_doors_is_in_an_address() -> None:
    for url in ("https://me:secret@github.com/a/b", "https://me:secret@git.example.com/a"):
        assert "secret" not in purls.git("x", url, COMMIT)


def test_a_changed_requirement_file_is_refused() -> None:
    asked = subject()
    moved = msgspec.structs.replace(asked.folder, texts={"x.txt": b"alpha==9\n"})
    with pytest.raises(InputError, match=r"x\.txt is not the file that the lock was written with"):
        bill(msgspec.structs.replace(asked, folder=moved))
