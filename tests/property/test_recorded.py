"""RECORD files and versions, whatever is in them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from tests.support.scanned import tree

from envbuild.scan.installed import distributions, metadata, recorded, records
from envbuild.scan.model import Site

pytestmark = pytest.mark.property

PATHS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\\/"), min_size=1
)
DIGESTS = st.sampled_from(["", "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"])
ROWS = st.tuples(PATHS.map(lambda name: f"p/{name}"), DIGESTS, st.integers(0, 2**62))
VERSIONS = st.from_regex(
    r"[1-9]?[0-9](\.[0-9]{1,2}){0,2}((a|b|rc)[0-9])?(\.post[0-9])?", fullmatch=True
)


@given(st.lists(ROWS))
def test_what_csv_writes_is_read_back(rows: list[tuple[str, str, int]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(
        (name, digest and f"sha256={digest}", size) for name, digest, size in rows
    )
    assert list(recorded.rows(file.getvalue())) == [recorded.Row(*row) for row in rows]


@given(st.text())
def test_any_text_is_a_record(text: str) -> None:
    for row in recorded.rows(text):
        assert row.name
        assert not row.name.startswith("/")


@given(st.text(), st.binary(), st.text(max_size=30))
def test_any_metadata_is_surveyed(record: str, about: bytes, folder: str) -> None:
    name = folder.replace("/", "") or "a"
    files = {
        f"/s/{name}.dist-info/RECORD": record.encode("utf-8", "replace"),
        f"/s/{name}.dist-info/METADATA": about,
        f"/s/{name}.egg-link": record.encode("utf-8", "replace"),
        f"/s/{name}.dist-info/top_level.txt": about,
    }
    here, sites = tree(files), [Site(path="/s", real="/s", kind="site")]
    found = distributions.find(here, sites)
    records.faults(here, sites, found)
    records.owners(here, found)


@given(VERSIONS, VERSIONS)
def test_versions_are_of_one_release_where_they_are_equal(one: str, other: str) -> None:
    assert metadata.same_release(one, other) is (Version(one) == Version(other))


@given(VERSIONS)
def test_a_version_is_read_where_it_is_written(version: str) -> None:
    assert metadata.said_version(f"# x\nversion = '{version}'\n") == version
    assert metadata.named(f"a_b-{version}") == ("a-b", version)
