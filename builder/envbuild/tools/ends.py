"""The two ends of a file that may be too large to read whole."""

from __future__ import annotations

import os

from envbuild.errors import InputError
from envbuild.tools.trouble import words


def ends(path: str, head: int, tail: int) -> tuple[bytes, bytes, int]:
    """The first ``head`` bytes of a file, its last ``tail`` bytes, and its size.

    The second is empty where the first holds all: a file of up to ``head + tail`` bytes.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= head + tail:
                data = file.read(head + tail)
                return data, b"", len(data)
            first = file.read(head)
            file.seek(size - tail)
            return first, file.read(tail), size
    except OSError as error:
        raise InputError(f"{path} cannot be read: {words(error)}") from None
