"""conda packages of given content, the channels they make up, and channels of records alone.

Every function writes the same bytes each time that it is given the same.
"""

from __future__ import annotations

import bz2
import hashlib
import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Record = dict[str, object]
"""What a channel says of a package."""

SUBDIRS = ("linux-64", "linux-aarch64", "noarch")
TIMESTAMP = 1735689600000
"""2025-01-01T00:00:00Z in the milliseconds of conda."""
PLACEHOLDER = "/opt/anaconda1anaconda2anaconda3"
"""Stands in the text of a package for the prefix that it is installed to."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a package, or a link if ``link`` names its target.

    ``placed`` says that PLACEHOLDER stands in its text.
    """

    data: bytes = b""
    link: str = ""
    executable: bool = False
    placed: bool = False


Files = Mapping[str, File | bytes | str]
"""Files by path below the prefix; for noarch python by ``site-packages/…``."""


def record(
    name: str,
    version: str,
    *,
    build: str = "0",
    build_number: int = 0,
    depends: Iterable[str] = (),
    constrains: Iterable[str] = (),
    subdir: str = "linux-64",
    timestamp: int = TIMESTAMP,
) -> Record:
    """What a channel says of a package that does not exist; its hashes are made of its name."""
    identity = f"{subdir}/{name}-{version}-{build}".encode()
    return {
        "name": name,
        "version": version,
        "build": build,
        "build_number": build_number,
        "depends": list(depends),
        "constrains": list(constrains),
        "subdir": subdir,
        "timestamp": timestamp,
        "size": 1000 + len(identity),
        "md5": hashlib.md5(identity).hexdigest(),
        "sha256": hashlib.sha256(identity).hexdigest(),
        **({"noarch": "generic"} if subdir == "noarch" else {}),
    }


def channel(folder: Path, records: Iterable[Record], base_url: str | None = None) -> Path:
    """A channel of these records with no package behind them; its folder.

    ``base_url`` is where the packages are said to lie, without the subdir.
    """
    found: dict[str, dict[str, Record]] = {}
    for one in records:
        filename = f"{one['name']}-{one['version']}-{one['build']}.conda"
        found.setdefault(str(one["subdir"]), {})[filename] = one
    return _write(folder, found, base_url)


def stub(
    folder: Path,
    name: str,
    version: str,
    *,
    build: str = "0",
    depends: Iterable[str] = (),
    constrains: Iterable[str] = (),
    subdir: str = "noarch",
    files: Files | None = None,
    timestamp: int = TIMESTAMP,
    kind: str = ".conda",
) -> Path:
    """Put a package into a channel's folder; its file. ``kind`` is ``.conda`` or ``.tar.bz2``."""
    said = record(
        name,
        version,
        build=build,
        depends=depends,
        constrains=constrains,
        subdir=subdir,
        timestamp=timestamp,
    )
    if files is None:
        files = {f"share/{name}.txt": f"{version}\n"}
    return put(folder, said, files, kind=kind)


def put(
    folder: Path,
    said: Record,
    files: Files,
    *,
    entry_points: Iterable[str] = (),
    kind: str = ".conda",
) -> Path:
    """Put a package of this record and content into a channel's folder; its file.

    ``entry_points`` are the commands of a noarch python package, as ``pip = pip.main:main``.
    """
    name = f"{said['name']}-{said['version']}-{said['build']}"
    members = {
        path: one if isinstance(one, File) else File(data=_bytes(one))
        for path, one in sorted(files.items())
    }
    path = folder / str(said["subdir"]) / f"{name}{kind}"
    path.parent.mkdir(parents=True, exist_ok=True)
    info = _info(said, members, list(entry_points))
    if kind == ".conda":
        path.write_bytes(_conda(name, info, members))
    else:
        path.write_bytes(bz2.compress(_tar({**info, **members})))
    return path


def index(folder: Path, base_url: str | None = None) -> Path:
    """Write a channel's ``repodata.json`` after the packages in its folder; the folder."""
    found: dict[str, dict[str, Record]] = {}
    for path in sorted(folder.glob("*/*")):
        if path.name.endswith((".conda", ".tar.bz2")):
            data = path.read_bytes()
            said = _index_json(path.name, data) | {
                "size": len(data),
                "md5": hashlib.md5(data).hexdigest(),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
            found.setdefault(path.parent.name, {})[path.name] = said
    return _write(folder, found, base_url)


def _write(folder: Path, found: dict[str, dict[str, Record]], base_url: str | None) -> Path:
    for subdir in sorted({*SUBDIRS, *found}):
        packages = sorted(found.get(subdir, {}).items())
        base = {} if base_url is None else {"base_url": f"{base_url.rstrip('/')}/{subdir}/"}
        page = {
            "info": {"subdir": subdir, **base},
            "packages": {name: said for name, said in packages if name.endswith(".bz2")},
            "packages.conda": {name: said for name, said in packages if name.endswith(".conda")},
            "removed": [],
            "repodata_version": 1 if base_url is None else 2,
        }
        (folder / subdir).mkdir(parents=True, exist_ok=True)
        (folder / subdir / "repodata.json").write_text(json.dumps(page, indent=1) + "\n")
    return folder


def _index_json(name: str, data: bytes) -> Record:
    if name.endswith(".conda"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            tar = zstd.decompress(archive.read(f"info-{name.removesuffix('.conda')}.tar.zst"))
    else:
        tar = bz2.decompress(data)
    with tarfile.open(fileobj=io.BytesIO(tar)) as members:
        member = members.extractfile("info/index.json")
        assert member is not None
        said: Record = json.load(member)
    return said


def _info(said: Record, members: Mapping[str, File], entry_points: list[str]) -> dict[str, File]:
    index_json = {key: one for key, one in said.items() if key not in {"md5", "sha256", "size"}}
    pages: dict[str, object] = {
        "info/index.json": index_json,
        "info/paths.json": {
            "paths": [_path(path, one) for path, one in members.items()],
            "paths_version": 1,
        },
    }
    if said.get("noarch") == "python":
        link = {"type": "python", "entry_points": entry_points}
        pages["info/link.json"] = {"noarch": link, "package_metadata_version": 1}
    found = {path: File(data=_bytes(json.dumps(page, indent=1))) for path, page in pages.items()}
    listed = "".join(f"{path}\n" for path in members)
    return {"info/files": File(data=listed.encode()), **found}


def _path(path: str, one: File) -> dict[str, object]:
    data = b"" if one.link else one.data
    placed = {"prefix_placeholder": PLACEHOLDER, "file_mode": "text"} if one.placed else {}
    return {
        "_path": path,
        "path_type": "softlink" if one.link else "hardlink",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_in_bytes": len(data),
        **placed,
    }


def _conda(name: str, info: Mapping[str, File], members: Mapping[str, File]) -> bytes:
    parts = {
        "metadata.json": b'{"conda_pkg_format_version": 2}',
        f"pkg-{name}.tar.zst": zstd.compress(_tar(members)),
        f"info-{name}.tar.zst": zstd.compress(_tar(info)),
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, content in parts.items():
            archive.writestr(zipfile.ZipInfo(path, (2025, 1, 1, 0, 0, 0)), content)
    return data.getvalue()


def _tar(members: Mapping[str, File]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for path, one in members.items():
            member = tarfile.TarInfo(path)
            member.mtime = TIMESTAMP // 1000
            member.mode = 0o755 if one.executable else 0o644
            if one.link:
                member.type, member.linkname = tarfile.SYMTYPE, one.link
            else:
                member.size = len(one.data)
            tar.addfile(member, io.BytesIO(one.data))
    return data.getvalue()


def _bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content
