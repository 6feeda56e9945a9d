"""``envbuild check --reachable``: which artifacts of the locks would be gone today."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envbuild.build import fetching, supply
from envbuild.build.reaching import asking, world
from envbuild.build.repositories import Repositories
from envbuild.cli import locking
from envbuild.cli.condatool import user_settings
from envbuild.cli.pintool import PinTool
from envbuild.cli.uvtool import Tool
from envbuild.lock import folder as lock_folder
from envbuild.render import inputs
from envbuild.report.plain import printable
from envbuild.speech import counted
from envbuild.tools import files, proc, references, store
from envbuild.tools.logins import Logins
from envbuild.tools.net import Http
from envbuild.tools.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envbuild.build.reaching.model import Asked, Finding
    from envbuild.build.vendor.model import Artifact
    from envbuild.cli.console import Style
    from envbuild.cli.main import Session
    from envbuild.profile.resolved import ResolvedProfile
    from envbuild.workspace import Profiles

_STYLES: dict[str, Style] = {"gone": "error", "moved": "error", "unknown": "warning"}


def run(
    session: Session,
    found: Profiles,
    resolved: Mapping[str, ResolvedProfile],
    chosen: Mapping[str, object],
) -> int:
    """Ask for every artifact of the locks of some profiles, and say what became of it.

    Raises:
        InputError: a lock is stale, or the vendored folder is none.
    """
    mirrors = tuple(str(one) for one in _listed(chosen["mirror"]))
    place = _place(session, str(chosen["vendor"] or ""))
    vendored = asking.kept(_artifacts(place)) if place else _nothing
    outside = _world(references.mirrors(mirrors, os.environ), session)
    asked = list(_questions(session, found, resolved, outside=outside))
    live = session.console.live
    answers = asking.findings(
        asked, vendored, progress=lambda done, of: live(f"asked for {done} of {of} ...")
    )
    if chosen["as_json"]:
        session.console.json(
            {"profiles": sorted(resolved), "counts": asking.counts(answers), "artifacts": answers}
        )
    else:
        for one in answers:
            _print(session, one)
        _print_unknown(session, answers)
    _sum_up(session, answers, vendored_in=place)
    return asking.exit_status(answers, strict=bool(chosen["strict"]))


def _questions(
    session: Session,
    found: Profiles,
    resolved: Mapping[str, ResolvedProfile],
    *,
    outside: world.World,
) -> Iterator[tuple[str, Asked]]:
    for name, profile in resolved.items():
        locking.refuse_stale(session.workspace, found, profile)
        kept = lock_folder.read(*locking.workspace_path(session.workspace, name))
        assert kept.header is not None  # a fresh lock has one
        for variant in profile.variants:
            every = inputs.inputs(variant, kept.header, kept.texts)
            subject = fetching.Subject(variant=variant, folder=kept, inputs=every)
            images = inputs.images(variant, kept.header)
            for one in world.questions(subject, images, outside):
                yield f"{name}/{variant.name}", one


def _world(mirrors: tuple[references.Mirror, ...], session: Session) -> world.World:
    environ = dict(os.environ)
    http, cache = Http(environ), store.cache_folder(environ)
    means = supply.Means(
        environ=environ,
        runner=proc.run,
        uv=Tool(offline=False, refresh=True),
        cache=cache,
        offline=False,
        live=session.console.live,
    )
    return world.World(
        environ=environ,
        http=http,
        registry=Registry(http, Logins(environ, _read, proc.run), mirrors),
        doors=PinTool(mirrors)(),
        supply=supply.supply(means),
        conda=user_settings,
        repositories=Repositories(f"{cache}/git", environ, proc.run, offline=False),
    )


def _place(session: Session, text: str) -> str:
    return os.path.abspath(os.path.join(session.here, os.path.expanduser(text))) if text else ""


def _artifacts(place: str) -> Iterator[Artifact]:
    """What a vendored folder has, as far as names and sizes tell; vendor --check reads it all."""
    from envbuild.build.vendor import manifest

    for one in manifest.read(place).artifacts:
        try:
            if os.path.getsize(f"{place}/{one.file}") == one.size:
                yield one
        except OSError:
            continue


def _nothing(_: Asked) -> bool:
    return False


def _print(session: Session, one: Finding) -> None:
    where = ", ".join(one.targets)
    what = f"{one.kind} {one.name} {one.version}".rstrip()
    if one.state in ("gone", "moved"):
        label = session.console.styled(one.state, _STYLES[one.state])
        safe = " (vendored)" if one.vendored else ""
        session.console.data(f"{label}: {printable(what)}{safe}: {printable(one.detail)} [{where}]")
    elif one.warning:
        label = session.console.styled("warning", "warning")
        session.console.data(f"{label}: {printable(what)}: {printable(one.warning)} [{where}]")


def _print_unknown(session: Session, found: tuple[Finding, ...]) -> None:
    """One line for each reason: a host that does not answer has many artifacts."""
    reasons: dict[str, list[str]] = {}
    for one in found:
        if one.state == "unknown":
            reasons.setdefault(one.detail, []).append(
                f"{one.kind} {one.name} {one.version}".rstrip()
            )
    label = session.console.styled("unknown", _STYLES["unknown"])
    for detail, names in reasons.items():
        session.console.data(f"{label}: {printable(', '.join(names))}: {printable(detail)}")


def _sum_up(session: Session, found: tuple[Finding, ...], *, vendored_in: str) -> None:
    order = ("here", "gone", "moved", "unknown")
    for kind, row in asking.counts(found).items():
        parts = ", ".join(f"{row[state]} {state}" for state in order if row.get(state))
        session.console.say(f"  {kind}: {parts}")
    yanked = sum(bool(one.warning) for one in found)
    said = [f"{sum(one.state == state for one in found)} {state}" for state in order]
    said += [counted(yanked, "warning")] if yanked else []
    if vendored_in:
        safe = sum(one.vendored for one in found)
        said.append(f"{safe} safe in {vendored_in}")
    session.console.say(f"{counted(len(found), 'artifact')}: {', '.join(said)}")
    if any(one.state == "unknown" for one in found):
        session.console.hint("run it again when the network is there")


def _listed(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()


def _read(path: str) -> str | None:
    return files.read_text(path) if os.path.isfile(path) else None
