"""``devcontainer.json``: a development container from the rendered Dockerfile. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envbuild.profile.rules import LICENCE

if TYPE_CHECKING:
    from envbuild.export.model import Subject
    from envbuild.profile.model import Environment


def text(subject: Subject) -> str:
    """The file, as ``.devcontainer/devcontainer.json`` of the workspace has it."""
    return json.dumps(_content(subject), indent=2, ensure_ascii=False) + "\n"


def _content(subject: Subject) -> dict[str, Any]:
    environment = subject.variant.environment
    folder = workspace_folder(environment)
    content: dict[str, Any] = {
        "name": f"{subject.profile} ({subject.variant.name})",
        "build": {
            "dockerfile": f"../Dockerfiles/{subject.profile}/{subject.dockerfile}",
            "context": f"../Dockerfiles/{subject.profile}",
            "options": [f"--platform={subject.variant.platform}"],
        },
        "workspaceFolder": folder,
        "workspaceMount": f"source=${{localWorkspaceFolder}},target={folder},type=bind",
    }
    if environment.hardware.gpus:
        content |= {"runArgs": ["--gpus=all"], "hostRequirements": {"gpu": True}}
    if environment.user:
        content["remoteUser"] = environment.user.name
    variables = {name: value for name, value in environment.env.items() if "${" not in value}
    if variables:  # the others stand in the image: here they would be filled in
        content["containerEnv"] = dict(sorted(variables.items()))
    return content


def workspace_folder(environment: Environment) -> str:
    """Where the workspace is mounted: the profile's working folder, unless the mount would hide
    what the image has there."""
    folder = environment.workdir
    places = [*(git.path for git in environment.git), *(file.path for file in environment.files)]
    within = any(f"{place}/".startswith(f"{folder.rstrip('/')}/") for place in places)
    if within or environment.base.provides or folder == "/":
        return f"/workspaces/{environment.name}"
    return folder


def notes(subject: Subject) -> tuple[str, ...]:
    """What the user has to do who starts the container."""
    if subject.variant.environment.accept_eula is not False:
        return ()
    accept = " and ".join(f"{name}={value}" for name, value in LICENCE.items())
    return (f"NVIDIA's licence terms are not accepted: who accepts them sets {accept}",)
