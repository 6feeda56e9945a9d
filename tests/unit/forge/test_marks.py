"""The line by which a file is known."""

from __future__ import annotations

import pytest

from envbuild.forge import marks

WORDS = ("ci", "github", "--gpu-runner", "self-hosted,it's", "--schedule", "0 1 * * *")


@pytest.mark.parametrize("before", ["", "#!/bin/bash\n"])
def test_a_mark_holds_the_command_that_wrote_the_file(before: str) -> None:
    assert marks.words(f"{before}{marks.line(WORDS)}\nname: x\n") == WORDS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name: x\n",
        f"name: x\n{marks.line(WORDS)}\n",
        "# Written by envbuild. Do not edit: rm -rf /\n",
        "#!/bin/bash\n\n# Written by envbuild. Do not edit: envbuild ci github\n",
    ],
)
def test_a_file_of_somebody_else_has_none(text: str) -> None:
    assert marks.words(text) is None


def test_a_mark_that_is_cut_is_still_envbuilds() -> None:
    assert marks.words("# Written by envbuild. Do not edit: envbuild ci github 'x\n") == ()
