"""The page as HTML: what comes from a night is text in it, and nothing else ever."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import re
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envbuild.history.model import Part, StageResult
from envbuild.report.nightly import page as pages
from envbuild.report.nightly.page import page
from envbuild.report.nightly.view import view
from tests.support.nights import HOSTILE, hostile, night, profile, stage, variant
from tests.support.showcase import showcase

ROOT = Path(__file__).parents[4]
CSS = (ROOT / "templates/report/page.css").read_text()
SCRIPT = (ROOT / "templates/report/page.js").read_text()
VOID = {"meta", "link", "br", "input", "col", "img", "hr"}
DRAWN = {"path", "circle", "rect", "use"}


class Parsed(html.parser.HTMLParser):
    """Elements with their attributes, and the text outside of style and script."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.open, self.faults = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if len(dict(attrs)) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in DRAWN
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)

    @property
    def names(self):
        return {tag for tag, _ in self.elements}

    def attributes(self, name):
        return [found[name] for _, found in self.elements if name in found]


@cache
def good():
    return Parsed(page(view(showcase(), logs={"sha256:" + "f" * 64: "logs/f.txt"})))


def usual(parsed):
    """What every page must be, whatever stands in it."""
    assert parsed.faults == []
    assert parsed.open == []
    ids = parsed.attributes("id")
    assert len(ids) == len(set(ids))
    for href in parsed.attributes("href"):
        assert re.fullmatch(r"#.+|logs/[A-Za-z0-9._-]+|data:image/svg\+xml,%3Csvg.*", href)
    inside = {href[1:] for href in parsed.attributes("href") if href.startswith("#")}
    assert inside <= set(ids)
    known = {(tag, name) for tag, found in good().elements for name in found}
    more = {
        ("details", "open"),
        ("td", "colspan"),
        ("td", "rowspan"),
        ("th", "rowspan"),
        ("a", "href"),
    }
    assert {(tag, name) for tag, found in parsed.elements for name in found} <= known | more
    assert parsed.names <= good().names
    assert parsed.attributes("src") == parsed.attributes("style") == []
    assert not [n for _, found in parsed.elements for n in found if n.startswith("on")]
    assert [tag for tag, _ in parsed.elements].count("script") == 1


def test_the_showcase_is_a_usual_page():
    usual(good())
    assert "logs/f.txt" in good().attributes("href")
    assert "3 of 8 profiles failed; 1 part of the night did not report." in good().text


def test_a_hostile_night_is_only_text():
    parsed = Parsed(page(view([hostile()])))
    usual(parsed)
    assert "<script>alert(1)</script>" in parsed.text
    assert "\x1b" not in parsed.text
    assert "\u202e" not in parsed.text


CHARACTERS = st.one_of(
    st.sampled_from(
        [HOSTILE, "</script>", "</style>", "-->", "<!--", "&lt;", "{{ 7*7 }}", "{% raw %}"]
    ),
    st.text(max_size=30),
    st.text("<>\"'=&/` \x00\x1b\u2028\ud800onclick", max_size=30),
)


@st.composite
def nights(draw):
    """A night in which each text is drawn."""
    text = lambda: draw(CHARACTERS)  # noqa: E731
    one = StageResult(
        stage="smoke",
        status=draw(st.sampled_from(["pass", "warn", "fail", "not-run"])),
        reason=text(),
        hint=text(),
        carried=text(),
        tail=(text(), text()),
        parts=tuple(
            Part(name=text(), status=s, reason=text(), place=text()) for s in ("fail", "not-run")
        ),
        log="sha256:1",
        seconds=draw(st.floats(allow_nan=False)),
        log_size=draw(st.integers(-5, 10**15)),
    )
    made = variant(one, name=text())
    return night(
        0,
        [profile(text(), stages=(stage("lock", "fail", text()),), variants=(made, made))],
        machine=text(),
        name=text(),
        notes=(text(),),
        revision=text(),
        shard=text(),
        version=text(),
        overhead=draw(st.floats(allow_nan=False)),
    ), text()


@given(nights())
@settings(max_examples=60)
def test_no_element_and_no_attribute_ever_comes_from_a_text(drawn):
    made, href = drawn
    found = page(view([made], logs={"sha256:1": href}))
    found.encode()  # nothing that UTF-8 cannot hold
    usual(Parsed(found))


def test_texts_that_are_templates_are_not_filled_in():
    found = Parsed(page(view([night(0, [profile(stages=(stage("lock", "fail", "{{ 7*7 }}"),))])])))
    assert "{{ 7*7 }}" in found.text


# --- Nothing from outside ----------------------------------------------------------------------


def test_the_policy_allows_this_style_and_this_script_and_nothing_else():
    (policy,) = [
        a["content"] for t, a in good().elements if a.get("http-equiv") == "Content-Security-Policy"
    ]
    text = page(view(showcase()))
    for tag, kind in (("style", "style-src"), ("script", "script-src")):
        (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


@pytest.mark.parametrize("text", [CSS, SCRIPT], ids=["css", "js"])
def test_style_and_script_name_no_address_and_end_nothing(text):
    assert not re.search(r"https?:|//[a-z]|@import|url\(|</", text)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|localStorage|fetch", text
    )
    assert text.isascii()


def test_a_users_own_templates_are_not_asked(tmp_path, monkeypatch):
    (tmp_path / "templates/report").mkdir(parents=True)
    (tmp_path / "templates/report/page.html.j2").write_text("mine")
    monkeypatch.chdir(tmp_path)
    pages._template.cache_clear()
    assert page(view([night()])).strip() != "mine"


def test_the_templates_go_into_the_wheel():
    """They lie below what the wheel takes whole."""
    assert pages.FOLDER.startswith("templates/")
    assert '"templates" = "envbuild/data/templates"' in (ROOT / "pyproject.toml").read_text()


# --- For everybody -----------------------------------------------------------------------------


def luminance(colour):
    def linear(part):
        value = int(part, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(colour[at : at + 2]) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """WCAG 2.2's contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def schemes():
    found = re.findall(r":root \{\n(.*?)\}", CSS, re.DOTALL)
    return [dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block)) for block in found]


INK = ("text", "quiet", "pass", "warn", "fail", "idle", "link")
SURFACES = ("page", "card", "sunk", "tint", "hatch")


@pytest.mark.parametrize("scheme", schemes(), ids=["light", "dark"])
def test_every_ink_is_readable_on_every_surface(scheme):
    assert set(scheme) == {*INK, *SURFACES, "line"}
    low = {
        (ink, surface): round(contrast(scheme[ink], scheme[surface]), 2)
        for ink in INK
        for surface in SURFACES
        if contrast(scheme[ink], scheme[surface]) < 4.5
    }
    assert low == {}


def test_no_colour_is_used_but_those():
    rest = re.sub(r":root \{\n.*?\}", "", CSS, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", rest) == []
    inks = set(re.findall(r"(?<![-\w])(?:color|fill): var\(--(\w+)\)", rest))
    assert inks <= {*INK, "sunk"}  # the ground of a bar is no text
    grounds = set(re.findall(r"background(?:-color)?: var\(--(\w+)\)", rest))
    assert grounds <= set(SURFACES)


def test_the_page_can_be_read_without_eyes():
    parsed = good()
    assert dict(parsed.elements)["html"]["lang"] == "en"
    assert {"header", "main", "footer", "h1", "caption"} <= parsed.names
    assert [tag for tag, _ in parsed.elements].count("h1") == 1
    for tag, found in parsed.elements:
        if tag == "th":
            assert found.get("scope") in {"col", "row", "rowgroup"}
        if tag == "svg":
            assert found.get("aria-hidden") == "true" or (
                found["role"],
                bool(found["aria-label"]),
            ) == ("img", True)
    first = next(found for tag, found in parsed.elements if tag == "a")
    assert first["href"] == "#profiles"
    assert "prefers-reduced-motion" in CSS


def test_the_failed_stage_stands_open_and_says_everything():
    text = good().text
    for said in (
        "numpy.core.multiarray failed to import",
        "A module compiled for NumPy 1.x was imported under NumPy 2",
        "Pin numpy<2 in the profile",
        "Failed: 1",
        "Warned: 1",
        "Not run: 2",
        "Passed: 16",
        "Riskiest move: numpy 1.26.4 → 2.3.1",
        "ABI-breaking",
        "25 other moves",
        "the clock of builder-a jumped by 37 s",
        "Part 2/3",
    ):
        assert said in text
    opened = [found for tag, found in good().elements if tag == "details" and "open" in found]
    assert {found["class"] for found in opened} == {"stage fail"}


# --- Size --------------------------------------------------------------------------------------


def test_the_worst_night_of_fifty_profiles_stays_small():
    """Each stage failed, with a log that is only characters that must be escaped."""
    long = tuple('<"&>' * 200 for _ in range(200))
    bad = [
        stage(
            name,
            "fail",
            '"' * 400,
            hint="<" * 400,
            tail=long,
            parts=(Part(name="&" * 400, status="fail"),) * 60,
        )
        for name in ("check", "lock", "audit", "render", "build", "smoke")
    ]
    variants = tuple(variant(*bad[4:], name=f"linux-{arch}-cu128") for arch in ("amd64", "arm64"))
    one = profile(stages=tuple(bad[:4]), variants=variants)
    profiles = [msgspec.structs.replace(one, profile=f"profile-{n}") for n in range(50)]
    size = len(page(view([night(0, profiles)])).encode())
    assert size < 2_000_000


def test_a_usual_night_of_fifty_profiles_is_below_two_megabytes():
    from bench.nights import nights as generated

    assert len(page(view(list(generated(50, 40)))).encode()) < 2_000_000
