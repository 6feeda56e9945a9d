"""The commands that repair an installation, in the words of who installed it. Pure."""

from __future__ import annotations

import re
import shlex

from envbuild.doctor.model import Install
from envbuild.scan.model import Distribution, Product, Scan, Site

BUNDLED = ("bundle", "runtime")
"""The kinds of sites that a product brings along: nothing is ever changed in them."""

OWN = ("site", "user", "path")
"""The kinds of sites whose packages the user installs."""

_LAYOUT = re.compile(r"(.*)/lib(?:64)?/python[0-9]+\.[0-9]+/site-packages")
_KIT = "/kit/python"


def prefix(site: str) -> str:
    """The prefix whose own site a folder is (``/opt/env``); empty where it is none's."""
    found = _LAYOUT.fullmatch(site)
    return found[1] or "/" if found else ""


def python(site: Site) -> str:
    """The interpreter of a site as a shell takes it; ``python3.11`` where no path says it."""
    above = prefix(site.path)
    if above.endswith(_KIT):
        return shlex.quote(f"{above.removesuffix(_KIT)}/python.sh")
    if not above or site.kind != "site":
        return f"python{site.python or '3'}"
    return shlex.quote(f"{above.rstrip('/')}/bin/python")


def pip(site: Site, arguments: str) -> str:
    """A call of pip for a site: ``arguments`` are its ``install …`` or ``uninstall …``, with
    what comes from the tree quoted."""
    verb, _, rest = arguments.partition(" ")
    if verb == "install" and site.kind == "user":
        rest = f"--user {rest}"
    elif verb == "install" and site.kind == "path":
        rest = f"--target {shlex.quote(site.path)} --upgrade {rest}"
    return f"{python(site)} -m pip {verb} {rest}"


def reinstall(scan: Scan, found: Distribution, *, version: str = "") -> tuple[str, ...]:
    """How a distribution is put in place again, in a version (empty: the one that it has).

    What a product brings is reinstalled with the product.
    """
    site = scan.site(found.site)
    if site is None:
        return ()
    if site.kind in BUNDLED:
        return (product(scan, site.path),)
    wanted = version or found.recorded or found.version
    if found.editable:
        return (pip(site, f"install --no-deps --editable {shlex.quote(found.editable)}"),)
    if found.installer == "conda":
        above, what = shlex.quote(prefix(site.path)), shlex.quote(f"{found.name}={wanted}")
        return (f"conda install --prefix {above} --force-reinstall {what}",)
    if found.installer == "debian" or site.kind == "debian":
        return (f"apt-get install --reinstall {shlex.quote(f'python3-{found.name}')}",)
    what = shlex.quote(f"{found.name}=={wanted}" if wanted else found.name)
    return (pip(site, f"install --force-reinstall --no-deps {what}"),)


def install(site: Site, found: Distribution, *, version: str = "") -> Install:
    """Putting a distribution in place again, in a version (empty: the one that it has)."""
    wanted = version or found.recorded or found.version
    return install_of(site, found.name, version=wanted, found=found.version)


def install_of(site: Site, name: str, *, version: str, found: str = "") -> Install:
    """Putting a distribution of a version into a site, where ``found`` is (empty: none is)."""
    above = prefix(site.path)
    own = f"{above.rstrip('/')}/bin/python" if above and site.kind == "site" else ""
    return Install(site=site.path, distribution=name, version=version, found=found, python=own)


def product(scan: Scan, path: str) -> str:
    """How the product that a path belongs to is put in place again."""
    owner = owner_of(scan, path)
    if scan.system.whole:
        return "pull the image again, or build it anew: what a product brings is not repaired"
    if owner is None:
        return "install the product that brings it again"
    if owner.kind == "isaac-sim" and owner.way == "pip" and owner.release:
        what = shlex.quote(f"isaacsim[all,extscache]=={owner.release}.*")
        return f"pip install --force-reinstall {what} --extra-index-url https://pypi.nvidia.com"
    return f"unpack {titled(owner)} again in {owner.path}"


def owner_of(scan: Scan, path: str) -> Product | None:
    """The product in whose folder a path lies, the innermost one."""
    holding = [one for one in scan.products if f"{path}/".startswith(f"{one.path}/")]
    return max(holding, key=lambda one: len(one.path), default=None)


_TITLES = {"isaac-sim": "Isaac Sim", "isaac-lab": "Isaac Lab", "gr00t": "GR00T"}


def titled(owner: Product) -> str:
    """What people call a product: ``Isaac Sim 5.1.0``."""
    return f"{_TITLES[owner.kind]} {owner.release}".rstrip()
