"""A view as one HTML page that stands by itself: no other file, no address, nothing from outside.

Every text is escaped by the template engine. Should one escape that all the same, the page's own
policy lets no script, no style and no picture be used but those of these templates.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
from typing import TYPE_CHECKING

from envbuild import stamps
from envbuild.history.model import STAGES
from envbuild.report.nightly.model import SAID, Mark, View
from envbuild.report.nightly.trends import outlines
from envbuild.tools import files

if TYPE_CHECKING:
    from jinja2 import Template

FOLDER = "templates/report"
"""Below the shipped folder: a workspace's own templates are for its Dockerfiles alone."""

_BARS: tuple[Mark, ...] = ("pass", "warn", "fail", "not-run", "none")
_SHAPES: dict[Mark, tuple[str, str]] = {
    "pass": ("1c6b33", "M9 17l5 5L24 10"),
    "warn": ("7d4e00", "M16 8v10M16 22v2"),
    "fail": ("b3261e", "M10 10l12 12M22 10l-12 12"),
    "not-run": ("555e68", "M10 22l12-12"),
    "none": ("555e68", "M10 16h12"),
}
"""Of the sign that a browser shows on the page's tab: its colour, and the path on it."""


def page(view: View) -> str:
    """The page, as text for a UTF-8 file."""
    css, script = _text("page.css"), _text("page.js")
    found = _template().render(
        view=view,
        css=css,
        script=script,
        policy=policy(css, script),
        favicon=_favicon(view.mark),
        stages=STAGES,
        words=tuple(SAID.items()),
        legend=tuple(
            (mark, SAID[mark] if mark != "none" else "not there", outlines([mark])[0][1])
            for mark in _BARS
        ),
    )
    return f"{found.strip()}\n"


def policy(css: str, script: str) -> str:
    """What the page may use: exactly this style and this script, and the sign on its tab."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(css)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _favicon(mark: Mark) -> str:
    colour, path = _SHAPES[mark]
    return (
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
        f"%3Crect width='32' height='32' rx='7' fill='%23{colour}'/%3E%3Cpath d='{path}'"
        " fill='none' stroke='%23fff' stroke-width='4' stroke-linecap='round'/%3E%3C/svg%3E"
    )


def _text(name: str) -> str:
    path = os.path.join(stamps.shipped_folder(), FOLDER, name)
    return files.read_text(path, label=f"{FOLDER}/{name}")


@functools.cache
def _template() -> Template:
    """The template; of its lines the indent is left out, which makes the page smaller."""
    from jinja2 import DictLoader, Environment, StrictUndefined  # 69 ms

    name = "page.html.j2"
    text = "\n".join(line.strip() for line in _text(name).splitlines())
    environment = Environment(
        loader=DictLoader({name: text}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
