"""A lock whose wheels would break: refused before it is written, and told of where it stands."""

from __future__ import annotations

import json

import pytest

from tests.support import wheels
from tests.support.index import PackageIndex
from tests.support.wheels import Raw, crafted, numpy_1_module
from tests.support.workspace import Folder

TAG = "cp311-cp311-manylinux_2_17_x86_64"
REFUSED = "old 1.0 cannot be imported under NumPy 2.2.6, which the lock installs [numpy-abi]"


@pytest.fixture
def ours(folder: Folder, index: PackageIndex) -> Folder:
    """A workspace with packages that want NumPy 1, and some that want nothing."""
    old = wheels.wheel("old", "1.0", {"old/m.cpython-311-x86_64-linux-gnu.so": numpy_1_module()})
    newer = {"newer/m.so": numpy_1_module(glibc="2.38")}
    index.put(f"old-1.0-{TAG}.whl", old)
    index.put(f"newer-1.0-{TAG}.whl", wheels.wheel("newer", "1.0", newer))
    for version in ("1.26.4", "2.2.6"):
        index.add("numpy", version)
    return folder


def test_a_lock_that_would_break_is_refused_and_nothing_is_written(ours: Folder) -> None:
    ours.profile("one", "old", "numpy==2.2.6")
    done = ours.run("lock", "--audit")
    assert done.returncode == 1
    assert f"error: one: {REFUSED}" in done.stderr
    assert "hint: a release of old that was built for NumPy 2, or: numpy<2 among" in done.stderr
    assert "it will say: A module that was compiled using NumPy 1.x cannot be run in" in done.stderr
    assert "error: one: its lock would break, and is not written" in done.stderr
    assert done.stderr.splitlines()[-1] == "1 profile: 1 failed"
    assert not (ours.root / "lockfiles").exists()


def test_a_sound_lock_is_written_and_each_wheel_is_read_once(
    ours: Folder, index: PackageIndex
) -> None:
    ours.profile("one", "old", "numpy==1.26.4")
    ours.profile("two", "old", "numpy==1.26.4", "delta")
    done = ours.run("lock", "--audit", "-v")
    assert done.returncode == 0, done.stderr
    assert "lockfiles/two: linux-amd64-cu128: 3 wheels read" in done.stderr
    asked = index.requests
    again = ours.run("lock", "--check", "--audit")
    assert (again.returncode, again.stderr) == (0, "2 profiles, all locks fresh\n")
    assert index.requests == asked


def test_what_stands_is_kept_where_its_successor_would_break(ours: Folder) -> None:
    ours.profile("one", "old", "numpy==1.26.4")
    assert ours.run("lock", "--audit").returncode == 0
    before = ours.locked("one")
    ours.profile("one", "old", "numpy==2.2.6")
    assert ours.run("lock", "--audit").returncode == 1
    assert ours.locked("one") == before


def test_a_standing_lock_is_audited_and_check_says_it_from_then_on(ours: Folder) -> None:
    ours.profile("one", "old", "numpy==2.2.6")
    assert ours.run("lock").returncode == 0
    assert ours.run("check").returncode == 0  # it reads no wheel
    audited = ours.run("lock", "--check", "--audit", "--json")
    assert audited.returncode == 1
    (state,) = json.loads(audited.stdout).values()
    assert state["status"] == "breaks"
    assert audited.stderr.splitlines()[-1] == "1 of 1 locks would break"
    checked = ours.run("check")
    assert checked.returncode == 1
    assert f"one: error: {REFUSED}" in checked.stdout
    refused = ours.run("render")
    assert refused.returncode == 2
    assert REFUSED in refused.stderr


def test_check_reads_the_wheels_where_it_is_asked_to(ours: Folder) -> None:
    ours.profile("one", "old", "numpy==2.2.6")
    assert ours.run("lock").returncode == 0
    done = ours.run("check", "--audit", "--json")
    assert done.returncode == 1
    (one,) = json.loads(done.stdout)["findings"]
    assert (one["rule"], one["profile"]) == ("numpy-abi", "one")
    sarif = json.loads(ours.run("check", "--sarif").stdout)
    assert sarif["runs"][0]["results"][0]["ruleId"] == "numpy-abi"


def test_a_finding_is_waived_as_a_rule_is(ours: Folder) -> None:
    path = ours.profile("one", "old", "numpy==2.2.6")
    waived = 'waive: [{ rule: numpy-abi, reason: "it is never imported" }]\n'
    path.write_text(path.read_text() + waived)
    done = ours.run("lock", "--audit", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert [one["waived"] for one in row["findings"]] == ["it is never imported"]
    assert "waived" in ours.run("check").stderr


def test_a_c_library_that_is_too_old_is_told(ours: Folder) -> None:
    ours.profile("one", "newer")
    done = ours.run("lock", "--audit")
    assert done.returncode == 1
    assert "newer 1.0 wants GLIBC 2.38; ubuntu-22.04 has 2.35 [library-older]" in done.stderr


def test_a_wheel_that_holds_what_it_may_not_is_refused(ours: Folder, index: PackageIndex) -> None:
    link = Raw(name="odd.py", data=b"/etc/passwd", central={"mode": 0o120777})
    pure = [
        Raw(name=f"odd-1.0.dist-info/{name}", data=text)
        for name, text in {
            "METADATA": b"Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n",
            "WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\nRoot-Is-Purelib: true\n",
            "RECORD": b"",
        }.items()
    ]
    index.put("odd-1.0-py3-none-any.whl", crafted(link, *pure))
    ours.profile("one", "odd")
    done = ours.run("lock", "--audit")
    assert done.returncode == 1
    assert "odd-1.0-py3-none-any.whl: 'odd.py' is a link [unreadable]" in done.stderr


def test_without_network_and_without_wheels_nothing_is_vouched_for(ours: Folder) -> None:
    ours.profile("one", "old", "numpy==1.26.4")
    assert ours.run("lock").returncode == 0
    done = ours.run("lock", "--audit", "--offline")
    assert done.returncode == 3
    assert "is not in the cache, and the network is off" in done.stderr


@pytest.mark.parametrize("option", ["--force", "--upgrade", "--offline"])
def test_what_does_not_go_with_a_check_does_not_go_with_its_audit(
    ours: Folder, option: str
) -> None:
    ours.profile("one", "old")
    done = ours.run("lock", "--check", "--audit", option)
    assert done.returncode == 2
    assert f"--check does not go with {option}" in done.stderr
