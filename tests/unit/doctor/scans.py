"""Surveys made by hand: an environment with an Isaac Sim, and what is installed in it."""

from __future__ import annotations

from envbuild.doctor.case import Case
from envbuild.scan.binary import Binary, NumpyBuild
from envbuild.scan.model import Distribution, Module, Order, Product, Scan, Site, System

ENV = "/opt/lab"
SITE = f"{ENV}/lib/python3.11/site-packages"
SIM = f"{SITE}/isaacsim"
ARCHIVE = f"{SIM}/kit/data/Kit/Isaac-Sim/5.1/exts/3/omni.kit.pip_archive-0.0.0/pip_prebundle"

OLD = NumpyBuild(generation=1, how="c-api")
OLD_CYTHON = NumpyBuild(generation=1, how="cython", sure="heuristic")
OLD_PYBIND = NumpyBuild(generation=1, how="pybind11")
NEW = NumpyBuild(generation=2, how="c-api", since="1.23")

SIM_5_1 = Product(kind="isaac-sim", release="5.1.0", path=SIM, way="pip")


def copy(
    name: str,
    version: str,
    *requires: str,
    site: str = SITE,
    installer: str = "pip",
) -> Distribution:
    """A distribution as pip leaves it."""
    module = name.replace("-", "_")
    return Distribution(
        name=name,
        version=version,
        site=site,
        metadata=f"{site}/{module}-{version}.dist-info",
        package=f"{site}/{module}",
        requires=requires,
        installer=installer,
    )


def module(name: str, build: NumpyBuild | None, *, site: str = SITE, file: str = "_core") -> Module:
    """A compiled module of a distribution; of nobody's where the name is empty."""
    tag = "cpython-311"
    return Module(
        path=f"{site}/{name.replace('-', '_') or 'own'}/{file}.{tag}-x86_64-linux-gnu.so",
        site=site,
        distribution=name,
        tag=tag,
        binary=Binary(machine="x86_64", python=True, numpy=build),
    )


def case(
    *distributions: Distribution,
    modules: tuple[Module, ...] = (),
    products: tuple[Product, ...] = (SIM_5_1,),
    kind: str = "site",
) -> Case:
    """An environment at ``/opt/lab`` whose Kit has fetched its archive of packages."""
    with_kit = bool(products)
    order = Order(
        launcher="python",
        path=f"{ENV}/bin/python3.11",
        python="3.11",
        before=(SITE,),
        after=(ARCHIVE, SITE) if with_kit else (SITE,),
    )
    sites = [Site(path=SITE, real=SITE, kind=kind, python="3.11")]  # type: ignore[arg-type]
    if with_kit:
        sites.append(Site(path=ARCHIVE, real=ARCHIVE, kind="runtime"))
    return Case(
        scan=Scan(
            label="lab",
            roots=(ENV,),
            products=products,
            sites=tuple(sites),
            distributions=distributions,
            orders=(order,),
            modules=modules,
            system=System(machine="x86_64"),
        )
    )
