"""What is judged without a container: labels, entrypoints, the machine."""

from __future__ import annotations

import pytest

from envbuild.engines.model import ImageFacts
from envbuild.lock.folder import lock_digest
from envbuild.smoke import aside
from envbuild.smoke.machine import Machine
from envbuild.tools.driver import Gpu
from tests.unit.smoke.values import BASE, H100, SMOKE, asked

HARDWARE = '\n    hardware: {gpus: [sm_80, sm_90], driver: {min: "570", below: "595"}}\n'


NOTHING = Machine()


def judged(text, *, strict=False, machine=NOTHING, **facts):
    question = asked(BASE + SMOKE + text, machine=machine)
    given = ImageFacts(identity="sha256:x", platform="linux/amd64", size=1, **facts)
    return {one.id: one for one in aside.checks(question, given, strict=strict)}


def test_an_image_of_the_lock_says_so_by_its_label():
    digest = lock_digest(asked(BASE + SMOKE).locked)
    assert judged("", labels=((aside.LABEL, digest),))["image/lock"].verdict == "pass"


@pytest.mark.parametrize(
    ("labels", "strict", "verdict", "words"),
    [
        ((), False, "warn", "has no label io.envbuild.lock-digest"),
        (((aside.LABEL, "sha256:0123456789abcdef"),), False, "warn", "is of another lock"),
        ((), True, "fail", "has no label"),
    ],
)
def test_an_image_of_another_lock_is_told_of(labels, strict, verdict, words):
    one = judged("", labels=labels, strict=strict)["image/lock"]
    assert one.verdict == verdict
    assert words in one.reason


@pytest.mark.parametrize(
    ("wanted", "found", "verdict", "words"),
    [
        ("", (), "pass", "none"),
        ("", ("/opt/nvidia/nvidia_entrypoint.sh",), "pass", ""),
        ("", ("/isaac-sim/runheadless.sh",), "fail", "/isaac-sim/runheadless.sh python"),
        ("", ("/isaac-sim/runheadless.native.sh",), "fail", "becomes its arguments"),
        ("[python, a.py]", ("python", "a.py"), "pass", "python a.py"),
        ("[python, a.py]", ("python",), "fail", "it is python, and the profile's is python a.py"),
        ("[python, a.py]", ("/isaac-sim/runheadless.sh",), "fail", "becomes its arguments"),
        ("[/isaac-sim/runheadless.sh]", ("/isaac-sim/runheadless.sh",), "pass", ""),
    ],
)
def test_an_entrypoint_that_swallows_a_command_fails(wanted, found, verdict, words):
    text = f"\n    entrypoint: {wanted}\n" if wanted else ""
    one = judged(text, entrypoint=found)["image/entrypoint"]
    assert one.verdict == verdict
    assert words in one.reason


def test_without_a_gpu_the_machine_is_not_judged():
    found = judged(HARDWARE)
    assert found["machine/gpu"].verdict == found["machine/driver"].verdict == "not-run"


def test_a_profile_that_names_no_hardware_asks_nothing_of_the_machine():
    assert not [name for name in judged("", machine=H100) if name.startswith("machine/")]


@pytest.mark.parametrize(
    ("gpu", "verdict"),
    [
        (Gpu(name="NVIDIA H100", architecture="sm_90"), "pass"),
        (Gpu(name="NVIDIA L40S", architecture="sm_89"), "warn"),
        (Gpu(), "warn"),
    ],
)
def test_a_gpu_that_the_profile_is_not_for_is_a_warning(gpu, verdict):
    assert judged(HARDWARE, machine=Machine(gpus=(gpu,)))["machine/gpu"].verdict == verdict


@pytest.mark.parametrize(
    ("driver", "verdict", "words"),
    [
        ("575.57.08", "pass", "575.57.08"),
        ("535.129.03", "fail", "needed is 570"),
        ("595.10", "fail", "must be below 595"),
        ("", "warn", "not known"),
    ],
)
def test_a_driver_has_a_window(driver, verdict, words):
    gpu = Gpu(name="NVIDIA H100", driver=driver, architecture="sm_90")
    one = judged(HARDWARE, machine=Machine(gpus=(gpu,)))["machine/driver"]
    assert one.verdict == verdict
    assert words in one.reason


def test_the_names_are_those_of_the_checks():
    question = asked(BASE + SMOKE + HARDWARE, machine=H100)
    facts = ImageFacts(identity="sha256:x", platform="linux/amd64", size=1)
    found = aside.checks(question, facts, strict=False)
    assert aside.names(question) == tuple((one.test, one.name) for one in found)
