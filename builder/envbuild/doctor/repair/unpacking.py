"""A wheel beside its place: every file as an installer would write it, without running anything."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, BinaryIO

import installer
from installer.destinations import WheelDestination
from installer.records import Hash, RecordEntry
from installer.scripts import Script
from installer.sources import WheelFile
from installer.utils import Scheme, construct_record_file, copyfileobj_with_hashing, fix_shebang

from envbuild.doctor.repair.repairing import Replacement, said
from envbuild.errors import ToolError
from envbuild.names import canonical_name
from envbuild.tools.trouble import cannot_write

if TYPE_CHECKING:
    from installer.scripts import ScriptSection

_INSTALLER = b"envbuild\n"
"""What the metadata says of who installed it (the recording of installed projects)."""

_WRONG = (
    ValueError,
    KeyError,
    AssertionError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What comes of an archive that is no wheel."""


def unpack(
    wheel: str, wanted: Replacement, *, prefix: str, into: str, requested: bool
) -> Mapping[str, str]:
    """The files of a wheel in the folder ``into``, named by numbers; by the paths that they are
    for. ``requested``: the user had asked for the distribution by name.

    Raises:
        ToolError: it is no such wheel, its scripts have no interpreter, or the disk refuses.
    """
    more = {"INSTALLER": _INSTALLER, **({"REQUESTED": b""} if requested else {})}
    target = _Numbered(wanted, prefix, into)
    try:
        with zipfile.ZipFile(wheel) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # compiled files in a wheel, which are left out
            source = WheelFile(archive)
            _check(source.distribution, source.version, wanted)
            installer.install(source, target, more)
    except OSError as error:
        raise cannot_write(into, error) from None
    except _WRONG as error:
        raise ToolError(
            f"{os.path.basename(wheel)} cannot be installed: {error}", hint="nothing was changed"
        ) from None
    return target.files


class _Numbered(WheelDestination):
    """Writes every file under a number: nothing in a journal looks like a package."""

    def __init__(self, wanted: Replacement, prefix: str, into: str) -> None:
        top = prefix.rstrip("/")
        self.files: dict[str, str] = {}
        self._interpreter = _interpreter(top, wanted)
        self._into = into
        self._first = len(os.listdir(into))  # behind the files of other wheels
        self._folders = {
            "purelib": wanted.site,
            "platlib": wanted.site,
            "scripts": f"{top}/bin",
            "headers": f"{top}/include/site/python{wanted.python}/{wanted.distribution}",
            "data": top or "/",
        }

    def write_script(
        self, name: str, module: str, attr: str, section: ScriptSection
    ) -> RecordEntry:
        """A script that calls an entry point."""
        _, data = Script(name, module, attr, section).generate(self._named(), "posix")
        return self._write("scripts", name, io.BytesIO(data), program=True)

    def write_file(
        self,
        scheme: Scheme,
        path: str | os.PathLike[str],
        stream: BinaryIO,
        is_executable: bool,  # noqa: FBT001 (as its base has it)
    ) -> RecordEntry:
        """A file of the wheel; scripts get their interpreter, and may be run."""
        name = os.fspath(path)
        if scheme != "scripts":
            return self._write(scheme, name, stream, program=is_executable)
        with fix_shebang(stream, self._named()) as fixed:
            return self._write(scheme, name, fixed, program=True)

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        """The RECORD, with paths from the site on."""
        site = self._folders[scheme]

        def above(other: Scheme) -> str | None:
            folder = self._folders[other]
            return None if folder == site else f"{os.path.relpath(folder, site)}/"

        with construct_record_file(records, above) as text:
            self._write(scheme, record_file_path, text, program=False)

    def _named(self) -> str:
        if not self._interpreter:
            raise ValueError("its scripts have no interpreter to name")
        return self._interpreter

    def _write(self, scheme: str, name: str, stream: BinaryIO, *, program: bool) -> RecordEntry:
        folder = self._folders[scheme]
        path = os.path.normpath(os.path.join(folder, name))
        if not path.startswith(f"{folder.rstrip('/')}/") or path in self.files:
            raise ValueError(f"{name!r} is outside of its folder, or there twice")
        place = f"{self._into}/{self._first + len(self.files)}"
        with open(place, "xb") as file:
            digest, size = copyfileobj_with_hashing(stream, file, "sha256")
            mode = os.fstat(file.fileno()).st_mode
            if program:
                os.fchmod(file.fileno(), mode | (mode & 0o444) >> 2)
        self.files[path] = place
        return RecordEntry(name, Hash("sha256", digest), size)


def _check(name: str, version: str, wanted: Replacement) -> None:
    same = canonical_name(name) == wanted.distribution
    if not same or version.partition("+")[0] != wanted.version.partition("+")[0]:
        raise ValueError(f"it holds {name} {version}, wanted is {said(wanted)}")


def _interpreter(prefix: str, wanted: Replacement) -> str:
    """The interpreter that the scripts of a wheel name; empty where there is none."""
    names = ("python", "python3", f"python{wanted.python}")
    every = (wanted.interpreter, *(f"{prefix}/bin/{name}" for name in names))
    return next((one for one in every if one.startswith("/") and os.path.isfile(one)), "")
