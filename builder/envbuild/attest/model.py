"""What is said of an image and of what it is made of, as frozen values."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["pypi", "conda", "deb", "git", "image"]
"""The ecosystem of a component: PyPI, conda, Debian, a git repository, a registry of images."""

Origin = Literal["lock", "base", "image"]
"""Who says that a component is there: the lock; the lock, of what its base image brings; or the
image alone, which has it beside the lock."""


class Component(Struct, frozen=True, kw_only=True):
    """One component of an image.

    ``purl`` (https://github.com/package-url/purl-spec) names it and is unique in a bill. ``sha256``
    are 64 hex digits each: one of them is that of the file that is installed. ``integrity`` is the
    lock's word for what they cover. ``places`` are where an image has it. ``needs`` are the purls
    of what it asked for, as far as the lock knows. ``licence`` is as its own metadata says it,
    empty where nothing is known. ``version`` is empty where it is not known.
    """

    kind: Kind
    name: str
    version: str
    purl: str
    origin: Origin = "lock"
    sha256: tuple[str, ...] = ()
    integrity: str = ""
    role: str = ""
    places: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    licence: str = ""

    @property
    def shown(self) -> str:
        """As messages call it."""
        kind = "" if self.kind == "pypi" else f"{self.kind} "
        return f"{kind}{self.name} {self.version}".rstrip()


class Bill(Struct, frozen=True, kw_only=True):
    """The bill of materials of one variant.

    ``moment`` is the lock's (RFC 3339, UTC), ``lock_digest`` as the image's label has it,
    ``needs`` are the purls of what the profile itself asks for. ``open`` is what the lock leaves
    open, in words. ``image`` is the digest of the configuration of the image that the bill was held
    against, empty for none. ``maker`` is the version of envbuild.
    """

    profile: str
    variant: str
    platform: str
    distribution: str
    summary: str
    lock_digest: str
    moment: str
    maker: str
    components: tuple[Component, ...]
    needs: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    image: str = ""

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.profile}/{self.variant}"
