"""What two copies of NumPy in one process do to each other, by really mixing them.

The wheels come through the user's own index. ``--write`` puts the result where envbuild's facts
are; everything in that file was seen here.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec import Struct
from tests.support.replica import fetched

from envbuild.names import canonical_name

VERSIONS = (
    "1.23.5",
    "1.24.4",
    "1.25.2",
    "1.26.0",
    "1.26.4",
    "2.0.2",
    "2.1.3",
    "2.2.6",
    "2.3.1",
    "2.3.5",
    "2.4.6",
)
"""One release of each series; two where Isaac Sim brings one that is not the last."""

MODULES = (
    "numpy.testing",
    "numpy.random",
    "numpy.ma",
    "numpy.lib.recfunctions",
    "numpy.linalg",
    "numpy.fft",
    "numpy.polynomial",
    "numpy.ctypeslib",
    "numpy.typing",
    "numpy.f2py",
    "numpy.matlib",
)
SEEDS = ("0", "1", "2")
"""Of PYTHONHASHSEED: what ``from numpy import *`` asks for first differs between them."""

FACTS = Path(__file__).parents[1] / "builder/envbuild/knowledge/facts/numpy-pairs.yaml"
_PROBE = Path(__file__).with_name("pair_probe.py")
_PLACE = re.compile(r" \((?:unknown location|/[^)]*)\)$")


class Pair(Struct, frozen=True, kw_only=True):
    """What became of a pair: the texts of each module that does not import (one, or several that
    the hash seed chooses from), and how many modules of the other copy run where the rest is
    imported."""

    site: str
    bundle: str
    fails: Mapping[str, tuple[str, ...]]
    foreign: int


def numpy_pairs(write: bool) -> str:
    """The table of all pairs."""
    with tempfile.TemporaryDirectory(prefix="numpy-pairs-") as place:
        copies = {version: copy(version, Path(place)) for version in VERSIONS}
        asked = [(site, bundle) for site in VERSIONS for bundle in VERSIONS if site != bundle]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = tuple(pool.map(lambda pair: mixed(copies, *pair), asked))
    if write:
        FACTS.write_text("\n".join(_file(found)))
    return "\n".join(_table(found))


def copy(version: str, place: Path) -> Path:
    """A folder with the files of a wheel of NumPy."""
    folder = place / canonical_name(version)
    (wheel,) = fetched(f"numpy=={version}")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def mixed(copies: Mapping[str, Path], site: str, bundle: str) -> Pair:
    """What becomes of a pair, over all hash seeds."""
    answers = [_asked(copies[site], copies[bundle], seed) for seed in SEEDS]
    texts: dict[str, tuple[str, ...]] = {}
    for module in MODULES:
        said = (_PLACE.sub("", answer["fails"][module]) for answer in answers)
        seen = tuple(dict.fromkeys(text for text in said if text))
        if seen:
            texts[module] = seen
    foreign = max(answer["foreign"] for answer in answers)
    return Pair(site=site, bundle=bundle, fails=texts, foreign=foreign)


def _asked(site: Path, bundle: Path, seed: str) -> dict[str, Any]:
    variables = {"PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": "1", "PATH": os.defpath}
    argv = [sys.executable, "-S", "-B", str(_PROBE), str(site), str(bundle), *MODULES]
    done = subprocess.run(argv, env=variables, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _table(found: tuple[Pair, ...]) -> Iterator[str]:
    yield f"modules of {len(MODULES)} that do not import, by the copy of the site (rows) and of the"
    yield "bundle; ~N: all import, N modules of the bundle run under the site's NumPy"
    yield f"{'':8}" + "".join(f"{version:>8}" for version in VERSIONS)
    cells = {(one.site, one.bundle): one for one in found}
    for site in VERSIONS:
        shown = (_cell(cells.get((site, bundle))) for bundle in VERSIONS)
        yield f"{site:8}" + "".join(f"{cell:>8}" for cell in shown)
    bad = [one for one in found if one.fails]
    yield f"{len(bad)} of {len(found)} pairs fail"


def _cell(pair: Pair | None) -> str:
    if pair is None:
        return "-"
    return str(len(pair.fails)) if pair.fails else f"~{pair.foreign}"


_HEAD = """\
# Two copies of NumPy in one process: `site` is imported first, then an import hook like Kit's takes
# every further submodule from `bundle`. Made by `python -m bench numpy-pairs --write`.
#
#   fails    the modules that do not import, and with which words; several: PYTHONHASHSEED chooses
#   foreign  where all import: how many of the bundle's run under the site's copy, without a word
"""


def _file(found: tuple[Pair, ...]) -> Iterator[str]:
    yield _HEAD
    groups: dict[str, list[Pair]] = {}
    for one in found:
        groups.setdefault(json.dumps(one.fails, sort_keys=True), []).append(one)
    python = f"CPython {'.'.join(map(str, sys.version_info[:3]))}"
    for members in sorted(groups.values(), key=lambda group: (-len(group), group[0].site)):
        yield f"- source: own experiment, wheels of the public index really mixed under {python}"
        yield f"  date: {dt.date.today().isoformat()}"
        yield "  confidence: read"
        yield from _texts(members[0].fails)
        yield "  rows:"
        for row in members:
            foreign = "" if row.fails else f", foreign: {row.foreign}"
            yield f"    - {{site: {row.site}, bundle: {row.bundle}{foreign}}}"
        yield ""


def _texts(fails: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if fails:
        yield "  fails:"
    for module, texts in fails.items():
        yield f"    {module}:"
        yield from (f"      - {json.dumps(text)}" for text in texts)
