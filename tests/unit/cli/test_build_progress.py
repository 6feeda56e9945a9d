"""The steps of a build, from the lines of each builder."""

from __future__ import annotations

import pytest

from envbuild.cli.build_progress import step


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("STEP 4/19: RUN set -eu; true", "step 4/19: RUN true"),
        (
            (
                'STEP 5/9: RUN set -eu; test "$(x)" = "y" || { echo "linux-amd64-cpu/apt/base/packages.txt is'
                ' not what this Dockerfile was rendered from" >&2; exit 1; }'
            ),
            "step 5/9: apt/base",
        ),
        (
            "[2/3] STEP 1/5: FROM nvcr.io/x:1 AS final",
            "stage 2/3, step 1/5: FROM nvcr.io/x:1 AS final",
        ),
        ("STEP 2/3: RUN --mount=type=bind,a=b --mount=c pip install", "step 2/3: RUN pip install"),
        ("STEP 2/3: RUN --mount=a     --mount=b     set -eu", "step 2/3: RUN     set -eu"),
        ("#12 [final 3/9] RUN set -eu", "stage final, step 3/9: RUN set -eu"),
        ("#7 [linux/amd64 base 2/4] USER root", "stage base, step 2/4: USER root"),
        ("#7 [2/4] USER root", "step 2/4: USER root"),
        ("#1 [internal] load build definition from Dockerfile", None),
        ("#12 0.345 STEP 4/19 of something else", None),
        ("Collecting numpy", None),
        ("", None),
    ],
)
def test_steps(line: str, said: str | None) -> None:
    assert step(line) == said
