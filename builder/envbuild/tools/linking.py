"""Conda packages into a new prefix, by py-rattler."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from envbuild.errors import ToolError
from envbuild.tools import archives, rattler
from envbuild.tools.conda import Access
from envbuild.tools.contents import Archive

if TYPE_CHECKING:
    from rattler import RepoDataRecord

_TIMEOUT = 3600.0
"""Seconds to unpack and link everything."""


def link(packages: Iterable[Archive], folder: str, *, prefix: str, access: Access) -> None:
    """Link checked packages into a new ``folder``, which will be moved to ``prefix``.

    What was unpacked before is looked at file by file, and unpacked anew where it was changed.
    Scripts of packages (post-link) are not run.

    Raises:
        ToolError: it failed; the folder may be half made.
    """
    listed = tuple(packages)

    async def work() -> None:
        library = rattler.library()
        layer = library.PackageCacheLayer(f"{access.cache}/pkgs")
        full = layer.with_validation_mode(library.ValidationMode.full())
        await library.install(
            [await _record(archive) for archive in listed],
            target_prefix=folder,
            alternative_target_prefix=prefix,
            package_cache=library.PackageCache.from_layers([full]),
            installed_packages=[],
            execute_link_scripts=False,
            show_progress=False,
        )

    rattler.library()
    from rattler.exceptions import InstallerError

    try:
        rattler.run(work, _TIMEOUT)
        _say_origin(listed, folder)
    except TimeoutError:
        raise ToolError(f"the conda packages were not linked in {_TIMEOUT:.0f} s") from None
    except Exception as error:
        if not (isinstance(error, InstallerError) or rattler.is_panic(error)):
            raise
        raise ToolError(
            "the conda packages cannot be linked", output=str(error), hint="nothing was installed"
        ) from None


async def _record(archive: Archive) -> RepoDataRecord:
    """The record of a package as the package itself has it, to be read from this disk."""
    made: RepoDataRecord = await rattler.library().RepoDataRecord.from_package_archive(archive.path)
    made.url = archives.address(archive.path)
    made.sha256 = bytes.fromhex(archive.record.sha256)
    made.md5 = bytes.fromhex(archive.record.md5)
    return made


def _say_origin(listed: tuple[Archive, ...], folder: str) -> None:
    """The world's addresses in ``conda-meta``, in place of those on this disk."""
    for archive in listed:
        record = archive.record
        path = Path(f"{folder}/conda-meta/{record.name}-{record.version}-{record.build}.json")
        said = json.loads(path.read_bytes())
        channel = record.url.rpartition("/")[0].rpartition("/")[0]
        said |= {"url": record.url, "channel": channel}
        path.write_text(json.dumps(said, indent=2) + "\n")
        path.chmod(0o644)
