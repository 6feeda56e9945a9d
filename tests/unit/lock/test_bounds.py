"""Who asks with which bounds, from the metadata that uv has cached."""

import msgpack
import pytest

from envbuild.lock.bounds import Target, requires

ON = Target(python="3.11", machine="x86_64")
METADATA = msgpack.packb(
    [
        "isaaclab",
        "2.3.0",
        [
            "numpy<2",
            "numpy>=2.1 ; python_version >= '3.13'",
            "numpy>3 ; extra == 'new'",
            "torch >=2.7",
            "pillow[x]==11.3.0 ; extra == 'a'",
        ],
        None,
    ]
)
PKG_INFO = b"""\
Metadata-Version: 2.4
Name: isaacsim-kernel
Version: 5.1.0.0
Requires-Dist: numpy==1.26.0
Requires-Dist: Pillow (==11.3.0)

Requires-Dist: prose==1
"""


def test_bounds_are_read_from_what_uv_caches_of_a_wheel() -> None:
    found = requires("isaaclab", "2.3.0", lambda _name, _version: [METADATA + b"policy"])
    assert found is not None
    assert found.bounds("torch", ON) == ">=2.7"
    assert found.bounds("scipy", ON) == ""


def test_bounds_of_other_machines_and_of_extras_do_not_count() -> None:
    found = requires("isaaclab", "2.3.0", lambda _name, _version: [METADATA])
    assert found is not None
    assert found.bounds("numpy", ON) == "<2"
    assert found.bounds("numpy", Target(python="3.13", machine="x86_64")) == "<2,>=2.1"
    assert found.bounds("pillow", ON) == "==11.3.0"


def test_bounds_are_read_from_a_source_distribution() -> None:
    found = requires("isaacsim-kernel", "5.1.0.0", lambda _name, _version: [PKG_INFO])
    assert found is not None
    assert found.bounds("numpy", ON) == "==1.26.0"
    assert found.bounds("pillow", ON) == "==11.3.0"


def test_what_cannot_be_read_is_not_known() -> None:
    for data in (b"", b"\xc1", msgpack.packb({"a": 1}), msgpack.packb(["other", "1", []])):
        assert requires("isaaclab", "2.3.0", lambda _name, _version, data=data: [data]) is None
    assert requires("isaaclab", "2.3.0", lambda _name, _version: []) is None


def test_the_next_file_is_tried() -> None:
    found = requires("isaaclab", "2.3.0", lambda _name, _version: [b"\xc1", METADATA])
    assert found is not None
    assert found.bounds("numpy", ON) == "<2"


@pytest.mark.parametrize(
    ("head", "known"),
    [
        ("Metadata-Version: 1.1\n", False),
        ("Metadata-Version: 2.1\n", False),
        ("Metadata-Version: 2.2\n", True),
        ("Metadata-Version: 2.2\nDynamic: Requires-Dist\n", False),
        ("Metadata-Version: 2.1\nRequires-Dist: idna\n", True),
    ],
)
def test_a_source_that_names_no_requirement_may_just_not_say_it(head: str, known: bool) -> None:
    data = f"{head}Name: a\nVersion: 1\n\ntext".encode()
    assert (requires("a", "1", lambda _name, _version: [data]) is not None) is known
