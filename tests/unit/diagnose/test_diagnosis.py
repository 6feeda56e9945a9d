"""What is concluded: proofs, causes before consequences, fixes for the stack that wrote the log."""

from __future__ import annotations

import itertools

import pytest

from envbuild.diagnose.diagnosis import Diagnosis, diagnose
from envbuild.diagnose.index import Index
from envbuild.diagnose.lines import blocks
from envbuild.diagnose.scan import Scan
from envbuild.knowledge import facts
from envbuild.knowledge.signaturebook import shipped

INDEX = Index(shipped())
THREE = {
    "nep50": "AttributeError: module 'numpy' has no attribute '_no_nep50_warning'",
    "dtype": "ValueError: numpy.dtype size changed, may indicate binary incompatibility. "
    "Expected 96 from C header, got 88 from PyObject",
    "broadcast": "ImportError: cannot import name 'broadcast_to' from 'numpy.lib.stride_tricks'",
}
KIT_5_1 = (
    "/isaac-sim/extscache/omni.kit.pip_archive-0.0.0+69cbf6ad.lx64.cp311/pip_prebundle/numpy\n"
)


def read(text: str) -> Diagnosis:
    scan = Scan(INDEX)
    scan.read(blocks([text.encode()]))
    return diagnose(scan, log="log", notes=())


def stack(text: str) -> dict[str, str]:
    return {one.name: one.value for one in read(text).stack}


@pytest.mark.parametrize("order", [*itertools.permutations(THREE)])
def test_the_three_messages_of_numpy_in_any_order_are_one_failure(order: tuple[str, ...]):
    (found,) = read("\n".join(THREE[name] for name in order)).findings
    assert found.id == "numpy-2-over-1"
    assert len(found.proves) == 1
    assert "2.2 or newer, and it shadows a bundled NumPy 1.x" in found.proves[0]
    assert found.count == 3


@pytest.mark.parametrize(
    ("names", "proof"),
    [
        (("nep50",), "not one of 1.24 to 2.1"),
        (("dtype",), "NumPy 2.0 or newer"),
        (("broadcast",), "is 2.0 or newer"),
        (("nep50", "dtype"), "is 2.2 or newer"),
        (("nep50", "broadcast"), "is 2.2 or newer"),
        (("dtype", "broadcast"), "is 2.0 or newer"),
    ],
)
def test_each_of_them_proves_no_more_than_it_can(names: tuple[str, ...], proof: str):
    (found,) = read("\n".join(THREE[name] for name in names)).findings
    assert len(found.proves) == 1
    assert proof in found.proves[0]


def test_the_fix_is_for_the_stack_that_the_log_tells_of():
    bundled = facts.fact("isaac-sim", "5.1.0", "numpy")
    assert bundled
    (found,) = read(KIT_5_1 + THREE["nep50"]).findings
    assert found.fix_for == "Isaac Sim 5.1.0"
    assert f"numpy=={bundled.value}" in found.fix


def test_without_a_stack_the_fix_holds_for_any():
    (found,) = read(THREE["nep50"]).findings
    assert found.fix_for == ""
    assert "{" not in found.fix


def test_a_release_whose_numpy_is_unknown_gets_no_invented_version():
    fact = facts.fact("isaac-sim", "4.2.0", "numpy")
    assert fact is None or fact.value == facts.UNKNOWN
    (found,) = read(f"docker run nvcr.io/nvidia/isaac-sim:4.2.0\n{THREE['nep50']}").findings
    assert found.fix_for == ""


def test_isaac_sim_6_is_not_told_to_take_numpy_1():
    (found,) = read(f"docker run nvcr.io/nvidia/isaac-sim:6.0.1\n{THREE['dtype']}").findings
    assert "numpy==2." in found.fix
    assert "<2" not in found.fix


def test_groups_of_a_message_stand_in_the_fix():
    text = "isaacsim-kernel 5.0.0.0 requires numpy==1.26.0, but you have numpy 2.2.6 which is incompatible."
    (found,) = read(text).findings
    assert 'pip install "numpy==1.26.0"' in found.fix
    assert "2.2.6" in found.fix


@pytest.mark.parametrize(
    ("text", "release"),
    [
        (KIT_5_1, "5.1.0"),
        ("omni.kit.pip_archive-0.0.0+8131b85d.lx64.cp311/", "5.0.0"),
        ("FROM nvcr.io/nvidia/isaac-sim:4.5.0", "4.5.0"),
        ("Successfully installed isaacsim-5.1.0.0", "5.1.0"),
        ("isaacsim[all,extscache]==5.0.0", "5.0.0"),
        ("/isaac-sim/kit/data/Kit/Isaac-Sim/5.1/exts", "5.1.0"),
        ("*Isaac Sim Version*: 5.1.0", "5.1.0"),
        ("Isaac Sim 2023.1.1 was installed", "2023.1.1"),
        ("isaac-sim:5.1.0, and not Isaac Sim 4.5.0", "5.1.0"),
    ],
)
def test_the_release_is_told_by_what_stands_in_the_log(text: str, release: str):
    assert stack(text)["isaac-sim"] == release


@pytest.mark.parametrize(
    "text",
    [
        "isaac-sim:5.1.0 then isaac-sim:4.5.0",
        "Isaac Sim 9.9.9",
        "omni.kit.pip_archive-0.0.0+00000000.lx64",
    ],
)
def test_a_release_that_cannot_be_told_is_not_guessed(text: str):
    assert "isaac-sim" not in stack(text)


def test_what_else_a_log_tells():
    found = stack(
        "Linux linux/arm64 Driver Version: 580.65.06\n/opt/conda/envs/lab/lib/python3.11/site-packages/x.py"
    )
    assert found == {
        "architecture": "arm64",
        "driver": "580.65.06",
        "prefix": "/opt/conda/envs/lab",
        "python": "3.11",
    }


def test_the_copies_of_numpy_say_which_one_shadows():
    text = (
        KIT_5_1
        + '  File "/opt/venv/lib/python3.11/site-packages/numpy/ma.py", line 1\n'
        + THREE["nep50"]
    )
    copies = {one.role: one.folder for one in read(text).findings[0].copies}
    assert copies["of the environment"] == "/opt/venv/lib/python3.11/site-packages"
    assert any("5.1.0 as 1.26.0, shadowed" in role for role in copies)


def test_a_copy_that_pip_put_under_kit_python_is_named():
    text = """\
File "/isaac-sim/kit/python/lib/python3.10/site-packages/numpy/__init__.py", line 340, in __getattr__
  import numpy.random as random
File "/isaac-sim/kit/exts/omni.kit.pip_archive/pip_prebundle/numpy/random/__init__.py", line 180
"""
    (found,) = read(text).findings
    assert found.id == "numpy-two-copies"
    assert any("under kit/python was installed with pip" in one for one in found.proves)
    assert any("installed later with pip, under kit/python" in one.role for one in found.copies)


def test_causes_stand_before_their_consequences():
    text = (
        "[Error] [omni.ext._impl.custom_importer] Failed to import python module isaacsim.core.api\n"
        f"{THREE['nep50']}\n"
        "isaacsim-kernel 5.1.0.0 requires numpy==1.26.0, but you have numpy 2.2.6 which is incompatible.\n"
    )
    found = read(text).findings
    assert [one.id for one in found] == [
        "pip-ignores-kernel-pins",
        "numpy-releases-mixed",
        "extension-start-failed",
    ]
    assert found[1].after == ("pip-ignores-kernel-pins",)
    assert found[2].after == ("numpy-releases-mixed",)


def test_a_general_message_is_marked_and_goes_with_no_stack():
    (found,) = read(KIT_5_1 + "ImportError: cannot import name 'x' from 'y'").findings
    assert (found.id, found.generic, found.fix_for) == ("import-failed", True, "")


def test_a_general_message_is_nothing_beside_what_explains_its_line():
    assert [one.id for one in read(THREE["broadcast"]).findings] == ["numpy-2-over-1"]


def test_general_messages_alone_still_name_the_nearest_lines():
    found = read("Traceback (most recent call last):\n  File 'x'\nWidgetError: it broke\n")
    assert [one.id for one in found.findings] == ["python-exception"]
    assert "WidgetError: it broke" in [one.text for one in found.nearest]


STARTED = "[12.3s] app ready\n[12.5s] Simulation App Startup Complete\n"


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        ("No module named 'omni.isaac.core'", ["imported-before-the-app"]),
        (f"{STARTED}No module named 'isaacsim.sensors'", []),
        (f"isaac-sim:6.0.1\n{STARTED}No module named 'omni.isaac.core'", ["module-removed"]),
        ("isaac-sim:6.0.1\nNo module named 'omni.isaac.core'", ["module-removed"]),
        (f"isaac-sim:5.1.0\n{STARTED}No module named 'omni.isaac.core'", []),
        (f"isaac-sim:4.2.0\n{STARTED}No module named 'isaacsim.core'", ["module-newer"]),
        ("blender --background\nNo module named 'pxr'", []),
        ("python train.py\nNo module named 'isaaclab'", []),
        ("./isaaclab.sh -i\nNo module named 'isaaclab'", ["isaaclab-not-installed"]),
        (
            "isaac-sim:5.1.0\n[a-1] dependency: 'my.base' = { version='^' } can't be satisfied.",
            [],
        ),
    ],
)
def test_a_module_that_is_missing_says_no_more_than_the_log(text: str, certain: list[str]):
    findings = read(text).findings
    assert [one.id for one in findings if not one.generic] == certain
    assert findings


def test_a_renamed_module_gets_the_name_that_the_release_has():
    found = read(f"isaac-sim:6.0.1\n{STARTED}No module named 'omni.isaac.core'").findings[0]
    modules = facts.fact("isaac-sim", "6.0.1", "modules")
    assert modules
    assert isinstance(modules.value, dict)
    assert f"omni.isaac.core is {modules.value['core']}" in found.fix
    assert found.fix_for == "Isaac Sim 6.0.1"


def test_a_release_whose_modules_are_unknown_gets_the_general_fix():
    (found,) = read("isaac-sim:6.1.0\nNo module named 'omni.isaac.core'").findings
    assert (found.id, found.fix_for) == ("module-removed", "")
    assert "unknown" not in found.fix


@pytest.mark.parametrize(
    ("name", "said"),
    [("compute_35", "dropped"), ("compute_70", "dropped"), ("compute_75", "older-than-gpu")]
    + [(name, "older-than-gpu") for name in ("compute_90a", "sm_120", "compute_121")],
)
def test_nvcc_and_an_architecture_that_it_does_not_know(name: str, said: str):
    (found,) = read(f"nvcc fatal   : Unsupported gpu architecture '{name}'").findings
    assert found.id == {"dropped": "nvcc-dropped-architecture"}.get(said, f"nvcc-{said}")
