"""Real wheels of Isaac Sim 6.0.0.1, which are NVIDIA's own: examined here, never run, and nothing
of them is kept but in the tests' cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from envbuild.doctor.model import Finding
from tests.doctor.examining import findings
from tests.support import prefixes

pytestmark = pytest.mark.network

WHEELS = ("isaacsim-kernel==6.0.0.1", "isaacsim-core==6.0.0.1")
SITE = "/lab/lib/python3.12/site-packages"


def examined(root: Path, numpy: str) -> tuple[list[Finding], list[Finding]]:
    """What is said of the two wheels with a NumPy: about what they require and what is not there
    (a hundred packages), and the rest."""
    site = prefixes.conda_prefix(root, "3.12")
    prefixes.put(site, *WHEELS, f"numpy=={numpy}", python="3.12")
    found = findings(root)
    missing = [one for one in found if one.id == "requirement-unmet"]
    return missing, [one for one in found if one not in missing]


def test_as_they_were_released_nothing_is_wrong_but_what_is_missing(tmp_path: Path) -> None:
    """One of their plugins was built with an old pybind11: that is not the environment's fault."""
    missing, rest = examined(tmp_path, "2.3.1")
    assert rest == []
    assert [one.severity for one in missing] == ["warning"] * 3
    assert [one.hits for one in missing] == [
        ("isaacsim-core 6.0.0.1",),
        ("isaacsim-core 6.0.0.1", "isaacsim-kernel 6.0.0.1"),
        ("isaacsim-kernel 6.0.0.1",),
    ]
    words = " ".join(one.repair[0] for one in missing).split()
    assert "torch==2.11.0" in words
    assert not [word for word in words if word.startswith("numpy==")]


@pytest.mark.parametrize(
    ("numpy", "severity", "texts"),
    [
        ("1.26.4", "error", ("AttributeError: module 'numpy' has no attribute '_core'",)),
        ("2.3.5", "warning", ()),
    ],
)
def test_another_numpy_than_its_kernel_pins(
    tmp_path: Path, numpy: str, severity: str, texts: tuple[str, ...]
) -> None:
    _, rest = examined(tmp_path, numpy)
    (one,) = rest
    assert (one.id, one.severity, one.sure) == ("numpy-not-the-bundle", severity, "proven")
    assert one.what == f"NumPy {numpy} stands where Isaac Sim 6.0.0 brings 2.3.1"
    assert one.where == (f"{SITE}/numpy",)
    assert one.expect == texts
    assert one.source.startswith("isaacsim-kernel 6.0.0.1 requires numpy==2.3.1")
    assert one.repair[0] == "/lab/bin/python -m pip install numpy==2.3.1"
