"""What is denied among licences."""

from __future__ import annotations

import pytest

from envbuild.attest import licences
from envbuild.attest.bill import bill
from envbuild.attest.licences import Licence
from tests.unit.attest.samples import subject

BILL = bill(subject())


def found(*texts: str) -> list[Licence]:
    return [
        Licence(component=one, text=text) for one, text in zip(BILL.components, texts, strict=False)
    ]


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("GPL-3.0-only", True),
        ("MIT OR gpl-3.0-only", True),
        ("(MIT AND GPL-3.0-only)", True),
        ("LGPL-3.0-only", False),
        ("GPL-3.0-only-with-more", False),
        ("", False),
    ],
)
def test_denied(text: str, *, denied: bool) -> None:
    assert bool(list(licences.denied(found(text), ("GPL-3.0-Only",)))) == denied


def test_a_name_with_blanks_is_denied_as_it_is() -> None:
    (one,) = licences.denied(
        found("MIT", "NVIDIA Proprietary Software"), ("nvidia proprietary software",)
    )
    assert one.component == BILL.components[1]


def test_the_bill_has_them_and_the_rest_is_unknown() -> None:
    made = licences.licensed(BILL, found("MIT"))
    assert [one.licence for one in made.components][:2] == ["MIT", ""]
    assert licences.tally(found("B", "A", "A"), lambda one: one.text) == {"A": 2, "B": 1}
