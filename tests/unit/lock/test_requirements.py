"""Hashed requirement files."""

import pytest

from envbuild.lock.requirements import Pin, parse, render

WRITTEN_BY_UV = """\
aiohttp==3.14.3 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via -r requirements.in
typing-extensions==4.16.0 \\
    --hash=sha256:cc
    # via
    #   aiohttp
    #   -c bundle.txt
"""


def test_what_uv_writes_is_read() -> None:
    assert parse(WRITTEN_BY_UV) == (
        Pin(
            name="aiohttp",
            version="3.14.3",
            hashes=("sha256:aa", "sha256:bb"),
            via=("-r requirements.in",),
        ),
        Pin(
            name="typing-extensions",
            version="4.16.0",
            hashes=("sha256:cc",),
            via=("aiohttp", "-c bundle.txt"),
        ),
    )


def test_what_is_rendered_is_read_back() -> None:
    pins = parse(WRITTEN_BY_UV)
    assert parse(render(pins, heading="Locked.\nDo not edit.")) == pins


def test_rendering_sorts_packages_and_hashes() -> None:
    pins = (
        Pin(name="b", version="2", hashes=("sha256:2", "sha256:1"), via=()),
        Pin(name="a", version="1", hashes=("sha256:3",), via=("profile",)),
    )
    assert render(pins, heading="Locked.") == (
        "# Locked.\n"
        "a==1 \\\n    --hash=sha256:3\n    # via profile\n"
        "b==2 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"
    )


@pytest.mark.parametrize("line", ["numpy>=1.26", "-e .", "numpy==1.26 ; python_version > '3'"])
def test_a_line_that_is_no_pin_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"line 1: expected name==version"):
        parse(line)


def test_names_are_canonical() -> None:
    assert parse("Typing_Extensions==4.0\n")[0].name == "typing-extensions"


def test_a_wrong_line_below_hashes_is_named_by_its_number() -> None:
    text = f"# a heading\n{WRITTEN_BY_UV}--no-binary=x\n"
    with pytest.raises(ValueError, match=r"line 11: expected name==version, found '--no-binary=x'"):
        parse(text)
