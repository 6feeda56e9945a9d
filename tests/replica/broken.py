"""Images that must fail, made over the replica: what is done to each, in one small layer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support import replica
from tests.support.engine import CACHE, Engine, base_tar, import_base

SOURCES = Path(__file__).parent / "failing"

PIP = "RUN --mount=type=bind,target=/run/in /isaac-sim/kit/python/bin/pip install --quiet --no-index --no-deps --no-compile"
SITE = "/isaac-sim/kit/python/lib/python3.11/site-packages"
SETTINGS = """\
ENV ACCEPT_EULA=Y OMNI_KIT_ACCEPT_EULA=YES OMNI_KIT_ALLOW_ROOT=1 PYTHONNOUSERSITE=1 TERM=xterm
ENTRYPOINT ["/isaac-sim/python.sh"]
"""
"""What a rendered image sets over the vendor's: the licence, and an entrypoint that runs a command."""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """What is done to an image: lines of a Dockerfile, wheels and files that lie in the context.

    ``over`` is a tier of the replica or ``debian``; ``settings`` False leaves out SETTINGS.
    """

    recipe: str
    over: str = "layout"
    wheels: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    settings: bool = True


def seeded(number: int) -> str:
    """A line that fixes the seed of the hashes, whoever starts Python: it is started again."""
    code = (
        "import os, sys; "
        f"os.environ.get('PYTHONHASHSEED') == '{number}' or "
        f"(os.environ.update(PYTHONHASHSEED='{number}'), "
        "os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]]))"
    )
    return f'RUN echo "{code}" > {SITE}/seed.pth\n'


def switched(*variables: str) -> str:
    """A line that switches faults of the replica on."""
    return f"ENV {' '.join(variables)}\n"


def build(engine: Engine, name: str, broken: Broken, tier: Callable[[str], str]) -> str:
    """Build an image; its name. ``tier`` gives the image of a tier."""
    image = f"envbuild-tests/broken:{name}"
    below = import_base(engine, base_tar()) if broken.over == "debian" else tier(broken.over)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="context-") as folder:
        context = Path(folder)
        for pin in broken.wheels:
            for wheel in replica.fetched(pin):
                os.link(wheel, context / wheel.name)
        for file in broken.files:
            made = writer() if file == "frame_writer.so" else SOURCES / file
            shutil.copy(made, context / made.name)
        settings = SETTINGS if broken.settings else ""
        (context / "Dockerfile").write_text(f"FROM {below}\n{settings}{broken.recipe}")
        engine("build", "--pull=never", "--network=none", "--tag", image, str(context))
    return image


def writer() -> Path:
    """An extension module made with pybind11 2.11.1, the last but one that knew only NumPy 1."""
    source = SOURCES / "frame_writer.cpp"
    (headers,) = replica.fetched("pybind11==2.11.1")
    key = replica.digest(source.read_bytes(), headers.name.encode())
    module = CACHE / f"frame-writer-{key}/frame_writer.so"
    if not module.exists():
        module.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(headers) as archive:
            archive.extractall(folder)
            part = module.with_suffix(f".{os.getpid()}.part")
            argv = ["g++", "-shared", "-fPIC", "-O1", "-std=c++17", "-static-libstdc++", "-w"]
            includes = [f"-I{folder}/pybind11/include", f"-I{sysconfig.get_path('include')}"]
            subprocess.run([*argv, *includes, "-o", str(part), str(source)], check=True)
            part.rename(module)
    return module
