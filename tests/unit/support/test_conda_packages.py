"""The conda packages and channels of the tests: the same bytes each time, and a true index."""

import hashlib
import io
import json
import tarfile
import zipfile

import pytest
from tests.support.conda_packages import (
    PLACEHOLDER,
    File,
    channel,
    index,
    put,
    record,
    stub,
    zstd,
)


def page(folder, subdir):
    return json.loads((folder / subdir / "repodata.json").read_text())


def parts(path):
    """The members of a .conda package by path, info first."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for kind in ("info", "pkg"):
            data = zstd.decompress(archive.read(f"{kind}-{path.stem}.tar.zst"))
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                found |= {
                    one.name: one.linkname or tar.extractfile(one).read()
                    for one in tar.getmembers()
                }
    return found


@pytest.mark.parametrize("kind", [".conda", ".tar.bz2"])
def test_a_package_has_the_same_bytes_each_time(tmp_path, kind) -> None:
    files = {"b.txt": "b", "a/run": File(data=b"#!/bin/sh\n", executable=True)}
    one = stub(tmp_path / "one", "tool", "1.0", files=files, kind=kind)
    two = stub(tmp_path / "two", "tool", "1.0", files=dict(reversed(files.items())), kind=kind)
    assert one.name == f"tool-1.0-0{kind}"
    assert one.read_bytes() == two.read_bytes()


def test_another_content_has_other_bytes(tmp_path) -> None:
    one = stub(tmp_path / "one", "tool", "1.0", files={"a": "a"})
    two = stub(tmp_path / "two", "tool", "1.0", files={"a": "b"})
    assert one.read_bytes() != two.read_bytes()


def test_the_index_tells_what_lies_in_the_folder(tmp_path) -> None:
    conda = stub(tmp_path, "tool", "1.0", subdir="linux-64", depends=["lib >=2"])
    bz2 = stub(tmp_path, "tool", "0.9", subdir="linux-64", kind=".tar.bz2", timestamp=1000)
    index(tmp_path)
    found = page(tmp_path, "linux-64")
    said = found["packages.conda"][conda.name]
    assert said["depends"] == ["lib >=2"]
    assert said["timestamp"] == 1735689600000
    assert found["packages"][bz2.name]["timestamp"] == 1000
    for path, one in ((conda, said), (bz2, found["packages"][bz2.name])):
        data = path.read_bytes()
        assert one["size"] == len(data)
        assert one["md5"] == hashlib.md5(data).hexdigest()
        assert one["sha256"] == hashlib.sha256(data).hexdigest()


def test_an_index_of_the_same_packages_has_the_same_bytes(tmp_path) -> None:
    for folder, names in ((tmp_path / "one", "ab"), (tmp_path / "two", "ba")):
        for name in names:
            stub(folder, name, "1.0")
        index(folder)
    one, two = (tmp_path / name / "noarch" / "repodata.json" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_every_platform_has_an_index(tmp_path) -> None:
    index(tmp_path)
    for subdir in ("linux-64", "linux-aarch64", "noarch"):
        assert page(tmp_path, subdir)["info"] == {"subdir": subdir}


def test_records_need_no_package(tmp_path) -> None:
    records = [record("a", "1", depends=["b"]), record("b", "2", subdir="noarch", build="h1_0")]
    channel(tmp_path, records, base_url="https://example.org/conda-forge/")
    assert page(tmp_path, "linux-64")["packages.conda"] == {"a-1-0.conda": records[0]}
    noarch = page(tmp_path, "noarch")
    assert noarch["packages.conda"] == {"b-2-h1_0.conda": records[1]}
    assert noarch["info"]["base_url"] == "https://example.org/conda-forge/noarch/"
    assert not list(tmp_path.glob("*/*.conda"))


def test_the_hashes_of_a_record_are_of_its_name() -> None:
    one = record("a", "1")
    assert one == record("a", "1")
    assert one["sha256"] != record("a", "1", build="1")["sha256"]
    assert one["md5"] != record("a", "1", subdir="noarch")["md5"]
    assert (len(one["md5"]), len(one["sha256"])) == (32, 64)


def test_a_package_tells_its_own_files(tmp_path) -> None:
    files = {
        "site-packages/tool.py": "x = 1\n",
        "bin/tool": File(data=f"#!{PLACEHOLDER}/bin/python\n".encode(), placed=True),
        "bin/t": File(link="tool"),
    }
    said = record("tool", "1", subdir="noarch") | {"noarch": "python"}
    found = parts(put(tmp_path, said, files, entry_points=["tool = tool:main"]))
    paths = {one["_path"]: one for one in json.loads(found["info/paths.json"])["paths"]}
    assert found["bin/t"] == "tool"
    assert found["site-packages/tool.py"] == b"x = 1\n"
    assert paths["bin/t"]["path_type"] == "softlink"
    assert paths["bin/tool"]["prefix_placeholder"] == PLACEHOLDER
    assert "prefix_placeholder" not in paths["site-packages/tool.py"]
    link = json.loads(found["info/link.json"])
    assert link["noarch"] == {"type": "python", "entry_points": ["tool = tool:main"]}
    assert "sha256" not in json.loads(found["info/index.json"])
