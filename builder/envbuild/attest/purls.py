"""Package URLs, by the ecosystem's own library. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from envbuild.attest.extra import needed
from envbuild.tools import addresses
from envbuild.tools.references import parse


def pypi(name: str, version: str) -> str:
    """A Python package of an index."""
    return _purl("pypi", name=name, version=version)


def conda(name: str, version: str, *, build: str, channel: str, subdir: str) -> str:
    """A conda package; ``channel`` by its name alone."""
    return _purl(
        "conda",
        name=name,
        version=version,
        more={"build": build, "channel": channel, "subdir": subdir},
    )


def deb(name: str, version: str, *, distribution: str, architecture: str) -> str:
    """A Debian package; ``distribution`` as profiles name it (``ubuntu-24.04``)."""
    vendor = distribution.partition("-")[0]
    return _purl(
        "deb",
        space=vendor,
        name=name,
        version=version,
        more={"arch": architecture, "distro": distribution},
    )


def git(name: str, url: str, commit: str) -> str:
    """A commit of a repository; what is in the address to open doors is left out."""
    bare = addresses.bare(url)
    if addresses.host(bare) == "github.com":
        path = bare.partition("github.com")[2].strip("/:").removesuffix(".git")
        owner, _, repository = path.partition("/")
        if owner and repository and "/" not in repository:
            return _purl("github", space=owner, name=repository, version=commit)
    return _purl("generic", name=name, version=commit, more={"vcs_url": f"git+{bare}@{commit}"})


def image(reference: str, digest: str) -> str:
    """An image of a registry; ``digest`` may be empty."""
    found = parse(reference)
    repository = f"{found.registry}/{found.repository}"
    return _purl(
        "oci",
        name=found.repository.rpartition("/")[2],
        version=digest,
        more={"repository_url": repository, "tag": found.tag},
    )


def _purl(
    kind: str,
    *,
    name: str,
    version: str,
    space: str = "",
    more: Mapping[str, str] | None = None,
) -> str:
    with needed():
        from packageurl import PackageURL
    kept = {key: value for key, value in (more or {}).items() if value}
    return PackageURL(
        type=kind,
        namespace=space or None,
        name=name,
        version=version or None,
        qualifiers=kept or None,
    ).to_string()
