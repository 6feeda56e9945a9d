"""``envbuild show``: a profile with everything applied, and where each value came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from envbuild.cli import common, profile_text
from envbuild.profile.resolve import resolve

if TYPE_CHECKING:
    from envbuild.cli.main import Session
    from envbuild.profile.resolved import ResolvedProfile, Variant


@click.command("show")
@click.argument("profile", shell_complete=common.complete_profiles)
@click.option("--variant", metavar="NAME", help="This variant, not the first one.")
@click.option("--origin", is_flag=True, help="Say for each value which file and line it is from.")
@click.option("--json", "as_json", is_flag=True, help="Every variant as JSON on stdout.")
@click.pass_obj
def command(
    session: Session, /, *, profile: str, variant: str | None, origin: bool, as_json: bool
) -> int:
    """Print a profile with everything applied: parents, variant, defaults."""
    resolved = resolve(profile, session.workspace.profiles().sources)
    chosen = common.variant(resolved, variant)
    if as_json:
        variants = resolved.variants if variant is None else (chosen,)
        session.console.json(
            {
                "profile": resolved.name,
                "files": resolved.files,
                "variants": {one.name: _as_data(one, origin=origin) for one in variants},
            }
        )
        return 0
    _print(session, resolved, chosen, origin=origin)
    return 0


def _as_data(variant: Variant, *, origin: bool) -> dict[str, object]:
    data: dict[str, object] = {"environment": msgspec.to_builtins(variant.environment)}
    if origin:
        found = profile_text.origins(variant)
        data["origins"] = {profile_text.dotted(path): place for path, place in found.items()}
    return data


def _print(session: Session, profile: ResolvedProfile, chosen: Variant, *, origin: bool) -> None:
    others = [variant.name for variant in profile.variants if variant is not chosen]
    also = f" (also: {', '.join(others)})" if others else ""
    session.console.data(f"# {profile.name}, variant {chosen.name}{also}")
    session.console.data(f"# from {', then '.join(profile.files)}")
    places = profile_text.origins(chosen) if origin else {}
    lines = profile_text.yaml_lines(chosen)
    width = min(60, max(len(text) for text, path in lines if path in places)) if origin else 0
    for text, path in lines:
        place = places.get(path) if path is not None else None
        comment = session.console.styled(f"  # {place}", "dim") if place else ""
        session.console.data(f"{text:<{width if place else 0}}{comment}")
