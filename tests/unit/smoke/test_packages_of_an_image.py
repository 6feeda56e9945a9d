"""The static probes over packages and bundles; nothing is imported from there."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pytest

from envbuild.smoke.probes import records, sites
from tests.unit.smoke.trees import asked, install

# --- Packages -------------------------------------------------------------------------------------


def test_packages_are_known_by_their_metadata_folders(tmp_path):
    install(tmp_path, "Typing_Extensions", "4.12.2")
    install(tmp_path, "zope.interface", "7.0")
    (tmp_path / "old_one-1.5-py3.11.egg-info").mkdir()
    bare = tmp_path / "link.egg-info"
    bare.mkdir()
    (bare / "PKG-INFO").write_text("Name: link\nVersion: 0.3\n")
    found = {one.name: one.version for one in sites.packages([str(tmp_path)])}
    assert found == {
        "typing-extensions": "4.12.2",
        "zope-interface": "7.0",
        "old-one": "1.5",
        "link": "0.3",
    }


@pytest.mark.parametrize(
    ("found", "wanted", "same"),
    [
        ("2.7.1+cu126", "2.7.1", True),
        ("2.7.1+cu126", "2.7.1+cu126", True),
        ("2.7.1", "2.7.1+cu126", False),
        ("1.0", "1.0.0", True),
        ("1.0.0rc1", "1.0.0", False),
        ("2.2.6", "2.2.60", False),
        ("1.0.post1", "1.0.post1", True),
    ],
)
def test_versions_are_compared_as_a_lock_means_them(found, wanted, same):
    assert sites.same_version(found, wanted) is same


def test_packages_that_are_not_as_locked_are_named(tmp_path, monkeypatch):
    install(tmp_path, "a", "1.0")
    install(tmp_path, "b", "2.0")
    locked = {"a": "1.0", "b": "1.9", "c": "3.0"}
    one = asked(("packages",), monkeypatch, tmp_path, packages=locked)["packages"]
    assert one["verdict"] == "fail"
    assert one["lines"] == [f"b is 2.0, locked is 1.9 ({tmp_path})", "c 3.0 is not installed"]


def test_the_first_copy_on_the_path_counts(tmp_path, monkeypatch):
    install(tmp_path / "x", "a", "1.0")
    install(tmp_path / "y", "a", "2.0")
    both = (tmp_path / "x", tmp_path / "y")
    one = asked(("packages",), monkeypatch, *both, packages={"a": "1.0"})["packages"]
    assert one["verdict"] == "pass"


def test_the_standard_library_holds_no_packages(monkeypatch):
    monkeypatch.setattr(sys, "path", [os.path.dirname(os.__file__)])
    assert sites.own_sites() == []


# --- The bundle -----------------------------------------------------------------------------------


def bundle(tmp_path: Path) -> Path:
    site = tmp_path / "exts/core/pip_prebundle"
    install(site, "packaging", "23.0")
    return site


def bundle_check(tmp_path, monkeypatch, *path):
    return asked(
        ("bundle",),
        monkeypatch,
        *path,
        provided={"packaging": "23.0", "absent": "1.0"},
        bundled_sites=[f"{tmp_path}/exts/*/pip_prebundle"],
    )["bundle"]


def test_a_bundle_that_is_as_it_was_passes(tmp_path, monkeypatch):
    bundle(tmp_path)
    one = bundle_check(tmp_path, monkeypatch)
    assert one["verdict"] == "pass"
    assert "1 packages are as their RECORD says" in one["reason"]
    assert "of 2 that the image is known to bring, 1 were seen" in one["reason"]


def test_a_package_that_was_downgraded_inside_a_bundle_is_named(tmp_path, monkeypatch):
    site = bundle(tmp_path)
    for path in (site / "packaging-23.0.dist-info").iterdir():
        path.unlink()
    (site / "packaging-23.0.dist-info").rmdir()
    install(site, "packaging", "21.3")
    one = bundle_check(tmp_path, monkeypatch)
    assert one["verdict"] == "fail"
    assert f"packaging 23.0 of the bundle is replaced or shadowed by 21.3 ({site})" in one["reason"]


def test_a_package_that_was_put_over_another_leaves_two_records(tmp_path, monkeypatch):
    site = bundle(tmp_path)
    install(site, "packaging", "24.0", {"packaging/__init__.py": b"x = 1\n"})
    one = bundle_check(tmp_path, monkeypatch)
    assert any("23.0 is recorded in the same folder" in line for line in one["lines"])


def test_a_package_that_stands_before_the_bundle_shadows_it(tmp_path, monkeypatch):
    bundle(tmp_path)
    install(tmp_path / "site", "packaging", "25.0")
    one = bundle_check(tmp_path, monkeypatch, tmp_path / "site")
    assert "is replaced or shadowed by 25.0" in one["reason"]


@pytest.mark.parametrize(
    ("name", "data", "wrong"),
    [
        ("packaging/__init__.py", b"x = 2\n", "is another file"),
        ("packaging/__init__.py", None, "is missing"),
        ("packaging/version.py", b"longer than it was", "is another file"),
        (
            "packaging/version.py",
            b"y = 2\n",
            "",
        ),  # as long as before: only the first files are hashed
        ("packaging/tests/test_a.py", None, ""),
    ],
)
def test_a_changed_file_is_known_by_its_size_or_its_hash(tmp_path, name, data, wrong):
    files = {
        "packaging/__init__.py": b"x = 1\n",
        "packaging/version.py": b"y = 1\n",
        "packaging/tests/test_a.py": b"",
    }
    install(tmp_path, "packaging", "23.0", files)
    if data is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(data)
    changed, looked = records.changes([str(tmp_path)])
    assert looked == 1
    assert bool(changed) is bool(wrong)
    assert all(one.wrong.endswith(wrong) for one in changed)


def test_a_package_without_a_record_says_nothing(tmp_path):
    metadata = install(tmp_path, "debian", "1.0")
    (metadata / "RECORD").unlink()
    assert records.changes([str(tmp_path)]) == ([], 0)


# --- Settings and libraries -----------------------------------------------------------------------


def test_the_settings_of_a_simulator(tmp_path, monkeypatch):
    for name in ("OMNI_KIT_ACCEPT_EULA", "ACCEPT_EULA", "TERM"):
        monkeypatch.delenv(name, raising=False)
    values = {"simulator": True, "preset": ["EXP_PATH"]}
    one = asked(("settings",), monkeypatch, tmp_path, **values)["settings"]
    assert one["verdict"] == "warn"
    text = "\n".join(one["lines"])
    assert "NVIDIA's licence is not accepted" in text
    assert "TERM is not set" in text
    assert "EXP_PATH is set in the image" in text
    monkeypatch.setenv("OMNI_KIT_ACCEPT_EULA", "YES")
    monkeypatch.setenv("TERM", "xterm")
    one = asked(("settings",), monkeypatch, tmp_path, simulator=True)["settings"]
    assert "licence" not in one["reason"]
    assert "TERM" not in one["reason"]


def test_a_core_that_wants_newer_libraries_fails(tmp_path, monkeypatch):
    core = tmp_path / "libcarb.so"
    core.write_bytes(b"\x7fELF GLIBC_2.999\0GLIBC_2.17\0")
    one = asked(("libraries",), monkeypatch, tmp_path, cores=[str(core)])["libraries"]
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("this machine has another C library")
    assert one["verdict"] == "fail"
    assert "`GLIBC_2.999' not found" in one["reason"]


def test_a_check_that_cannot_be_made_has_failed(monkeypatch):
    one = asked(("packages",), monkeypatch, packages=None)["packages"]
    assert one["verdict"] == "fail"
    assert "AttributeError" in one["reason"] or "TypeError" in one["reason"]
