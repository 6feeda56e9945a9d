import json

import pytest

from envbuild.errors import InputError
from envbuild.render.bake import BakeImage, bake, ours, variable

DIGEST = f"sha256:{'5' * 64}"


def image(profile="robot", variant="linux-amd64-cpu", **changes):
    given = {
        "platform": "linux/amd64",
        "dockerfile": "Dockerfile",
        "images": (("BASE_IMAGE", f"registry.example.com/sim@{DIGEST}"),),
        "epoch": 1700000000,
    }
    return BakeImage(profile=profile, variant=variant, **{**given, **changes})


def made(*images):
    return json.loads(bake(images))


def test_a_profile_is_a_target_with_a_matrix_of_its_variants():
    arm = image(variant="linux-arm64-cu130", platform="linux/arm64", dockerfile="Dockerfile.arm")
    target = made(image(), arm)["target"]["robot"]
    assert target["name"] == "robot_${variant.target}"
    assert target["context"] == "Dockerfiles/robot"
    rows = target["matrix"]["variant"]
    assert [row["platform"] for row in rows] == ["linux/amd64", "linux/arm64"]
    assert rows[0]["args"] == {
        "BASE_IMAGE": f"registry.example.com/sim@{DIGEST}",
        "SOURCE_DATE_EPOCH": "1700000000",
    }
    assert [row["dockerfile"] for row in rows] == ["Dockerfile", "Dockerfile.arm"]


def test_groups_are_all_and_those_of_a_platform():
    arm = image("other", "linux-arm64-cpu", platform="linux/arm64")
    groups = made(arm, image())["group"]
    assert groups["default"]["targets"] == ["other_linux-arm64-cpu", "robot_linux-amd64-cpu"]
    assert groups["on_linux-arm64"]["targets"] == ["other_linux-arm64-cpu"]
    assert groups["on_linux-amd64"]["targets"] == ["robot_linux-amd64-cpu"]


def test_the_order_of_profiles_says_nothing():
    one, other = image("a"), image("b")
    assert bake([one, other]) == bake([other, one])


def test_a_secret_is_a_variable_that_may_be_empty():
    said = made(image(secrets=("pip_conf", "own.token")))
    assert said["variable"]["PIP_CONF"] == {"default": ""}
    assert said["variable"]["OWN_TOKEN"] == {"default": ""}
    assert said["target"]["robot"]["secret"] == (
        '${concat(OWN_TOKEN == "" ? [] : ["id=own.token,src=${OWN_TOKEN}"],'
        ' PIP_CONF == "" ? [] : ["id=pip_conf,src=${PIP_CONF}"])}'
    )
    assert variable("own.token") == "OWN_TOKEN"


def test_without_secrets_and_agents_there_are_none():
    said = made(image())
    assert not {"secret", "ssh"} & said["target"]["robot"].keys()
    assert "SSH" not in said["variable"]


def test_the_agent_is_handed_in_when_it_is_asked_for():
    said = made(image(ssh=True))
    assert said["target"]["robot"]["ssh"] == '${SSH == "" ? [] : [SSH]}'


def test_no_value_is_expanded_but_variables():
    row = made(image(images=(("BASE_IMAGE", "a${TAG}%{if}"),)))["target"]["robot"]
    assert row["matrix"]["variant"][0]["args"]["BASE_IMAGE"] == "a$${TAG}%%{if}"


def test_names_are_such_as_bake_takes():
    said = made(image("my.robot", "linux-amd64-cpu"))
    assert said["group"]["default"]["targets"] == ["my-robot_linux-amd64-cpu"]
    assert said["target"]["my-robot"]["context"] == "Dockerfiles/my.robot"
    assert "my.robot:${variant.name}" in said["target"]["my-robot"]["tags"][0]


@pytest.mark.parametrize(
    ("profiles", "named"),
    [(("a.b", "a-b"), "'a-b'"), (("default",), "'default'"), (("_common",), "'_common'")],
)
def test_two_of_one_name_are_refused(profiles, named):
    with pytest.raises(InputError, match=named):
        bake(image(name) for name in profiles)


def test_what_is_ours_is_known_by_its_first_words():
    assert ours(bake([image()]))
    assert ours(bake([image()]).replace(b"  ", b"\t"))
    assert not ours(b'{"target": {"//": "Rendered by envbuild"}}')
    assert not ours(b"")
