"""A real registry on loopback: Debian's docker-registry, with its storage in a folder of its own."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_CONFIGURATION = """\
version: 0.1
log:
  level: warn
storage:
  filesystem:
    rootdirectory: {storage}
  delete:
    enabled: true
http:
  addr: {place}
{more}"""


@dataclass(frozen=True)
class Registry:
    """A registry that answers; ``place`` is its address without a scheme, ``127.0.0.1:5000``."""

    place: str

    def name(self, reference: str) -> str:
        """The name under which this registry has an image: the vendor's whole name is a path."""
        return f"{self.place}/{reference}"

    def mirrors(self) -> list[str]:
        """The options that let envbuild read the vendors' images here."""
        vendors = ("nvcr.io", "docker.io", "ghcr.io")
        return [text for one in vendors for text in ("--mirror", f"{one}={self.name(one)}")]

    def put(self, layout: Path, reference: str) -> None:
        """Copy an image from a folder in OCI's layout, its layers as they are packed there."""
        subprocess.run(
            [
                "skopeo",
                "--insecure-policy",
                "copy",
                "--quiet",
                "--dest-tls-verify=false",
                f"oci:{layout}",
                f"docker://{self.name(reference)}",
            ],
            check=True,
            capture_output=True,
            timeout=300,
        )


def configuration(storage: Path, place: str, *, users: Path | None = None) -> str:
    """What the registry reads at its start; with ``users``, a file of ``htpasswd``, it wants a login."""
    more = f"auth: {{htpasswd: {{realm: tests, path: {users}}}}}\n" if users else ""
    return _CONFIGURATION.format(storage=storage, place=place, more=more)


@contextmanager
def serve(folder: Path, *, users: Path | None = None) -> Iterator[Registry]:
    """A registry on a free port, ended with the block; ``users`` as for :func:`configuration`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    config = folder / "config.yml"
    config.write_text(configuration(folder / "storage", place, users=users))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _wait(process, place, folder / "log")
            yield Registry(place)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(process: subprocess.Popen[bytes], place: str, log: Path) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://{place}/v2/", timeout=5):
                return
        except urllib.error.HTTPError as error:
            error.close()
            return  # it wants a login: it is there
        except OSError as error:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"no registry: {log.read_text()[-2000:]}") from error
            time.sleep(0.05)
