"""The licences of a variant's components, read with the user's own index and cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envbuild.lock.conda import channels
from envbuild.tools import proc, store

if TYPE_CHECKING:
    from envbuild.attest.bill import Subject
    from envbuild.attest.licences import Licence
    from envbuild.attest.model import Bill
    from envbuild.cli.main import Session


def read(session: Session, subject: Subject, bill: Bill, *, offline: bool) -> tuple[Licence, ...]:
    """The licence of every component, in the order of the bill."""
    from envbuild.attest import licences
    from envbuild.build.supply import Means, supply
    from envbuild.cli.uvtool import Tool
    from envbuild.lock import pylock, requirements
    from envbuild.tools.net import Http

    environ = dict(os.environ)
    means = Means(
        environ=environ,
        runner=proc.run,
        uv=Tool(offline=offline, refresh=False),
        cache=store.cache_folder(environ),
        offline=offline,
        live=session.console.live,
    )
    locked = subject.locked
    named = (locked.wheels, *((locked.sources,) if locked.sources else ()))
    texts = (subject.folder.texts[file.path].decode() for file in named)
    pins = tuple(pin for text in texts for pin in requirements.parse(text))
    files = licences.Files(
        supply=supply(means), http=Http(environ), conda=channels.cache_folder(environ)
    )
    question = pylock.locked(subject.variant, locked, pins)
    return licences.read(bill, files, question=question, pins=pins)


def licensed(session: Session, subject: Subject, bill: Bill, *, offline: bool) -> Bill:
    """The bill with its licences; how many are not known is said."""
    from envbuild.attest import licences

    found = read(session, subject, bill, offline=offline)
    unknown = sum(not one.text for one in found)
    session.console.say(f"licences: {len(found) - unknown} known, {unknown} not known")
    return licences.licensed(bill, found)
