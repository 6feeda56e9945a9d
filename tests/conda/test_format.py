"""The files of a lock, held against the programs whose formats they are in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conda.conftest import WORLD
from tests.support import conda_cli, conda_packages
from tests.support.conda_packages import record
from tests.support.conda_workspace import CondaFolder

AMD, ARM, CUDA = "linux-amd64-cpu", "linux-arm64-cpu", "linux-amd64-cu128"

ODD = (
    record("odd", "1!2.0_1", build="h1_0", depends=["Ruamel.Yaml >=0.17,<0.19", "lib 1.*", "tool"]),
    record(
        "ruamel.yaml", "0.18.6", build="py311h0_1", depends=["python ==2.7.*|>=3.7", "lib ~=1.0"]
    ),
    record("joined", "2025c", depends=["tool >=1.0", "tool <2", "lib *"], subdir="noarch"),
    record("lib", "1.0", subdir="linux-aarch64"),
)
"""Records of forms that are seldom seen."""


@pytest.fixture
def odd(folder: CondaFolder, tmp_path: Path) -> CondaFolder:
    """A workspace whose channel has odd records, locked for two platforms."""
    folder.mirror("world", conda_packages.channel(tmp_path / "odd", (*WORLD, *ODD)).as_uri())
    folder.conda_profile(
        "one", "tool>=1.0", "joined", "lib=1.0=0", "python 3.11.*", variants=(AMD, ARM)
    )
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    return folder


def conda_lock(folder: CondaFolder, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run conda-lock itself in the lock folder; the folder must look the same afterwards."""
    return subprocess.run(
        [sys.executable, "-m", "conda_lock", *argv],
        cwd=folder.root / "lockfiles" / "one",
        env={**folder.environment, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_conda_locks_parser_reads_the_lock(odd: CondaFolder) -> None:
    code = (
        "import pathlib, sys\n"
        "from conda_lock.lockfile import parse_conda_lock_file\n"
        "found = parse_conda_lock_file(pathlib.Path(sys.argv[1]))\n"
        "print(sorted({f'{p.platform} {p.name}' for p in found.package}))\n"
    )
    path = odd.root / "lockfiles" / "one" / "conda-lock.yml"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = {f"{row['platform']} {row['name']}" for row in odd.conda_lock()["package"]}
    assert done.stdout == f"{sorted(rows)}\n"


@pytest.mark.parametrize("platform", ["linux-64", "linux-aarch64"])
def test_conda_lock_renders_what_our_explicit_file_names(
    odd: CondaFolder, platform: str, tmp_path: Path
) -> None:
    made = tmp_path / "rendered-{platform}.txt"
    done = conda_lock(
        odd, "render", "-k", "explicit", "-p", platform, "--filename-template", str(made)
    )
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / f"rendered-{platform}.txt").read_text().splitlines()
    theirs = {line.partition("#")[0] for line in lines if line.startswith("https://")}
    text = odd.locked("one")[f"{platform}.explicit.txt"].decode()
    ours = {line.partition("#")[0] for line in text.splitlines() if line.startswith("https://")}
    assert theirs == ours
    assert len(ours) >= 4


def up_to_date(folder: CondaFolder, prefix: str = "") -> str:
    """What conda-lock says to the question whether there is anything to lock."""
    shim = conda_cli.install(folder.root / "bin")
    argv = ["--conda", str(shim), "--check-input-hash"]
    for option, name in (
        ("--file", "environment.yml"),
        ("--virtual-package-spec", "virtual-packages.yml"),
        ("--lockfile", "conda-lock.yml"),
    ):
        argv += [option, f"{prefix}{name}"]
    before = folder.locked("one")
    done = conda_lock(folder, "lock", *argv)
    assert done.returncode == 0, done.stderr
    assert folder.locked("one") == before, "conda-lock found something to lock"
    return done.stderr


def test_conda_lock_says_that_the_lock_is_up_to_date(odd: CondaFolder) -> None:
    said = up_to_date(odd)
    assert "Spec hash already locked for ['linux-64', 'linux-aarch64']" in said


def test_the_lock_of_a_variant_of_its_own_is_up_to_date(odd: CondaFolder) -> None:
    odd.conda_profile("one", "tool", variants=(AMD, CUDA))
    assert odd.run("lock").returncode == 0
    assert "already locked for ['linux-64']" in up_to_date(odd, f"{CUDA}.")


def test_the_lock_of_two_bounds_on_one_package_is_up_to_date(odd: CondaFolder) -> None:
    odd.conda_profile("one", "tool>=1.0", "tool<1.1")
    done = odd.run("lock")
    assert done.returncode == 0, done.stderr
    assert odd.versions()["tool"] == "1.0"
    assert "already locked for ['linux-64']" in up_to_date(odd)


@pytest.mark.parametrize(
    "specs",
    [
        ("tool", "app", "joined"),
        ("odd", "python=3.11"),
        ("tool=1.0", "lib=1.0=0", "world::app"),
    ],
    ids=" ".join,
)
def test_conda_lock_itself_would_have_written_the_same(
    odd: CondaFolder, tmp_path: Path, specs: tuple[str, ...]
) -> None:
    """Apart from our heading and our notes in the metadata."""
    odd.conda_profile("one", *specs)
    done = odd.run("lock")
    assert done.returncode == 0, done.stderr
    shim, theirs = conda_cli.install(tmp_path / "bin"), tmp_path / "theirs.yml"
    argv = ["--conda", str(shim), "--file", "environment.yml", "--lockfile", str(theirs)]
    done = conda_lock(odd, "lock", *argv, "--virtual-package-spec", "virtual-packages.yml")
    assert done.returncode == 0, done.stderr
    channel = odd.settings["mirrored_channels"]["world"][0]
    world = "https://conda.anaconda.org/world"
    other = theirs.read_text().replace(channel, world).partition("version: 1\n")[2]
    ours = odd.locked("one")["conda-lock.yml"].decode().partition("version: 1\n")[2]
    head, _, rest = ours.partition("  custom_metadata:\n")
    ours = f"{head}package:{rest.partition('package:')[2]}"
    folder = os.path.relpath(odd.root / "lockfiles" / "one", tmp_path)
    assert ours == other.replace(f"{folder}/environment.yml", "environment.yml")


def in_process(tmp_path: Path, code: str, *argv: str) -> str:
    """Run code that uses py-rattler, and leave as the command line does."""
    script = tmp_path / "script.py"
    script.write_text(f"import os, sys\n{code}\nsys.stdout.flush()\nos._exit(0)\n")
    done = subprocess.run(
        [sys.executable, str(script), *argv], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rattler_reads_the_lock(odd: CondaFolder, tmp_path: Path) -> None:
    code = (
        "import rattler\n"
        "read = rattler.LockFile.from_path(sys.argv[1])\n"
        "found = read.default_environment().conda_repodata_records()\n"
        "print(*sorted(f'{p} {r.url} {r.sha256.hex()}' for p, rs in found.items() for r in rs),\n"
        "      sep='\\n')"
    )
    path = odd.root / "lockfiles" / "one" / "conda-lock.yml"
    rows = [
        f"{row['platform']} {row['url']} {row['hash']['sha256']}"
        for row in odd.conda_lock()["package"]
    ]
    assert in_process(tmp_path, code, str(path)).splitlines() == sorted(rows)


def test_a_lock_of_three_thousand_packages_is_read(odd: CondaFolder, tmp_path: Path) -> None:
    whole = odd.conda_lock()
    row = whole["package"][0] | {"platform": "linux-64"}
    url = row["url"].rpartition("/")[0]
    whole["package"] = [
        row | {"name": f"p{n}", "version": "1.0", "url": f"{url}/p{n}-1.0-0.conda"}
        for n in range(3000)
    ]
    path = tmp_path / "conda-lock.yml"
    path.write_text(yaml.dump(whole, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))
    code = (
        "from envbuild.tools import condalock\n"
        "found = condalock.records(open(sys.argv[1], 'rb').read(), label='it')\n"
        "print({p: (len(r), r[0].name, r[0].build, len(r[-1].md5)) for p, r in found.items()})"
    )
    said = in_process(tmp_path, code, str(path)).strip()
    assert "'linux-64': (3000, 'p0', '0', 32)" in said


@pytest.mark.parametrize(
    "text", ["", "version: 1\n", "[]", "version: 99\n", "\0", "package: []\nversion: 1\n"]
)
def test_what_is_no_conda_lock_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "conda-lock.yml"
    path.write_text(text)
    code = (
        "from envbuild.tools import condalock\n"
        "from envbuild.errors import InputError\n"
        "try:\n"
        "    condalock.records(open(sys.argv[1], 'rb').read(), label='it')\n"
        "except InputError as error:\n"
        "    print(error.message)"
    )
    assert in_process(tmp_path, code, str(path)).startswith("it cannot be read: ")
