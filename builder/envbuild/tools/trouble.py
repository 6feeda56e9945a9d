"""What the operating system refuses, in words."""

from __future__ import annotations

import errno
import os

from envbuild.errors import ToolError


def words(error: OSError) -> str:
    """What the operating system says, as the end of a sentence."""
    return (error.strerror or str(error)).lower()


def cannot_write(path: str, error: OSError) -> ToolError:
    """The error for a file or folder that cannot be written, with a way out where one is known."""
    refused = os.path.dirname(error.filename if isinstance(error.filename, str) else path) or "."
    hints = {
        errno.ENOSPC: "free some space, then run it again",
        errno.EDQUOT: "your quota is used up: free some space, then run it again",
        errno.EROFS: "the file system is mounted read-only",
        errno.EACCES: f"{refused} must be writable for you",
    }
    return ToolError(f"{path} cannot be written: {words(error)}", hint=hints.get(error.errno or 0))
