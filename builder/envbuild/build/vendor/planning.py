"""What vendoring a variant would do, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from envbuild.build.vendor.collecting import lists_digest
from envbuild.build.vendor.model import Target, Vendored
from envbuild.errors import InputError
from envbuild.plan import Step
from envbuild.render.model import StepInput


def why(vendored: Vendored, wanted: Target) -> str:
    """Why a variant is to be fetched; empty: what stands in the folder is of this very lock.

    ``wanted`` is the variant as it is locked now, its images and inputs not fetched yet.
    """
    there = vendored.target(wanted.profile, wanted.variant)
    if there is None:
        return "not in the folder yet"
    if there.lock != wanted.lock or there.lists != wanted.lists:
        return "the lock has changed"
    if there.gaps:
        return "something of it could not be had the last time"
    return ""


def step(target: str, reason: str) -> Step:
    """The step of a variant; without a reason it is left out."""
    if reason:
        return Step(kind="vendor", target=target, action="run", reason=reason)
    return Step(kind="vendor", target=target, action="skip", reason="unchanged: all of it is there")


def bare(
    profile: str, variant: str, *, platform: str, lock: str, inputs: Iterable[StepInput]
) -> Target:
    """A variant as it is locked, before anything of it is fetched."""
    return Target(
        profile=profile,
        variant=variant,
        platform=platform,
        lock=lock,
        lists=lists_digest(inputs),
        images=(),
        inputs=(),
    )


def current(vendored: Vendored, wanted: Target, folder: str) -> Target:
    """What a folder has of a variant, for a build of this very lock.

    Raises:
        InputError: nothing, or of another lock.
    """
    there = vendored.target(wanted.profile, wanted.variant)
    hint = f"with network: envbuild vendor {wanted.profile} {folder}"
    if there is None:
        known = ", ".join(one.name for one in vendored.targets)
        raise InputError(f"{folder} holds nothing of {wanted.name}, but {known}", hint=hint)
    if there.lock != wanted.lock or there.lists != wanted.lists:
        raise InputError(f"{folder} holds {wanted.name} of another lock", hint=hint)
    return there
