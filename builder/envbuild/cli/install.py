"""``envbuild install``: a conda environment on this machine, from the lock."""

from __future__ import annotations

import os
import platform
import time
from typing import TYPE_CHECKING

import click

from envbuild.cli import common, locking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envbuild.cli.main import Session
    from envbuild.profile.resolved import ResolvedProfile


@click.command("install")
@click.argument("profile", shell_complete=common.complete_profiles)
@click.argument("prefix", type=click.Path())
@click.option("--variant", metavar="NAME", help="This one; else the first for this machine.")
@click.option("--offline", is_flag=True, help="Use what is cached alone.")
@click.option("--json", "as_json", is_flag=True, help="What was made, as JSON on stdout.")
@click.pass_obj
def command(session: Session, /, profile: str, prefix: str, **chosen: object) -> int:
    """Make the conda environment of PROFILE at PREFIX, from its lock.

    Every package is checked by its hashes, and the environment by its own interpreter, before it
    takes its place. Activate it as any conda environment: conda activate PREFIX.
    """
    found = session.workspace.profiles()
    resolved = common.chosen(found, (profile,))[profile]
    locking.refuse_stale(session.workspace, found, resolved)
    place = os.path.abspath(os.path.expanduser(os.path.join(session.here, prefix)))
    started = time.monotonic()
    made = _install(session, resolved, place, chosen)
    seconds = time.monotonic() - started
    if chosen["as_json"]:
        session.console.json({**made, "seconds": round(seconds, 3)})
    session.console.say(f"{place}: {profile}, {made['variant']} ({seconds:.1f} s)", style="good")
    return 0


def _install(
    session: Session, profile: ResolvedProfile, prefix: str, chosen: Mapping[str, object]
) -> dict[str, object]:
    from envbuild.cli.condatool import read_lock, user_settings
    from envbuild.cli.uvtool import checked_tool
    from envbuild.install import doing, host
    from envbuild.install.recipe import recipe, wanted
    from envbuild.lock import folder
    from envbuild.lock.conda import channels
    from envbuild.tools import proc

    path, label = locking.workspace_path(session.workspace, profile.name)
    kept = folder.read(path, label)
    assert kept.header is not None  # a fresh lock has one
    named = str(chosen["variant"]) if chosen["variant"] else None
    candidates = (common.variant(profile, named),) if named else profile.variants
    variant = host.for_machine(candidates, platform.machine())
    made = recipe(variant, kept.header, kept)
    doing.refuse_taken(prefix)
    locked = kept.header.variants[variant.name]
    assert locked.conda is not None  # it has a recipe
    assert locked.input.conda is not None
    older = host.older_glibc(locked.input.conda.targets[0], _glibc())
    if older:
        session.console.fail(older, kind="warning")
    settings = user_settings()
    offline = bool(chosen["offline"])
    access = settings.access(channels.cache_folder(os.environ), offline=offline, refresh=False)
    uv = checked_tool(offline=offline)
    packages = wanted(read_lock(kept.texts[locked.conda.lock.path]), locked, settings)
    doing.install(
        made,
        packages,
        prefix,
        doing.Tools(
            access=access,
            uv=uv,
            runner=proc.run,
            say=session.console.say,
            live=session.console.live,
        ),
    )
    for line in made.left_out:
        session.console.say(f"not in the environment, only in an image: {line}")
    return {
        "profile": profile.name,
        "variant": variant.name,
        "prefix": prefix,
        "conda-packages": len(packages),
        "packages": len(made.expected),
        "left-out": list(made.left_out),
    }


def _glibc() -> str:
    """The version of this machine's C library; empty where it has another."""
    try:
        said = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return ""
    return said.removeprefix("glibc ")
