"""A package index on loopback: real wheels, the JSON form of the simple API with upload times."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.loopback import Request, Said, answering


def wheel(
    name: str, version: str, requires: tuple[str, ...] = (), *, command: str = "", code: str = ""
) -> bytes:
    """A wheel with one module and its metadata; the same bytes each time.

    ``command`` is the name of one that calls the module's ``main``; ``code`` is more of the module.
    """
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {text}" for text in requires]
    members = {
        f"{module}.py": f"__version__ = {version!r}\n{code}",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if command:
        members[f"{info}/entry_points.txt"] = f"[console_scripts]\n{command} = {module}:main\n"
    record = "".join(f"{path},,\n" for path in members) + f"{info}/RECORD,,\n"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, text in {**members, f"{info}/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0)), text)
    return data.getvalue()


@dataclass
class PackageIndex:
    """Files by project; ``requests`` counts what was asked."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    uploaded: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    url: str = ""

    def add(
        self,
        name: str,
        version: str,
        *,
        requires: tuple[str, ...] = (),
        uploaded: str = "2024-01-01T00:00:00Z",
        command: str = "",
        code: str = "",
    ) -> PackageIndex:
        """Publish a wheel."""
        filename = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        self.files.setdefault(name, {})[filename] = wheel(
            name, version, requires, command=command, code=code
        )
        self.uploaded[filename] = uploaded
        return self

    def put(self, filename: str, data: bytes) -> PackageIndex:
        """Publish a file as it is."""
        name = filename.partition("-")[0].replace("_", "-")
        self.files.setdefault(name, {})[filename] = data
        self.uploaded[filename] = "2024-01-01T00:00:00Z"
        return self

    def page(self, name: str) -> bytes | None:
        """The JSON page of a project."""
        if name not in self.files:
            return None
        rows = [
            {
                "filename": filename,
                "url": f"{self.url.removesuffix('/simple')}/files/{name}/{filename}",
                "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
                "upload-time": self.uploaded[filename],
            }
            for filename, data in self.files[name].items()
        ]
        page = {"meta": {"api-version": "1.1"}, "name": name, "files": rows, "versions": []}
        return json.dumps(page).encode()


@contextmanager
def serving(index: PackageIndex) -> Iterator[PackageIndex]:
    """Serve an index on a free port of 127.0.0.1 while the block runs; its ``url`` is set."""

    def answer(request: Request) -> Said:
        index.requests += 1
        parts = request.path.strip("/").split("/")
        kind = "application/vnd.pypi.simple.v1+json"
        data: bytes | None = None
        if parts[0] == "simple" and len(parts) == 2:
            data = index.page(parts[1])
        elif parts[0] == "files" and len(parts) == 3:
            data, kind = index.files.get(parts[1], {}).get(parts[2]), "application/zip"
        return Said(200 if data is not None else 404, data or b"", {"Content-Type": kind})

    with answering(answer) as place:
        index.url = f"http://{place}/simple"
        yield index
