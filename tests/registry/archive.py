"""An archive of Debian packages: real packages, lists and releases as ``apt-ftparchive`` makes them,
in a folder that a server hands out."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.registry.answers import Said, Server

CONTROL = """\
Package: {name}
Version: {version}
Architecture: {architecture}
Maintainer: Nobody <nobody@example.org>
Description: a package of the tests
"""


def deb(folder: Path, name: str, version: str, *, architecture: str = "amd64") -> Path:
    """A real package, empty but for what it says of itself."""
    root = folder / f"{name}_{version}"
    (root / "DEBIAN").mkdir(parents=True)
    text = CONTROL.format(name=name, version=version, architecture=architecture)
    (root / "DEBIAN/control").write_text(text)
    made = folder / f"{name}_{version.replace(':', '%3a')}_{architecture}.deb"
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", str(root), str(made)],
        check=True,
        capture_output=True,
    )
    return made


def packages(debs: Iterable[Path]) -> str:
    """The list of some packages, from what each says of itself."""
    stanzas = []
    for one in debs:
        said = subprocess.run(
            ["dpkg-deb", "--field", str(one)], check=True, capture_output=True, text=True
        ).stdout
        digest = hashlib.sha256(one.read_bytes()).hexdigest()
        size = one.stat().st_size
        stanzas.append(f"{said}Filename: pool/{one.name}\nSize: {size}\nSHA256: {digest}\n")
    return "\n".join(stanzas)


def suite(
    server: Server,
    root: str,
    listed: str,
    *,
    name: str = "stable",
    date: str = "Sat, 10 Jan 2026 10:00:00 UTC",
    more: str = "",
    form: str = "xz",
    by_hash: bool = True,
) -> None:
    """Serve a suite with one component: its list of packages, and the release that names it."""
    pack = {"xz": lzma.compress, "gz": gzip.compress}[form]
    data = pack(listed.encode())
    path = f"main/binary-amd64/Packages.{form}"
    digest = hashlib.sha256(data).hexdigest()
    text = (
        f"Origin: Debian\nLabel: Debian\nSuite: {name}\nVersion: 12.9\nCodename: bookworm\n"
        f"Date: {date}\nArchitectures: amd64\nComponents: main\n"
        + ("Acquire-By-Hash: yes\n" if by_hash else "")
        + more
        + f"SHA256:\n {digest} {len(data)} {path}\n"
    )
    signed = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
        f"{text}-----BEGIN PGP SIGNATURE-----\n\nnothing\n-----END PGP SIGNATURE-----\n"
    )
    folder = f"{root}/dists/{name}"
    server.answers[f"{folder}/InRelease"] = Said(200, signed.encode())
    if by_hash:
        place = f"{folder}/main/binary-amd64/by-hash/SHA256/{digest}"
        server.answers[place] = Said(200, data)
    else:
        server.answers[f"{folder}/{path}"] = Said(200, data)


def stanza(name: str, version: str) -> str:
    """What a list says of a package, where no package is needed."""
    return CONTROL.format(name=name, version=version, architecture="amd64") + "\n"
