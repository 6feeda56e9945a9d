"""A process that ends with the one that started it, whatever ended that: also SIGKILL."""

from __future__ import annotations

import ctypes
import os
import signal

PARENT = "ENVBUILD_ENDS_WITH"
"""The variable that tells a process the number of the one that it is to end with."""

_PR_SET_PDEATHSIG = 1
"""``linux/prctl.h``."""


def end_with_parent(number: str) -> None:
    """Be sent SIGTERM when the process of this number ends, which has started this one.

    A process that is somebody else's child already is sent it at once.
    """
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if str(os.getppid()) != number:
        os.kill(os.getpid(), signal.SIGTERM)
