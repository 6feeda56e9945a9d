"""The static probes over copies of NumPy and what was made for it, and torch's architectures."""

from __future__ import annotations

import pytest

from envbuild.smoke.probes import binaries, sites, torches
from tests.unit.smoke.trees import asked, install, numpy_copy

OLD = b"\x7fELF..numpy.core._multiarray_umath\0_ARRAY_API\0"
NEW = OLD + b"numpy._core._multiarray_umath\0"
PYBIND = b"\x7fELF..numpy.core.multiarray\0pybind11 numpy support requires numpy >= 1.7.0\0"


def copies_check(tmp_path, monkeypatch, first, second, wanted):
    numpy_copy(tmp_path / "site", first)
    if second:
        numpy_copy(tmp_path / "exts/core/pip_prebundle", second)
    return asked(
        ("numpy-copies",),
        monkeypatch,
        tmp_path / "site",
        numpy=wanted,
        bundled_sites=[f"{tmp_path}/exts/*/pip_prebundle"],
    )["numpy-copies"]


@pytest.mark.parametrize(
    ("copies", "verdict", "words"),
    [
        # the first on the path, the bundled one, the locked version
        ("1.26.0 1.26.0 1.26.0", "pass", "NumPy 1.26.0 in"),
        ("1.26.4 - 1.26.4", "pass", ""),
        ("2.2.6 1.26.0 1.26.0", "fail", "NumPy 2.2.6 ({site}) stands before NumPy 1.26.0 ("),
        ("1.26.4 1.26.0 1.26.0", "fail", "NumPy 1.26.4 ({site}) stands before NumPy 1.26.0"),
        ("1.26.4 - 1.26.0", "fail", "NumPy 1.26.4 in {site}, and not 1.26.0"),
    ],
)
def test_one_version_of_numpy_wherever_a_copy_lies(tmp_path, monkeypatch, copies, verdict, words):
    first, second, wanted = copies.replace("-", "").split(" ")
    one = copies_check(tmp_path, monkeypatch, first, second, wanted)
    assert one["verdict"] == verdict
    assert words.format(site=tmp_path / "site") in one["reason"]


def test_who_asked_for_numpy_2_is_named(tmp_path, monkeypatch):
    for name, wants in (("lerobot", ">=2.0.0,<2.3"), ("other", ">=1.24"), ("extra", ">=2; x")):
        metadata = install(tmp_path / "site", name, "0.5")
        with (metadata / "METADATA").open("a") as file:
            file.write(f"Requires-Dist: numpy{wants}\n")
    one = copies_check(tmp_path, monkeypatch, "2.2.6", "1.26.0", "1.26.0")
    assert one["reason"].endswith("asked for by lerobot 0.5")


def test_a_link_to_a_copy_is_no_second_one(tmp_path):
    numpy_copy(tmp_path / "one", "1.26.0")
    (tmp_path / "two").mkdir()
    (tmp_path / "two/numpy").symlink_to(tmp_path / "one/numpy")
    assert len(sites.copies([str(tmp_path / "one"), str(tmp_path / "two")])) == 1


def test_an_old_numpy_says_its_version_elsewhere(tmp_path):
    numpy_copy(tmp_path, "1.23.5", old=True)
    assert sites.numpy_version(str(tmp_path / "numpy")) == "1.23.5"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (OLD, "numpy-1"),
        (NEW, ""),
        (PYBIND, "pybind11"),
        (PYBIND + b"NumpyVersion\0", ""),
        (b"\x7fELF", ""),
        (b"", ""),
    ],
)
def test_what_a_module_was_made_for_is_in_its_bytes(tmp_path, data, reason):
    path = tmp_path / "pkg/_x.cpython-311-x86_64-linux-gnu.so"
    path.parent.mkdir()
    path.write_bytes(data)
    found = binaries.made_for_numpy_1([str(tmp_path)])
    assert [one.reason for one in found] == ([reason] if reason else [])


def test_libraries_and_numpys_own_modules_are_not_looked_at(tmp_path):
    for name in ("pkg/libx.so", "numpy/core/_x.so"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(OLD)
    assert binaries.made_for_numpy_1([str(tmp_path)]) == []


def test_modules_are_looked_at_only_under_numpy_2(tmp_path, monkeypatch):
    (tmp_path / "writer.so").write_bytes(PYBIND)
    numpy_copy(tmp_path, "1.26.4")
    one = asked(("numpy-builds",), monkeypatch, tmp_path)["numpy-builds"]
    assert (one["verdict"], one["reason"]) == ("not-run", "NumPy is 1.26.4")
    (tmp_path / "numpy/version.py").write_text('version = "2.2.6"\n')
    one = asked(("numpy-builds",), monkeypatch, tmp_path)["numpy-builds"]
    assert one["verdict"] == "fail"
    assert "made with a pybind11 before 2.12" in one["reason"]


# --- torch ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "gpu", "runs"),
    [
        ("sm_80", "sm_80", True),
        ("sm_80", "sm_86", True),
        ("sm_86", "sm_80", False),
        ("sm_80", "sm_90", False),
        ("compute_80", "sm_90", True),
        ("compute_90", "sm_80", False),
        ("sm_120", "sm_121", True),
        ("sm_90a", "sm_90", True),
        ("sm_90a", "sm_100", False),
        ("sm_100f", "sm_103", True),
        ("sm_100", "sm_120", False),
        ("nonsense", "sm_80", False),
    ],
)
def test_code_runs_on_a_gpu_by_cudas_rule(code, gpu, runs):
    assert torches.runs_on(code, gpu) is runs
