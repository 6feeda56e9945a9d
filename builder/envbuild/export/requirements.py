"""One hashed requirement file: everything that a lock holds of Python packages. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envbuild.export import words
from envbuild.lock import requirements

if TYPE_CHECKING:
    from envbuild.export.model import Subject


def text(subject: Subject) -> str:
    """Wheels and sources together, every hash, and who asked for each."""
    command = "pip install --no-deps --require-hashes -r FILE"
    return requirements.render(subject.pins, heading=words.heading(subject, command))
