"""Package names and requirements in their one spelling."""

import pytest

from envbuild.names import _normalised, canonical_name, normalise, requirement_name


@pytest.mark.parametrize(
    "text",
    [
        "numpy",
        "numpy<2,>=1.26",
        "Pillow == 11.3.0",
        "isaacsim[extscache,all]==5.1.0",
        "isaaclab==2.3.2.post1",
        "torchcodec==0.11.*",
        "av>=12.0,!=13.1.0",
        "a.b_c[x] >= 1 , < 2",
        "torch==2.7.0rc1",
    ],
)
def test_the_short_way_spells_as_the_library_does(text: str) -> None:
    assert normalise(text) == _normalised(text)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        (
            "decord==0.6.0;platform_machine=='x86_64'",
            'decord==0.6.0 ; platform_machine == "x86_64"',
        ),
        ("torch~=2.7", "torch~=2.7"),
        ("x @ https://example.invalid/x.whl", "x @ https://example.invalid/x.whl"),
    ],
)
def test_the_rest_goes_through_the_library(text: str, spelled: str) -> None:
    assert normalise(text) == spelled


@pytest.mark.parametrize("text", ["numpy>>1", "numpy==", "numpy=1.26", "-e .", "numpy[", "a b"])
def test_what_is_no_requirement_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        normalise(text)


def test_names() -> None:
    assert canonical_name("Typing_Extensions") == "typing-extensions"
    assert canonical_name("a.-_b") == "a-b"
    assert requirement_name("Pillow[x]==11 ; python_version > '3'") == "pillow"
