"""The page of a night with a year behind it: how long it takes, its size, when it is seen."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from bench import nights
from envbuild.history.folder import FolderHistory
from envbuild.report.nightly import page, view
from envbuild.tools import garbage

PROFILES, NIGHTS = 50, 365
_SECONDS, _BYTES, _PAINT = 3.0, 2_000_000, 1.0
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def report(runs: int) -> str:
    """Nights read from a folder, made a page, and shown by Chromium where there is one."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        history = FolderHistory(str(root / "history"), "history")
        for night in nights.nights(PROFILES, NIGHTS):
            history.add(night, {})
        read, made, text = _made(history, min(runs, 5))
        html = root / "index.html"
        html.write_text(text, encoding="utf-8")
        lines = [
            f"report: {PROFILES} profiles x {len(nights.VARIANTS)} platforms x {NIGHTS} nights",
            f"  reading the history  {read:6.2f} s",
            f"  making the page      {made:6.2f} s",
            _line("both", read + made, _SECONDS, "s"),
            _line("page", len(text.encode()) / 1e6, _BYTES / 1e6, "MB"),
        ]
        return "\n".join((*lines, _painted(html, root, runs)))


def _made(history: FolderHistory, runs: int) -> tuple[float, float, str]:
    """Least seconds of reading, and of making the page, and the page: what else this machine does
    only adds to them."""
    reading, making, text = [], [], ""
    for _ in range(runs):
        started = time.perf_counter()
        with garbage.paused():
            kept = history.nights()
        read = time.perf_counter()
        with garbage.paused():
            text = page.page(view.view(kept.nights))
        reading.append(read - started)
        making.append(time.perf_counter() - read)
    return min(reading), min(making), text


def _line(what: str, value: float, limit: float, unit: str) -> str:
    aim = "ok" if value <= limit else "MISSED"
    return f"  {what:<20} {value:6.2f} {unit}   aim <= {limit:g} {aim}"


def _painted(html: Path, root: Path, runs: int) -> str:
    """The first paint in a browser that has never run, each time a new one."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser and driver):
        return "  first paint: not measured, there is no chromium with chromedriver"
    seconds = [_paint(html, root / f"browser-{n}", browser, driver) for n in range(min(runs, 5))]
    return _line("first paint, slowest", max(seconds), _PAINT, "s")


def _paint(html: Path, profile: Path, browser: str, driver: str) -> float:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    chrome = webdriver.Chrome(options=options, service=Service(driver, env=dict(os.environ)))
    try:
        chrome.get(html.as_uri())
        found = chrome.execute_script(
            "return performance.getEntriesByType('paint').map((one) => one.startTime)"
        )
        return float(max(found)) / 1000
    finally:
        chrome.quit()
