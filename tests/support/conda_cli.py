"""A test double of the conda command line on py-rattler: what conda-lock asks of a solver.

It knows ``conda --version`` and ``conda create --dry-run --json … --channel C… SPEC…`` for the
platform in CONDA_SUBDIR, and prints the plan as conda does. Channel names are looked up in the
file that CONDARC names. It is run as a file, so that it imports nothing of the tests.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from rattler import GenericVirtualPackage, RepoDataRecord

VERSION = "25.9.0"
_WITH_VALUE = {"--prefix", "-p", "--name", "-n", "--solver"}


def install(path: Path) -> Path:
    """Write an executable ``conda`` into a folder; its path."""
    path.mkdir(parents=True, exist_ok=True)
    script = path / "conda"
    script.write_text(
        f"#!{sys.executable}\n"
        "import runpy\n\n"
        f"runpy.run_path({str(Path(__file__).resolve())!r}, run_name='__main__')\n"
    )
    script.chmod(0o755)
    return script


def main(argv: list[str]) -> int:
    """Do what the arguments say; the exit status. The answer goes to stdout."""
    if argv == ["--version"]:
        print(f"conda {VERSION}")
        return 0
    try:
        page, code = _create(*_words(argv)), 0
    except Exception as error:  # noqa: BLE001  # conda tells every error in its JSON
        kind = type(error).__name__
        page, code = {"success": False, "exception_name": kind, "message": str(error)}, 1
    print(json.dumps(page, indent=2))
    return code


def located(name: str, settings: Mapping[str, Any]) -> str:
    """The address of a channel: of its mirror, of its custom channel, or itself.

    As in conda, ``custom_channels`` gives the address of the folder that the channel is in, and
    holds for the names below it too; as in mamba, ``mirrored_channels`` lists whole addresses,
    of which the first counts here.
    """
    mirrors: Any = settings.get("mirrored_channels")
    bases: Any = settings.get("custom_channels") or {}
    if isinstance(mirrors, dict) and mirrors.get(name):
        return str(mirrors[name][0])
    above = [name, *(str(parent) for parent in Path(name).parents)]
    for known in above:
        if known in bases:
            return f"{bases[known].rstrip('/')}/{name}"
    return name


def _words(argv: list[str]) -> tuple[list[str], list[str]]:
    """The channels and the specs of a command line; refuses any but a solver's."""
    if argv[:1] != ["create"] or not {"--dry-run", "--json"} <= set(argv):
        raise ValueError(f"only `create --dry-run --json` is known here, not: {argv}")
    channels, specs = [], []
    words = iter(argv[1:])
    for word in words:
        if word in {"--channel", "-c"}:
            channels.append(next(words))
        elif word in _WITH_VALUE:
            next(words)
        elif not word.startswith("-"):
            specs.append(word)
    return channels, specs


def _create(channels: list[str], specs: list[str]) -> dict[str, object]:
    settings = _settings()
    subdir = os.environ["CONDA_SUBDIR"]
    virtual = _virtual(channels[-1], subdir) if channels else None
    real = channels if virtual is None else channels[:-1]
    wanted = []
    for spec in specs:
        name, mark, rest = spec.rpartition("::")
        wanted.append(f"{located(name, settings)}::{rest}" if mark else spec)
    sources = [located(name, settings) for name in real]
    with tempfile.TemporaryDirectory() as cache:
        records = asyncio.run(_solve(sources, wanted, virtual or [], cache))
    return {
        "actions": {"FETCH": [_fetch(one) for one in records], "LINK": []},
        "dry_run": True,
        "success": True,
    }


def _settings() -> dict[str, object]:
    condarc = os.environ.get("CONDARC")
    return (yaml.safe_load(Path(condarc).read_text()) or {}) if condarc else {}


def _virtual(channel: str, subdir: str) -> list[GenericVirtualPackage] | None:
    """The virtual packages that a channel is made of; None if it is of real ones."""
    from rattler import BuildString, GenericVirtualPackage, PackageName, Version

    pages = [
        Path(channel.removeprefix("file://")) / part / "repodata.json"
        for part in (subdir, "noarch")
    ]
    found = [
        one
        for page in pages
        if channel.startswith("file://") and page.is_file()
        for one in json.loads(page.read_text()).get("packages", {}).values()
    ]
    if not found or any(one.get("package_type") != "virtual_system" for one in found):
        return None
    return [
        GenericVirtualPackage(
            PackageName(one["name"]), Version(one["version"]), BuildString(one["build"])
        )
        for one in found
    ]


async def _solve(
    sources: Iterable[str], specs: Iterable[str], virtual: list[GenericVirtualPackage], cache: str
) -> list[RepoDataRecord]:
    from rattler import Gateway, MatchSpec, Subdir, solve

    return await solve(
        sources=list(sources),
        specs=[MatchSpec(spec, strict=False) for spec in specs],
        gateway=Gateway(cache_dir=Path(cache)),
        platforms=[Subdir(os.environ["CONDA_SUBDIR"]), Subdir("noarch")],
        virtual_packages=virtual,
        channel_relations="disabled",
    )


def _fetch(one: RepoDataRecord) -> dict[str, object]:
    hashes = {"md5": one.md5, "sha256": one.sha256}
    return {
        "name": one.name.normalized,
        "version": str(one.version),
        "build": str(one.build),
        "build_number": one.build_number,
        "channel": one.channel,
        "subdir": one.subdir,
        "fn": one.file_name,
        "url": one.url,
        "depends": one.depends,
        "constrains": one.constrains,
        "size": one.size,
        **{name: value.hex() for name, value in hashes.items() if value is not None},
    }


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # rattler's threads may crash an interpreter that ends in the usual way
