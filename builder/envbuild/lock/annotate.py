"""Who asked for what in a resolution, with which bounds, and what each package is. Pure."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from envbuild.knowledge import facts
from envbuild.lock import bounds
from envbuild.lock.model import LockedPackage, Request, VariantLock
from envbuild.lock.overlay import CONDA, PROFILE
from envbuild.lock.pypi import Question, Resolution
from envbuild.lock.requirements import Pin
from envbuild.names import canonical_name, requirement_name


class Annotator(Struct, frozen=True, kw_only=True):
    """Tells each pin's requests with their bounds, its integrity and the system packages it needs.

    ``previous`` is the lock before: when it holds the same packages, asked for by the same, its
    requests stand; and bounds that cannot be read now are taken from it.
    """

    question: Question
    find: bounds.Find
    previous: VariantLock | None = None

    def packages(self, resolution: Resolution) -> tuple[LockedPackage, ...]:
        """The packages of the lock, sorted by name."""
        kept = self._kept(resolution)
        if kept:
            return tuple(self._again(pin, kept[pin.name], resolution) for pin in resolution.added)
        versions = {pin.name: pin.version for pin in resolution.added}
        versions |= {row.name: row.version for row in resolution.provided if row.version}
        asks: dict[str, bounds.Requires | None] = {}
        for pin in resolution.added:
            for asker in pin.via:
                if asker not in asks and asker in versions:
                    asks[asker] = bounds.requires(asker, versions[asker], self.find)
        return tuple(
            self._package(
                pin, tuple(self._request(pin, asker, asks) for asker in pin.via), resolution
            )
            for pin in resolution.added
        )

    def _kept(self, resolution: Resolution) -> dict[str, LockedPackage]:
        """The packages of the lock before, if it holds the same; else nothing."""
        if self.previous is None or self.previous.input != self.question.asked:
            return {}
        before = {
            (package.name, package.version, tuple(request.by for request in package.requested))
            for package in self.previous.packages
        }
        now = {(pin.name, pin.version, pin.via) for pin in resolution.added}
        if before != now or self.previous.provided != resolution.provided:
            return {}
        return {package.name: package for package in self.previous.packages}

    def _again(self, pin: Pin, before: LockedPackage, resolution: Resolution) -> LockedPackage:
        """What was locked before under the same name and version, to the same question."""
        if resolution.two_faced or before.integrity in ("source", "vendor"):
            return self._package(pin, before.requested, resolution)
        return before

    def _package(
        self, pin: Pin, requested: tuple[Request, ...], resolution: Resolution
    ) -> LockedPackage:
        environment = self.question.variant.environment
        build = next(
            (
                row
                for row in environment.python.build_from_source
                if canonical_name(row.package) == pin.name
            ),
            None,
        )
        return LockedPackage(
            name=pin.name,
            version=pin.version,
            requested=requested,
            integrity="source" if build else self._integrity(pin, resolution),
            system=build.apt if build else (),
        )

    def _integrity(self, pin: Pin, resolution: Resolution) -> Literal["wheel", "stub", "vendor"]:
        if pin.name in resolution.two_faced:
            return "vendor"
        stub = pin.name in self.question.asked.stubs and facts.is_placeholder(pin.name, pin.version)
        return "stub" if stub else "wheel"

    def _request(self, pin: Pin, asker: str, asks: dict[str, bounds.Requires | None]) -> Request:
        stated = self._said_by(asker)
        if stated is not None:
            about = (text for text in stated if requirement_name(text) == pin.name)
            found = {part for text in about for part in bounds.specifiers(text).split(",") if part}
            return Request(by=asker, bounds=",".join(sorted(found)))
        known = asks.get(asker)
        if known is not None:
            return Request(by=asker, bounds=known.bounds(pin.name, self._target()))
        return Request(by=asker, bounds=self._previous_bounds(pin, asker))

    def _said_by(self, speaker: str) -> tuple[str, ...] | None:
        """The requirements of a speaker that is no package."""
        asked = self.question.asked
        said = {
            PROFILE: asked.requirements,
            f"{PROFILE} (constraint)": asked.constraints,
            f"{PROFILE} (override)": asked.overrides,
            "bundle": asked.bundle,
            CONDA: asked.installed,
            "torch companions": asked.companions,
        }
        return said.get(speaker)

    def _target(self) -> bounds.Target:
        asked = self.question.asked
        minor = ".".join(asked.python.split(".")[:2])
        return bounds.Target(python=minor, machine=asked.platform.partition("-")[0])

    def _previous_bounds(self, pin: Pin, asker: str) -> str:
        for package in self.previous.packages if self.previous else ():
            if package.name == pin.name:
                return next((r.bounds for r in package.requested if r.by == asker), "")
        return ""
