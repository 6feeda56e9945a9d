"""The way of one profile through a night: its stages in their order, and what is left after one
has failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from envbuild.errors import EnvbuildError, InputError
from envbuild.history.model import (
    OF_PROFILE,
    STAGES,
    Part,
    ProfileNight,
    Stage,
    StageResult,
    VariantNight,
)
from envbuild.lock.folder import LockFolder
from envbuild.nightly import chain as chains
from envbuild.nightly import imaging, relocking, scratch, stages
from envbuild.nightly.chain import Chain, Task
from envbuild.nightly.imaging import Place, Results
from envbuild.nightly.ledger import Name
from envbuild.nightly.model import Kept, Locked, Mode, Target

_COMMITTED = "with the committed lock"


class Went(Struct, frozen=True, kw_only=True):
    """How a profile went, and its lock folder as the history keeps it."""

    night: ProfileNight
    blobs: Mapping[str, bytes]


class Flow:
    """One profile in a night."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._desk = chain.desk
        self._wishes = chain.desk.wishes
        self._snapshot = chain.subject.snapshot
        self._profile = chain.subject.profile
        self._blobs: dict[str, bytes] = {}
        self._own = relocking.committed(self._snapshot)

    def run(self) -> Went:
        """Every stage that was asked for, each with a result."""
        results = self._earlier()
        blocked = self._check(results)
        locked, why = (None, blocked) if blocked else self._lock(results)
        mode: Mode = "night"
        if locked is None and not blocked and self._wishes.keep_going:
            locked = self._fall_back()
            mode = "committed"
        if locked is None:
            self._leave(results, why)
        else:
            results |= self._over(locked, mode, self._chain.subject.targets)
            if mode == "night":
                self._try_committed(results, locked)
        return Went(night=self._night(results, locked), blobs=self._blobs)

    # --- Up to the lock --------------------------------------------------------------------------

    def _earlier(self) -> Results:
        """The results of the stages before ``--from``, as the last night has them."""
        first, last = self._wishes.carry_from, self._chain.last
        if first is None or last is None:
            return {}
        wanted = STAGES[: STAGES.index(first)]
        places: list[Place] = [(stage, "") for stage in wanted if stage in OF_PROFILE]
        for target in self._chain.subject.targets:
            places += [(stage, target.variant) for stage in wanted if stage not in OF_PROFILE]
        found: Results = {}
        for stage, variant in places:
            result, image = chains.before(last.profile, stage, variant)
            if result is not None:
                carried = msgspec.structs.replace(result, carried=result.carried or last.night)
                found[stage, variant] = Kept(result=carried, image=image)
        return found

    def _check(self, results: Results) -> str:
        """Check the profile; why nothing further is done, or empty."""
        if "check" not in self._wishes.stages:
            return ""
        task = Task(
            name=Name(profile=self._profile, stage="check"),
            key=self._chain.keys.check(),
            words=stages.check_words(self._profile, self._wishes),
            carry=True,
            prepare=lambda: scratch.sync(self._snapshot, self._chain.scratch.root),
        )
        kept = results["check", ""] = self._chain.stage(task)
        return imaging.blocked_by((kept,))

    def _lock(self, results: Results) -> tuple[Locked | None, str]:
        """The lock that the night is about, in place in the scratch workspace; or why there is
        none."""
        if "lock" not in self._wishes.stages:
            return self._standing()
        moment = self._desk.moment if self._wishes.upgrade else ""
        task = Task(
            name=Name(profile=self._profile, stage="lock"),
            key=self._chain.keys.lock(moment),
            words=stages.lock_words(self._profile, self._wishes, moment),
            prepare=lambda: scratch.sync(self._snapshot, self._chain.scratch.root, moment=moment),
            then=self._settled,
        )
        kept = results["lock", ""] = self._chain.stage(task)
        blocked = imaging.blocked_by((kept,))
        if blocked or kept.locked is None:
            return None, blocked or "lock was not run"
        try:
            return self._put(kept.locked), ""
        except EnvbuildError as error:
            results["lock", ""] = Kept(result=chains.of_error("lock", error))
            return None, "lock failed"

    def _settled(self, kept: Kept) -> tuple[Kept, Mapping[str, bytes]]:
        """The lock that was made, or the older one that it does not differ from."""
        if self._wishes.upgrade:
            last = self._chain.last
            settled = relocking.settle(self._chain.scratch, last.lock if last else None)
            result = msgspec.structs.replace(kept.result, reason=settled.reason)
        else:
            assert self._own is not None  # it is fresh
            settled = relocking.packed(self._own, committed=True)
            result = kept.result
        digest = settled.locked.digest
        return Kept(result=result, locked=settled.locked), {digest: settled.data}

    def _standing(self) -> tuple[Locked | None, str]:
        """The lock that stands: that of the last night with ``--from``, else the committed one."""
        last = self._chain.last
        lock = last.lock if last and self._wishes.carry_from else None
        try:
            if last and lock:
                settled = relocking.packed(lock, committed=last.profile.committed)
                self._blobs[settled.locked.digest] = settled.data
                relocking.go_on(self._chain.scratch, lock, settled.locked)
                return settled.locked, ""
            locked = self._fall_back()
        except EnvbuildError as error:
            return None, error.message
        return locked, "" if locked else "it has no lock"

    def _put(self, locked: Locked) -> Locked:
        """A lock that a stage has kept, in its place: also where the night goes on after a kill."""
        data = self._desk.ledger.blob(self._profile, locked.digest)
        if data is None:
            raise InputError("the lock of this night is gone", hint="--restart begins anew")
        self._blobs[locked.digest] = data
        lock = relocking.unpacked(data, f"lockfiles/{self._profile}")
        relocking.go_on(self._chain.scratch, lock, locked)
        return locked

    def _fall_back(self) -> Locked | None:
        """The committed lock in its place; None where there is none."""
        if self._own is None:
            return None
        settled = relocking.packed(self._own, committed=True)
        self._blobs[settled.locked.digest] = settled.data
        relocking.go_on(self._chain.scratch, self._own, settled.locked)
        return settled.locked

    # --- Over a lock -----------------------------------------------------------------------------

    def _over(self, locked: Locked, mode: Mode, targets: Iterable[Target]) -> Results:
        """The stages behind the lock."""
        results: Results = {}
        blocked = ""
        words: dict[Stage, tuple[str, ...]] = {
            "audit": stages.audit_words(self._profile, self._wishes),
            "render": stages.render_words(self._profile),
        }
        for stage, said in words.items():
            if stage in self._wishes.stages:
                task = Task(
                    name=Name(profile=self._profile, stage=stage, mode=mode),
                    key=self._chain.keys.locked(stage, locked),
                    words=said,
                    carry=stage == "audit",
                )
                one = self._chain.left_out(stage, blocked) if blocked else self._chain.stage(task)
                results[stage, ""] = one
                blocked = blocked or imaging.blocked_by((one,))
        found = imaging.each(self._chain, targets, locked=locked, mode=mode, blocked=blocked)
        return results | found

    # --- After a failure -------------------------------------------------------------------------

    def _leave(self, results: Results, why: str) -> None:
        """Every stage that is left has the reason why it was not run."""
        for stage in self._wishes.stages:
            if stage in OF_PROFILE:
                if (stage, "") not in results:
                    results[stage, ""] = self._chain.left_out(stage, why)
                continue
            for target in self._chain.subject.targets:
                results[stage, target.variant] = self._chain.left_out(
                    stage, why, variant=target.variant
                )

    def _try_committed(self, results: Results, locked: Locked) -> None:
        """With ``--keep-going``: where the lock of the night has failed, what the committed one
        does."""
        bad = [place for place, kept in results.items() if kept.result.status == "fail"]
        if not (bad and self._wishes.keep_going) or locked.committed or self._own is None:
            return
        every = any(not variant for _, variant in bad)
        failing = {variant for _, variant in bad}
        targets = [one for one in self._chain.subject.targets if every or one.variant in failing]
        try:
            own = self._fall_back()
            again = self._over(own, "committed", targets) if own else {}
        except EnvbuildError as error:
            self._desk.follower.trouble(Name(profile=self._profile, stage="lock"), error.message)
            return
        self._blobs.pop(own.digest if own and own.digest != locked.digest else "", None)
        for place, kept in again.items():
            results[place] = joined(results[place], kept) if place in results else kept

    # --- What is kept ----------------------------------------------------------------------------

    def _night(self, results: Results, locked: Locked | None) -> ProfileNight:
        return ProfileNight(
            profile=self._profile,
            stages=_of(results, "", OF_PROFILE),
            variants=tuple(self._variant(results, one) for one in self._chain.subject.targets),
            lock=locked.digest if locked else "",
            committed=locked.committed if locked else True,
        )

    def _variant(self, results: Results, target: Target) -> VariantNight:
        built = results.get(("build", target.variant))
        image = built.image if built else None
        return VariantNight(
            variant=target.variant,
            platform=target.platform,
            stages=_of(results, target.variant, ("build", "smoke")),
            image=image if built else imaging.standing(self._chain, target),
        )


def joined(first: Kept, again: Kept) -> Kept:
    """A stage of the night's lock, with what it came to with the committed one."""
    result, other = first.result, again.result
    if result.status == "not-run":
        reason = f"{_COMMITTED}: {other.reason}"
        return msgspec.structs.replace(
            again, result=msgspec.structs.replace(other, reason=reason, carried="")
        )
    part = Part(name=_COMMITTED, status=other.status, reason=other.reason, seconds=other.seconds)
    return msgspec.structs.replace(
        first,
        result=msgspec.structs.replace(result, parts=(part, *result.parts)),
        image=first.image or again.image,
    )


def _of(results: Results, variant: str, wanted: Iterable[Stage]) -> tuple[StageResult, ...]:
    places: list[Place] = [(stage, variant) for stage in wanted]
    return tuple(results[place].result for place in places if place in results)


def last_lock(data: bytes | None, profile: str) -> LockFolder | None:
    """The lock of the last night; None where it is not kept, or cannot be read any more."""
    if data is None:
        return None
    try:
        return relocking.unpacked(data, f"lockfiles/{profile}")
    except InputError:
        return None
