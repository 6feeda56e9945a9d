"""The bill of materials of a profile's variant, from its fresh lock: what several commands begin
with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

import envbuild
from envbuild.cli import common, locking, verifying
from envbuild.cli.verifying import Desk
from envbuild.engines import finding
from envbuild.errors import EnvbuildError, InputError
from envbuild.lock import folder
from envbuild.profile.resolve import resolve
from envbuild.tools import proc, store

if TYPE_CHECKING:
    from envbuild.attest.bill import Subject
    from envbuild.attest.model import Bill
    from envbuild.cli.main import Session
    from envbuild.tools.images import Image


def subject(session: Session, profile: str, variant: str | None) -> Subject:
    """A variant of a profile with its lock.

    Raises:
        InputError: there is no such profile or variant, or its lock is not fresh.
    """
    from envbuild.attest.bill import Subject

    found = session.workspace.profiles()
    resolved = resolve(profile, found.sources)
    one = common.variant(resolved, variant)
    locking.refuse_stale(session.workspace, found, resolved)
    kept = folder.read(*locking.workspace_path(session.workspace, profile))
    made = Subject(variant=one, folder=kept, maker=envbuild.__version__)
    conda = made.locked.conda
    if conda is None:
        return made
    from envbuild.render.inputs import file_text
    from envbuild.tools import condalock

    file_text(conda.lock, kept.texts)  # that it is the lock's own
    records = condalock.records(kept.texts[conda.lock.path], label=f"{kept.label}/conda-lock.yml")
    asked = made.locked.input.conda
    assert asked is not None  # there are packages of it
    own = records.get(asked.targets[0].platform, ())
    return msgspec.structs.replace(made, records=own)


def desk(session: Session, image: str, engine: str) -> Desk:
    """What an image is looked at with.

    Raises:
        ToolError: no engine works here, and the image is no saved one.
    """
    found = None
    if not verifying.saved(image):
        cache = f"{store.cache_folder(os.environ)}/engines"
        session.console.live("trying out the engine ...")
        found = finding.find(engine, os.environ, proc.run, cache=cache)
    return Desk(engine=found, environ=os.environ, root=session.root, read=True)


def contents(session: Session, image: str, *, bill: Bill, engine: str) -> Image:
    """What is in the image that a variant's bill is about.

    Raises:
        InputError: there is no such image, or it is one of another profile, variant or platform.
        ToolError: the engine failed.
    """
    at = desk(session, image, engine)
    said = verifying.facts(image, at)
    if said is None:
        where = at.engine.name if at.engine else "this machine"
        raise InputError(f"{where} has no image {image!r}", hint="build, load or pull it first")
    labels = dict(said.labels)
    for label, wanted in (("profile", bill.profile), ("variant", bill.variant)):
        named = labels.get(f"io.envbuild.{label}", wanted)
        if named != wanted:
            raise InputError(f"{image} is an image of the {label} {named}, not of {wanted}")
    with verifying.read(image, at) as found:
        for one in found:
            if one.platform == bill.platform:
                return one
    raise InputError(f"{image} is for {said.platform}, and {bill.name} for {bill.platform}")


def held(session: Session, bill: Bill, *, image: str, engine: str) -> Bill:
    """The bill of an image: with what it has beside the lock.

    Raises:
        EnvbuildError: it lacks something that the lock has.
        InputError: there is no such image, or it is another's.
    """
    from envbuild.attest import contents as against

    found = contents(session, image, bill=bill, engine=engine)
    made = against.held(bill, found.packages, image=found.digest)
    if made.lacking:
        listed = "".join(f"\n  {one}" for one in made.lacking)
        raise EnvbuildError(
            f"{image} lacks what the lock of {bill.name} has{listed}",
            hint=f"envbuild verify {image}",
        )
    beside = sum(one.origin == "image" for one in made.bill.components)
    session.console.say(f"{image}: {beside} packages beside the lock, as a base brings them")
    return made.bill
