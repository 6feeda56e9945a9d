"""The guard of what a base image bundles: a script that runs in the image while it is built."""

from __future__ import annotations

import functools
import os

from envbuild.tools import files

FOLDER = "bundle"
"""The folder of the build context that holds the script."""

SCRIPT = "bundle.py"


@functools.cache
def script() -> bytes:
    """The script: the standard library alone, for Python 3.9 and later."""
    return files.read_bytes(os.path.join(os.path.dirname(os.path.abspath(__file__)), SCRIPT))
