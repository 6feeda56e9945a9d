"""Programs of a newer Debian, run on this one: fetched once, kept in the cache, never installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.engine import CACHE, need

NEWER = "trixie"
"""Its docker has containerd's image store and comes with buildx, and it has cosign."""

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def programs_of(name: str, packages: tuple[str, ...], programs: tuple[str, ...]) -> Path:
    """A folder of the cache, called by ``name``, with programs (paths in these packages).

    They are fetched from the archive that this machine's apt uses.
    """
    folder = CACHE / f"{name}-{NEWER}"
    if folder.is_dir():
        return folder
    need("apt-get", "dpkg-deb")
    CACHE.mkdir(parents=True, exist_ok=True)
    work = CACHE / f"{name}-{NEWER}.{os.getpid()}"
    try:
        _fetch(work, packages)
        (work / "bin").mkdir()
        for program in programs:
            shutil.move(work / "root" / program, work / "bin")
        (work / "bin").rename(folder)
    except OSError:
        if not folder.is_dir():  # else another run was faster
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _fetch(work: Path, packages: tuple[str, ...]) -> None:
    for name in ("lists/partial", "cache/archives/partial", "root", "debs"):
        (work / name).mkdir(parents=True)
    archive = _archive()
    (work / "sources").write_text(f"deb [signed-by={_KEYRING}] {archive} {NEWER} main\n")
    (work / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{work}/sources"; Dir::Etc::sourceparts "/dev/null";\n'
        f'Dir::State::lists "{work}/lists"; Dir::State::status "/dev/null";\n'
        f'Dir::Cache "{work}/cache"; Acquire::Languages "none"; APT::Sandbox::User "root";\n'
    )
    environ = {**os.environ, "APT_CONFIG": str(work / "apt.conf")}
    for argv in (["update"], ["download", *packages]):
        done = subprocess.run(
            ["apt-get", "--quiet", *argv],
            cwd=work / "debs",
            env=environ,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"{packages} of {NEWER} cannot be fetched: {done.stderr[-1000:]}")
    for package in (work / "debs").glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(work / "root")], check=True)


def _archive() -> str:
    """The address of Debian's archive, as this machine's apt has it."""
    asked = ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    places = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Debian ")]
    if not places:
        pytest.skip("not run: this machine's apt knows no archive of Debian")
    return places[0]
