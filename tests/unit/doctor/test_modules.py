"""Each compiled module, and what becomes of it under the NumPys that win beside it."""

from __future__ import annotations

import msgspec

from envbuild.doctor.told.modules import judged
from envbuild.scan.binary import Binary
from tests.unit.doctor.scans import ARCHIVE, NEW, OLD, OLD_PYBIND, case, copy, module


def listed(*modules):
    copies = (
        copy("numpy", "2.2.6"),
        copy("numpy", "1.26.0", site=ARCHIVE),
        copy("scipy", "1.11.4"),
        copy("spare", "1.0"),
    )
    return {one.path.rpartition("/")[2].partition(".")[0]: one for one in scan(copies, modules)}


def scan(copies, modules):
    return tuple(judged(case(*copies, modules=tuple(modules)).scan))


def test_a_module_is_judged_under_each_numpy_that_wins_beside_it():
    found = listed(
        module("scipy", OLD, file="a"),
        module("scipy", NEW, file="b"),
        module("scipy", OLD_PYBIND, file="c"),
    )
    outcomes = {
        name: [(one.numpy, one.outcome) for one in module.outcomes]
        for name, module in found.items()
    }
    assert outcomes == {
        "a": [("1.26.0", "works"), ("2.2.6", "fails")],
        "b": [("1.26.0", "works"), ("2.2.6", "works")],
        "c": [("1.26.0", "works"), ("2.2.6", "degraded")],
    }
    text = "A module that was compiled using NumPy 1.x cannot be run in NumPy 2.2.6"
    assert found["a"].outcomes[1].texts[0] == text


def test_one_that_uses_no_numpy_has_no_outcome():
    found = listed(module("spare", None))
    assert found["_core"].outcomes == ()
    assert (found["_core"].numpy, found["_core"].tag) == (None, "cpython-311")


def test_what_it_needs_is_told_with_the_cuda_runtimes_that_it_names():
    one = module("spare", None)
    binary = Binary(
        machine="x86_64",
        needed=("libcudart.so.12", "libcudart_static.so", "libc.so.6"),
        demands=(("GLIBC", "2.34"),),
        gpus=("sm_90",),
    )
    (found,) = listed(msgspec.structs.replace(one, binary=binary)).values()
    assert (found.cuda, found.gpus, found.demands) == (("12",), ("sm_90",), (("GLIBC", "2.34"),))
    assert found.needed == binary.needed


def test_modules_stand_in_the_order_of_their_paths():
    found = scan((copy("spare", "1.0"),), [module("spare", None, file=name) for name in "ba"])
    assert [one.path.rpartition("/")[2][0] for one in found] == ["a", "b"]
