"""The static stage: what the files of an image say, before anything of it is imported."""

from __future__ import annotations

import os
import platform
import site as python_site
import sys
import time
from collections.abc import Callable
from typing import Any

from . import binaries, records, sites
from .results import FAIL, NOT_RUN, PASS, WARN, Result, failed, result

_NAMED = 8
"""So many packages are named in a reason; the lines have them all."""


class Scene:
    """What several checks look at: the folders of the interpreter, and the bundled ones."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.own = sites.own_sites()
        self.bundled = sites.matching(plan["bundled_sites"])
        self.both = list(dict.fromkeys((*self.own, *self.bundled)))
        self.installed = sites.packages(self.both)


def run(plan: dict[str, Any]) -> list[Result]:
    """Every check that the plan names, in its order."""
    scene = Scene(plan)
    found = []
    for name in plan["checks"]:
        began = time.monotonic()
        try:
            one = _CHECKS[name](scene)
        except Exception as error:  # noqa: BLE001 (a check that cannot be made has failed)
            one = failed(name, error)
        one["seconds"] = round(time.monotonic() - began, 3)
        found.append(one)
    return found


def _packages(scene: Scene) -> Result:
    """Every package of the lock, in its version."""
    wanted: dict[str, str] = scene.plan["packages"]
    first: dict[str, sites.Installed] = {}
    for one in scene.installed:
        first.setdefault(one.name, one)
    wrong = []
    for name, version in wanted.items():
        found = first.get(name)
        if found is None:
            wrong.append(f"{name} {version} is not installed")
        elif not sites.same_version(found.version, version):
            wrong.append(f"{name} is {found.version}, locked is {version} ({found.site})")
    if wrong:
        told = f"{len(wrong)} of {len(wanted)} packages are not as they are locked: "
        return result("packages", FAIL, told + _some(wrong), lines=tuple(wrong))
    return result("packages", PASS, f"{len(wanted)} packages in their locked versions")


def _bundle(scene: Scene) -> Result:
    """What the image brings is there in its version, unshadowed, and as it was installed.

    The copies of NumPy have a check of their own.
    """
    if not scene.bundled:
        return result("bundle", NOT_RUN, "there is no bundled folder of packages")
    provided = {name: one for name, one in scene.plan["provided"].items() if name != "numpy"}
    seen, wrong = 0, []
    for name, version in provided.items():
        found = [one for one in scene.installed if one.name == name]
        seen += any(sites.same_version(one.version, version) for one in found)
        if found and not sites.same_version(found[0].version, version):
            told = f"{name} {version} of the bundle is replaced or shadowed by {found[0].version}"
            wrong.append(f"{told} ({found[0].site})")
    changed, looked = records.changes(scene.bundled)
    for one in changed:
        told = f"{one.package.name} {one.package.version} of the bundle was changed"
        wrong.append(f"{told}: {one.wrong}")
    if wrong:
        return result("bundle", FAIL, _some(wrong), lines=tuple(wrong))
    told = f"{looked} packages are as their RECORD says; of {len(provided)} that the image is known"
    return result("bundle", PASS, f"{told} to bring, {seen} were seen, in their versions")


def _numpy_copies(scene: Scene) -> Result:
    """One version of NumPy, wherever a copy lies."""
    name, wanted = "numpy-copies", scene.plan["numpy"]
    copies = sites.copies(scene.both)
    told = [f"NumPy {one.version or '(unknown)'} in {one.site}" for one in copies]
    if not copies:
        return result(name, FAIL, f"there is no NumPy, {wanted} is locked")
    first, others = copies[0], copies[1:]
    other = [one for one in others if not sites.same_version(one.version, first.version)]
    if other:
        who = sites.demanding("numpy", scene.installed, first.version)
        asked = f"; asked for by {', '.join(who)}" if who and first.version[:1] == "2" else ""
        stands = f"NumPy {first.version} ({first.site}) stands before NumPy {other[0].version}"
        return result(name, FAIL, f"{stands} ({other[0].site}){asked}", lines=tuple(told))
    if wanted and not sites.same_version(first.version, wanted):
        said = f"{told[0]}, and not {wanted}"
        return result(name, FAIL, said, lines=tuple(told))
    return result(name, PASS, "; ".join(told))


def _numpy_builds(scene: Scene) -> Result:
    """No module that is made for NumPy 1 where NumPy is 2."""
    name = "numpy-builds"
    copies = sites.copies(scene.own)
    running = copies[0].version if copies else ""
    if not running or int(running.partition(".")[0]) < 2:
        return result(name, NOT_RUN, f"NumPy is {running or 'not there'}")
    found = binaries.made_for_numpy_1(scene.both)
    old = [f"{one.path} was compiled for NumPy 1" for one in found if one.reason == "numpy-1"]
    pybind = [
        f"{one.path} was made with a pybind11 before 2.12: it reads every dtype as kind=f, size=0"
        for one in found
        if one.reason == "pybind11"
    ]
    if found:
        lines = (*old, *pybind)
        told = f"{len(lines)} modules do not work under NumPy {running}: {lines[0]}"
        return result(name, FAIL, told, lines=lines)
    return result(name, PASS, f"no module that is made for NumPy 1; NumPy is {running}")


def _settings(scene: Scene) -> Result:
    """What the image's variables leave open."""
    wrong: list[str] = []
    environ = os.environ
    user = python_site.getusersitepackages()
    if python_site.ENABLE_USER_SITE and os.path.isdir(user):
        wrong.append(f"packages of {user} are used: PYTHONNOUSERSITE=1 is missing")
    if scene.plan["simulator"]:
        if not (environ.get("OMNI_KIT_ACCEPT_EULA") or environ.get("ACCEPT_EULA")):
            told = "NVIDIA's licence is not accepted (OMNI_KIT_ACCEPT_EULA=YES, ACCEPT_EULA=Y)"
            wrong.append(f"{told}: Kit asks for it, and nobody answers")
        if environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
            wrong.append("TERM is not set: isaaclab.sh ends at once; TERM=xterm")
        wrong += (
            f"{name} is set in the image, and the launcher sets it" for name in _preset(scene)
        )
    if wrong:
        return result("settings", WARN, _some(wrong), lines=tuple(wrong))
    return result("settings", PASS)


def _preset(scene: Scene) -> list[str]:
    preset: list[str] = scene.plan["preset"]
    return preset


def _libraries(scene: Scene) -> Result:
    """The C and C++ libraries are as new as Kit's core asks for."""
    name = "libraries"
    have = tuple(int(part) for part in platform.libc_ver()[1].split(".") if part.isdigit())
    cpp = next((path for path in _libstdcxx() if os.path.exists(path)), "")
    newest = binaries.glibcxx(cpp) if cpp else ()
    told = f"glibc {_dotted(have) or 'none'}, GLIBCXX_{_dotted(newest) or ' none'}"
    core = next((path for path in scene.plan["cores"] if os.path.exists(path)), "")
    if not core:
        return result(name, PASS, told)
    wrong = []
    if have and binaries.glibc(core) > have:
        wrong.append(f"version `GLIBC_{_dotted(binaries.glibc(core))}' not found ({core})")
    if newest and binaries.glibcxx(core) > newest:
        wrong.append(f"version `GLIBCXX_{_dotted(binaries.glibcxx(core))}' not found ({core})")
    if wrong:
        return result(name, FAIL, f"{'; '.join(wrong)}; here is {told}", lines=tuple(wrong))
    return result(name, PASS, f"{told}; {core} asks for no more")


def _libstdcxx() -> list[str]:
    machine = platform.machine()
    return [
        f"{sys.prefix}/lib/libstdc++.so.6",
        f"/usr/lib/{machine}-linux-gnu/libstdc++.so.6",
        "/usr/lib64/libstdc++.so.6",
    ]


def _vulkan(_: Scene) -> Result:
    """A file that tells Vulkan of NVIDIA's driver."""
    named = os.environ.get("VK_DRIVER_FILES") or os.environ.get("VK_ICD_FILENAMES") or ""
    files = [path for path in named.split(":") if path] or [
        os.path.join(folder, name)
        for folder in ("/etc/vulkan/icd.d", "/usr/share/vulkan/icd.d")
        if os.path.isdir(folder)
        for name in sorted(os.listdir(folder))
    ]
    there = [path for path in files if "nvidia" in path.lower() and os.path.exists(path)]
    if not there:
        told = "no Vulkan driver file of NVIDIA (nvidia_icd.json): the container has no graphics"
        return result("vulkan", FAIL, f"{told}; NVIDIA_DRIVER_CAPABILITIES=all")
    return result("vulkan", PASS, there[0])


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _some(texts: list[str]) -> str:
    more = f", and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return "; ".join(texts[:_NAMED]) + more


_CHECKS: dict[str, Callable[[Scene], Result]] = {
    "packages": _packages,
    "bundle": _bundle,
    "numpy-copies": _numpy_copies,
    "numpy-builds": _numpy_builds,
    "settings": _settings,
    "libraries": _libraries,
    "vulkan": _vulkan,
}
