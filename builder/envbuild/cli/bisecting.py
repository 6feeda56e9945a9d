"""Doing ``envbuild bisect``: from two sides to the move that broke it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from envbuild.cli import bisect_sources, bisect_tests, common
from envbuild.cli.bisect_answer import Answer
from envbuild.cli.bisect_images import Images
from envbuild.cli.bisect_locks import Locks, fits, side
from envbuild.cli.bisect_sides import Chosen, Ends
from envbuild.cli.bisect_tests import IMAGE, Test, Testing
from envbuild.errors import InputError
from envbuild.lock.folder import LockFolder, encode, named_files
from envbuild.lock.model import HEADER
from envbuild.nightly.bisecting import differing, keeping, order, telling, trying
from envbuild.nightly.bisecting.keeping import Kept
from envbuild.nightly.bisecting.model import Heard, Moved, Verdict
from envbuild.nightly.bisecting.search import most_tests
from envbuild.nightly.bisecting.stating import PROFILE
from envbuild.nightly.bisecting.telling import Plan, Report
from envbuild.nightly.bisecting.trying import NotBetweenError, Ran, Refused, Result, Trier
from envbuild.profile.resolve import resolve
from envbuild.speech import counted
from envbuild.tools import files, store, turns
from envbuild.tools.turns import PRIVATE

if TYPE_CHECKING:
    from envbuild.cli.bisect import Options
    from envbuild.cli.console import Style
    from envbuild.cli.main import Session
    from envbuild.profile.resolved import ResolvedProfile

_STYLES: dict[Verdict, Style] = {"good": "good", "bad": "error", "untestable": "hint"}

_WAITING = "waiting for another bisect of the profile, process"

_VERSION = "bisect-1"
"""Stands in the key of a search: answers of another way of asking are none."""


def run(session: Session, name: str, options: Options) -> int:
    """Search, and tell what was found; the exit status."""
    words = bisect_tests.command_words(options.test)
    profile = resolve(name, session.workspace.profiles().sources)
    if options.variant or needs_image(options, words):
        variant = common.variant(profile, options.variant or None).name
    else:
        variant = ""
    ends = Ends(session.workspace, name, options.history).chosen(options.good, options.bad)
    if trying.digest_of(ends[0].lock) == trying.digest_of(ends[1].lock):
        raise InputError(
            f"{ends[0].label} and {ends[1].label} are the same lock",
            hint="--good and --bad name two others",
        )
    held = session.workspace.path(PRIVATE, f"bisect-{name}")
    with turns.exclusive(held, waiting=lambda pid: session.console.say(f"{_WAITING} {pid} ...")):
        search = _Search(session, profile, options, ends=ends, variant=variant)
        return search.plan() if options.dry_run else search.run(words)


def needs_image(options: Options, words: tuple[str, ...]) -> bool:
    """Whether each lock is built: for the smoke test, and for a command that asks for it."""
    return not words or options.build or any(IMAGE in word for word in words)


class _Search:
    """One run of the command."""

    def __init__(
        self,
        session: Session,
        profile: ResolvedProfile,
        options: Options,
        *,
        ends: tuple[Chosen, Chosen],
        variant: str,
    ) -> None:
        self._session = session
        self._console = session.console
        self._profile = profile
        self._options = options
        self._ends = ends
        self._variant = variant
        locks = (ends[0].lock, ends[1].lock)
        digests = tuple(map(trying.digest_of, locks))
        build = str(options.build)
        self._about = (
            *(_VERSION, profile.name, *digests, options.test),
            *(variant, str(options.repeat), build, *options.build_options),
        )
        where = (PRIVATE, "bisect", profile.name, keeping.key(self._about))
        self._label = "/".join(where)
        self._root = session.workspace.path(*where)
        self._workspace = f"{self._root}/workspace"
        self._sources = bisect_sources.sources(session.workspace, profile.name, ends, self._root)
        from envbuild.cli.uvtool import Tool

        tool = Tool(offline=options.offline, refresh=False)
        self._sides = side(locks[0], tool), side(locks[1], tool)
        first = "" if self._sources.then else bisect_sources.UNKNOWN
        self.graph = differing.graph(*self._sides, fits, only=variant, profile_first=first)
        self.groups = order.groups(self.graph)
        self._testing: Testing | None = None
        self._shown = 0

    # --- The plan ---------------------------------------------------------------------------

    def plan(self) -> int:
        """Print what would be asked."""
        if self._options.form == "json":
            self._console.json(self._planned)
        else:
            for line in (*telling.heading(self._planned), *telling.plan_lines(self._planned)):
                self._console.data(line)
        return 0

    @property
    def _planned(self) -> Plan:
        ends = 0 if self._options.trust else 2
        return Plan(
            profile=self._profile.name,
            good=self._ends[0].label,
            bad=self._ends[1].label,
            moves=len(self._moving),
            ends=ends,
            most_tests=most_tests(len(self.groups)) + ends,
            groups=tuple(tuple(map(self.graph.node, group.ids)) for group in self.groups),
        )

    @property
    def _moving(self) -> list[str]:
        return [node.id for node in self.graph.nodes if node.presence == "both"]

    # --- The search -------------------------------------------------------------------------

    def run(self, words: tuple[str, ...]) -> int:
        """Search with the words of a command, or by the smoke test, and tell."""
        test = Test(
            profile=self._profile.name,
            root=self._workspace,
            words=words,
            image=needs_image(self._options, words),
            variant=self._variant,
            options=self._options.build_options,
            timeout=self._options.timeout,
        )
        kept = Kept(self._root, self._about)
        if self._options.restart:
            kept.forget()
        else:
            kept.read()
        for line in telling.heading(self._planned):
            self._console.say(line)
        if len(kept):
            self._console.say(f"  {counted(len(kept), 'answer')} of an earlier run are used")
        images = Images(
            self._options.engine,
            f"localhost/envbuild-bisect/{self._profile.name}:{test.variant}",
            os.environ,
            cache=f"{store.cache_folder(os.environ)}/engines",
        )
        self._testing = Testing(
            test,
            images,
            environ=dict(os.environ),
            line=lambda line: self._console.live(line[:100]),
        )
        locks = Locks(
            self._sides, self._ids, self._sources, root=self._workspace, only=self._variant
        )
        if self._options.offline:
            locks.offline()
        trier = Trier(_World(self, locks), kept, self._told, repeat=self._options.repeat)
        try:
            result = trying.bisected(
                self.graph, self.groups, trier, trust=self._trust(test), alone=self._options.alone
            )
        except NotBetweenError as error:
            return self._nothing(error, trier)
        finally:
            left = images.end()
            if left:
                self._console.fail(f"an image of the search is left: {left}", kind="warning")
        return self._tell(result)

    def _trust(self, test: Test) -> tuple[bool, bool]:
        """Which sides are taken at their word: as asked, and a good one without its profile."""
        unknown = test.image and PROFILE in self._ids and self._sources.then is None
        if unknown and not self._options.trust:
            self._console.fail(f"good is not tested: {bisect_sources.UNKNOWN}", kind="warning")
        return self._options.trust or unknown, self._options.trust

    @property
    def _ids(self) -> Moved:
        return frozenset(node.id for node in self.graph.nodes)

    def locked(self, moved: Moved, lock: LockFolder) -> None:
        """Keep the lock of a step."""
        header = lock.header
        assert header is not None  # it was made
        wanted = {path: lock.texts[path] for path in named_files(header) if path in lock.texts}
        files.write_tree(
            f"{self._root}/{self._step(moved)}/lock", {**wanted, HEADER: encode(header)}
        )

    def tested(self, moved: Moved, failing: str) -> Ran:
        """Test the lock that stands in the scratch workspace."""
        assert self._testing is not None  # that is made first
        what = counted(len(self._counted(moved)), "move")
        self._console.live(f"testing with {what} of {len(self._moving)} ...")
        step = f"{self._step(moved)}/test.log"
        ran = self._testing.run(f"{self._root}/{step}", failing)
        return msgspec.structs.replace(ran, log=f"{self._label}/{step}")

    def _step(self, moved: Moved) -> str:
        if not moved:
            return "steps/good"
        return "steps/bad" if moved == self._ids else f"steps/{keeping.key(tuple(sorted(moved)))}"

    def _counted(self, moved: Moved) -> list[str]:
        return [name for name in self._moving if name in moved]

    def _told(self, moved: Moved, heard: Heard, known: bool) -> None:
        self._shown += 1
        what = f"{len(self._counted(moved))} of {len(self._moving)} moves"
        what = "the good side" if not moved else "the bad side" if moved == self._ids else what
        took = "known" if known else f"{heard.seconds:.1f} s"
        runs = f", {heard.failed} of {heard.passed + heard.failed} fail" if heard.disagrees else ""
        word = self._console.styled(heard.verdict, _STYLES[heard.verdict])
        why = f": {heard.why}" if heard.why else ""
        self._console.say(f"{self._shown:>3}  {what}: {word}{why} ({took}{runs})")

    # --- The answer -------------------------------------------------------------------------

    def _nothing(self, error: NotBetweenError, trier: Trier) -> int:
        report = msgspec.structs.replace(
            self._answer.report(trier.heard), reason=error.message, hint=error.hint or ""
        )
        if self._options.form:
            self._print(report)
        else:
            self._console.fail(error.message)
            self._console.hint(error.hint)
        return 1

    @property
    def _answer(self) -> Answer:
        lock = self._ends[1].lock.header
        assert lock is not None  # an end has a lock
        return Answer(
            workspace=self._session.workspace,
            profile=self._profile,
            lock=lock,
            graph=self.graph,
            about=Report(
                profile=self._profile.name,
                good=self._ends[0].label,
                bad=self._ends[1].label,
                test=self._options.test,
                variant=self._variant,
                moves=len(self._moving),
            ),
            step=lambda moved: f"{self._label}/{self._step(moved)}",
        )

    def _tell(self, result: Result) -> int:
        report = self._answer.found(result, asked=self._options.alone)
        self._print(report)
        return 0 if report.found else 1

    def _print(self, report: Report) -> None:
        if self._options.form == "json":
            self._console.json(report)
        elif self._options.form == "markdown":
            self._console.data(telling.as_markdown(report).rstrip("\n"))
        else:
            self._console.data(telling.text(report))


class _World:
    """Locks and tests, for who searches."""

    def __init__(self, search: _Search, locks: Locks) -> None:
        self._search = search
        self._locks = locks

    def lock(self, moved: Moved) -> LockFolder | Refused:
        """The lock of a mixture, which stands in the scratch workspace then."""
        made = self._locks.made(moved)
        if isinstance(made, LockFolder):
            self._search.locked(moved, made)
        return made

    def test(self, moved: Moved, lock: LockFolder, *, failing: str) -> Ran:
        """Test it once."""
        return self._search.tested(moved, failing)
