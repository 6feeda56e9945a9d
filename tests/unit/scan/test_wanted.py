"""What is read of a file is decided by its path."""

from __future__ import annotations

import pytest

from envbuild.scan.sources.wanted import NOTHING, Wish, wanted

WATCHED = Wish()
ALL = Wish(hashes="all")
SITE = "/opt/env/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    "path",
    [
        f"{SITE}/six-1.0.dist-info/RECORD",
        f"{SITE}/six-1.0.dist-info/INSTALLER",
        f"{SITE}/six-1.0.dist-info/WHEEL",
        f"{SITE}/six-1.0.dist-info/direct_url.json",
        f"{SITE}/six-1.0.dist-info/top_level.txt",
        f"{SITE}/six.egg-info/top_level.txt",
        f"{SITE}/six.egg-info/requires.txt",
        f"{SITE}/six-1.0-py3.11.egg/EGG-INFO/requires.txt",
        f"{SITE}/six.egg-link",
        f"{SITE}/distutils-precedence.pth",
        f"{SITE}/__editable___six_1_0_finder.py",
        f"{SITE}/torch/version.py",
        "/isaac-sim/exts/isaacsim.core.api/config/extension.toml",
        "/var/lib/dpkg/status",
        "/var/lib/dpkg/status.d/libc6",
        "/etc/os-release",
        "/usr/lib/os-release",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d/cuda.conf",
        "/isaac-sim/VERSION",
        "/isaac-sim/python.sh",
        "/isaac-sim/setup_python_env.sh",
        "/isaac-sim/setup_conda_env.sh",
        "/workspace/isaaclab/isaaclab.sh",
        "/opt/env/pyvenv.cfg",
        "/opt/env/bin/activate",
        "/opt/conda/envs/isaac/etc/conda/activate.d/setenv.sh",
    ],
)
def test_a_text_is_read_whole(path: str) -> None:
    want = wanted(path, WATCHED)
    assert want.text >= 4096
    assert want.keep in ("whole", "small")
    assert not want.module
    assert not want.digest


@pytest.mark.parametrize(
    "path",
    [
        f"{SITE}/six-1.0.dist-info/METADATA",
        f"{SITE}/six.egg-info/PKG-INFO",
        "/usr/lib/python3/dist-packages/six-1.16.0.egg-info",
    ],
)
def test_of_metadata_the_head(path: str) -> None:
    assert wanted(path, WATCHED).keep == "head"


def test_of_condas_records_the_package() -> None:
    assert wanted("/opt/conda/conda-meta/zlib-1.3-h1.json", WATCHED).keep == "package"


@pytest.mark.parametrize(
    "name",
    [
        "_core.cpython-311-x86_64-linux-gnu.so",
        "_core.abi3.so",
        "libstdc++.so.6.0.30",
        "libcrypto.so.1.0.2k",
        "libopenblas64_p-r0-0cf96a72.3.23.dev.so",
        "a\nb.so",
    ],
)
def test_shared_objects(name: str) -> None:
    assert wanted(f"{SITE}/x/{name}", WATCHED).module


@pytest.mark.parametrize(
    "path",
    [
        f"{SITE}/x/plain.py",
        f"{SITE}/x/METADATA",
        f"{SITE}/x/version.py",
        f"{SITE}/x/_core.pyd",
        f"{SITE}/x/libx.so.py",
        f"{SITE}/x/libx.so.1-gdb",
        f"{SITE}/x/notso",
        f"{SITE}/numpy-1.26.0.dist-info/LICENSE.txt",
        "/opt/conda/conda-meta/history",
        "/opt/root/var/lib/dpkg/status",
        "/var/lib/dpkg/info/libc6.list",
        "/etc/ld.so.conf.d/readme",
        "/etc/ld.so.conf.d/below/one.conf",
    ],
)
def test_nothing_of_the_rest(path: str) -> None:
    assert wanted(path, WATCHED) is NOTHING


@pytest.mark.parametrize(
    "path",
    [
        f"{SITE}/numpy/ma/core.py",
        f"{SITE}/numpy.libs/libgfortran.so.5",
        f"{SITE}/scipy.libs/x",
        "/srv/libs/numpy/__init__.py",
        "/numpy/__init__.py",
    ],
)
def test_the_watched_packages_are_hashed_wherever_they_are(path: str) -> None:
    assert wanted(path, WATCHED).digest
    assert wanted(path, ALL).digest


@pytest.mark.parametrize(
    "path",
    [
        f"{SITE}/six.py",
        "/usr/lib/python3/dist-packages/six.py",
        "/isaac-sim/extscache/omni.kit.pip_archive-0/pip_prebundle/six.py",
        "/isaac-sim/python_packages/six.py",
        "/isaac-sim/kit/data/Kit/x/5.1/pip3-envs/default/six.py",
    ],
)
def test_all_files_of_a_site_are_hashed_where_that_is_wished(path: str) -> None:
    assert wanted(path, ALL).digest
    assert not wanted(path, WATCHED).digest


@pytest.mark.parametrize("path", ["/isaac-sim/kit/kernel/x.bin", "/usr/share/numpy", f"{SITE}"])
def test_what_is_in_no_site_is_never_hashed(path: str) -> None:
    assert not wanted(path, ALL).digest


def test_one_file_may_be_wanted_for_several_reasons() -> None:
    want = wanted(f"{SITE}/numpy/version.py", WATCHED)
    assert want.text
    assert want.digest
    want = wanted(f"{SITE}/numpy/random/mtrand.cpython-311-x86_64-linux-gnu.so", WATCHED)
    assert (want.module, want.digest, want.text) == (True, True, 0)
