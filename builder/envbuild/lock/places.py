"""Where the profile says what a lock was made from. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from envbuild.names import canonical_name, normalise

if TYPE_CHECKING:
    from envbuild.profile.model import Python
    from envbuild.profile.resolved import KeyPath, Variant


class Places:
    """The places (``file:line:column``) of a variant's lines, by their text as a lock has it.

    A line that the profile does not have, or no longer has, has the place ``""``.
    """

    def __init__(self, variant: Variant | None) -> None:
        self._variant = variant
        self._found: dict[tuple[str, str], str] = {}
        self.bundles = ""
        """The names of the bundles, for people."""
        self.base = ""
        """Where the bundles are named."""

    @classmethod
    def of(cls, variant: Variant | None) -> Places:
        """The places of a variant; of one that the profile no longer has: none."""
        places = cls(variant)
        if variant is not None:
            environment = variant.environment
            places._read_python(environment.python)
            places._keep("apt", environment.apt, ("apt",))
            if environment.conda:
                places._keep("conda", environment.conda.packages, ("conda", "packages"))
            places.bundles = ", ".join(environment.base.provides)
            places.base = places._place(("base", "provides", 0))
        return places

    def _read_python(self, python: Python) -> None:
        for key, texts in (
            ("requirements", python.requirements),
            ("constraints", python.constraints),
        ):
            self._keep(key, map(normalise, texts), ("python", key))
        for words in (str, normalise):  # a lock's relaxations have it as it is written
            overrides = (words(row.requirement) for row in python.overrides)
            self._keep("override", overrides, ("python", "overrides"))
        named = (
            ("exclude", "exclude", (row.package for row in python.exclude)),
            ("no-deps", "no-deps", (row.package for row in python.no_deps)),
            ("metadata", "metadata", (row.name for row in python.metadata)),
            ("source", "build-from-source", (row.package for row in python.build_from_source)),
        )
        for kind, key, names in named:
            self._keep(kind, map(canonical_name, names), ("python", key))

    def _keep(self, kind: str, texts: Iterable[str], path: KeyPath) -> None:
        for index, text in enumerate(texts):
            self._found.setdefault((kind, text), self._place((*path, index)))

    def _place(self, path: KeyPath) -> str:
        assert self._variant is not None
        while path and path not in self._variant.marks:
            path = path[:-1]
        return str(self._variant.marks.get(path, ""))

    def requirement(self, text: str) -> str:
        """The place of a normalised requirement."""
        return self._found.get(("requirements", text), "")

    def constraint(self, text: str) -> str:
        """The place of a normalised constraint."""
        return self._found.get(("constraints", text), "")

    def override(self, text: str) -> str:
        """The place of a normalised override."""
        return self._found.get(("override", text), "")

    def relaxation(self, kind: str, text: str) -> str:
        """The place of a relaxation, as the lock calls its kind."""
        name = canonical_name(text.partition("==")[0])
        return self._found.get((kind, text)) or self._found.get((kind, name), "")

    def conda(self, spec: str) -> str:
        """The place of a conda package."""
        return self._found.get(("conda", spec), "")

    def apt(self, text: str) -> str:
        """The place of a system package."""
        return self._found.get(("apt", text), "")

    def source_build(self, name: str) -> tuple[str, str]:
        """The place of a package that may be built from source, and the profile's reason."""
        rows = self._variant.environment.python.build_from_source if self._variant else ()
        reasons = (row.reason for row in rows if canonical_name(row.package) == name)
        return self._found.get(("source", name), ""), next(reasons, "")
