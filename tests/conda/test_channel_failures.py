"""What ``envbuild lock`` says when a channel does not hold what it must; nothing is written."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.conda.conftest import WORLD, Serve
from tests.support import conda_packages, conda_server
from tests.support.conda_packages import record
from tests.support.conda_server import Fault
from tests.support.conda_workspace import CondaFolder

PAGE = "linux-64/repodata.json"
FAULTS: dict[str, tuple[Fault, str]] = {
    "html": (conda_server.html, "does not hold what a channel must"),
    "truncated": (conda_server.truncated, "does not hold what a channel must"),
    "busy": (conda_server.busy(None), "cannot be reached"),
}


class Unlocked(CondaFolder):
    """A workspace with a lock, whose profile wants another one."""

    before: dict[str, bytes]

    def refused(self, *words: str, status: int = 3) -> None:
        """Lock, which must fail with these words; the lock of before still stands, and nothing
        else."""
        done = self.run("lock")
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        for word in words:
            assert word in done.stderr
        assert self.locked("one") == self.before
        assert [path.name for path in (self.root / "lockfiles").iterdir()] == ["one"]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lock folders of a workspace that was locked."""
    root = tmp_path_factory.mktemp("once")
    made = CondaFolder(root / "ws")
    made.mirror("world", conda_packages.channel(root / "world", WORLD).as_uri())
    made.conda_profile("one", "tool=1.0")
    assert made.run("lock").returncode == 0
    return made.root / "lockfiles"


@pytest.fixture
def unlocked(tmp_path: Path, world: Path, once: Path) -> Unlocked:
    """A workspace that reads the small channel from its files; `tool` is locked, and moves."""
    made = Unlocked(tmp_path / "ws")
    made.mirror("world", world.as_uri())
    shutil.copytree(once, made.root / "lockfiles")
    made.before = made.locked("one")
    made.conda_profile("one", "tool=1.1")
    return made


@pytest.mark.parametrize("subdir", ["linux-64", "noarch"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_page_is_blamed_on_its_channel_and_subdir(
    unlocked: Unlocked, world: Path, serve: Serve, fault: str, subdir: str
) -> None:
    broken, cause = FAULTS[fault]
    unlocked.mirror("world", serve(world, {f"{subdir}/repodata.json": broken}).url)
    unlocked.refused(f"conda: {subdir} of the channel world {cause}", "hint: ")


def test_a_transfer_that_is_cut_is_blamed_on_its_channel_and_subdir(
    unlocked: Unlocked, world: Path, serve: Serve
) -> None:
    unlocked.setting("remote_max_retries", 0)  # the library tries again by itself
    unlocked.mirror("world", serve(world, {PAGE: conda_server.cut}).url)
    unlocked.refused("conda: linux-64 of the channel world cannot be reached")


def test_a_portal_that_answers_for_everything(
    unlocked: Unlocked, world: Path, serve: Serve
) -> None:
    unlocked.mirror("world", serve(world, {"*": conda_server.html}).url)
    unlocked.refused(
        "of the channel world does not hold what a channel must",
        "a mirror or a proxy may have answered for it",
    )


def test_a_page_of_a_second_channel_is_blamed_on_that(
    unlocked: Unlocked, world: Path, serve: Serve
) -> None:
    unlocked.mirror("far", serve(world, {PAGE: conda_server.html}).url)
    unlocked.conda_profile("one", "tool", channels=("world", "far"))
    unlocked.refused("linux-64 of the channel far does not hold")


def test_a_silent_server_is_not_waited_for(unlocked: Unlocked, world: Path, serve: Serve) -> None:
    unlocked.setting("remote_read_timeout_secs", 1)
    unlocked.mirror("world", serve(world, {"linux-64/*": conda_server.silent}).url)
    started = time.monotonic()
    unlocked.refused(
        "linux-64 of the channel world does not answer in time", "remote_read_timeout_secs"
    )
    assert time.monotonic() - started < 10


def test_a_busy_server_is_asked_again(folder: CondaFolder, world: Path, serve: Serve) -> None:
    folder.mirror("world", serve(world, {PAGE: conda_server.busy(2)}).url)
    folder.conda_profile("one", "tool")
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    assert folder.versions()["tool"] == "1.1"


def test_a_busy_server_is_asked_as_often_as_the_settings_say(
    unlocked: Unlocked, world: Path, serve: Serve
) -> None:
    served = serve(world, {"linux-64/*": conda_server.busy(None)})
    unlocked.mirror("world", served.url)
    often = []
    for retries in (0, 1, 2):
        unlocked.setting("remote_max_retries", retries)
        served.requests.clear()
        unlocked.refused("cannot be reached")
        often.append(sum(path.startswith("linux-64/") for _, path in served.requests))
    assert often[1] - often[0] == often[2] - often[1] > 0


def test_a_refused_connection(unlocked: Unlocked) -> None:
    unlocked.mirror("world", "http://127.0.0.1:9")
    unlocked.refused("of the channel world cannot be reached", "--offline uses the cache alone")


def test_a_channel_that_is_not_there(unlocked: Unlocked, world: Path, serve: Serve) -> None:
    faults = {"*": conda_server.missing}
    unlocked.mirror("world", serve(world, faults).url)
    unlocked.refused("noarch of the channel world")


def test_a_channel_without_the_platform_is_named_when_something_lacks(
    unlocked: Unlocked, world: Path, serve: Serve
) -> None:
    unlocked.mirror("world", serve(world, {"linux-64/*": conda_server.missing}).url)
    unlocked.refused("the channel world has nothing for linux-64", status=1)


def test_a_channel_without_the_platform_is_no_error_where_others_have_it(
    folder: CondaFolder, tmp_path: Path
) -> None:
    bare = conda_packages.channel(tmp_path / "bare", [record("extra", "1.0", subdir="noarch")])
    (bare / "linux-64" / "repodata.json").unlink()
    folder.mirror("bare", bare.as_uri())
    folder.conda_profile("one", "tool", "extra", channels=("world", "bare"))
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    assert "extra" in folder.versions()


def spoiled(world: Path, name: str, **changes: object) -> None:
    """Change what the channel says of a package; None takes a key away."""
    page = world / "linux-64" / "repodata.json"
    said = json.loads(page.read_text())
    rows = dict(said["packages.conda"])
    for file, row in said["packages.conda"].items():
        if file.startswith(name):
            changed = {**row, **changes}
            rows[file] = {key: value for key, value in changed.items() if value is not None}
    page.write_text(json.dumps(said | {"packages.conda": rows}))


@pytest.mark.parametrize(
    "changes",
    [{"version": None}, {"sha256": "xyz"}, {"depends": "tool"}, {"build": 3}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_record_that_cannot_be_read_is_blamed_on_its_channel(
    unlocked: Unlocked, world: Path, changes: dict[str, object]
) -> None:
    spoiled(world, "tool-1.1", **changes)
    unlocked.refused("linux-64 of the channel world does not hold what a channel must")


@pytest.mark.parametrize("digest", ["sha256", "md5"])
def test_a_record_without_a_digest_is_refused(unlocked: Unlocked, world: Path, digest: str) -> None:
    spoiled(world, "tool-1.1", **{digest: None})
    unlocked.refused(
        "linux-64 of the channel world does not hold what a channel must",
        "tool 1.1 (0) has no sha256 and md5",
    )


@pytest.mark.parametrize(
    "file", ["../../tool-1.1-0.conda", "a/../tool-1.1-0.conda", "/etc/tool-1.1-0.conda"]
)
def test_a_file_name_that_leaves_the_channel_is_refused(
    unlocked: Unlocked, world: Path, file: str
) -> None:
    page = world / "linux-64" / "repodata.json"
    page.write_text(page.read_text().replace('"tool-1.1-0.conda"', f'"{file}"'))
    unlocked.refused("No candidates were found for tool 1.1", status=1)


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ("https://far.example/x", "https://far.example/x/"),
        ("../../far", "/far/"),
        ("https://conda.anaconda.org/world/../far", "/far/"),
        ("https://conda.anaconda.org/worldly", "https://conda.anaconda.org/worldly/"),
    ],
)
def test_packages_that_lie_elsewhere_are_refused(
    unlocked: Unlocked, tmp_path: Path, base: str, told: str
) -> None:
    far = conda_packages.channel(tmp_path / "channels" / "world", WORLD, base_url=base)
    unlocked.mirror("world", far.as_uri())
    unlocked.refused("lies outside of its channel: ", told)


def test_packages_that_lie_at_the_worlds_own_address_are_taken(
    folder: CondaFolder, tmp_path: Path
) -> None:
    base = "https://conda.anaconda.org/world"
    near = conda_packages.channel(tmp_path / "near", WORLD, base_url=base)
    folder.mirror("world", near.as_uri())
    folder.conda_profile("one", "tool")
    assert folder.run("lock").returncode == 0
    rows = folder.conda_lock()["package"]
    assert all(row["url"].startswith(f"{base}/") for row in rows)


def test_a_channel_that_names_another_is_not_followed(
    folder: CondaFolder, world: Path, tmp_path: Path
) -> None:
    conda_packages.channel(tmp_path / "far", [record("tool", "9.0")])
    for subdir in ("linux-64", "noarch"):
        page = world / subdir / "repodata.json"
        said = json.loads(page.read_text())
        said["info"]["channel_relations"] = {"base": "../far"}
        page.write_text(json.dumps(said))
    folder.conda_profile("one", "tool")
    done = folder.run("lock")
    assert done.returncode == 0, done.stderr
    assert folder.versions()["tool"] == "1.1"


# --- Refusals about the profile ------------------------------------------------------------------


def line(folder: CondaFolder, text: str) -> str:
    """Where a text stands in the profile, without the column."""
    rows = (folder.root / "envs" / "one.yaml").read_text().splitlines()
    return f"envs/one.yaml:{next(n for n, row in enumerate(rows, 1) if text in row)}:"


@pytest.mark.parametrize("spec", ["tool>=>3", "tool>1.*.2,<", "tool[version=", "tool==1.0=*=*=x"])
def test_a_specification_that_cannot_be_read_has_its_line(unlocked: Unlocked, spec: str) -> None:
    unlocked.conda_profile("one", "app", spec)
    unlocked.refused(line(unlocked, spec), spec, status=1)


def test_a_package_that_no_channel_has_gets_near_names(unlocked: Unlocked) -> None:
    unlocked.conda_profile("one", "tol")
    unlocked.refused(
        "no set of packages for linux-64 satisfies every specification",
        "hint: world has no tol: did you mean tool",
        line(unlocked, '"tol"'),
        status=1,
    )


def test_a_machine_that_is_too_old_is_described(unlocked: Unlocked) -> None:
    unlocked.conda_profile("one", "future")
    unlocked.refused("__glibc is 2.35, of ubuntu-22.04", line(unlocked, "future"), status=1)


def test_two_specifications_that_exclude_each_other_are_both_shown(unlocked: Unlocked) -> None:
    unlocked.conda_profile("one", "picky", "tool=1.1")
    unlocked.refused(
        line(unlocked, "picky"),
        line(unlocked, "tool=1.1"),
        "channels: world; platform: linux-64",
        status=1,
    )


def test_the_first_channel_that_has_a_package_is_the_only_one_for_it(
    folder: CondaFolder, tmp_path: Path
) -> None:
    newer = conda_packages.channel(tmp_path / "newer", [record("tool", "2.0")])
    folder.mirror("newer", newer.as_uri())
    folder.conda_profile("one", "tool", channels=("world", "newer"))
    assert folder.run("lock").returncode == 0
    assert folder.versions()["tool"] == "1.1"
    folder.conda_profile("one", "tool", channels=("newer", "world"))
    assert folder.run("lock").returncode == 0
    assert folder.versions()["tool"] == "2.0"


def test_a_dependency_is_not_taken_from_a_later_channel(
    folder: CondaFolder, tmp_path: Path
) -> None:
    newer = conda_packages.channel(
        tmp_path / "newer", [record("tool", "2.0"), record("eager", "1.0", depends=["tool >=2"])]
    )
    folder.mirror("newer", newer.as_uri())
    folder.conda_profile("one", "eager", channels=("world", "newer"))
    done = folder.run("lock")
    assert done.returncode == 1
    assert "tool >=2" in done.stderr


def test_settings_that_are_no_yaml_are_refused_with_their_file(unlocked: Unlocked) -> None:
    (unlocked.root / "condarc").write_text("mirrored_channels: [\n")
    unlocked.refused("condarc is not YAML", status=2)


def test_one_profile_that_fails_does_not_stop_the_others(folder: CondaFolder) -> None:
    folder.conda_profile("bad", "tol")
    folder.conda_profile("good", "tool")
    done = folder.run("lock", "--json")
    assert done.returncode == 1
    rows = {row["profile"]: row for row in json.loads(done.stdout)}
    assert (rows["bad"]["status"], rows["good"]["status"]) == ("failed", "written")
    outcome = rows["bad"]["variants"][0]["outcome"]
    assert outcome["kind"] == "unsatisfiable"
    assert "tol" in outcome["text"]
    assert not folder.locked("bad")
