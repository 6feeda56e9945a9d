"""What opens doors is shown nowhere."""

from __future__ import annotations

import pytest

from envbuild.tools.proc import Command, masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pass@host/simple", "https://***@host/simple"),
        ("https://token@host/simple", "https://***@host/simple"),
        ("https://me:p@ss@host/simple/a@b", "https://***@host/simple/a@b"),
        ("https://host/simple/a@1.0", "https://host/simple/a@1.0"),
        (
            "'https://me:pass@host' and https://you:word@host",
            "'https://***@host' and https://***@host",
        ),
        ("UV_INDEX_COMPANY_PASSWORD=abc next", "UV_INDEX_COMPANY_PASSWORD=*** next"),
        ("https://host/?access_token=abc&page=2", "https://host/?access_token=***&page=2"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer ***"),
        ("ghp_0123456789abcdef and hf_abcdefghij", "*** and ***"),
        ("numpy==1.26.0 --hash=sha256:0123", "numpy==1.26.0 --hash=sha256:0123"),
        ("tokenizers==0.21 tokens: 5", "tokenizers==0.21 tokens: 5"),
    ],
)
def test_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_command_is_shown_as_a_shell_reads_it() -> None:
    command = Command(argv=("uv", "a b", "--index", "https://me:pass@host/simple"))
    assert command.text() == "uv 'a b' --index https://***@host/simple"
