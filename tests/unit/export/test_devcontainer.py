import json

import pytest

from envbuild.export import devcontainer
from tests.support.exports import FULL, PLAIN, Locking, exported

SEVERAL = Locking(pins={"alpha==1.0": "wheel", "beta==2": "source"})


def content(text: str):
    return json.loads(devcontainer.text(exported(text, SEVERAL)))


def test_it_builds_the_rendered_dockerfile_as_seen_from_its_own_folder() -> None:
    assert content(PLAIN) == {
        "name": "one (linux-amd64-cpu)",
        "build": {
            "dockerfile": "../Dockerfiles/one/Dockerfile",
            "context": "../Dockerfiles/one",
            "options": ["--platform=linux/amd64"],
        },
        "workspaceFolder": "/workspace",
        "workspaceMount": "source=${localWorkspaceFolder},target=/workspace,type=bind",
    }


def test_gpus_a_user_and_variables_are_those_of_the_profile() -> None:
    read = content(FULL)
    assert read["runArgs"] == ["--gpus=all"]
    assert read["hostRequirements"] == {"gpu": True}
    assert read["remoteUser"] == "lab"


def test_a_value_that_would_be_filled_in_is_left_to_the_image() -> None:
    assert content(FULL)["containerEnv"] == {"HEADLESS": "1"}


@pytest.mark.parametrize(
    ("old", "new", "folder"),
    [
        ("variants:", "workdir: /home/lab\nvariants:", "/home/lab"),
        ("variants:", "workdir: /\nvariants:", "/workspaces/one"),
        ("  distribution", "  provides: [isaac-sim-5-0-0]\n  distribution", "/workspaces/one"),
    ],
)
def test_where_the_workspace_is_mounted(old: str, new: str, folder: str) -> None:
    read = content(PLAIN.replace(old, new, 1))
    assert read["workspaceFolder"] == folder
    assert f",target={folder}," in read["workspaceMount"]


def test_a_mount_does_not_hide_what_the_image_has() -> None:
    assert content(FULL)["workspaceFolder"] == "/workspaces/one"  # /work/tasks is a checkout
    beside = FULL.replace("path: /work/tasks", "path: /work-tasks")
    assert content(beside)["workspaceFolder"] == "/work"


@pytest.mark.parametrize(("said", "count"), [("accept-eula: false\n", 1), ("", 0)])
def test_licence_terms_are_never_accepted_here(said: str, count: int) -> None:
    subject = exported(said + PLAIN)
    assert "EULA" not in devcontainer.text(subject)
    notes = devcontainer.notes(subject)
    assert len(notes) == count
    assert all("OMNI_KIT_ACCEPT_EULA=YES" in note for note in notes)
