"""Debian packages of a step with all that they need, as the base image's own apt chooses them.

apt runs in a container of the image that the step stands on, with the network, and only downloads:
what comes is checked by apt against the archive's signatures. The files are kept by their sha256;
the list of them by the image's identity and the packages that were asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from msgspec import Struct

from envbuild.build.supply import Supply
from envbuild.engines import containers, images
from envbuild.engines.model import Engine, Mount, RunRequest
from envbuild.errors import ToolError
from envbuild.speech import counted
from envbuild.tools import files, store, temporary
from envbuild.tools.downloads import Got, Wanted
from envbuild.tools.proc import Outcome
from envbuild.tools.trouble import cannot_write

_OUT = "/run/envbuild/out"
_CA = "/run/envbuild/ca.pem"
_TIMEOUT = 1800.0
"""Seconds for one step's packages."""

_SCRIPT = """\
set -eu
export DEBIAN_FRONTEND=noninteractive
mkdir -p "$OUT/partial"
options="-o APT::Sandbox::User=root -o Acquire::Retries=3"
[ -z "${CA:-}" ] || options="$options -o Acquire::https::CaInfo=$CA"
[ -z "${SNAPSHOT:-}" ] || options="$options --snapshot $SNAPSHOT"
apt-get $options update >&2
apt-get $options install --download-only -y --no-install-recommends \\
  -o "Dir::Cache::archives=$OUT" "$@" >&2
rm -rf "$OUT/partial" "$OUT/lock"
chmod -R a+rX "$OUT"
"""
"""What runs in the container, by sh; the packages are its arguments."""

_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")


class Deb(Struct, frozen=True, kw_only=True):
    """A package file: its name, version and sha256."""

    package: str
    version: str
    name: str
    sha256: str


class Archive(Struct, frozen=True, kw_only=True):
    """Where a step's packages are asked for: an engine, the image as it names it, its platform, and
    the moment as apt's ``--snapshot`` takes it (empty: now)."""

    engine: Engine
    image: str
    platform: str
    snapshot: str
    environ: Mapping[str, str]


def closure(
    packages: tuple[str, ...], archive: Archive, supply: Supply, *, stage: str
) -> tuple[tuple[Got, ...], bool]:
    """The files of all packages that the image lacks for ``packages`` (``name`` or
    ``name=version``), and whether they were fetched now.

    Raises:
        ToolError: the image or a package cannot be had, or the engine failed.
    """
    key = ("apt", 1, _identity(archive, supply, stage), archive.snapshot, sorted(packages))
    known = supply.answers.recall(key, tuple[Deb, ...])
    if known is not None:
        found = supply.present(map(_wanted, known))
        if all(found):
            return tuple(got for got in found if got), False
    if supply.access.offline:
        raise ToolError(
            f"the Debian packages of {stage} are not in the cache, and the network is off",
            hint="without --offline they are fetched",
        )
    supply.live(f"fetching the Debian packages of {stage} ...")
    with temporary.scratch({}) as folder:
        out = f"{folder}/out"
        try:
            os.mkdir(out)
        except OSError as error:
            raise cannot_write(out, error) from None
        outcome = containers.run(
            archive.engine,
            _request(packages, archive, out),
            runner=supply.runner,
            environ=archive.environ,
        )
        if outcome.code:
            raise _failed(stage, packages, archive, outcome=outcome)
        debs = tuple(_kept(out, supply))
    supply.answers.remember(key, debs)
    return tuple(_got(deb, supply) for deb in debs), True


def _identity(archive: Archive, supply: Supply, stage: str) -> str:
    """What the image is, by its content; it is pulled where the engine has it not."""
    engine, runner, environ = archive.engine, supply.runner, archive.environ
    facts = images.facts(engine, archive.image, runner=runner, environ=environ)
    if facts:
        return facts.identity
    if supply.access.offline:
        raise ToolError(
            f"{engine.name} has no image {archive.image}, whose apt would name the packages of "
            f"{stage}, and the network is off",
            hint=f"{engine.name} pull {archive.image}",
        )
    supply.live(f"pulling {archive.image} ...")
    return images.pull(
        engine, archive.image, platform=archive.platform, runner=runner, environ=environ
    )


def _request(packages: tuple[str, ...], archive: Archive, out: str) -> RunRequest:
    environ = archive.environ
    variables = {name: text for name, text in environ.items() if name.lower().endswith("_proxy")}
    variables |= {"OUT": _OUT, "SNAPSHOT": archive.snapshot}
    mounts = [Mount(source=out, target=_OUT, writable=True)]
    trusted = next((environ[name] for name in _CERTIFICATES if environ.get(name)), "")
    if os.path.isfile(trusted):
        variables["CA"] = _CA
        mounts.append(Mount(source=os.path.realpath(trusted), target=_CA))
    return RunRequest(
        image=archive.image,
        command=("/bin/sh", "-c", _SCRIPT, "sh", *packages),
        name="envbuild-apt",
        entrypoint="",
        environment=tuple(variables.items()),
        mounts=tuple(mounts),
        network="host",
        user="0",
        workdir="/",
        timeout=_TIMEOUT,
    )


def _kept(folder: str, supply: Supply) -> Iterator[Deb]:
    """The packages that apt left in a folder, taken into the store."""
    for name in files.names(folder, label=folder):
        package, _, rest = name.removesuffix(".deb").partition("_")
        version = rest.rpartition("_")[0].replace("%3a", ":")
        if not (name.endswith(".deb") and version):
            continue
        path = f"{folder}/{name}"
        try:
            sha256 = store.digest(path)
        except OSError as error:
            raise cannot_write(path, error) from None
        supply.store.add(path, sha256, name)
        yield Deb(package=package, version=version, name=name, sha256=sha256)


def _wanted(deb: Deb) -> Wanted:
    what = f"{deb.package} {deb.version}"
    return Wanted(url="", sha256=deb.sha256, name=deb.name, what=what)


def _got(deb: Deb, supply: Supply) -> Got:
    path = supply.store.find(deb.sha256, deb.name)
    assert path is not None  # it was put there a moment ago
    size = os.path.getsize(path)
    return Got(path=path, sha256=deb.sha256, name=deb.name, size=size, origin="network")


_SIGNS = (
    ("was not found", "the archive no longer has the locked version: lock again"),
    ("Unable to locate package", "the archive of the base image has no such package"),
    ("Temporary failure resolving", "the network, or a proxy in http_proxy"),
    ("Certificate verification failed", "SSL_CERT_FILE names the certificates that are trusted"),
    ("Release file for", "the clock of this machine, or the snapshot"),
)


def _failed(
    stage: str, packages: tuple[str, ...], archive: Archive, *, outcome: Outcome
) -> ToolError:
    said = (outcome.stderr + outcome.stdout).strip()
    hint = next((hint for sign, hint in _SIGNS if sign in said), None)
    late = f" within {_TIMEOUT:.0f} s" if outcome.timed_out else ""
    return ToolError(
        f"apt in {archive.image} could not fetch the {counted(len(packages), 'package')} of "
        f"{stage}{late}",
        hint=hint,
        command=f"apt-get install --download-only {' '.join(packages)}",
        output=said,
    )
