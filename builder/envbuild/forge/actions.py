"""The actions that the workflows of GitHub use, each by the commit of a release.

A tag can be moved by whoever owns it, a commit cannot. Source: the tags of each action's own
repository, read 2026-11-22; the same commits stand in the workflows of python-attrs/attrs,
ossf/scorecard, pypa/cibuildwheel and zizmorcore/zizmor.
"""

from __future__ import annotations

from msgspec import Struct


class Action(Struct, frozen=True, kw_only=True):
    """An action of GitHub: who it is, the commit of a release, and the release's name."""

    name: str
    commit: str
    release: str

    def __str__(self) -> str:
        return f"{self.name}@{self.commit} # {self.release}"


CHECKOUT = Action(
    name="actions/checkout", commit="3d3c42e5aac5ba805825da76410c181273ba90b1", release="v7.0.1"
)
SETUP_PYTHON = Action(
    name="actions/setup-python", commit="5fda3b95a4ea91299a34e894583c3862153e4b97", release="v7.0.0"
)
UPLOAD = Action(
    name="actions/upload-artifact",
    commit="043fb46d1a93c77aae656e7c1c64a875d1fc6a0a",
    release="v7.0.1",
)
DOWNLOAD = Action(
    name="actions/download-artifact",
    commit="3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
    release="v8.0.1",
)
SARIF = Action(
    name="github/codeql-action/upload-sarif",
    commit="f205ea1c3313d32999d8d6a48b4f6530d4437b38",
    release="v4.37.4",
)

ACTIONS = {
    "checkout": CHECKOUT,
    "setup_python": SETUP_PYTHON,
    "upload": UPLOAD,
    "download": DOWNLOAD,
    "sarif": SARIF,
}
"""By the names that templates know them by."""
