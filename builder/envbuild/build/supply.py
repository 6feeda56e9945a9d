"""What the files of a build are had with: the store, the network, uv, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec
from msgspec import Struct

from envbuild.build import indexes
from envbuild.lock.uv import Uv
from envbuild.speech import counted
from envbuild.tools import downloads
from envbuild.tools.answers import Answers
from envbuild.tools.credentials import Credentials
from envbuild.tools.downloads import Access, Got, Wanted
from envbuild.tools.proc import Runner
from envbuild.tools.store import Store


class Means(Struct, frozen=True, kw_only=True):
    """What files are had with: the user's environment, who runs processes, uv where it is needed,
    the folder that keeps what was fetched (``offline``: it has to suffice), and who is told.
    ``beside`` is another store that is looked into first (empty: none)."""

    environ: Mapping[str, str]
    runner: Runner
    uv: Callable[[], Uv]
    cache: str
    offline: bool
    live: Callable[[str], None]
    beside: str = ""


class Supply(Struct, frozen=True, kw_only=True):
    """Where files come from. ``uv`` is called when an index has to be asked, not before."""

    store: Store
    answers: Answers
    access: Access
    uv: Callable[[], Uv]
    runner: Runner
    live: Callable[[str], None]

    def present(self, wanted: Iterable[Wanted]) -> tuple[Got | None, ...]:
        """What of it is in the store."""
        listed = tuple(wanted)
        self.live(f"checking {counted(len(listed), 'file')} ...")
        return downloads.present(listed, self.store)

    def fetch(self, wanted: Iterable[Wanted], what: str) -> tuple[Got, ...]:
        """Every file; ``what`` they are is for people (``wheels``).

        Raises:
            ToolError: one cannot be had, or is not what its hash says.
        """

        def progress(count: int, left: int) -> None:
            if count:
                self.live(
                    f"fetching {what}: {count / 1e6:.0f} MB, {counted(left, 'file')} left ..."
                )

        access = msgspec.structs.replace(self.access, progress=progress)
        return downloads.fetch(wanted, self.store, access)


def supply(means: Means) -> Supply:
    """The supply of a user: what the cache holds, and what the user's indexes have."""
    credentials = Credentials(lambda: indexes.addresses(means.uv()), means.environ)
    return Supply(
        store=Store(f"{means.cache}/files", beside=means.beside),
        answers=Answers(f"{means.cache}/answers"),
        access=Access(environ=means.environ, credentials=credentials, offline=means.offline),
        uv=lambda: indexes.with_find_links(means.uv(), means.environ),
        runner=means.runner,
        live=means.live,
    )
