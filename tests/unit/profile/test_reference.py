"""The reference page of the profile format."""

from pathlib import Path

from envbuild.profile.model import Environment
from envbuild.profile.reference import reference

PAGE = Path(__file__).parents[3] / "docs/reference/profile.md"


def test_the_committed_page_is_what_the_types_say() -> None:
    assert PAGE.read_text() == reference()


def test_every_key_of_a_profile_is_in_the_page() -> None:
    text = reference()
    for name in Environment.__struct_encode_fields__:
        assert f"| `{name}` |" in text


def test_fields_are_spelled_as_in_files() -> None:
    assert "build_image" not in reference()
    assert "`build-image`" in reference()
