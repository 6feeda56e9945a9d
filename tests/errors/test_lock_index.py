"""Which index and which uv ``envbuild lock`` asks, and what it says when they do not answer."""

from __future__ import annotations

import json

from tests.support.index import PackageIndex
from tests.support.workspace import Folder


def test_an_unreachable_index(folder: Folder) -> None:
    folder.profile("one", "alpha")
    done = folder.run("lock", UV_DEFAULT_INDEX="http://127.0.0.1:9/simple")
    assert done.returncode == 3
    assert "the package index cannot be reached" in done.stderr
    assert "UV_DEFAULT_INDEX names" in done.stderr


def test_no_network_and_an_empty_cache(folder: Folder) -> None:
    folder.profile("one", "alpha")
    done = folder.run("lock", "--offline")
    assert done.returncode == 3
    assert "the cache does not hold everything, and the network is off" in done.stderr
    assert "run once without --offline" in done.stderr


def test_offline_after_online_gives_the_same_bytes(folder: Folder, index: PackageIndex) -> None:
    folder.profile("one", "alpha")
    folder.run("lock")
    before, asked = folder.locked("one"), index.requests
    done = folder.run("lock", "--offline", "--force")
    assert done.returncode == 0, done.stderr
    assert folder.locked("one") == before
    assert index.requests == asked


def test_the_index_of_pips_settings_is_asked(folder: Folder, index: PackageIndex) -> None:
    folder.profile("one", "delta")
    del folder.environment["UV_DEFAULT_INDEX"]
    config = folder.root / "home" / ".config" / "pip"
    config.mkdir(parents=True)
    (config / "pip.conf").write_text(f"[global]\nindex-url = {index.url}\n")
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    assert b"delta==1.1" in folder.read("lockfiles/one/linux-amd64-cu128.txt")


def test_the_index_of_uvs_settings_is_asked_and_its_switches_are_not(
    folder: Folder, index: PackageIndex
) -> None:
    folder.profile("one", "delta")
    del folder.environment["UV_DEFAULT_INDEX"]
    config = folder.root / "home" / ".config" / "uv"
    config.mkdir(parents=True)
    (config / "uv.toml").write_text(
        f'resolution = "lowest"\n[[index]]\nname = "company"\nurl = "{index.url}"\ndefault = true\n'
    )
    done = folder.run("lock", UV_RESOLUTION="lowest")
    assert done.returncode == 0, done.stderr
    assert b"delta==1.1" in folder.read("lockfiles/one/linux-amd64-cu128.txt")


def test_uv_is_missing(folder: Folder) -> None:
    folder.profile("one", "alpha")
    done = folder.run("lock", ENVBUILD_UV="/no/such/uv")
    assert done.returncode == 3
    assert "uv is missing: /no/such/uv" in done.stderr
    assert "pip install" in done.stderr


def test_uv_is_too_old(folder: Folder) -> None:
    folder.profile("one", "alpha")
    done = folder.run("lock", ENVBUILD_UV=folder.fake_uv("exit 2", version="0.4.1"))
    assert done.returncode == 3
    assert "uv 0.4.1 is too old: 0.13.0 is needed" in done.stderr


def test_an_undeclared_index(folder: Folder) -> None:
    folder.profile("one", "delta")
    done = folder.run("lock", "--index", "nvidia")
    assert done.returncode == 2
    assert "no chosen profile declares an index 'nvidia'" in done.stderr
    assert "declared: none" in done.stderr
    planned = folder.run("lock", "--dry-run", "--index", "nvidia")
    assert (planned.returncode, planned.stderr) == (2, done.stderr)


def test_offline_and_refresh_contradict_each_other(folder: Folder) -> None:
    folder.profile("one", "delta")
    done = folder.run("lock", "--offline", "--refresh")
    assert done.returncode == 2
    assert "--offline does not go with --refresh" in done.stderr
    assert "lock --help" in done.stderr


def test_an_unreachable_vendor_index_is_named(folder: Folder) -> None:
    path = folder.profile("one", "delta")
    stated = "\n  indexes: [{name: far, url: 'http://127.0.0.1:9/simple', packages: [far*]}]\n"
    path.write_text(path.read_text().replace("\nvariants:", f"{stated}variants:"))
    done = folder.run("lock", "--index", "far")
    assert done.returncode == 3
    assert "hint: the index is 'far', as the profile declares it" in done.stderr
    assert "UV_DEFAULT_INDEX" not in done.stderr


def test_a_profile_that_does_not_declare_an_index_does_not_ask_it(
    folder: Folder, index: PackageIndex
) -> None:
    folder.profile("bare", "delta")
    path = folder.profile("one", "delta")
    stated = f"\n  indexes: [{{name: near, url: '{index.url}', packages: [far*]}}]\n"
    path.write_text(path.read_text().replace("\nvariants:", f"{stated}variants:"))
    done = folder.run("lock", "--index", "near")
    assert done.returncode == 0
    asked = {
        name: json.loads(folder.locked(name)["envbuild.lock.json"])["variants"]
        for name in ("bare", "one")
    }
    assert asked["bare"]["linux-amd64-cu128"]["input"].get("indexes", []) == []
    assert asked["one"]["linux-amd64-cu128"]["input"]["indexes"] == ["near"]
