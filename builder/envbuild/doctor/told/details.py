"""The details behind the findings: every site, search order and copy, as lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from envbuild.doctor.case import Case
from envbuild.scan.model import Distribution, Order, Scan, Winner
from envbuild.scan.winners import winners


class Copies(Struct, frozen=True, kw_only=True):
    """A package that is there more than once."""

    name: str
    copies: tuple[Distribution, ...]


def copies(scan: Scan) -> tuple[Copies, ...]:
    """NumPy, and every other package of which there is more than one copy."""
    found: dict[str, list[Distribution]] = {}
    for one in scan.distributions:
        found.setdefault(one.name, []).append(one)
    return tuple(
        Copies(name=name, copies=tuple(some))
        for name, some in sorted(found.items(), key=lambda item: (item[0] != "numpy", item[0]))
        if len(some) > 1 or name == "numpy"
    )


def lines(case: Case) -> Iterator[str]:
    """What was looked at, one thing a line; nothing in it is made harmless yet."""
    scan = case.scan
    if case.driver:
        yield from _part("driver", [f"{case.driver.version}{_gpus(case)}"])
    yield from _part(
        "sites", (f"{one.kind:<7} {one.python or '-':<5} {one.path}" for one in scan.sites)
    )
    several = copies(scan)
    for one in several:
        rows = (f"{copy.version or '?':<12} {copy.package or copy.site}" for copy in one.copies)
        yield from _part(f"copies of {one.name}", rows)
    won = [(one.name, each) for one in several for each in winners(scan, one.name)]
    for order in scan.orders:
        yield from _order(order, [(name, each) for name, each in won if each.order == order])
    yield from _part("not read: outside of what was examined", scan.outside)
    yield from _part("not read", (f"{one.path}: {one.why}" for one in scan.troubles))


def _gpus(case: Case) -> str:
    gpus = case.driver.gpus if case.driver else ()
    shown = ", ".join(f"{one.name} {one.architecture}".strip() for one in gpus)
    return f" ({shown})" if shown else ""


def _order(order: Order, won: Iterable[tuple[str, Winner]]) -> Iterator[str]:
    how = "" if order.read else " (the known order of the release: it could not be read)"
    yield ""
    yield f"{order.launcher} ({order.path}), Python {order.python or '?'}{how}"
    for name, one in won:
        before, after = _version(one.before), _version(one.after)
        same = one.before == one.after
        yield f"  {name}: {before}" if same else f"  {name}: {before} before, {after} after"
    yield from _numbered("before Kit starts" if order.before != order.after else "", order.before)
    if order.before != order.after:
        yield from _numbered("after", order.after)


def _version(found: Distribution | None) -> str:
    return (found.version or "?") if found else "none"


def _numbered(title: str, paths: tuple[str, ...]) -> Iterator[str]:
    if title:
        yield f"  {title}:"
    yield from (f"  {number:>3} {path}" for number, path in enumerate(paths, 1))


def _part(title: str, rows: Iterable[str]) -> Iterator[str]:
    shown = tuple(rows)
    if shown:
        yield ""
        yield f"{title}:"
        yield from (f"  {row}" for row in shown)
