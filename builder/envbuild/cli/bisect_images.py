"""The images of a bisect: two names in turn, so that the layers of one help the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from envbuild.engines import finding, images
from envbuild.errors import EnvbuildError
from envbuild.tools import proc

if TYPE_CHECKING:
    from envbuild.engines.model import Engine


class Images:
    """Names for the images of one search. At most two are there at a time, whatever ended a search
    before: each name is taken from its image before it is given again. An image that has a name of
    the user's too keeps that."""

    def __init__(self, wanted: str, name: str, environ: Mapping[str, str], *, cache: str) -> None:
        self._wanted = wanted
        self._names = (f"{name}-a", f"{name}-b")
        self._environ = environ
        self._cache = cache
        self._found: Engine | None = None
        self._turn = 0

    @property
    def engine(self) -> Engine:
        """The engine that builds and runs all of them.

        Raises:
            ToolError: none works here.
        """
        if self._found is None:
            self._found = finding.find(self._wanted, self._environ, proc.run, cache=self._cache)
        return self._found

    def name(self) -> str:
        """The name of the next image.

        Raises:
            ToolError: the engine fails, or a container uses the image that has it.
        """
        chosen = self._names[self._turn % 2]
        self._unname(chosen)
        return chosen

    def built(self) -> None:
        """The next image is there: the one before goes."""
        self._turn += 1
        self._unname(self._names[self._turn % 2])

    def end(self) -> str:
        """Both go; what is in the way, empty when nothing is or none was built."""
        if self._found is None:
            return ""
        try:
            for name in self._names:
                self._unname(name)
        except EnvbuildError as error:
            return error.message
        return ""

    def _unname(self, name: str) -> None:
        images.unname(self.engine, name, runner=proc.run, environ=self._environ)
