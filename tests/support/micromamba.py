"""A stand-in for the program micromamba, in one file, for images that have a Python 3.11."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "replica/micromamba/__main__.py"


def write(path: Path) -> None:
    """Write the program: a zip with py-rattler inside, run by the image's own python3."""
    import rattler

    package = Path(rattler.__file__).parent
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(SOURCE, "__main__.py")
        for file in sorted(package.rglob("*")):
            if file.suffix in {".py", ".so"}:
                archive.write(file, f"rattler/{file.relative_to(package)}")
    path.write_bytes(b"#!/usr/bin/env python3\n" + data.getvalue())
    path.chmod(0o755)
