"""The page in a real browser, which has no network and is new for each test that asks."""

from __future__ import annotations

import os
import shutil

import pytest

from envbuild.report.nightly.page import page
from envbuild.report.nightly.view import view
from tests.support.showcase import showcase

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--window-size=1440,900",
)


def _no_browser():
    """Why no page can be looked at here; None when one can."""
    for program, package in (("chromium", "chromium"), ("chromedriver", "chromium-driver")):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian: {package})"
    return None


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Starts a browser that has never run before; all of them are ended after the tests."""
    reason = _no_browser()
    if reason is not None and os.environ.get("CI") == "true":
        pytest.fail(f"not run: {reason}; CI must run it", pytrace=False)
    elif reason is not None:
        pytest.skip(f"not run: {reason}")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    started = []

    def browser():
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        folder = tmp_path_factory.mktemp("browser")
        for flag in (*_FLAGS, f"--user-data-dir={folder}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(shutil.which("chromedriver"))
        started.append(webdriver.Chrome(options=options, service=service))
        return started[-1]

    yield browser
    for one in started:
        one.quit()


@pytest.fixture(scope="session")
def chrome(start):
    """One browser for all tests that only look."""
    return start()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where the pages lie."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="session")
def shown(chrome, folder):
    """Opens nights as a page, at a width and in a scheme."""
    written = {}

    def show(nights=None, *, width=1440, dark=False, scripts=True, logs=None):
        nights = showcase() if nights is None else nights
        text = page(view(nights, logs=logs or {}))
        path = written.setdefault(text, folder / f"{len(written)}.html")
        path.write_text(text, encoding="utf-8")
        chrome.get("about:blank")
        chrome.get_log("browser")
        chrome.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        chrome.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {
                "features": [
                    {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                    {"name": "prefers-reduced-motion", "value": "reduce"},
                ]
            },
        )
        chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        chrome.get(path.as_uri())
        return chrome

    yield show
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
