"""Profiles for a night: small generated ones beside the light forms of the shipped ones, and one that
breaks as soon as its packages may move.

Each is as of a day in 2024, so that an upgrade moves most of what it has.
"""

from __future__ import annotations

from pathlib import Path

AS_OF = "2024-06-01T00:00:00Z"
VARIANT = "linux-amd64-cpu"
BROKEN = "generated-broken"
CULPRIT = "setuptools"
"""What breaks it: releases from 81 on are without ``pkg_resources``."""

_PACKAGES = (
    "attrs", "certifi", "click", "filelock", "idna", "iniconfig", "more-itertools", "packaging",
    "platformdirs", "pluggy", "pygments", "rich", "six", "tomli", "tqdm", "typing-extensions", "urllib3",
)  # fmt: skip
"""Small packages of Python alone; a profile has some of them."""

_MODULES = {
    "attrs": "attr",
    "more-itertools": "more_itertools",
    "typing-extensions": "typing_extensions",
}

_PROFILE = """\
schema: 1
name: {name}
summary: {summary}
as-of: {as_of}
base:
  image: docker.io/library/ubuntu:24.04
  distribution: debian-12 # what stands in for it
python:
  version: "3.11"
  source: image
  interpreter: /usr/bin/python3
  prefix: /opt/venv
  requirements: [{requirements}]
env: {{PYTHONNOUSERSITE: "1"}}
smoke: [{{name: works, imports: [{imports}]}}]
variants: {{{variant}: {{}}}}
"""


def generated(
    envs: Path, count: int, *, broken: bool = True, pinned: bool = False
) -> tuple[str, ...]:
    """Write ``count`` profiles into a folder, the last of them broken on purpose; their names.

    ``pinned``: their packages have exact versions, so that an upgrade moves nothing.
    """
    names = []
    for number in range(1, count + 1):
        if broken and number == count:
            names.append(_write(envs, BROKEN, "Imports what newer releases do not have",
                                (CULPRIT, *_PACKAGES), ("pkg_resources",)))  # fmt: skip
            continue
        chosen = tuple(_PACKAGES[(number * 3 + step) % len(_PACKAGES)] for step in range(4))
        imports = tuple(_MODULES.get(one, one) for one in chosen)
        wanted = tuple(f"{one}{_PINS[one]}" for one in chosen) if pinned else chosen
        names.append(
            _write(envs, f"generated-{number:02}", f"Generated, number {number}", wanted, imports)
        )
    return tuple(names)


def _write(
    envs: Path, name: str, summary: str, requirements: tuple[str, ...], imports: tuple[str, ...]
) -> str:
    text = _PROFILE.format(
        name=name, summary=summary, as_of=AS_OF, variant=VARIANT,
        requirements=", ".join(requirements), imports=", ".join(imports),
    )  # fmt: skip
    (envs / f"{name}.yaml").write_text(text)
    return name


_PINS = {
    "attrs": "==23.2.0", "certifi": "==2024.2.2", "click": "==8.1.7", "filelock": "==3.14.0", "idna": "==3.7",
    "iniconfig": "==2.0.0", "more-itertools": "==10.2.0", "packaging": "==24.0", "platformdirs": "==4.2.2",
    "pluggy": "==1.5.0", "pygments": "==2.18.0", "rich": "==13.7.1", "six": "==1.16.0", "tomli": "==2.0.1",
    "tqdm": "==4.66.4", "typing-extensions": "==4.12.0", "urllib3": "==2.2.1",
}  # fmt: skip
