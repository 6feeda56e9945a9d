"""``envbuild render --bake`` as a user types it."""

import json

import pytest

from .test_command import Workspace

NAME = "docker-bake.json"
DIGEST = f"sha256:{'5' * 64}"


@pytest.fixture
def locked(tmp_path, capsys):
    workspace = Workspace(tmp_path, capsys)
    workspace.lock("one")
    return workspace


def test_it_is_written_beside_and_then_kept_up_to_date(locked):
    status, _, err = locked("--bake")
    assert (status, err.splitlines()[-2:]) == (0, [f"{NAME}: written", "1 profile: 1 written"])
    assert locked("--bake")[2] == "1 profile: 1 unchanged\n"
    assert locked("--check")[2] == f"1 profile, all Dockerfiles fresh, and {NAME}\n"
    locked.lock("two")
    status, _, err = locked("--check")
    assert status == 1
    assert f"error: {NAME} is not as rendered: differs\n" in err
    assert err.endswith("hint: envbuild render --bake\n")
    assert f"{NAME}: written\n" in locked()[2]
    assert list(json.loads(locked.text(NAME))["target"]) == ["_common", "one", "two"]


def test_without_it_nothing_is_written_or_checked(locked):
    locked()
    assert not (locked.root / NAME).exists()
    assert locked("--check")[2] == "1 profile, all Dockerfiles fresh\n"
    status, _, err = locked("--bake", "--check")
    assert (status, f"error: {NAME} is not as rendered: missing\n" in err) == (1, True)


def test_images_are_read_by_their_digests_of_the_lock(locked):
    locked("--bake")
    (row,) = json.loads(locked.text(NAME))["target"]["one"]["matrix"]["variant"]
    assert row["args"] == {
        "BASE_IMAGE": f"registry.example.com/sim@{DIGEST}",
        "SOURCE_DATE_EPOCH": "1767225600",
    }
    assert row["dockerfile"] == "Dockerfile"


def test_printed_and_planned(locked):
    status, out, err = locked("--bake", "--stdout")
    assert (status, err) == (0, "")
    assert json.loads(out)["group"]["default"]["targets"] == ["one_linux-amd64-cpu"]
    assert not (locked.root / NAME).exists()
    planned = locked("--bake", "--dry-run")[1].splitlines()[-1]
    assert planned.split() == ["run", "render", NAME, "missing"]
    status, out, _ = locked("--bake", "--json")
    assert json.loads(out)[-1] == {"file": NAME, "status": "written"}


@pytest.mark.parametrize("arguments", [("--bake",), ("--bake", "--check")])
def test_somebody_elses_is_left(locked, arguments):
    own = locked.root / NAME
    own.write_text('{"target": {}}')
    status, _, err = locked(*arguments)
    assert status == 2
    assert f"error: {NAME} is not envbuild's: left as it is" in err
    assert own.read_text() == '{"target": {}}'
    assert locked()[0] == 0, "without --bake it is nobody's concern"


def test_a_link_is_nobodys_to_write_over(locked, tmp_path):
    (tmp_path / "kept.json").write_text("{}")
    (locked.root / NAME).symlink_to(tmp_path / "kept.json")
    assert locked("--bake")[0] == 2
    assert (tmp_path / "kept.json").read_text() == "{}"


def test_it_never_loses_a_profile_that_cannot_be_rendered(locked):
    locked.lock("two")
    locked("--bake")
    before = locked.text(NAME)
    locked.profile("two", "six==1.17.0")
    status, _, err = locked("--bake")
    assert status == 2
    assert f"{NAME} is left as it is: it would lack a profile\n" in err
    assert locked.text(NAME) == before


def test_named_profiles_are_those_of_the_file(locked):
    locked.lock("two")
    locked("--bake", "two")
    assert json.loads(locked.text(NAME))["group"]["default"]["targets"] == ["two_linux-amd64-cpu"]
