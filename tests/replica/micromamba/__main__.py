"""A stand-in for micromamba: `create --prefix P --file explicit.txt`, by py-rattler.

It does what envbuild's Dockerfiles ask of micromamba 2.3: it takes an archive from the package
cache when its hash is right, else fetches it, refuses it when its hash is wrong, and links it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import shutil
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

CACHE = "/tmp/micromamba-cache"
"""Where packages are unpacked. conda-meta names it, so that it must be the same in every build."""


def main() -> None:
    """Create an environment."""
    options = _options()
    with tempfile.TemporaryDirectory() as unpacked:
        with zipfile.ZipFile(sys.argv[0]) as own:
            members = [name for name in own.namelist() if name.startswith("rattler/")]
            own.extractall(unpacked, members)
        sys.path.insert(0, unpacked)
        wanted = [_there(line, options) for line in _lines(options.file)]
        asyncio.run(_install(wanted, options.prefix))
    print(f"linked {len(wanted)} packages into {options.prefix} (stand-in for micromamba)")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="micromamba")
    parser.add_argument("command", choices=["create"])
    for flag in ("--yes", "--no-rc", "--offline"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--root-prefix", default=os.environ.get("MAMBA_ROOT_PREFIX"))
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--file", required=True, type=Path)
    return parser.parse_args()


def _lines(file: Path) -> Iterator[tuple[str, str, str]]:
    """The address, the kind of hash and the hash of each package."""
    for line in file.read_text().splitlines():
        address, _, told = line.strip().partition("#")
        if address.startswith(("http://", "https://", "file://")):
            kind, colon, value = told.rpartition(":")
            yield address, kind if colon else "md5", value


def _there(line: tuple[str, str, str], options: argparse.Namespace) -> tuple[str, Path]:
    """The archive of a package on this machine, its hash checked."""
    address, kind, value = line
    cache = Path(os.environ.get("CONDA_PKGS_DIRS") or f"{options.root_prefix}/pkgs")
    cache.mkdir(parents=True, exist_ok=True)
    archive = cache / address.rpartition("/")[2]
    if not archive.exists():
        if options.offline:
            sys.exit(f"error    offline, and {archive.name} is not in the cache")
        part = archive.with_suffix(".part")
        with urllib.request.urlopen(address, timeout=60) as answer, part.open("wb") as file:
            shutil.copyfileobj(answer, file)
        part.rename(archive)
    found = hashlib.new(kind, archive.read_bytes()).hexdigest()
    if found != value:
        sys.exit(f"critical libmamba Checksum mismatch for {archive.name}: {found}, not {value}")
    return address, archive


async def _install(wanted: list[tuple[str, Path]], prefix: str) -> None:
    from rattler import PackageRecord, RepoDataRecord, install
    from rattler.package_streaming import extract

    records = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (address, archive) in enumerate(wanted):
            place = Path(folder) / str(number)
            extract(archive.resolve(), place)
            record = PackageRecord.from_index_json(
                place / "info/index.json",
                archive.stat().st_size,
                hashlib.sha256(archive.read_bytes()).hexdigest(),
                hashlib.md5(archive.read_bytes()).hexdigest(),
            )
            shutil.rmtree(place)
            channel = address.rsplit("/", 2)[0]
            file = archive.resolve()
            # linked from the archive that was checked, not fetched again
            records.append(RepoDataRecord(record, file.name, file.as_uri(), channel))
    try:
        await install(records, target_prefix=prefix, cache_dir=CACHE, show_progress=False)
    finally:
        shutil.rmtree(CACHE, ignore_errors=True)


if __name__ == "__main__":
    main()
