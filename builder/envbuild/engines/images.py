"""What is asked of an engine about its images, and done to them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from envbuild.engines import calling, layouts
from envbuild.engines.calling import LONG, call, failed
from envbuild.engines.model import Engine, ImageFacts
from envbuild.errors import ToolError
from envbuild.tools import files, temporary, typed
from envbuild.tools.proc import Runner
from envbuild.tools.references import parse
from envbuild.tools.trouble import cannot_write

_UNKNOWN = re.compile(r"no such image|image not known|no such object", re.IGNORECASE)
_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|\[::1\]")
_DIGEST = re.compile(r"digest: (sha256:[0-9a-f]{64})")


def facts(
    engine: Engine, ref: str, *, runner: Runner, environ: Mapping[str, str]
) -> ImageFacts | None:
    """What the engine says of an image (name or identity); None when it has no such image.

    Raises:
        InputError: the reference could be taken for an option.
        ToolError: the engine failed.
    """
    found = _inspected(engine, ref, runner=runner, environ=environ)
    return None if found is None else described(found)


def tag(
    engine: Engine, identity: str, *, name: str, runner: Runner, environ: Mapping[str, str]
) -> None:
    """Give an image a name; whatever had it before loses it.

    Raises:
        InputError: a reference could be taken for an option.
        ToolError: the engine failed.
    """
    argv = ("tag", calling.reference(identity), calling.reference(name))
    outcome = call(engine, argv, runner=runner, environ=environ)
    if outcome.code:
        raise failed(engine, f"name an image {name}", outcome)


def push(engine: Engine, ref: str, *, runner: Runner, environ: Mapping[str, str]) -> str:
    """Push an image under the name that it has; the digest of its manifest in the registry.

    A registry on this machine's loopback may speak plain HTTP, as docker has it.

    Raises:
        InputError: the reference could be taken for an option.
        ToolError: the registry refused, or the engine failed.
    """
    calling.reference(ref)
    with temporary.scratch({"digest": ""}) as folder:
        options: tuple[str, ...] = ()
        if engine.name != "docker":
            options = (f"--digestfile={folder}/digest", *_registry(engine, ref))
        outcome = call(
            engine, ("push", *options, ref), runner=runner, environ=environ, timeout=LONG
        )
        said = files.read_text(f"{folder}/digest").strip()
    if outcome.code:
        raise failed(engine, f"push {ref}", outcome, hint=_access(outcome.stderr))
    match = _DIGEST.search(outcome.stdout)
    digest = said or (match[1] if match else "")
    if not digest:
        raise failed(engine, f"say the digest of {ref}, which it has pushed", outcome)
    return digest


def pull(
    engine: Engine, ref: str, *, platform: str, runner: Runner, environ: Mapping[str, str]
) -> str:
    """Fetch an image of a platform (``linux/amd64``); what the engine knows it by.

    Raises:
        InputError: the reference could be taken for an option.
        ToolError: it cannot be fetched, or is there for another platform alone.
    """
    argv = ("pull", f"--platform={platform}", *_registry(engine, ref), calling.reference(ref))
    outcome = call(engine, argv, runner=runner, environ=environ, timeout=LONG)
    if outcome.code:
        raise failed(engine, f"fetch {ref} for {platform}", outcome, hint=_access(outcome.stderr))
    found = facts(engine, ref, runner=runner, environ=environ)
    if found is None:
        raise failed(engine, f"find {ref}, which it has fetched", outcome)
    if found.platform != "/".join(platform.split("/")[:2]):
        raise ToolError(
            f"{engine.name} cannot fetch {ref} for {platform}: it is for {found.platform}",
            command=outcome.command.text(),
        )
    return found.identity


def save(
    engine: Engine, ref: str, *, folder: str, runner: Runner, environ: Mapping[str, str]
) -> None:
    """Write an image as a folder in OCI's layout; ``folder`` must not exist.

    podman, buildah and docker from 25 write manifests of their own; for an older docker, which
    keeps none, one is made of the layers as it saves them (:mod:`envbuild.engines.layouts`).

    Raises:
        InputError: the reference could be taken for an option.
        ToolError: the engine failed, or the folder cannot be written.
    """
    calling.reference(ref)
    with temporary.beside(os.path.abspath(folder)) as place:
        try:
            os.mkdir(place)
            if engine.name == "docker":
                argv: tuple[str, ...] = ("save", f"--output={place}/image.tar", ref)
            else:
                # A bare name: in a path, a colon would be taken for the beginning of a tag.
                argv = ("push", "--quiet", ref, "oci:layout:latest")
            outcome = call(
                engine,
                argv,
                runner=lambda command: runner(msgspec.structs.replace(command, cwd=place)),
                environ=environ,
                timeout=LONG,
            )
            if outcome.code:
                raise failed(engine, f"save {ref}", outcome)
            if engine.name == "docker":
                layouts.unpack(f"{place}/image.tar", f"{place}/layout")
            os.rename(f"{place}/layout", folder)
        except OSError as error:
            raise cannot_write(folder, error) from None


def archive(
    engine: Engine, ref: str, *, path: str, runner: Runner, environ: Mapping[str, str]
) -> None:
    """Write an image as one tar with plain layers, as podman and docker save it; buildah cannot.

    In a layout (:func:`save`) layers are packed, which takes ten times as long as reading them.

    Raises:
        InputError: the reference could be taken for an option.
        ToolError: the engine failed.
    """
    argv = ("image", "save", "--output", path, calling.reference(ref))
    outcome = call(engine, argv, runner=runner, environ=environ, timeout=LONG)
    if outcome.code:
        raise failed(engine, f"save {ref}", outcome)


def remove(engine: Engine, identity: str, *, runner: Runner, environ: Mapping[str, str]) -> bool:
    """Remove an image with all its names; False when there is no such image.

    Nothing is forced: podman would remove containers of the image with it.

    Raises:
        InputError: the reference could be taken for an option.
        ToolError: the engine failed, or a container uses the image.
    """
    found = _inspected(engine, identity, runner=runner, environ=environ)
    if found is None:
        return False
    names = _strings(found.get("RepoTags"))
    if engine.name == "buildah":
        names = _buildah_names(engine, described(found).identity, runner=runner, environ=environ)
    outcome = call(engine, ("rmi", *(names or (identity,))), runner=runner, environ=environ)
    if outcome.code and not _UNKNOWN.search(outcome.stderr):
        raise failed(engine, f"remove the image {identity}", outcome)
    return True


def unname(engine: Engine, ref: str, *, runner: Runner, environ: Mapping[str, str]) -> bool:
    """Take a name from an image, which goes with its last one; False when nothing has the name.

    Raises:
        InputError: the reference could be taken for an option.
        ToolError: the engine failed, or a container uses the image.
    """
    argv = ("rmi", calling.reference(ref))
    outcome = call(engine, argv, runner=runner, environ=environ)
    if outcome.code and not _UNKNOWN.search(outcome.stderr):
        raise failed(engine, f"take the name {ref} from its image", outcome)
    return outcome.code == 0


# --- What engines say ----------------------------------------------------------------------------


def _inspected(
    engine: Engine, ref: str, *, runner: Runner, environ: Mapping[str, str]
) -> dict[str, Any] | None:
    calling.reference(ref)
    if engine.name == "buildah":
        argv: tuple[str, ...] = ("inspect", "--type=image", ref)
    else:
        argv = ("image", "inspect", ref)
    outcome = call(engine, argv, runner=runner, environ=environ)
    if outcome.code and _UNKNOWN.search(outcome.stderr):
        return None
    if outcome.code:
        raise failed(engine, f"say what the image {ref} is", outcome)
    try:
        if engine.name == "buildah":
            return _from_buildah(typed.decode(outcome.stdout, dict[str, Any]))
        return typed.decode(outcome.stdout, list[dict[str, Any]])[0]
    except (msgspec.MsgspecError, IndexError, KeyError):
        raise failed(engine, f"say what the image {ref} is in JSON", outcome) from None


def _from_buildah(said: dict[str, Any]) -> dict[str, Any]:
    """buildah's answer in the words of the two others."""
    written = typed.decode(said["Config"], dict[str, Any])
    manifest = typed.decode(said["Manifest"], dict[str, Any])
    sizes = [layer.get("size", 0) for layer in manifest.get("layers") or ()]
    return {
        "Id": said["FromImageID"],
        "Os": written.get("os", ""),
        "Architecture": written.get("architecture", ""),
        "Size": sum(sizes),
        "Config": written.get("config") or {},
        "RootFS": {"Layers": (written.get("rootfs") or {}).get("diff_ids")},
    }


def described(found: Mapping[str, Any]) -> ImageFacts:
    """An image as docker inspects it, as a value."""
    identity = str(found.get("Id", ""))
    config = found.get("Config") or {}
    return ImageFacts(
        identity=identity if identity.startswith("sha256:") else f"sha256:{identity}",
        platform=f"{found.get('Os', '')}/{found.get('Architecture', '')}",
        size=int(found.get("Size") or 0),
        labels=tuple(sorted((config.get("Labels") or {}).items())),
        entrypoint=_strings(config.get("Entrypoint")),
        command=_strings(config.get("Cmd")),
        environment=tuple(
            (name, value)
            for name, _, value in (one.partition("=") for one in _strings(config.get("Env")))
        ),
        user=str(config.get("User") or ""),
        workdir=str(config.get("WorkingDir") or ""),
        layers=_strings((found.get("RootFS") or {}).get("Layers")),
    )


class _Listed(msgspec.Struct, frozen=True):
    id: str
    names: tuple[str, ...] | None = None


def _buildah_names(
    engine: Engine, identity: str, *, runner: Runner, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """The names of an image; buildah says them in its list alone."""
    argv = ("images", "--json", "--no-trunc")
    outcome = call(engine, argv, runner=runner, environ=environ)
    if outcome.code:
        raise failed(engine, "list its images", outcome)
    try:
        listed = typed.decode(outcome.stdout, list[_Listed])
    except msgspec.MsgspecError:
        raise failed(engine, "list its images in JSON", outcome) from None
    digits = identity.removeprefix("sha256:")
    return next((one.names or () for one in listed if digits in one.id), ())


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def _registry(engine: Engine, ref: str) -> tuple[str, ...]:
    """docker takes plain HTTP from loopback by itself; the two others want to be told."""
    host = parse(ref).registry.rpartition(":")[0] or parse(ref).registry
    if engine.name != "docker" and _LOOPBACK.fullmatch(host):
        return ("--tls-verify=false",)
    return ()


def _access(said: str) -> str | None:
    if re.search(r"unauthorized|authentication|denied", said, re.IGNORECASE):
        return "log in to the registry first, with the engine's own `login`"
    return None
