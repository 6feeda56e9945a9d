"""What the keys of a profile ask of each other. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from envbuild.errors import Mark, Problem
from envbuild.names import normalise
from envbuild.profile.model import GitSource, Python
from envbuild.profile.resolved import KeyPath, Variant

_VERSION = r"[0-9]+(\.[0-9]+)*((a|b|rc)[0-9]+)?(\.post[0-9]+)?(\.dev[0-9]+)?"
_BOUND = rf"((==|!=|<|>|<=|>=) *{_VERSION}|(==|!=) *[0-9]+(\.[0-9]+)*\.\*)"
_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
PLAIN_REQUIREMENT = re.compile(
    rf"{_NAME}(\[{_NAME}( *, *{_NAME})*\])? *({_BOUND}( *, *{_BOUND})*)?"
)
"""Requirements that need no parser: some of what PEP 508 allows, nothing that it does not."""


def problems(variant: Variant, removed: Mapping[KeyPath, Mark]) -> tuple[Problem, ...]:
    """Everything that a variant's keys contradict in each other.

    ``removed`` has the places of the nulls that took a key away: what is missing is missed there.
    """
    return (
        *_python(variant, removed),
        *_conda(variant, removed),
        *_conda_words(variant),
        *_repeated(variant),
        *_builds(variant),
        *_git(variant),
        *_driver(variant),
        *_licence(variant),
        *_requirements(variant),
    )


LICENCE = {"ACCEPT_EULA": "Y", "OMNI_KIT_ACCEPT_EULA": "YES"}
"""The variables, with their values, by which an image says that NVIDIA's licence is accepted
(IsaacSim v5.1.0, tools/docker/data/license.sh; the isaacsim package of the same release)."""


def _licence(variant: Variant) -> Iterator[Problem]:
    """Two ways to accept a licence could contradict each other."""
    for name in LICENCE:
        if name in variant.environment.env:
            yield _problem(
                variant,
                ("env", name),
                message=f"env: {name} is set by accept-eula",
                hint="accept-eula: true accepts the licence in the image; remove this line",
            )


def _problem(variant: Variant, path: KeyPath, *, message: str, hint: str) -> Problem:
    while path not in variant.marks:
        path = path[:-1]
    return Problem(message=message, mark=variant.marks[path], hint=hint)


def _missing(
    variant: Variant, key: KeyPath, *, removed: Mapping[KeyPath, Mark], because: str, hint: str
) -> Problem:
    """A key that ``python.source`` asks for."""
    empty = removed.get(key)
    return Problem(
        message=f"{'.'.join(map(str, key))} is {'empty' if empty else 'missing'}: {because}",
        mark=empty or variant.marks["python", "source"],
        hint=hint,
    )


def _python(variant: Variant, removed: Mapping[KeyPath, Mark]) -> Iterator[Problem]:
    python = variant.environment.python
    if python.source == "image" and python.interpreter is None:
        yield _missing(
            variant,
            ("python", "interpreter"),
            removed=removed,
            because="source image uses one that the base image has",
            hint="interpreter: /isaac-sim/python.sh",
        )
    if python.source != "image" and python.prefix is None:
        yield _missing(
            variant,
            ("python", "prefix"),
            removed=removed,
            because=f"source {python.source} makes an environment there",
            hint=f"prefix: /opt/{variant.environment.name}",
        )


def _conda(variant: Variant, removed: Mapping[KeyPath, Mark]) -> Iterator[Problem]:
    source, conda = variant.environment.python.source, variant.environment.conda
    if source == "conda" and conda is None:
        yield _missing(
            variant,
            ("conda",),
            removed=removed,
            because="python.source is conda",
            hint='conda: {channels: [conda-forge], packages: ["python=3.11"]}',
        )
    if source != "conda" and conda is not None:
        message = f"conda is given, but python.source is {source}"
        yield _problem(variant, ("conda",), message=message, hint="source: conda, or remove conda")


def _conda_words(variant: Variant) -> Iterator[Problem]:
    """Channels that hold secrets, and virtual packages that say no version."""
    conda = variant.environment.conda
    named: list[tuple[KeyPath, str]] = []
    for index, channel in enumerate(conda.channels if conda else ()):
        named.append((("conda", "channels", index), channel))
    for index, spec in enumerate(conda.packages if conda else ()):
        within = _CHANNEL.fullmatch(spec)
        channel = within[1] if within else spec.rpartition("::")[0]
        named.append((("conda", "packages", index), channel))
    for path, channel in named:
        if _CREDENTIALS.fullmatch(channel):
            yield _problem(
                variant,
                path,
                message="a channel with credentials would be written to every lock",
                hint="name it without them; mirrored_channels in your conda settings says where "
                "it is read",
            )
    for name, value in (conda.virtual_packages if conda else {}).items():
        form, example = _VIRTUAL.get(name, _NUMBERS)
        if value and not form.fullmatch(value):
            yield _problem(
                variant,
                ("conda", "virtual-packages", name),
                message=f"{name}: {value!r} is not what a machine has",
                hint=f'{name}: "{example}", or "" where there is none',
            )


_NUMBERS = (re.compile(r"[0-9]+(\.[0-9]+)*"), "2.39")
_VIRTUAL = {
    "__archspec": (re.compile(r"[a-z][a-z0-9_]*"), "x86_64_v3"),
    "__cuda": (_NUMBERS[0], "12.8"),
    "__linux": (_NUMBERS[0], "5.10"),
}
_CREDENTIALS = re.compile(r"(?:.*://[^/]*@.*|(?:.*/)?t/[^/]+(?:/.*)?)")
"""A login in an address, or anaconda.org's token in a path."""

_CHANNEL = re.compile(r".*\[.*channel=['\"]?([^'\",\]]+).*")


def _repeated(variant: Variant) -> Iterator[Problem]:
    environment = variant.environment
    lists: tuple[tuple[KeyPath, str, Iterable[str]], ...] = (
        (("git",), "name", (source.name for source in environment.git)),
        (("git",), "path", (source.path for source in environment.git)),
        (("files",), "path", (file.path for file in environment.files)),
        (("smoke",), "name", (test.name for test in environment.smoke)),
        (("python", "indexes"), "name", (index.name for index in environment.python.indexes)),
    )
    for path, field, values in lists:
        seen: set[str] = set()
        for index, value in enumerate(values):
            if value in seen:
                where = ".".join(map(str, path))
                message = f"{where}: {value!r} is the {field} of two items"
                hint = f"give each its own {field}"
                yield _problem(variant, (*path, index, field), message=message, hint=hint)
            seen.add(value)


def _builds(variant: Variant) -> Iterator[Problem]:
    environment = variant.environment
    built = {source.name for source in environment.git if source.install == "cmake"}
    for index, build in enumerate(environment.python.build_from_source):
        for number, name in enumerate(build.needs):
            if name not in built:
                wanted = "which is no git source with install: cmake"
                yield _problem(
                    variant,
                    ("python", "build-from-source", index, "needs", number),
                    message=f"{build.package} needs {name!r}, {wanted}",
                    hint=f"such sources: {', '.join(sorted(built)) or 'none'}",
                )


_STAGES = ("base", "sources", "wheels")
"""The stages of a build; a native library has one of its own name beside them."""


def _git(variant: Variant) -> Iterator[Problem]:
    prefix = variant.environment.python.prefix
    for index, source in enumerate(variant.environment.git):
        if source.commit is None and source.ref is None:
            yield _problem(
                variant,
                ("git", index),
                message=f"git: {source.name!r} has neither a commit nor a ref",
                hint="commit: 40 hex digits, or ref: a branch or a tag, resolved when it is locked",
            )
        if source.install == "cmake" and source.name in _STAGES:
            yield _problem(
                variant,
                ("git", index, "name"),
                message=f"git: {source.name!r} is the name of a stage of each build",
                hint=f"another name: {source.name}-library",
            )
        for key, hint in _idle(source):
            message = f"git: {key} has no effect with install: {source.install}"
            yield _problem(variant, ("git", index, key), message=message, hint=hint)
        if source.install == "cmake" and prefix is not None and _overlap(source.path, prefix):
            yield _problem(
                variant,
                ("git", index, "path"),
                message=f"git: {source.name!r} is installed to {source.path}, where python.prefix "
                f"{prefix} is",
                hint=f"path: /opt/{source.name}",
            )


def _idle(source: GitSource) -> Iterator[tuple[str, str]]:
    """Keys that a way of installing does not look at."""
    if source.install == "none" and source.subdirectory is not None:
        yield "subdirectory", "it says what pip or cmake installs; the checkout is always whole"
    if source.install != "cmake" and source.options:
        yield "options", "they are for install: cmake"


def _overlap(one: str, other: str) -> bool:
    """Whether two folders are the same or one is inside the other."""
    first, second = (f"{path.rstrip('/')}/" for path in (one, other))
    return first.startswith(second) or second.startswith(first)


def _driver(variant: Variant) -> Iterator[Problem]:
    driver = variant.environment.hardware.driver
    if driver.min and driver.below and _numbers(driver.min) >= _numbers(driver.below):
        message = f"hardware.driver: no version is at least {driver.min} and below {driver.below}"
        yield _problem(
            variant, ("hardware", "driver"), message=message, hint="min is the lower one"
        )


def _numbers(version: str) -> list[int]:
    numbers = [int(number) for number in version.split(".")]
    return numbers + [0] * (3 - len(numbers))


def _requirements(variant: Variant) -> Iterator[Problem]:
    for path, text in _requirement_texts(variant.environment.python):
        if PLAIN_REQUIREMENT.fullmatch(text):
            continue
        try:
            normalise(text)
        except ValueError as error:
            yield _problem(
                variant,
                path,
                message=f"{text!r} is not a requirement: {error}",
                hint="write it as pip does: name[extra]>=1.0,<2 ; marker",
            )


def _requirement_texts(python: Python) -> Iterator[tuple[KeyPath, str]]:
    lists: tuple[tuple[KeyPath, Iterable[str]], ...] = (
        (("requirements",), python.requirements),
        (("constraints",), python.constraints),
        (("build-constraints",), python.build_constraints),
        *(
            (("metadata", index, "requires-dist"), metadata.requires_dist)
            for index, metadata in enumerate(python.metadata)
        ),
    )
    for path, texts in lists:
        for index, text in enumerate(texts):
            yield ("python", *path, index), text
    for index, override in enumerate(python.overrides):
        yield ("python", "overrides", index, "requirement"), override.requirement
