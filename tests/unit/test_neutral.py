"""No file names a package index: locks and images must outlive any one of them."""

from pathlib import Path

from pip._internal.models.index import PyPI

ROOT = Path(__file__).parents[2]


def test_no_address_of_an_index_is_in_any_file() -> None:
    hosts = [PyPI.netloc.encode(), PyPI.file_storage_domain.encode()]
    made_here = {".venv", ".git", ".envbuild"}
    found = [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*")
        if path.is_file() and not made_here & set(path.parts) and "cache" not in str(path)
        if any(host in path.read_bytes() for host in hosts)
    ]
    assert found == []
