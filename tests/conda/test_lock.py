"""``envbuild lock`` of a profile in conda, against a channel of real content."""

from __future__ import annotations

import json
import re
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.conda.conftest import Serve
from tests.support import conda_packages, conda_server
from tests.support.conda_packages import record
from tests.support.conda_real import interpreter, subdir
from tests.support.conda_workspace import CondaFolder
from tests.support.workspace import solved

PLATFORM = subdir()
WORLDS = "https://conda.anaconda.org/"


@pytest.fixture
def at_real(tmp_path: Path, real: Path) -> CondaFolder:
    """A workspace that reads the real channel from its files, under a name."""
    made = CondaFolder(tmp_path / "real-ws")
    made.mirror("team/real", real.as_uri())
    return made


def profile(folder: CondaFolder, *packages: str) -> None:
    folder.conda_profile(
        "one",
        *packages,
        channels=("team/real",),
        variants=(f"linux-{'amd64' if PLATFORM == 'linux-64' else 'arm64'}-cpu",),
        python=interpreter().minor,
    )


def everything(folder: CondaFolder) -> str:
    return b"\n".join(folder.locked("one").values()).decode()


def test_the_files_of_a_lock_name_every_package_by_its_hashes(at_real: CondaFolder) -> None:
    profile(at_real, "numpy", "importlib_metadata")
    done = at_real.run("lock")
    assert done.returncode == 0, done.stderr
    assert {
        "conda-lock.yml",
        "environment.yml",
        "envbuild.lock.json",
        f"{PLATFORM}.explicit.txt",
        "virtual-packages.yml",
    } < set(at_real.locked("one"))
    lock = at_real.conda_lock()
    assert lock["metadata"]["channels"] == [{"url": "team/real", "used_env_vars": []}]
    assert {"python", "pip", "numpy", "importlib_metadata", "zipp"} <= set(
        at_real.versions(platform=PLATFORM)
    )
    for row in lock["package"]:
        assert re.fullmatch("[0-9a-f]{64}", row["hash"]["sha256"])
        assert re.fullmatch("[0-9a-f]{32}", row["hash"]["md5"])
        assert row["url"].startswith(f"{WORLDS}team/real/")


@pytest.mark.parametrize("kind", ["files", "http"])
def test_the_address_of_a_mirror_stands_nowhere(
    at_real: CondaFolder, real: Path, serve: Serve, kind: str
) -> None:
    url = serve(real).url if kind == "http" else real.as_uri()
    at_real.mirror("team/real", url)
    profile(at_real, "numpy")
    assert at_real.run("lock").returncode == 0
    text = everything(at_real)
    assert url not in text
    assert str(real) not in text
    assert "127.0.0.1" not in text
    assert "file://" not in text


def test_files_and_http_give_the_same_bytes(at_real: CondaFolder, real: Path, serve: Serve) -> None:
    profile(at_real, "numpy")
    assert at_real.run("lock").returncode == 0
    before = at_real.locked("one")
    shutil.rmtree(at_real.root / "lockfiles")
    at_real.mirror("team/real", serve(real).url)
    assert at_real.run("lock", RATTLER_CACHE_DIR=str(at_real.root / "new")).returncode == 0
    assert at_real.locked("one") == before


def test_a_custom_channel_is_the_folder_above(
    at_real: CondaFolder, real: Path, serve: Serve
) -> None:
    at_real.settings = {"custom_channels": {real.name: serve(real.parent).url}}
    at_real.setting("channel_alias", "http://127.0.0.1:9")
    at_real.conda_profile(
        "one",
        channels=(real.name,),
        variants=(f"linux-{'amd64' if PLATFORM == 'linux-64' else 'arm64'}-cpu",),
        python=interpreter().minor,
    )
    done = at_real.run("lock")
    assert done.returncode == 0, done.stderr
    rows = at_real.conda_lock()["package"]
    assert all(row["url"].startswith(f"{WORLDS}{real.name}/") for row in rows)


def test_an_address_in_the_profile_stays_an_address(folder: CondaFolder, world: Path) -> None:
    address = "https://packages.example/team/world"
    folder.mirror(address, world.as_uri())
    folder.conda_profile("one", "tool", channels=(address,))
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    rows = folder.conda_lock()["package"]
    assert all(row["url"].startswith(f"{address}/") for row in rows)


def test_a_specification_may_name_its_channel(folder: CondaFolder, tmp_path: Path) -> None:
    rows = [record("tool", "0.5"), record("tool", "0.9")]
    folder.mirror("team/far", conda_packages.channel(tmp_path / "far", rows).as_uri())
    folder.conda_profile("one", "world::app", "team/far::tool>=0.1", channels=("world", "team/far"))
    done = folder.run("lock")
    assert done.returncode == 1  # app needs tool >=1.0
    assert "tool >=1.0" in done.stderr
    folder.conda_profile("one", "world::lib", "team/far::tool>=0.1", channels=("world", "team/far"))
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    urls = {row["name"]: row["url"] for row in folder.conda_lock()["package"]}
    assert urls["tool"] == "https://conda.anaconda.org/team/far/linux-64/tool-0.9-0.conda"
    assert urls["lib"] == "https://conda.anaconda.org/world/linux-64/lib-1.0-0.conda"


# --- Locking again -------------------------------------------------------------------------------


@pytest.fixture
def locked(folder: CondaFolder, world: Path) -> CondaFolder:
    """A lock of `app` and `tool`; then the channel gets newer ones of both."""
    folder.conda_profile("one", "app", "tool")
    assert folder.run("lock").returncode == 0
    assert folder.versions()["tool"] == "1.1"
    page = world / "linux-64" / "repodata.json"
    said = json.loads(page.read_text())
    for name, version in (("tool", "2.0"), ("lib", "2.0")):
        said["packages.conda"][f"{name}-{version}-0.conda"] = record(name, version)
    page.write_text(json.dumps(said))
    return folder


@pytest.mark.parametrize("option", [(), ("--force",), ("--force", "--refresh")])
def test_locking_again_changes_no_byte(locked: CondaFolder, option: tuple[str, ...]) -> None:
    before = locked.locked("one")
    done = locked.run("lock", *option)
    assert done.returncode == 0, done.stderr
    assert locked.locked("one") == before


def test_a_lock_from_nothing_is_the_same_bytes(folder: CondaFolder) -> None:
    folder.conda_profile("one", "app", "tool")
    folder.run("lock")
    before = folder.locked("one")
    shutil.rmtree(folder.root / "lockfiles")
    folder.run("lock", RATTLER_CACHE_DIR=str(folder.root / "new"))
    assert folder.locked("one") == before


def test_what_is_locked_is_kept_when_the_profile_moves(locked: CondaFolder) -> None:
    locked.conda_profile("one", "app", "tool<9")
    done = locked.run("lock")
    assert done.returncode == 0, done.stderr
    assert (locked.versions()["tool"], locked.versions()["lib"]) == ("1.1", "1.0")


def test_what_no_longer_fits_moves(locked: CondaFolder) -> None:
    locked.conda_profile("one", "app", "tool>=2")
    assert locked.run("lock").returncode == 0
    assert (locked.versions()["tool"], locked.versions()["lib"]) == ("2.0", "1.0")


def test_one_package_is_let_go(locked: CondaFolder) -> None:
    done = locked.run("lock", "-P", "lib")
    assert done.returncode == 0, done.stderr
    assert (locked.versions()["tool"], locked.versions()["lib"]) == ("1.1", "2.0")


def test_everything_is_let_go(locked: CondaFolder) -> None:
    assert locked.run("lock", "-U").returncode == 0
    assert (locked.versions()["tool"], locked.versions()["lib"]) == ("2.0", "2.0")


def test_an_unknown_package_cannot_be_let_go(locked: CondaFolder) -> None:
    before = locked.locked("one")
    done = locked.run("lock", "-P", "tol")
    assert done.returncode == 2
    assert "no chosen profile locks 'tol'" in done.stderr
    assert "did you mean tool" in done.stderr
    assert locked.locked("one") == before


def test_other_channels_are_solved_anew(locked: CondaFolder, tmp_path: Path) -> None:
    empty = conda_packages.channel(tmp_path / "empty-channel", [])
    locked.mirror("empty", empty.as_uri())
    locked.conda_profile("one", "app", "tool", channels=("world", "empty"))
    done = locked.run("lock", "--dry-run")
    assert "conda channels: + empty" in done.stdout + done.stderr
    assert locked.run("lock").returncode == 0
    assert (locked.versions()["tool"], locked.versions()["lib"]) == ("2.0", "2.0")


def test_a_package_that_left_the_channel_is_replaced(locked: CondaFolder, world: Path) -> None:
    page = world / "linux-64" / "repodata.json"
    said = json.loads(page.read_text())
    del said["packages.conda"]["lib-1.0-0.conda"]
    page.write_text(json.dumps(said))
    done = locked.run("lock", "--force", "--refresh")
    assert done.returncode == 0, done.stderr
    assert (locked.versions()["tool"], locked.versions()["lib"]) == ("1.1", "2.0")


def test_the_channel_is_believed_up_to_a_moment(folder: CondaFolder, tmp_path: Path) -> None:
    day = 86_400_000
    first = conda_packages.TIMESTAMP
    rows = [
        record("python", "3.11.7"),
        record("pip", "24.0", subdir="noarch"),
        record("tool", "1.0", timestamp=first),
        record("tool", "2.0", timestamp=first + 10 * day),
    ]
    folder.mirror("world", conda_packages.channel(tmp_path / "dated", rows).as_uri())
    folder.conda_profile("one", "tool")
    assert folder.run("lock", "--exclude-newer", "2025-01-05").returncode == 0
    assert folder.versions()["tool"] == "1.0"
    custom = folder.conda_lock()["metadata"]["custom_metadata"]
    assert custom["exclude_newer"] == "2025-01-05T00:00:00Z"
    assert folder.run("lock", "-U", "--exclude-newer", "2025-01-11T00:00:00+02:00").returncode == 0
    assert folder.versions()["tool"] == "1.0"  # which is the 10th, 22:00 UTC
    assert folder.run("lock", "-U").returncode == 0
    assert folder.versions()["tool"] == "2.0"


def test_a_channel_of_which_all_is_newer_says_so(folder: CondaFolder) -> None:
    folder.conda_profile("one", "tool")
    done = folder.run("lock", "--exclude-newer", "2024-01-01")
    assert done.returncode == 1
    assert "2024-01-01" in done.stderr
    assert folder.locked("one") == {}


# --- The network and its absence -----------------------------------------------------------------


def test_offline_after_online_needs_no_server(folder: CondaFolder, world: Path) -> None:
    with conda_server.serving(world) as served:
        folder.mirror("world", served.url)
        folder.conda_profile("one", "tool")
        assert folder.run("lock").returncode == 0
    before = folder.locked("one")
    shutil.rmtree(folder.root / "lockfiles")
    done = folder.run("lock", "--offline")
    assert done.returncode == 0, done.stderr
    assert solved(folder.locked("one")) == solved(before)


def test_offline_with_an_empty_cache_says_what_is_missing(
    folder: CondaFolder, world: Path, serve: Serve
) -> None:
    served = serve(world)
    folder.mirror("world", served.url)
    folder.conda_profile("one", "tool")
    done = folder.run("lock", "--offline")
    assert done.returncode == 3
    assert "the cache does not hold linux-64 of the channel world" in done.stderr
    assert "run once without --offline" in done.stderr
    assert served.requests == []
    assert folder.locked("one") == {}


def test_to_refresh_asks_the_server_again(folder: CondaFolder, world: Path, serve: Serve) -> None:
    served = serve(world)
    folder.mirror("world", served.url)
    folder.conda_profile("one", "tool")
    assert folder.run("lock").returncode == 0
    served.requests.clear()
    assert folder.run("lock", "--force").returncode == 0
    assert served.requests == []
    assert folder.run("lock", "--force", "--refresh").returncode == 0
    assert served.asked("linux-64/repodata.json*")


def test_a_dry_run_asks_nobody(folder: CondaFolder, world: Path, serve: Serve) -> None:
    served = serve(world)
    folder.mirror("world", served.url)
    folder.conda_profile("one", "tool")
    done = folder.run("lock", "--dry-run")
    assert done.returncode == 0
    assert "not locked yet" in done.stdout + done.stderr
    assert served.requests == []
    assert folder.locked("one") == {}


def test_an_interrupt_ends_a_silent_transfer_at_once(
    folder: CondaFolder, world: Path, serve: Serve
) -> None:
    folder.conda_profile("one", "tool=1.0")
    assert folder.run("lock").returncode == 0
    before = folder.locked("one")
    served = serve(world, {"linux-64/*": conda_server.silent})
    folder.mirror("world", served.url)
    folder.conda_profile("one", "tool=1.1")
    process = folder.start("lock")
    deadline = time.monotonic() + 20
    while not served.requests and time.monotonic() < deadline:
        time.sleep(0.02)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - started < 5
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert folder.locked("one") == before
    assert sorted(path.name for path in (folder.root / "lockfiles").iterdir()) == ["one"]


# --- What is said --------------------------------------------------------------------------------


def test_the_count_of_both_halves_is_said(folder: CondaFolder) -> None:
    folder.conda_profile("one", "app")
    done = folder.run("lock")
    assert "0 packages, 5 of conda" in done.stderr


def test_the_outcome_as_json(folder: CondaFolder) -> None:
    folder.conda_profile("one", "app")
    done = folder.run("lock", "--json")
    (row,) = json.loads(done.stdout)
    outcome = row["variants"][0]["outcome"]
    assert outcome["conda-packages"] == 5
    assert outcome["steps"] == ["conda: 5 for linux-64 packages", "both agree"]


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_several_profiles_at_a_time_give_what_each_alone_gives(
    folder: CondaFolder, jobs: str
) -> None:
    for name, spec in (("a", "tool=1.0"), ("b", "tool=1.1"), ("c", "app"), ("d", "picky")):
        folder.conda_profile(name, spec)
    done = folder.run("lock", "--jobs", jobs)
    assert done.returncode == 0, done.stderr
    assert [folder.versions(name)["tool"] for name in "abcd"] == ["1.0", "1.1", "1.1", "1.0"]


def test_two_commands_at_once_share_a_cache(tmp_path: Path, world: Path, serve: Serve) -> None:
    served = serve(world)
    folders = [CondaFolder(tmp_path / f"ws{number}") for number in range(3)]
    codes: list[int] = []

    def lock(one: CondaFolder) -> None:
        codes.append(one.run("lock", RATTLER_CACHE_DIR=str(tmp_path / "shared")).returncode)

    for one in folders:
        one.mirror("world", served.url)
        one.conda_profile("one", "app")
    threads = [threading.Thread(target=lock, args=(one,)) for one in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0, 0]
    assert len({json.dumps(one.conda_lock()) for one in folders}) == 1


# --- Is a lock fresh? ----------------------------------------------------------------------------


def test_a_new_lock_is_fresh(folder: CondaFolder) -> None:
    folder.conda_profile("one", "tool")
    folder.run("lock")
    assert folder.run("lock", "--check").returncode == 0


def test_a_lock_is_stale_when_a_specification_moved(folder: CondaFolder) -> None:
    folder.conda_profile("one", "tool")
    folder.run("lock")
    folder.conda_profile("one", "tool>=1.0")
    done = folder.run("lock", "--check")
    assert done.returncode == 1
    assert "conda packages: - tool, + tool>=1.0" in done.stderr


def test_a_lock_is_broken_when_a_file_was_edited(folder: CondaFolder) -> None:
    folder.conda_profile("one", "tool")
    folder.run("lock")
    before = folder.locked("one")
    names = ("conda-lock.yml", "linux-64.explicit.txt", "environment.yml", "virtual-packages.yml")
    for name in names:
        path = folder.root / "lockfiles" / "one" / name
        path.write_text(path.read_text() + "# mine\n")
    done = folder.run("lock", "--check")
    assert done.returncode == 1
    for name in names:
        assert f"{name} was changed since it was locked" in done.stderr
    assert folder.run("lock").returncode == 0
    assert folder.locked("one") == before
