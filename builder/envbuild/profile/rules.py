"""What the keys of a profile ask of each other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envbuild.errors import Problem
from envbuild.profile.model import Conda, KeyPath, Variant


def problems(variant: Variant) -> tuple[Problem, ...]:
    """Everything that a variant's keys contradict in each other."""
    return (*_python(variant), *_repeated(variant), *_builds(variant), *_driver(variant))


def _problem(variant: Variant, path: KeyPath, message: str, hint: str) -> Problem:
    while path and path not in variant.marks:
        path = path[:-1]
    return Problem(message=message, mark=variant.marks.get(path), hint=hint)


def _python(variant: Variant) -> Iterator[Problem]:
    python = variant.environment.python
    conda: Conda | None = variant.environment.conda
    at = ("python", "source")
    if python.source == "image" and python.interpreter is None:
        hint = "interpreter: /isaac-sim/python.sh"
        yield _problem(variant, at, "an interpreter of the image needs its path", hint)
    if python.source != "image" and python.prefix is None:
        hint = f"prefix: /opt/{variant.environment.name}"
        yield _problem(variant, at, f"an environment made by {python.source} needs a prefix", hint)
    if python.source == "conda" and conda is None:
        hint = "conda: {channels: [conda-forge], packages: [python=3.11]}"
        yield _problem(variant, at, "python comes from conda, but conda is not described", hint)
    if python.source != "conda" and conda is not None:
        yield _problem(
            variant,
            ("conda",),
            "conda is described, but python does not come from it",
            "python: {source: conda}",
        )


def _repeated(variant: Variant) -> Iterator[Problem]:
    environment = variant.environment
    lists: tuple[tuple[KeyPath, Iterable[str]], ...] = (
        (("git",), (source.name for source in environment.git)),
        (("files",), (file.path for file in environment.files)),
        (("smoke",), (test.name for test in environment.smoke)),
        (("python", "indexes"), (index.name for index in environment.python.indexes)),
    )
    for path, names in lists:
        seen: set[str] = set()
        for index, name in enumerate(names):
            if name in seen:
                yield _problem(
                    variant,
                    (*path, index),
                    f"{name!r} stands twice in {'.'.join(map(str, path))}",
                    "give each its own name",
                )
            seen.add(name)


def _builds(variant: Variant) -> Iterator[Problem]:
    environment = variant.environment
    built = {source.name for source in environment.git if source.install == "cmake"}
    for index, build in enumerate(environment.python.build_from_source):
        for number, name in enumerate(build.needs):
            if name not in built:
                path = ("python", "build-from-source", index, "needs", number)
                listed = ", ".join(sorted(built)) or "none"
                yield _problem(
                    variant,
                    path,
                    f"{build.package} needs {name!r}, which is no git source installed by cmake",
                    f"such sources: {listed}",
                )


def _driver(variant: Variant) -> Iterator[Problem]:
    driver = variant.environment.hardware.driver
    if driver.min and driver.below:
        low, high = (tuple(map(int, v.split("."))) for v in (driver.min, driver.below))
        if low >= high:
            yield _problem(
                variant,
                ("hardware", "driver"),
                f"no driver is at least {driver.min} and below {driver.below}",
                "min is the lower number",
            )
