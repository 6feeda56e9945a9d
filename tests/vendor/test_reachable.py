"""``envbuild check --reachable``: artifacts that went, moved, or do not answer."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from tests.fetch.test_repositories import git
from tests.registry.answers import Said
from tests.support.index import wheel
from tests.vendor.conftest import World

pytestmark = pytest.mark.git


def asked(world: World, *argv: str, code: int = 0, **environment: str) -> dict[str, Any]:
    """The findings by kind and name."""
    done = world.run("check", "--reachable", "one", "--json", *argv, **environment)
    assert done.returncode == code, done.stdout + done.stderr
    rows = json.loads(done.stdout)["artifacts"]
    return {f"{one['kind']} {one['name'].rpartition('/')[2]}": one for one in rows}


def states(found: dict[str, Any]) -> dict[str, str]:
    return {name: one["state"] for name, one in found.items()}


HERE = {"wheel alpha": "here", "wheel beta": "here", "image debian": "here"}


def test_all_of_it_is_here(world: World) -> None:
    assert states(asked(world)) == HERE
    done = world.run("check", "--reachable", "one")
    assert done.stdout == ""
    assert "3 artifacts: 3 here, 0 gone, 0 moved, 0 unknown" in done.stderr


def test_a_version_that_the_index_lost_is_gone_alone(world: World) -> None:
    world.packages.files["beta"].clear()
    world.packages.add("beta", "3.0")
    found = asked(world, code=1)
    assert states(found) == HERE | {"wheel beta": "gone"}
    assert found["wheel beta"]["detail"] == "the index has no beta 2.0 for this Python"


def test_a_file_that_its_page_still_names_is_gone(world: World) -> None:
    """The page names the file, and the host has it no more."""
    page, files = world.packages.page("alpha"), world.packages.files["alpha"]
    world.packages.page = lambda name: (
        page if name == "alpha" else type(world.packages).page(world.packages, name)
    )  # type: ignore[method-assign,assignment]
    files.clear()
    found = asked(world, code=1)
    assert states(found) == HERE | {"wheel alpha": "gone"}
    assert found["wheel alpha"]["detail"].endswith("answers 404")


def test_other_bytes_under_the_same_name_have_moved(world: World) -> None:
    world.packages.put("beta-2.0-py3-none-any.whl", wheel("beta", "2.0", code="# new\n"))
    found = asked(world, code=1)
    assert states(found) == HERE | {"wheel beta": "moved"}


def test_a_yanked_wheel_is_a_warning(world: World) -> None:
    own = world.packages.page

    def page(name: str) -> bytes | None:
        found = own(name)
        if name != "beta" or found is None:
            return found
        said = json.loads(found)
        for file in said["files"]:
            file["yanked"] = "it eats disks"
        return json.dumps(said).encode()

    world.packages.page = page  # type: ignore[method-assign]
    found = asked(world)
    assert (found["wheel beta"]["state"], found["wheel beta"]["warning"]) == (
        "here",
        "yanked: it eats disks",
    )
    assert asked(world, "--strict", code=1)["wheel alpha"]["warning"] == ""


def test_an_image_and_a_layer_that_went(world: World) -> None:
    big = max(world.image.blobs, key=lambda one: len(world.image.blobs[one]))
    del world.server.answers[f"/v2/hub/library/debian/blobs/{big}"]
    assert states(asked(world, code=1)) == HERE | {"image debian": "gone"}
    world.server.answers.clear()
    assert states(asked(world, code=1)) == HERE | {"image debian": "gone"}


def test_a_manifest_with_other_bytes_has_moved(world: World) -> None:
    path = f"/v2/hub/library/debian/manifests/{world.image.digest}"
    world.server.answers[path] = Said(200, world.image.manifest + b" ")
    assert states(asked(world, code=1)) == HERE | {"image debian": "moved"}


def test_a_commit_and_a_repository_that_went(world: World) -> None:
    world.with_git()
    every = HERE | {"git tool": "here", "deb git": "here", "deb ca-certificates": "here"}
    assert states(asked(world)) == every
    git(world.source, "checkout", "--quiet", "--orphan", "other")
    git(world.source, "commit", "--quiet", "--message", "other")
    git(world.source, "branch", "--quiet", "-D", "main")
    git(world.source, "reflog", "expire", "--expire=now", "--all")
    git(world.source, "gc", "--quiet", "--prune=now")
    assert states(asked(world, code=1)) == every | {"git tool": "gone"}
    shutil.rmtree(world.source)
    assert states(asked(world, code=1)) == every | {"git tool": "gone"}


def test_who_does_not_answer_is_unknown(world: World) -> None:
    away = {"ENVBUILD_MIRRORS": "docker.io=127.0.0.1:9/hub"}
    found = asked(world, code=3, **away)
    assert states(found) == HERE | {"image debian": "unknown"}
    assert "127.0.0.1:9" in found["image debian"]["detail"]
    found = asked(world, code=3, UV_DEFAULT_INDEX="http://127.0.0.1:9/simple", **away)
    assert states(found) == HERE | {
        "wheel alpha": "unknown",
        "wheel beta": "unknown",
        "image debian": "unknown",
    }


def test_what_is_vendored_is_safe(world: World) -> None:
    world.vendor("one")
    world.packages.files["beta"].clear()
    world.packages.add("beta", "3.0")
    found = asked(world, "--vendor", str(world.dir))
    assert (found["wheel beta"]["state"], found["wheel beta"]["vendored"]) == ("gone", True)
    world.file("wheel", "beta").unlink()
    assert not asked(world, "--vendor", str(world.dir), code=1)["wheel beta"]["vendored"]


def test_a_plain_check_stays_as_it_was(world: World) -> None:
    """Nothing is asked, and options that belong to the question are refused."""
    world.server.asked.clear()
    world.packages.requests = 0
    assert world.run("check", "one").returncode == 0
    assert world.run("check", "one").returncode == 0
    assert (world.server.asked, world.packages.requests) == ([], 0)
    done = world.run("check", "one", "--vendor", "x")
    assert done.returncode == 2
    assert "--vendor goes with --reachable alone" in done.stderr
