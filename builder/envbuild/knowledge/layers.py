"""Which piece of a lock's wheels a package belongs to: each piece is a layer of the image. Pure."""

from __future__ import annotations

import functools
from fnmatch import fnmatchcase

from envbuild.knowledge import facts
from envbuild.names import canonical_name

REST = 3
"""The piece of all that no fact names: small, or often moved."""


@functools.cache
def piece(package: str) -> int:
    """1 for what is heavy and moves least, :data:`REST` for what is light or moves often."""
    name = canonical_name(package)
    found = (row.piece for row in facts.layers() for one in row.packages if fnmatchcase(name, one))
    return next(found, REST)
