"""What an image has and what a lock adds."""

from envbuild.lock.model import Provided
from envbuild.lock.overlay import split
from envbuild.lock.requirements import Pin


def pin(name: str, *via: str) -> Pin:
    return Pin(name=name, version="1.0", hashes=(f"sha256:{name}",), via=via)


RESOLVED = (
    pin("isaaclab", "profile"),
    pin("numpy", "bundle", "isaaclab"),
    pin("nvidia-cuda-runtime", "torch"),
    pin("rerun-sdk", "profile"),
    pin("pyarrow", "rerun-sdk"),
    pin("torch", "bundle", "isaaclab"),
    pin("triton", "torch"),
)


def test_the_bundle_and_its_closure_are_left_out() -> None:
    result = split(RESOLVED, bundle={"numpy": "1.26.0", "torch": ""}, roots=())
    assert [p.name for p in result.added] == ["isaaclab", "pyarrow", "rerun-sdk"]
    assert result.provided == (
        Provided(name="numpy", by="bundle", version="1.26.0"),
        Provided(name="nvidia-cuda-runtime", by="torch"),
        Provided(name="torch", by="bundle"),
        Provided(name="triton", by="torch"),
    )


def test_a_root_of_the_image_takes_its_whole_closure_with_it() -> None:
    result = split(RESOLVED, bundle={}, roots=("isaaclab",))
    assert [p.name for p in result.added] == ["pyarrow", "rerun-sdk"]
    assert Provided(name="isaaclab", by="bundle", version="1.0") in result.provided


def test_without_a_bundle_everything_is_added() -> None:
    assert len(split(RESOLVED, bundle={}, roots=()).added) == len(RESOLVED)


def test_what_conda_has_is_left_to_it_with_what_nothing_else_asks_for() -> None:
    have = {"rerun-sdk": "0.9", "torch": "2.7.0", "pip": "26.0"}
    result = split(RESOLVED, bundle={}, roots=(), conda=have)
    assert [p.name for p in result.added] == ["isaaclab", "numpy"]
    assert result.provided == (
        Provided(name="nvidia-cuda-runtime", by="torch"),
        Provided(name="pyarrow", by="rerun-sdk"),
        Provided(name="rerun-sdk", by="conda", version="0.9"),
        Provided(name="torch", by="conda", version="2.7.0"),
        Provided(name="triton", by="torch"),
    )


def test_what_something_else_asks_for_too_is_added_beside_conda() -> None:
    pins = (*RESOLVED, pin("shared", "torch", "isaaclab"), pin("below", "shared"))
    result = split(pins, bundle={}, roots=(), conda={"torch": "2.7.0"})
    assert {"shared", "below", "isaaclab", "pyarrow"} <= {p.name for p in result.added}
    assert "triton" not in {p.name for p in result.added}


def test_the_image_comes_before_conda() -> None:
    have = {"torch": "2.7.0", "numpy": "2.0"}
    result = split(RESOLVED, bundle={"torch": "2.6.0"}, roots=(), conda=have)
    by = {row.name: (row.by, row.version) for row in result.provided}
    assert by["torch"] == ("bundle", "2.6.0")
    assert by["numpy"] == ("conda", "2.0")
    assert by["triton"] == ("torch", "")


def test_a_circle_below_conda_ends() -> None:
    circle = (pin("a", "profile"), pin("b", "a", "c"), pin("c", "b"))
    assert split(circle, bundle={}, roots=(), conda={"a": "1.0"}).added == ()


def test_a_circle_of_askers_ends() -> None:
    circle = (pin("a", "b"), pin("b", "a"))
    assert split(circle, bundle={"a": "1.0"}, roots=()).added == ()
