"""Which index the user's own settings name."""

from __future__ import annotations

import pytest

from envbuild.errors import InputError
from envbuild.lock.indexes import user_indexes

HERE = {"HOME": "/home/me"}
PIP = "/home/me/.config/pip/pip.conf"
URL = "http://127.0.0.1:1/simple"


def asked(text: str) -> str:
    files = {PIP: text}
    found = user_indexes(HERE, files.get)
    values = (*found.environment.values(), *map(str, found.configuration.values()))
    return next((value for value in values if URL in value), "")


@pytest.mark.parametrize(
    "text",
    [
        f"[global]\nindex-url = {URL}\n",
        f"# mine\n[install]\nno-cache = 1\n[global]\ntimeout = 5\n\nindex-url={URL}",
        f"[global]\nindex-url: {URL}\n",
        f"[global]\nINDEX-URL = {URL}\n",
        f"[global]\nindex-url =\n  {URL}\n",
    ],
)
def test_pips_settings_however_they_are_written(text: str) -> None:
    assert asked(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"[global]\n# index-url = {URL}\n",
        f"[global]\nextra-index-url = {URL}\n",
        f"[global]\ntimeout = 5\n[install]\nindex-url = {URL}\n",
    ],
)
def test_what_names_no_index_for_all(text: str) -> None:
    assert not asked(text)


def test_settings_that_cannot_be_read() -> None:
    with pytest.raises(InputError, match="is not a pip configuration"):
        asked("index-url = outside of any section\n")
