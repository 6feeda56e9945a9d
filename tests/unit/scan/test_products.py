"""Which products a tree holds, and in which release."""

import json

import pytest

from tests.support import simulators
from tests.support.scanned import Link, tree
from tests.support.surveyed import products_of

SITE = "/env/lib/python3.11/site-packages"


def found(files, **more):
    every = products_of(tree(files, **more))
    return [(one.kind, one.release, one.path, one.way) for one in every]


@pytest.mark.parametrize(
    ("said", "release"),
    [
        ("5.1.0-rc.19+release.26219.9c81211b.gl", "5.1.0"),
        ("5.0.0-replica\n", "5.0.0"),
        ("2023.1.1-rc.8+2023.1.688.573e0291.tc", "2023.1.1"),
        ("6.0.1", "6.0.1"),
        ("5.1.0.0", "5.1.0"),
        ("6.1", "6.1"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_the_release_of_a_folder_is_the_three_numbers_of_its_version_file(said, release):
    assert found(simulators.binary("/isaac-sim", version=said)) == [
        ("isaac-sim", release, "/isaac-sim", "binary")
    ]


def test_the_replica_is_an_isaac_sim():
    assert found(simulators.replica()) == [("isaac-sim", "5.0.0", "/isaac-sim", "binary")]


def test_a_folder_without_its_launcher_is_known_by_version_and_kit():
    files = {"/opt/sim/VERSION": "4.1.0-rc.7\n", "/opt/sim/kit/kit": 10}
    assert found(files) == [("isaac-sim", "4.1.0", "/opt/sim", "binary")]


def test_a_version_file_or_a_python_sh_alone_is_no_product():
    assert found({"/opt/a/VERSION": "1.0.0", "/opt/b/python.sh": "exec python3"}) == []


def test_what_pip_installed_has_the_release_of_its_distribution():
    files = simulators.conda("/env") | simulators.installed(SITE)
    assert found(files) == [("isaac-sim", "5.1.0", f"{SITE}/isaacsim", "pip")]


def test_the_version_file_that_a_wheel_of_6_brings_goes_before_its_name():
    files = simulators.installed("/env/lib/python3.12/site-packages", "6.0.1.0")
    files["/env/lib/python3.12/site-packages/isaacsim/VERSION"] = "6.0.1-rc.7+release\n"
    assert [one[1:3] for one in found(files)] == [
        ("6.0.1", "/env/lib/python3.12/site-packages/isaacsim")
    ]


def test_a_wheel_of_isaac_sim_is_one_by_itself():
    files = {
        "/isaacsim/kit/kernel/py/carb/__init__.py": "",
        "/isaacsim_kernel-6.0.0.1.dist-info/METADATA": "Name: isaacsim-kernel\n",
    }
    assert found(files) == [("isaac-sim", "6.0.0", "/isaacsim", "pip")]


def test_metadata_without_a_folder_is_no_isaac_sim():
    files = {f"{SITE}/isaacsim-5.1.0.0.dist-info/METADATA": "Name: isaacsim\n"}
    assert found(files) == []


def test_isaac_lab_as_sources_says_its_release_in_a_file():
    files = {
        "/workspace/isaaclab/isaaclab.sh": "#!/bin/bash\n",
        "/workspace/isaaclab/VERSION": "2.3.0\n",
        "/workspace/isaaclab/source/isaaclab/config/extension.toml": 'version = "0.47.1"\n',
        "/workspace/isaaclab/_isaac_sim": Link("/isaac-sim"),
    }
    files |= simulators.binary_5_1()
    assert found(files) == [
        ("isaac-lab", "2.3.0", "/workspace/isaaclab", "source"),
        ("isaac-sim", "5.1.0", "/isaac-sim", "binary"),
    ]


def test_isaac_lab_installed_from_those_sources_is_not_a_second_one():
    info = f"{SITE}/isaaclab-0.47.1.dist-info"
    direct = {
        "url": "file:///workspace/isaaclab/source/isaaclab",
        "dir_info": {"editable": True},
    }
    files = {
        "/workspace/isaaclab/isaaclab.sh": "",
        "/workspace/isaaclab/VERSION": "2.3.0",
        f"{info}/METADATA": "Name: isaaclab\nVersion: 0.47.1\n",
        f"{info}/direct_url.json": json.dumps(direct),
    }
    assert found(files) == [("isaac-lab", "2.3.0", "/workspace/isaaclab", "source")]
    elsewhere = {path: text for path, text in files.items() if path.startswith("/env")}
    assert found(elsewhere, roots=("/env",)) == [("isaac-lab", "", "/workspace/isaaclab", "source")]


def test_isaac_lab_as_a_wheel_has_its_release_from_its_name():
    files = {
        f"{SITE}/isaaclab-2.3.0.dist-info/METADATA": "Name: isaaclab\nVersion: 2.3.0\n",
        f"{SITE}/isaaclab/source/isaaclab/config/extension.toml": 'version = "0.47.1"\n',
    }
    assert found(files) == [("isaac-lab", "2.3.0", f"{SITE}/isaaclab", "pip")]


def test_a_wheel_of_isaac_lab_that_was_moved_keeps_its_release():
    """So the replica's tier `lab` has it: the folder in /workspace, the metadata in Kit's Python."""
    site = "/isaac-sim/kit/python/lib/python3.11/site-packages"
    files = simulators.replica() | {
        f"{site}/isaaclab-2.2.0.dist-info/METADATA": "Name: isaaclab\nVersion: 2.2.0\n",
        "/workspace/isaaclab/source/isaaclab/config/extension.toml": 'version = "0.44.9"\n',
    }
    assert found(files)[0] == ("isaac-lab", "2.2.0", "/workspace/isaaclab", "pip")


def test_groot():
    files = {f"{SITE}/gr00t-1.1.0.dist-info/METADATA": "", f"{SITE}/gr00t/__init__.py": ""}
    assert found(files) == [("gr00t", "1.1.0", f"{SITE}/gr00t", "pip")]
    direct = '{"url": "file:///workspace/Isaac%20GR00T", "dir_info": {"editable": true}}'
    files[f"{SITE}/gr00t-1.1.0.dist-info/direct_url.json"] = direct
    assert found(files) == [("gr00t", "1.1.0", "/workspace/Isaac GR00T", "source")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000 + '"editable"',
        '{"dir_info": {"editable": "yes"}}',
        '{"dir_info": {"editable": true}, "url": "file://[/x"}',
        '{"dir_info": {"editable": true}, "url": "https://host/x"}',
        '{"dir_info": null, "url": "editable"} "editable"',
    ],
)
def test_a_direct_url_that_says_nothing_makes_no_editable_install(text):
    files = {
        f"{SITE}/gr00t-1.0.dist-info/direct_url.json": text,
        f"{SITE}/gr00t/__init__.py": "",
    }
    assert found(files) == [("gr00t", "1.0", f"{SITE}/gr00t", "pip")]
