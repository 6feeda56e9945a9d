"""Images of the replica of Isaac Sim (tests/replica/isaac_sim), and what they are made of.

Built once a set of inputs and kept below the user's cache, as storage that engines read images
from. An image of the tier ``lab`` holds NVIDIA's wheel of Isaac Lab: it stays on this machine.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from tests.support.engine import CACHE, EPOCH, Engine, base_tar, import_base

SOURCES = Path(__file__).parents[1] / "replica/isaac_sim"
TIERS = {
    "layout": ("pip_archive", "core_archive", "compute"),
    "lab": ("ml_archive", "usd_libs", "lab"),
}
"""The lists of wheels of each tier; the second stands on the first."""

PLATFORMS = tuple(f"manylinux{tag}_x86_64" for tag in ("2014", "_2_17", "_2_28", "_2_34", "_2_35"))
PYTHON = "3.11"
"""The Python of the replica."""

FROM_SOURCE = {"flatdict": "setuptools<81"}  # flatdict's setup.py imports pkg_resources
OLD = 3600
"""Seconds after which an image of other inputs is removed from the cache."""

ROOM = 1650
"""Thread-local bytes of the stand-in of libcarb.so. Debian 12's loader has room for 1700 at most,
and behind torch for less than 1600: the library loads first, and no longer behind torch."""


def digest(*parts: bytes) -> str:
    """A short name of an input."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def wheels(*lists: str) -> list[Path]:
    """The wheels of lists, fetched through pip where the cache has not got them."""
    found = []
    for name in lists:
        wanted = (SOURCES / f"wheels/{name}.txt").read_text().split()
        found += fetched(*wanted)
    return found


def fetched(*pins: str, python: str = PYTHON) -> list[Path]:
    """The wheels of exact requirements, in a folder of the cache that holds just these."""
    other = "" if python == PYTHON else f"cp{python.replace('.', '')}-"
    folder = CACHE / f"wheels-{other}{digest(*(pin.encode() for pin in pins))}"
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="fetching-") as scratch:
            into = Path(scratch) / "wheels"
            built = [pin for pin in pins if pin.partition("==")[0] in FROM_SOURCE]
            _pip("download", into, [pin for pin in pins if pin not in built], python)
            for pin in built:
                _pip("wheel", into, [pin], python)
            into.rename(folder)
    return sorted(folder.glob("*.whl"))


def _pip(what: str, into: Path, pins: list[str], python: str) -> None:
    argv = [
        sys.executable,
        "-m",
        "pip",
        what,
        "--quiet",
        "--no-deps",
        "--disable-pip-version-check",
    ]
    environment = dict(os.environ)
    if what == "download":
        argv += ["--only-binary", ":all:", "--python-version", python, "--dest", str(into)]
        argv += [f"--platform={platform}" for platform in PLATFORMS]
    else:
        argv += ["--wheel-dir", str(into)]
        constraints = into.parent / "constraints.txt"
        constraints.write_text("\n".join(FROM_SOURCE.values()))
        environment["PIP_CONSTRAINT"] = str(constraints)
    done = subprocess.run(
        [*argv, *pins], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        hint = "\nPyTorch's index has this build: set PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS"
        more = hint if any("+cpu" in pin for pin in pins) else ""
        raise RuntimeError(f"pip could not {what} {pins}:\n{done.stderr[-2000:]}{more}")


def library(path: Path, room: int = ROOM) -> None:
    """Compile the stand-in of libcarb.so."""
    argv = ["gcc", "-shared", "-fPIC", "-O1", "-ftls-model=initial-exec", f"-DREPLICA_ROOM={room}"]
    subprocess.run([*argv, "-o", str(path), str(SOURCES / "libcarb.c")], check=True)


@cache
def _inputs(tier: str) -> str:
    files = sorted(
        path for path in SOURCES.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    parts = [
        part
        for path in files
        for part in (str(path.relative_to(SOURCES)).encode(), path.read_bytes())
    ]
    return digest(tier.encode(), base_tar().name.encode(), Path(__file__).read_bytes(), *parts)


def tier(engine: Engine, name: str) -> str:
    """A tier's image in an engine, which reads it out of the cache; its name there."""
    store = CACHE / f"replica-{name}-{_inputs(name)}"
    done = store / "done"
    if not done.exists():
        _make_room(store)
        with tempfile.TemporaryDirectory(prefix="replica-") as home:
            builder = Engine(Path(home), images=store / "images")
            if name == "lab":
                tier(builder, "layout")
            else:
                import_base(builder, base_tar())
            _build(builder, name)
            builder("unmount", "--all", "--force", check=False)
        done.touch()
    if name == "lab":
        tier(engine, "layout")  # its lower layers
    engine.share(store / "images")
    return _image(name)


def layout_of(engine: Engine, name: str) -> Path:
    """A tier, or the image below them by the name of ``base``, in OCI's layout in the cache."""
    if name == "base":
        tar = base_tar()
        image, key = (
            import_base(engine, tar),
            digest(tar.name.encode(), str(tar.stat().st_mtime).encode()),
        )
    else:
        image, key = tier(engine, name), _inputs(name)
    layout = CACHE / f"layout-{name}-{key}"
    if not (layout / "index.json").exists():
        _make_room(layout)
        part = layout.with_name(f"{layout.name}.{os.getpid()}.part")
        engine("push", "--quiet", image, f"oci:{part}")
        part.rename(layout)
    return layout


def _image(name: str) -> str:
    return f"envbuild-tests/replica:{name}"


def _make_room(place: Path) -> None:
    """Remove what the cache has of other inputs, unless it is new: somebody may use it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for old in CACHE.glob(f"{place.name.rpartition('-')[0]}-*"):
        if old.name != place.name and time.time() - old.stat().st_mtime > OLD:
            shutil.rmtree(old, ignore_errors=True)


def _build(engine: Engine, name: str) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="context-") as folder:
        context = Path(folder)
        shutil.copytree(
            SOURCES, context, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
        library(context / "wheels/libcarb.so")
        for wheel in wheels(*TIERS[name]):
            os.link(wheel, context / "wheels" / wheel.name)
        engine(
            "build", "--pull=never", "--network=none", f"--timestamp={EPOCH}",
            "--file", str(context / f"Dockerfile.{name}"), "--tag", _image(name), str(context),
        )  # fmt: skip
