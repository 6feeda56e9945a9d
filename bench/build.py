"""Images: a rebuild after one light package has moved, and whether two builds are one image."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.dockerd import dockerd, newer
from tests.support.registry import configuration

from bench.standing import (
    ENVBUILD,
    LIGHT,
    PROFILE,
    PYTHON,
    VARIANT,
    Standing,
    cores,
    identity,
    run,
    standing,
    timed,
)

VERSIONS = ("4.9.0", "4.10.0")
GOAL = 0.3

_NAIVE = f"""\
FROM {{base}}
COPY requirements.txt /tmp/requirements.txt
RUN --mount=type=bind,source=wheelhouse,target=/wheelhouse \\
    {PYTHON} -m pip install --no-index --find-links /wheelhouse -r /tmp/requirements.txt
"""


def rebuild(runs: int) -> str:
    """Time and new bytes of ``envbuild build`` against a Dockerfile of one layer, when one light
    package moves: same engine, base and wheels, turn by turn."""
    with standing() as place:
        wheels = _prepared(place)
        seconds: dict[str, list[float]] = {"naive": [], "envbuild": []}
        sizes: dict[str, list[int]] = {"naive": [], "envbuild": []}
        for number in range(runs):
            for name, once in (("naive", _naive), ("envbuild", _envbuild)):
                took, size = once(place, wheels, f"{name}-{number}")
                seconds[name].append(took)
                sizes[name].append(size)
    took_in = {name: statistics.median(values) for name, values in seconds.items()}
    new = {name: statistics.median(values) for name, values in sizes.items()}
    lines = [f"{LIGHT} {' -> '.join(VERSIONS)}, medians of {runs}, {cores()}"]
    lines += [
        f"  {name:<10} {took_in[name]:7.2f} s {new[name] / 1e6:8.2f} MB new" for name in seconds
    ]
    for what, values in (("time", took_in), ("bytes", new)):
        ratio = values["envbuild"] / values["naive"]
        verdict = "ok" if ratio <= GOAL else "MISSED"
        lines.append(f"  {what}: {ratio:.3f} of the naive one   aim <= {GOAL} {verdict}")
    return "\n".join(lines)


def _prepared(place: Standing) -> Path:
    """Both versions locked and built once, so that every wheel is here: the wheelhouse of both."""
    context = place.folder / "naive"
    (context / "wheelhouse").mkdir(parents=True)
    for version in VERSIONS:
        place.lock(version)
        place.envbuild("build", *place.mirror)
        lock = place.folder / f"lockfiles/{PROFILE}/{VARIANT}.txt"
        pins = [line.split()[0] for line in lock.read_text().splitlines() if "==" in line]
        (context / f"requirements-{version}.txt").write_text("\n".join(pins) + "\n")
    for wheel in (place.folder / "cache").rglob("*.whl"):
        target = context / "wheelhouse" / wheel.name
        if not target.exists():
            os.link(wheel, target)
    (context / "Dockerfile").write_text(_NAIVE.format(base=place.base))
    return context


def _fresh(place: Standing) -> None:
    """Take every image and cached layer away but the base."""
    base = place.engine("image", "inspect", "--format", "{{.Id}}", place.base).strip()
    listed = place.engine("images", "--all", "--quiet", "--no-trunc").split()
    others = {one.removeprefix("sha256:") for one in listed} - {base}
    for one in others:
        place.engine("rmi", "--force", one, check=False)


def _naive(place: Standing, context: Path, name: str) -> tuple[float, int]:
    _fresh(place)
    took = 0.0
    for version in VERSIONS:
        text = (context / f"requirements-{version}.txt").read_text()
        (context / "requirements.txt").write_text(text)
        tag = f"localhost/{name}:{version}"
        argv = ("podman", "build", "--quiet", "--pull=never", "--network=none", "--tag", tag)
        took = timed((*argv, str(context)), context, place.environment)
        size = place.push(tag, f"{name}:{version}")
    return took, size


def _envbuild(place: Standing, _: Path, name: str) -> tuple[float, int]:
    _fresh(place)
    took = 0.0
    for version in VERSIONS:
        place.lock(version)
        argv = (ENVBUILD, "--quiet", "build", *place.mirror)
        took = timed(argv, place.folder, place.environment)
        size = place.push(identity(place.folder), f"{name}:{version}")
    return took, size


# --- Two builds ----------------------------------------------------------------------------------


def reproduce(workspace: Path | None, options: Iterable[str]) -> str:
    """Whether two builds without a cache are one image, for each engine that is found: in a
    workspace of the user's, by the user's engines; else in one of its own."""
    lines = [f"two builds, one image? {cores()}"]
    if workspace is not None:
        for engine in ("podman", "buildah", "docker"):
            lines += _verified(engine, workspace, tuple(options), dict(os.environ))
        return "\n".join(lines)
    with standing() as place:
        place.lock(VERSIONS[0])
        for engine in ("podman", "buildah"):
            lines += _verified(engine, place.folder, place.mirror, place.environment)
        for programs in (None, newer()):
            with _docker(place, programs) as environment:
                lines += _verified("docker", place.folder, place.mirror, environment)
    return "\n".join(lines)


def _verified(
    engine: str, folder: Path, options: tuple[str, ...], environment: dict[str, str]
) -> Iterator[str]:
    argv = (ENVBUILD, "--quiet", "verify", "--rebuild", "--json", "--engine", engine, *options)
    done = subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode > 1:
        yield f"  {engine:<30} not run: {done.stderr.strip().splitlines()[0]}"
        return
    for one in json.loads(done.stdout):
        found = one["comparison"]
        causes = ", ".join(f"{group['cause']} {group['count']}" for group in found["groups"])
        how = "normalised, " if one["normalised"] else ""
        said = f"{how}{one['status']}: {causes or found['digests'][0][:19]}"
        yield f"  {one['engine']:<34} {one['profile']}/{one['variant']}  {said}"


@contextmanager
def _docker(place: Standing, programs: Path | None) -> Iterator[dict[str, str]]:
    """A docker of its own; the registry answers at the same address in its network too."""
    with tempfile.TemporaryDirectory(prefix="d") as home:
        path = Path(home) / "d"
        path.mkdir()
        with dockerd(path, programs=programs) as daemon:
            config = Path(home) / "registry.yml"
            storage = place.folder / "registry/storage"
            config.write_text(configuration(storage, place.place))
            served = subprocess.Popen(
                daemon.inside("docker-registry", "serve", str(config)), stderr=subprocess.DEVNULL
            )
            try:
                run(("sleep", "1"), path, daemon.environ)
                yield {**daemon.environ, "XDG_CACHE_HOME": str(place.folder / "cache")}
            finally:
                served.terminate()
                served.wait(20)
