"""Builds from a vendored folder: checked before an engine is asked, then images and context."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import msgspec

from envbuild.build.vendor import checking, handing, loading, manifest, planning
from envbuild.cli.building import Outcome
from envbuild.engines.model import Engine
from envbuild.errors import EnvbuildError
from envbuild.tools import proc

if TYPE_CHECKING:
    from envbuild.build.vendor.handing import Handed
    from envbuild.build.vendor.model import Target as Entry
    from envbuild.build.vendor.model import Vendored
    from envbuild.cli.build_targets import Target
    from envbuild.cli.building import Run


class Vendor:
    """A vendored folder that variants are built from, and nothing else."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    @functools.cached_property
    def _manifest(self) -> Vendored:
        return manifest.read(self.folder)

    def checked(self, targets: list[Target]) -> tuple[list[Target], list[Outcome]]:
        """The variants that the folder has whole, and what became of the others.

        Raises:
            InputError: the folder is none, or its manifest cannot be read.
        """
        good: list[Target] = []
        failed: list[Outcome] = []
        vendored = self._manifest
        for target in targets:
            try:
                entry = self._entry(target)
                checking.refuse_gaps(entry, self.folder)
                checking.refuse(self.folder, vendored, entry)
            except EnvbuildError as error:
                failed.append(
                    Outcome(
                        profile=target.profile,
                        variant=target.variant.name,
                        status="failed",
                        error=error,
                    )
                )
            else:
                good.append(target)
        return good, failed

    def renamed(self, target: Target, engine: Engine) -> Target:
        """The variant on images as an engine will call them once they are loaded."""
        known = {one.argument: one for one in self._entry(target).images}
        images = tuple(
            (argument, loading.name(known[argument], reference, engine))
            for argument, reference in target.images
        )
        return msgspec.structs.replace(target, images=images)

    def load(self, target: Target, run: Run) -> None:
        """Give the engine the images that a variant stands on.

        Raises:
            ToolError: it does not take one.
        """
        bay = loading.Bay(
            engine=run.bench.engine,
            runner=proc.run,
            environ=run.environ,
            folder=self.folder,
            say=run.tell,
        )
        names = dict(target.images)
        for image in self._entry(target).images:
            loading.load(image, names[image.argument], bay)

    def hand_out(self, target: Target, into: str) -> Handed:
        """The build context of a variant, as the new folder ``into``.

        Raises:
            ToolError: it cannot be written.
        """
        return handing.hand_out(
            self.folder, self._manifest, self._entry(target), context=target.context, into=into
        )

    def _entry(self, target: Target) -> Entry:
        wanted = planning.bare(
            target.profile,
            target.variant.name,
            platform=target.variant.platform,
            lock=target.lock_digest,
            inputs=target.inputs,
        )
        return planning.current(self._manifest, wanted, self.folder)
