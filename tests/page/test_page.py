"""The page as a browser shows it: with and without scripts, wide and narrow, light and dark."""

from __future__ import annotations

from bench.nights import nights
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from envbuild.report.nightly.page import page
from envbuild.report.nightly.view import view
from tests.support.nights import hostile, night, profile, stage, variant
from tests.support.showcase import showcase

PHONE = 360


def complaints(chrome):
    return [entry["message"] for entry in chrome.get_log("browser")]


def visible(chrome, selector):
    return [one for one in chrome.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]


def test_the_page_is_shown_and_nothing_complains(shown):
    chrome = shown()
    assert chrome.find_element(By.TAG_NAME, "h1").text == (
        "3 of 8 profiles failed; 1 part of the night did not report."
    )
    assert chrome.title.startswith("3 of 8 profiles failed")
    assert len(visible(chrome, "tbody.p")) == 8
    assert complaints(chrome) == []


def test_it_asks_for_nothing_else(shown):
    chrome = shown()
    assert chrome.execute_script("return performance.getEntriesByType('resource').length") == 0


# --- Opening -----------------------------------------------------------------------------------


def opens_by_its_link(chrome):
    link = chrome.find_element(By.CSS_SELECTOR, ".cell.fail a[href='#smoke:isaac-policy:0']")
    place = chrome.find_element(By.ID, "smoke:isaac-policy:0")
    assert not place.is_displayed()
    link.click()
    assert place.is_displayed()
    assert "numpy.core.multiarray failed to import" in place.text
    assert "Pin numpy<2 in the profile" in place.text
    other = chrome.find_element(By.ID, "build:isaac-policy:0")
    assert not other.is_displayed()


def test_a_cell_opens_what_it_said(shown):
    chrome = shown()
    opens_by_its_link(chrome)
    head = chrome.switch_to.active_element
    assert head.tag_name == "summary"
    assert head.text.startswith("smoke")
    assert complaints(chrome) == []


def test_a_cell_opens_without_scripts(shown):
    chrome = shown(scripts=False)
    assert not visible(chrome, "#tools")
    assert len(visible(chrome, "#counts li")) == 3
    opens_by_its_link(chrome)
    summary = chrome.find_element(
        By.CSS_SELECTOR, "[id='profile:groot-sim'] details.panel > summary"
    )
    summary.send_keys(Keys.ENTER)
    assert chrome.find_element(By.ID, "build:groot-sim:1").is_displayed()


def test_a_link_from_elsewhere_opens_its_cell(shown):
    chrome = shown()
    address = chrome.current_url
    chrome.get("about:blank")
    chrome.get(f"{address}#lock:isaac-inference")
    assert "nvidia-nccl-cu12" in chrome.find_element(By.ID, "lock:isaac-inference").text


def test_the_full_log_is_a_file_beside_the_page(shown, folder):
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs/f.txt").write_text("<b>the whole log</b>")
    chrome = shown(logs={"sha256:" + "f" * 64: "logs/f.txt"})
    chrome.find_element(By.CSS_SELECTOR, ".cell.fail a[href='#build:groot-sim:1']").click()
    chrome.find_element(By.LINK_TEXT, "Full log").click()
    assert chrome.find_element(By.TAG_NAME, "body").text == "<b>the whole log</b>"


# --- With scripts ------------------------------------------------------------------------------


def names(chrome):
    return [one.text for one in visible(chrome, "tbody.p .name span:not(.vh)")]


def test_profiles_are_filtered_by_words_and_by_status(shown):
    chrome = shown()
    field = chrome.find_element(By.ID, "filter")
    field.send_keys("Isaac NUMPY")
    assert names(chrome) == ["isaac-policy", "isaac-train"]
    assert chrome.find_element(By.ID, "found").text == "2 of 8 shown"
    chrome.find_element(By.CSS_SELECTOR, "button[data-only=fail]").click()
    assert names(chrome) == ["isaac-policy"]
    field.send_keys(Keys.ESCAPE)
    assert len(names(chrome)) == 8
    # What a link leads to is shown, whatever the filter says.
    field.send_keys("groot-policy")
    assert names(chrome) == ["groot-policy"]
    chrome.find_element(By.CSS_SELECTOR, ".look a[href='#lock:isaac-inference']").click()
    assert chrome.find_element(By.ID, "lock:isaac-inference").is_displayed()


def test_the_keys(shown):
    chrome = shown()
    body = chrome.find_element(By.TAG_NAME, "body")

    def here():
        return chrome.execute_script("return document.activeElement.closest('tbody')?.id")

    def opened():
        return len(visible(chrome, "details.panel[open]"))

    body.send_keys("j")
    assert here() == "profile:groot-policy"
    chrome.switch_to.active_element.send_keys("jk")
    assert here() == "profile:groot-policy"
    chrome.switch_to.active_element.send_keys("n")
    assert here() == "profile:groot-sim"
    chrome.switch_to.active_element.send_keys("n")
    assert here() == "profile:isaac-inference"
    chrome.switch_to.active_element.send_keys("o")
    assert opened() == 1
    chrome.switch_to.active_element.send_keys("f")
    assert opened() == 3
    chrome.switch_to.active_element.send_keys("/")
    assert chrome.switch_to.active_element.get_attribute("id") == "filter"
    chrome.switch_to.active_element.send_keys("j")
    assert names(chrome) == []
    chrome.switch_to.active_element.send_keys(Keys.ESCAPE)
    chrome.find_element(By.ID, "close").click()
    assert opened() == 0
    chrome.find_element(By.CSS_SELECTOR, "#keys summary").click()
    chrome.find_element(By.ID, "single").click()
    body.send_keys("f")
    assert opened() == 0


# --- Narrow, dark, without eyes ----------------------------------------------------------------

OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true"


def too_wide(chrome):
    return chrome.execute_script(
        "return [...document.querySelectorAll('body *:not(.vh):not(.vh *)')]"
        ".filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)"
        ".filter((one) => !one.closest('thead') && !one.closest('.skip'))"
        ".map((one) => one.outerHTML.slice(0, 120))"
    )


def fits(chrome, width):
    chrome.execute_script(OPEN_ALL)
    assert chrome.execute_script("return document.documentElement.scrollWidth") <= width
    assert too_wide(chrome) == []


def test_a_phone_never_scrolls_sideways(shown):
    fits(shown(width=PHONE), PHONE)


def test_long_words_are_broken_on_a_phone_too(shown):
    long = "x" * 400
    one = profile(
        long, stages=(stage("lock", "fail", long, hint=long, tail=(long,)),),
        variants=(variant(stage("smoke", "fail", long), name=long),),
    )  # fmt: skip
    fits(shown([night(0, [one], machine=long, name=long, notes=(long,))], width=PHONE), PHONE)


def test_between_phone_and_desk_it_fits(shown):
    for width in (768, 1024, 1119, 1130, 1290):
        fits(shown(width=width), width)


def test_a_phone_says_the_stage_in_each_cell(shown):
    chrome = shown(width=PHONE)
    first = chrome.find_element(By.CSS_SELECTOR, ".cell a")
    assert first.text.split("\n")[0] == "check"


def test_dark_is_dark(shown):
    def ground(chrome):
        colour = chrome.execute_script("return getComputedStyle(document.body).backgroundColor")
        return [int(part) for part in colour[4:-1].split(",")]

    assert min(ground(shown())) > 200
    assert max(ground(shown(dark=True))) < 60


def accessible(chrome):
    """Roles and names as a screen reader gets them."""
    chrome.execute_cdp_cmd("Accessibility.enable", {})
    found = chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    chrome.execute_cdp_cmd("Accessibility.disable", {})
    return [
        (one["role"]["value"], one.get("name", {}).get("value", ""))
        for one in found
        if not one.get("ignored") and "role" in one
    ]


def test_a_screen_reader_gets_a_table_with_names_on_a_phone_too(shown):
    for width in (1440, PHONE):
        tree = accessible(shown(width=width))
        roles = [role for role, _ in tree]
        assert {"banner", "main", "contentinfo", "search"} <= set(roles)
        assert (
            "table",
            "Every profile, its variants and their stages. A cell leads to what it said.",
        ) in tree
        assert ("columnheader", "smoke") in tree
        assert any(
            role == "rowheader" and "isaac-policy" in name and "failed" in name
            for role, name in tree
        )
        assert ("link", "failed: smoke of isaac-policy linux-amd64-cu128, failed") in tree
        assert ("button", "3 failed") in tree or any(
            role in ("button", "togglebutton") and "3 failed" in name for role, name in tree
        )
        strips = [
            name
            for role, name in tree
            if role in ("image", "img") and name.startswith("Last 30 nights: ")
        ]
        assert len(strips) == 17  # two rows for each profile, and the whole


def test_tab_goes_from_the_skip_link_into_the_page(shown):
    chrome = shown()
    chrome.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    skip = chrome.switch_to.active_element
    assert skip.text == "Skip to the profiles"
    skip.send_keys(Keys.ENTER)
    assert chrome.execute_script("return document.activeElement.id") == "profiles"


# --- Hostile, and fast -------------------------------------------------------------------------


def test_a_hostile_log_is_text_and_runs_nothing(shown):
    chrome = shown([hostile()])
    chrome.execute_script(OPEN_ALL)
    assert "<script>alert(1)</script>" in chrome.find_element(By.TAG_NAME, "pre").text
    assert len(chrome.find_elements(By.TAG_NAME, "script")) == 1
    assert chrome.find_elements(By.CSS_SELECTOR, "img, iframe, object, embed, form[action]") == []
    assert complaints(chrome) == []


def test_the_policy_holds_even_if_something_got_through(chrome, folder):
    text = page(view(showcase()))
    evil = "<img src=x onerror='window.bad=1'><script>window.bad=1</script><style>h1{display:none}</style>"
    path = folder / "evil.html"
    path.write_text(text.replace("<main>", f"<main>{evil}"), encoding="utf-8")
    chrome.get("about:blank")
    chrome.get(path.as_uri())
    assert chrome.execute_script("return window.bad") is None
    assert chrome.find_element(By.TAG_NAME, "h1").is_displayed()
    refused = [one for one in complaints(chrome) if "Content Security Policy" in one]
    assert len(refused) >= 3


def test_fifty_profiles_are_painted_within_a_second(start, folder):
    path = folder / "fifty.html"
    path.write_text(page(view(list(nights(50, 40)))), encoding="utf-8")
    chrome = start()
    chrome.get(path.as_uri())
    painted = chrome.execute_script(
        "return performance.getEntriesByType('paint').map((one) => one.startTime)"
    )
    assert painted
    assert max(painted) < 3_000  # bench holds it to a second, on a machine that does nothing else
    assert len(chrome.find_elements(By.CSS_SELECTOR, "tbody.p")) == 50
