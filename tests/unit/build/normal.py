"""An image and what the normaliser makes of it."""

from __future__ import annotations

import os
from pathlib import Path

from envbuild.build.normalising import Normalised, normalise
from envbuild.tools.packing import Packing
from tests.support.layers import THEN, entry, folder, tar

BASE = tar(folder("bin"), entry("bin/sh", b"sh"), entry("var/log/dpkg.log", b"base"))
SITE = "opt/lib"
SOURCE, CACHED = f"{SITE}/one.py", f"{SITE}/__pycache__/one.cpython-311.pyc"


def normal(source: Path, *, base: int = 1, packed: Packing = "none") -> tuple[Normalised, Path]:
    into = source.parent / f"{source.name}-normal"
    done = normalise(str(source), str(into), base_layers=base, epoch=THEN, packed=packed)
    assert sorted(os.listdir(into)) == ["blobs", "index.json", "oci-layout"]
    assert not any(".envbuild-" in name for name in os.listdir(source.parent))
    return done, into
