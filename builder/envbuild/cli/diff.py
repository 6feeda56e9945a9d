"""``envbuild diff``: what moved between two locks or two images, risk first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envbuild.cli import common, sides
from envbuild.errors import InputError
from envbuild.lock import diff, image_diff
from envbuild.report import diff as report

if TYPE_CHECKING:
    from envbuild.cli.main import Session


@click.command("diff")
@click.argument(
    "named",
    nargs=-1,
    required=True,
    metavar="OLD NEW",
    shell_complete=common.complete_profiles,
)
@click.option("--git", "revision", metavar="REV", help="A profile's lock at REV against it now.")
@click.option("--markdown", "form", flag_value="markdown", help="A table for a pull request.")
@click.option("--json", "form", flag_value="json", help="As JSON on stdout.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when something moved.")
@click.pass_obj
def command(
    session: Session,
    /,
    named: tuple[str, ...],
    revision: str | None,
    *,
    form: str | None,
    exit_code: bool,
) -> int:
    """Say what moved between OLD and NEW, the riskiest first.

    A side is a PROFILE (its lock as it stands), REVISION:PROFILE, a lock folder, an image that
    podman or docker has, oci:DIR or tar:FILE. With --git REV a profile alone is enough.
    """
    before, after = _sides(sides.Reader(session.workspace), named, revision)
    found = _compared(before, after)
    if form == "json":
        session.console.json(found)
    else:
        text = report.as_markdown(found) if form == "markdown" else report.text(found)
        session.console.data(text)
    return 1 if exit_code and found.moves else 0


def _sides(
    reader: sides.Reader, named: tuple[str, ...], revision: str | None
) -> tuple[sides.Side, sides.Side]:
    match named, revision:
        case (profile,), str():
            return reader.at_revision(revision, profile), reader.read(profile)
        case (old, new), None:
            return reader.read(old), reader.read(new)
        case (one,), None:
            hint = f"envbuild diff --git HEAD {one}, or name two sides"
            raise InputError("there is nothing to hold it against", hint=hint)
        case _, str():
            hint = f"envbuild diff {revision}:{named[0]} {named[1]}"
            raise InputError("--git takes one profile", hint=hint)
    raise InputError(f"two sides are compared, not {len(named)}", hint="envbuild diff OLD NEW")


def _compared(old: sides.Side, new: sides.Side) -> report.Diff:
    if isinstance(old, diff.LockSide) and isinstance(new, diff.LockSide):
        moves = diff.moved(old, new)
        variants = tuple(diff.labels(old, new))
    elif isinstance(old, sides.ImageSide) and isinstance(new, sides.ImageSide):
        moves = image_diff.between_images(old.images, new.images)
        variants = tuple(name for name in new.variants())
    elif isinstance(old, diff.LockSide) and isinstance(new, sides.ImageSide):
        moves = image_diff.between_lock_and_image(old, new.images, image_is_new=True)
        variants = _compared_variants(old, new)
    else:
        assert isinstance(old, sides.ImageSide)
        assert isinstance(new, diff.LockSide)
        moves = image_diff.between_lock_and_image(new, old.images, image_is_new=False)
        variants = _compared_variants(new, old)
    return report.Diff(old=old.label, new=new.label, variants=variants, moves=moves)


def _compared_variants(lock: diff.LockSide, image: sides.ImageSide) -> tuple[str, ...]:
    found = image_diff.variants(lock, image.images)
    if not found:
        raise InputError(
            f"{lock.label} has no variant for {', '.join(image.variants())}",
            hint=f"it has: {', '.join(lock.lock.variants)}",
        )
    return found
