"""docs/doctor.md names every finding and every field of the JSON form."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from envbuild.doctor.told import forms

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "doctor.md").read_text()
SOURCES = "".join(path.read_text() for path in (ROOT / "builder/envbuild/doctor").glob("*.py"))
ROWS = [line for line in PAGE.splitlines() if line.startswith("| `")]
NAMED = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_every_finding_has_a_row():
    made = set(re.findall(r"\bid=\"([a-z-]+)\"", SOURCES))
    assert len(made) > 15
    assert made - NAMED == set()


def test_every_row_is_of_a_finding_or_a_field():
    fields = {one.encode_name for one in msgspec.structs.fields(forms.Data)}
    inner = {f"examined.{one.encode_name}" for one in msgspec.structs.fields(forms.Examined)}
    unknown = {name for name in NAMED - fields - inner if f'"{name}"' not in SOURCES}
    assert unknown == set()


def test_every_field_is_said():
    words = set(re.findall(r"`([a-z.0-9-]+)`", PAGE))
    for one in msgspec.structs.fields(forms.Data):
        assert one.encode_name in words
    for one in msgspec.structs.fields(forms.Examined):
        assert {one.encode_name, f"examined.{one.encode_name}"} & words, one.encode_name
