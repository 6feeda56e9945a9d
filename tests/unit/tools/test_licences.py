"""What metadata says of a licence, and that nothing is guessed."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from envbuild.tools import licences

HEAD = "Metadata-Version: 2.1\nName: x\nVersion: 1\n"


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: other words\n", "MIT OR Apache-2.0"),
        ("License: BSD-3-Clause\n", "BSD-3-Clause"),
        ("License: BSD-3-Clause\r\n", "BSD-3-Clause"),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n", "MIT License"),
        (
            "Classifier: License :: OSI Approved :: Z\nClassifier: License :: Free For Home Use\n",
            "Free For Home Use / Z",
        ),
        ("License: Copyright (c) 2020\n        Permission is hereby granted\n", ""),
        (f"License: {'x' * 300}\n", ""),
        ("Classifier: License :: Other/Proprietary License\n", ""),
        ("License-File: LICENSE\n", ""),
        ("\nLicense: MIT\n", ""),  # the description, which anybody may write
        ("", ""),
    ],
)
def test_of_metadata(more: str, text: str) -> None:
    assert licences.of_metadata(f"{HEAD}{more}".encode()) == text


def source(path: Path, member: str, *, packed: str = "w:gz") -> str:
    data = f"{HEAD}License: MIT\n".encode()
    with tarfile.open(path, packed) as tar:
        one = tarfile.TarInfo(member)
        one.size = len(data)
        tar.addfile(one, io.BytesIO(data))
    return str(path)


def test_of_a_source_distribution(tmp_path: Path) -> None:
    assert licences.of_source(source(tmp_path / "x.tar.gz", "x-1/PKG-INFO")) == "MIT"
    assert licences.of_source(source(tmp_path / "y.tar", "x-1/deep/PKG-INFO", packed="w")) == ""
    (tmp_path / "z.tar.gz").write_bytes(b"\x1f\x8b cut")
    assert licences.of_source(str(tmp_path / "z.tar.gz")) == ""
    assert licences.of_source(str(tmp_path / "none")) == ""
