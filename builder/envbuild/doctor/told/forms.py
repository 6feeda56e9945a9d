"""What doctor found in the forms of other programs: JSON data, SARIF, Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from envbuild.doctor.model import Driver, Finding
from envbuild.doctor.told import details, telling
from envbuild.doctor.told.modules import Judged, judged, runtimes
from envbuild.doctor.told.telling import Answer
from envbuild.report import sarif
from envbuild.report.plain import code, markdown, printable
from envbuild.scan.model import (
    CondaPackage,
    Distribution,
    Module,
    Order,
    Product,
    Scan,
    Site,
    System,
    Winner,
)
from envbuild.scan.tree import Trouble
from envbuild.scan.winners import winners

SCHEMA = 1
"""The version of the JSON form: it moves when a field gets another meaning or goes; new fields
come without."""


class Taken(Struct, frozen=True, kw_only=True):
    """A copy: its version and where it is."""

    version: str
    path: str


class Won(Struct, frozen=True, kw_only=True, rename="kebab"):
    """Which copy of a package one launcher takes: ``version`` and ``package``, its folder."""

    package: str
    launcher: str
    launcher_path: str
    before: Taken | None
    after: Taken | None


class Built(Struct, frozen=True, kw_only=True, rename="kebab"):
    """What the compiled modules of one distribution in one site were built for: how many there
    are, how many of them need NumPy 1 (``numpy_1``), how many run on NumPy 2 (``numpy_2``), the
    newest release that one of them asks for (``since``), the GPUs that there is code for, the
    ``cuda`` runtimes that they link to (``12``), the Pythons that their names say (``tags``), and
    the newest ``glibc`` and ``glibcxx`` that they ask for (empty: none)."""

    distribution: str
    site: str
    modules: int
    numpy_1: int = 0
    numpy_2: int = 0
    since: str = ""
    gpus: tuple[str, ...] = ()
    cuda: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    glibc: str = ""
    glibcxx: str = ""


class Examined(Struct, frozen=True, kw_only=True, rename="kebab"):
    """The scan. Modules are counted (:class:`Built`), and listed where that was asked for."""

    label: str
    roots: tuple[str, ...]
    files: int
    bytes: int
    products: tuple[Product, ...]
    system: System
    sites: tuple[Site, ...]
    distributions: tuple[Distribution, ...]
    orders: tuple[Order, ...]
    winners: tuple[Won, ...]
    built: tuple[Built, ...]
    conda: tuple[CondaPackage, ...]
    outside: tuple[str, ...]
    troubles: tuple[Trouble, ...]
    modules: tuple[Judged, ...] = ()


class Data(Struct, frozen=True, kw_only=True, rename="kebab"):
    """The whole answer. ``envbuild`` is the version that gave it."""

    schema: int
    envbuild: str
    examined: Examined
    driver: Driver | None
    lock: str
    errors: int
    warnings: int
    notes: int
    findings: tuple[Finding, ...]


def data(told: Answer, *, version: str, modules: bool = False) -> Data:
    """The answer for ``--json``, by envbuild ``version``; equal trees give equal data. ``modules``:
    with each compiled module."""
    return Data(
        schema=SCHEMA,
        envbuild=version,
        examined=_examined(told.case.scan, modules=modules),
        driver=told.case.driver,
        lock=told.lock,
        errors=told.count("error"),
        warnings=told.count("warning"),
        notes=told.count("note"),
        findings=told.findings,
    )


def _examined(scan: Scan, *, modules: bool) -> Examined:
    several = details.copies(scan)
    return Examined(
        label=scan.label,
        roots=scan.roots,
        files=scan.files,
        bytes=scan.bytes,
        products=scan.products,
        system=scan.system,
        sites=scan.sites,
        distributions=scan.distributions,
        orders=scan.orders,
        winners=tuple(_won(each, one.name) for one in several for each in winners(scan, one.name)),
        built=tuple(_built(scan.modules)),
        conda=scan.conda,
        outside=scan.outside,
        troubles=scan.troubles,
        modules=tuple(judged(scan)) if modules else (),
    )


def _won(won: Winner, package: str) -> Won:
    return Won(
        package=package,
        launcher=won.order.launcher,
        launcher_path=won.order.path,
        before=_taken(won.before),
        after=_taken(won.after),
    )


def _taken(found: Distribution | None) -> Taken | None:
    if found is None:
        return None
    return Taken(version=found.version, path=found.package or found.site)


def _built(modules: Iterable[Module]) -> Iterator[Built]:
    groups: dict[tuple[str, str], list[Module]] = {}
    for one in modules:
        groups.setdefault((one.distribution, one.site), []).append(one)
    for (name, site), some in sorted(groups.items()):
        builds = [one.binary.numpy for one in some if one.binary.numpy]
        newest = max((one.since for one in builds), key=telling.numbers, default="")
        yield Built(
            distribution=name,
            site=site,
            modules=len(some),
            numpy_1=sum(one.generation == 1 for one in builds),
            numpy_2=sum(one.generation == 2 for one in builds),
            since=newest,
            gpus=tuple(sorted({gpu for one in some for gpu in one.binary.gpus})),
            cuda=tuple(sorted({one for module in some for one in runtimes(module)})),
            tags=tuple(sorted({one.tag for one in some if one.tag})),
            glibc=_newest(some, "GLIBC"),
            glibcxx=_newest(some, "GLIBCXX"),
        )


def _newest(modules: Iterable[Module], family: str) -> str:
    """The newest version of a family of symbols that modules ask for; empty where none does."""
    wanted = (dict(one.binary.demands).get(family, "") for one in modules)
    return max(wanted, key=telling.numbers, default="")


# --- SARIF ---------------------------------------------------------------------------------------


def as_sarif(told: Answer, *, version: str) -> sarif.Log:
    """The findings as a log of envbuild ``version``; places are files without a line."""
    roots = told.case.scan.roots
    return sarif.written((_told(one, roots) for one in told.findings), version=version)


def _told(found: Finding, roots: tuple[str, ...]) -> sarif.Told:
    said = (found.what, found.why, *(f"Expect: {text}" for text in found.expect))
    ways = " Or: ".join(found.repair)
    told = [printable(text) for text in (*said, f"Fix: {ways}" if ways else "") if text]
    source = f"Source: {found.source}" if found.source else ""
    return sarif.Told(
        rule=found.id,
        level=found.severity,
        title=found.id.replace("-", " "),
        why=printable(found.why),
        help=printable(" ".join(filter(None, (ways, source))) or found.why),
        message=". ".join(text.rstrip(".") for text in told),
        identity="\n".join((found.id, _below(roots, found.where), found.what)),
        places=found.where,
    )


def _below(roots: tuple[str, ...], where: tuple[str, ...]) -> str:
    """The decisive place within what was examined: that may lie elsewhere on another machine."""
    path = next(iter(where), "")
    holding = (root.rstrip("/") for root in roots if path.startswith(f"{root.rstrip('/')}/"))
    return path.removeprefix(next(holding, ""))


# --- Markdown ------------------------------------------------------------------------------------


def as_markdown(told: Answer, *, version: str) -> str:
    """The answer for an issue: every value is shown as it is and marks nothing up."""
    parts = [
        f"### {code('envbuild doctor')}: {markdown(telling.last(told))}",
        markdown(telling.sentence(told.case.scan)),
    ]
    for number, found in enumerate(told.findings, 1):
        title = f"#### {number}. {found.severity}: {markdown(found.what)} ({code(found.id)})"
        parts += [title, "\n".join(_rows(found))]
    parts.append(f"envbuild {markdown(version)}")
    return "\n\n".join(parts)


def _rows(found: Finding) -> Iterator[str]:
    yield from _row("where", map(code, found.where))
    yield from _row("why", [markdown(found.why)] if found.why else [])
    yield from _row("expect", map(code, found.expect))
    yield from _row("hits", [", ".join(map(code, found.hits))] if found.hits else [])
    yield from _row("how sure", [found.sure])
    yield from _row("fix", map(_way, found.repair))
    yield from _row("source", [markdown(found.source)] if found.source else [])


def _way(text: str) -> str:
    return code(text) if telling.is_command(printable(text)) else markdown(text)


def _row(label: str, values: Iterable[str]) -> Iterator[str]:
    shown = [value for value in values if value]
    if len(shown) == 1:
        yield f"- **{label}**: {shown[0]}"
    elif shown:
        yield f"- **{label}**:"
        yield from (f"  - {value}" for value in shown)
