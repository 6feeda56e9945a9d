"""What a machine has, by the words of its driver."""

from __future__ import annotations

import pytest

from envbuild.smoke import machine
from envbuild.smoke.machine import Machine
from envbuild.tools.driver import Gpu
from envbuild.tools.proc import Command, Outcome


def looked(stdout: str = "", *, code: int = 0, devices=(), missing=False, stderr="") -> Machine:
    def runner(command: Command) -> Outcome:
        return Outcome(
            command=command, code=code, stdout=stdout, stderr=stderr, seconds=0.0, missing=missing
        )

    return machine.look(runner, {}, lambda: devices)


def test_the_driver_names_its_gpus():
    found = looked("NVIDIA H100 80GB HBM3, 575.57.08, 9.0\nNVIDIA L40S, 575.57.08, 8.9\n")
    assert found.gpus == (
        Gpu(name="NVIDIA H100 80GB HBM3", driver="575.57.08", architecture="sm_90"),
        Gpu(name="NVIDIA L40S", driver="575.57.08", architecture="sm_89"),
    )
    assert found.lacks("rt-cores") == ""


def test_an_answer_without_an_architecture_is_still_a_gpu():
    found = looked("NVIDIA Thor, 580.00, [N/A]\n")
    assert found.gpus == (Gpu(name="NVIDIA Thor", driver="580.00"),)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"code": 127, "missing": True}, "this machine has no GPU"),
        ({"stdout": ""}, "its driver knows no GPU"),
        (
            {"code": 9, "devices": ("nvidia0",), "stdout": "NVIDIA-SMI has failed because …\n"},
            "nvidia-smi does not reach its GPU: NVIDIA-SMI has failed because …",
        ),
        ({"code": 9, "devices": ("null", "nvidiactl")}, "this machine has no GPU"),
    ],
)
def test_where_there_is_none_it_says_what_was_looked_for(values, why):
    found = looked(**values)
    assert found.gpus == ()
    assert found.lacks("gpu") == f"needs a GPU ({why})"


def test_a_device_file_is_a_gpu_where_nobody_can_be_asked():
    assert looked(code=127, missing=True, devices=("nvidia0",)).gpus == (Gpu(),)


@pytest.mark.parametrize(
    ("name", "architecture", "has"),
    [
        ("NVIDIA A100-SXM4-80GB", "sm_80", False),
        ("NVIDIA A30", "sm_80", False),
        ("NVIDIA A10G", "sm_86", True),
        ("NVIDIA H20", "sm_90", False),
        ("NVIDIA H200", "sm_90", False),
        ("NVIDIA GH200 480GB", "sm_90", False),
        ("NVIDIA B200", "sm_100", False),
        ("NVIDIA B300 SXM6", "sm_103", False),
        ("NVIDIA L4", "sm_89", True),
        ("NVIDIA GB10", "sm_121", True),
        ("NVIDIA GeForce RTX 5090", "sm_120", True),
        ("Tesla T4", "sm_75", True),
        ("Tesla V100-SXM2-16GB", "sm_70", False),
        ("NVIDIA GeForce GTX 1650", "sm_75", False),
        ("", "", True),
    ],
)
def test_rt_cores_are_known_by_architecture_and_name(name, architecture, has):
    assert machine.has_rt_cores(Gpu(name=name, architecture=architecture)) is has


@pytest.mark.parametrize(
    ("version", "than", "older"),
    [("570.169", "575", True), ("575.57.08", "575.57.08", False), ("580.65.06", "575", False)],
)
def test_drivers_are_compared_by_their_numbers(version, than, older):
    assert machine.older(version, than) is older
