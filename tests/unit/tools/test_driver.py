"""NVIDIA's driver, by what the kernel and nvidia-smi say."""

from __future__ import annotations

import pytest

from envbuild.tools import driver
from envbuild.tools.driver import Gpu, Visible
from envbuild.tools.proc import Command, Outcome

CLOSED = """\
NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023
GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)
"""
OPEN = """\
NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U22)
GCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)
"""
SAID = "NVIDIA H200, 580.65.06, 9.0\n"


def seen(kernel: str | None = None, said: str = "", *, code: int = 0) -> Visible | None:
    def runner(command: Command) -> Outcome:
        assert command.timeout <= 60
        return Outcome(command=command, code=code, stdout=said, stderr="", seconds=0.0)

    return driver.visible(runner, {}, {driver.KERNEL: kernel}.get)


@pytest.mark.parametrize(("text", "version"), [(CLOSED, "535.129.03"), (OPEN, "580.65.06")])
def test_the_kernel_says_the_version(text, version):
    assert seen(text, code=127) == Visible(version=version)


def test_nvidia_smi_names_the_gpus():
    gpu = Gpu(name="NVIDIA H200", driver="580.65.06", architecture="sm_90")
    assert seen(OPEN, SAID) == Visible(version="580.65.06", gpus=(gpu,))
    assert seen(None, SAID) == Visible(version="580.65.06", gpus=(gpu,))


@pytest.mark.parametrize("text", [None, "", "NVRM version: something else\n", "\x00" * 100])
def test_no_driver(text):
    assert seen(text, "NVIDIA-SMI has failed", code=9) is None


def test_an_answer_that_says_no_version_is_no_driver():
    assert seen(None, "NVIDIA Thor\n") is None
