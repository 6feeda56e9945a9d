"""Code for the GPUs that the driver shows."""

from __future__ import annotations

import msgspec
import pytest

from envbuild.doctor import gpus
from envbuild.doctor.model import Driver, Gpu
from envbuild.scan.model import Order
from tests.unit.doctor.scans import ARCHIVE, ENV, SITE, case, copy, module

RTX_50 = Driver(version="580.65.06", gpus=(Gpu(name="RTX 5090", architecture="sm_120"),))
TORCH = (copy("torch", "2.7.0+cu126"),)
CU126 = ("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90")


def compiled(name, *built, site=SITE):
    one = module(name, None, site=site)
    return msgspec.structs.replace(one, binary=msgspec.structs.replace(one.binary, gpus=built))


def judged(*modules, driver=RTX_50, distributions=TORCH):
    one = case(*distributions, modules=modules)
    return gpus.findings(msgspec.structs.replace(one, driver=driver))


@pytest.mark.parametrize(
    ("built", "gpu", "does"),
    [
        (("sm_86",), "sm_86", True),
        (("sm_80",), "sm_89", True),
        (("sm_89",), "sm_86", False),
        (("sm_90",), "sm_120", False),
        (("compute_90",), "sm_120", True),
        (("compute_120",), "sm_90", False),
        (("sm_120",), "sm_121", True),
        (("sm_90a",), "sm_90", True),
        (("sm_120a",), "sm_121", False),
        (("compute_90a",), "sm_120", False),
        (("sm_100f",), "sm_103", True),
        (("compute_100f",), "sm_120", False),
        ((), "sm_90", False),
        (("sm_90",), "", True),
    ],
)
def test_what_runs_where(built, gpu, does):
    assert gpus.runs(built, gpu) is does


def test_without_a_driver_nothing_is_said():
    assert judged(compiled("torch", *CU126), driver=None) == ()


def test_a_gpu_of_unknown_architecture_is_not_judged():
    driver = Driver(version="580.65.06", gpus=(Gpu(name="RTX 5090"),))
    assert judged(compiled("torch", *CU126), driver=driver) == ()


def test_a_torch_without_code_for_the_gpu_is_an_error():
    (one,) = judged(compiled("torch", *CU126))
    assert (one.id, one.severity, one.sure) == ("gpu-code-missing", "error", "proven")
    assert one.what == "torch 2.7.0+cu126 has no code for RTX 5090 (sm_120)"
    assert "no kernel image is available for execution on the device" in one.expect
    assert one.repair[0].startswith("builds for CUDA 12.8 or newer")
    assert one.repair[1] == f"{ENV}/bin/python -m pip install torch==2.8.0"


def test_one_module_with_code_is_enough():
    assert judged(compiled("torch", *CU126), compiled("torch", "sm_120")) == ()
    assert judged(compiled("torch", "compute_90")) == ()


def test_what_fails_with_torch_is_the_same_finding():
    modules = (compiled("torch", *CU126), compiled("flash-attn", "sm_80"))
    distributions = (copy("torch", "2.7.0"), copy("flash-attn", "2.8.3"))
    (one,) = judged(*modules, distributions=distributions)
    assert one.hits == ("torch 2.7.0", "flash-attn 2.8.3")
    assert one.what.startswith("torch 2.7.0 and 1 other package have no code")


def test_another_package_alone_is_a_warning():
    modules = (compiled("torch", "sm_120"), compiled("flash-attn", "sm_80", "sm_90"))
    distributions = (copy("torch", "2.7.0"), copy("flash-attn", "2.8.3"))
    (one,) = judged(*modules, distributions=distributions)
    assert (one.severity, one.sure) == ("warning", "heuristic")
    assert one.expect == ("no kernel image is available for execution on the device",)


def test_a_copy_that_nobody_takes_does_not_matter():
    one = case(
        copy("torch", "2.7.0"),
        copy("torch", "2.5.1", site=ARCHIVE),
        modules=(compiled("torch", "sm_120"), compiled("torch", "sm_90", site=ARCHIVE)),
    )
    order = Order(launcher="python", path="p", python="3.11", before=(SITE,), after=(SITE,))
    scan = msgspec.structs.replace(one.scan, orders=(order,))
    assert gpus.findings(msgspec.structs.replace(one, scan=scan, driver=RTX_50)) == ()


def test_a_bundled_torch_comes_with_another_release():
    (one,) = judged(
        compiled("torch", *CU126, site=ARCHIVE),
        distributions=(copy("torch", "2.5.1", site=ARCHIVE),),
    )
    assert one.repair == ("a release of the product that is made for sm_120",)
