"""The page in a real browser: keyboard, clicks, search, width, contrast, print; and that it asks for nothing."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import browser
import reading
import samples

from kread.render.page import page
from kread.render.study import Study, study_of

#: WCAG 2.2, success criterion 1.4.3: contrast of text of normal size.
ENOUGH_CONTRAST = 4.5


def study() -> Study:
    return study_of(samples.ANSWER, reading.Reading({"thing_dispatch": "Takes <b>things</b>."}))


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with browser.chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(params=["en", "zh"])
def opened(request: pytest.FixtureRequest, driver: Any, tmp_path: Path) -> Any:
    file = tmp_path / "page.html"
    file.write_text(page(study(), request.param), encoding="utf-8")
    browser.resize(driver, 1280)
    browser.scheme(driver, "light")
    driver.get(file.as_uri())
    yield driver
    assert [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []


def shown(driver: Any) -> list[str]:
    script = "return [...document.querySelectorAll('article')].filter(a => a.offsetParent).map(a => a.id)"
    found: list[str] = driver.execute_script(script)
    return found


def press(driver: Any, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def test_keys_walk_the_steps_and_stop_at_the_ends(opened: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    assert shown(opened) == ["f1s1"]
    press(opened, "j", Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    assert shown(opened) == ["f1s4"]
    press(opened, "j", "j", "j")
    assert shown(opened) == ["f1s5"]
    press(opened, "k", Keys.ARROW_UP, Keys.ARROW_LEFT)
    assert shown(opened) == ["f1s2"]
    press(opened, "2")
    assert shown(opened) == ["f2s1"]
    assert opened.execute_script("return document.querySelector('#tab2').getAttribute('aria-selected')") == "true"


def test_the_trail_and_the_map_say_where_we_are(opened: Any) -> None:
    press(opened, "j", "j")
    script = "return [...document.querySelectorAll('{} [aria-current]')].map(a => a.textContent.trim())"
    assert opened.execute_script(script.format(".family.now .trail"))[0].startswith("thing4_request")
    assert opened.execute_script(script.format(".map")) == ["thing4_request"]
    assert "thing4_request" in opened.execute_script("return document.querySelector('#status').textContent")


def click(driver: Any, selector: str) -> None:
    driver.find_element("css selector", selector).click()


def test_clicks_on_trail_map_tab_and_buttons(opened: Any) -> None:
    click(opened, ".family.now .trail a[href='#f1s3']")
    assert shown(opened) == ["f1s3"]
    click(opened, ".map a[aria-label='thing_insert']")
    assert shown(opened) == ["f1s5"]
    click(opened, "#tab2")
    assert shown(opened) == ["f2s1"]
    click(opened, ".map a[aria-label='thing_insert']")  # the same function, now in this family
    assert shown(opened) == ["f2s4"]
    click(opened, ".family.now [data-go='-1']")
    assert shown(opened) == ["f2s3"]
    opened.back()
    assert shown(opened) == ["f2s4"]


def test_search_finds_functions_and_folded_lines(opened: Any) -> None:
    press(opened, "/")
    press(opened, "thing4_answer")
    links = "return [...document.querySelectorAll('#results a')].map(a => a.getAttribute('href'))"
    assert opened.execute_script(links)[0] == "#f2s3"
    opened.execute_script("document.querySelector('#search').value = ''")
    press(opened, "call_17(")
    assert "#f1s1" in opened.execute_script(links)
    click(opened, "#results a[href='#f1s2']")
    assert shown(opened) == ["f1s2"]
    assert "call_17(" in opened.execute_script("return document.querySelector('.line.found').innerText")


def test_o_unfolds_and_folds(opened: Any) -> None:
    script = "return [...document.querySelectorAll('article.now .source details')].map(d => d.open)"
    assert set(opened.execute_script(script)) == {False}
    press(opened, "o")
    assert set(opened.execute_script(script)) == {True}
    press(opened, "o")
    assert set(opened.execute_script(script)) == {False}


def test_a_note_stands_beside_its_line(opened: Any) -> None:
    press(opened, "j")
    script = (
        "const line = document.querySelector('article.now .line[data-line=\"1903\"]');"
        "const code = line.querySelector('code').getBoundingClientRect();"
        "const note = line.querySelector('.note').getBoundingClientRect();"
        "return [note.left >= code.right, Math.abs(note.top - code.top) < 6, line.querySelector('.note').innerText]"
    )
    beside, level, text = opened.execute_script(script)
    assert beside
    assert level
    assert "return 1" in text


@pytest.mark.parametrize("width", [360, 480, 768, 1024])
def test_nothing_overflows(opened: Any, width: int) -> None:
    browser.resize(opened, width)
    press(opened, "o")
    for _ in range(5):
        press(opened, "j")
        wide, outside = opened.execute_script(
            "const wide = document.documentElement.scrollWidth;"
            "const inside = e => e.closest('.map, .tabs, .drawing') || e.closest('.hidden') || e.closest('.skip');"
            "const out = [...document.querySelectorAll('body *')].filter(e => !inside(e) && e.getClientRects().length"
            " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80));"
            "return [wide, out]"
        )
        assert wide <= width
        assert outside == []


CONTRAST = """
const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
const over = (top, under) => {
  const a = top.length > 3 ? top[3] : 1;
  return [0, 1, 2].map(i => top[i] * a + under[i] * (1 - a));
};
const ground = e => {
  const layers = [];
  for (; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
  return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
};
const light = c => {
  const [r, g, b] = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const e = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !e.getClientRects().length || e.closest('script, button:disabled')) continue;
  const under = ground(e);
  const style = getComputedStyle(e);
  const text = over(parse(e.closest('svg') ? style.fill : style.color), under);
  const [a, b] = [light(text), light(under)].sort((x, y) => y - x);
  found.push([(a + 0.05) / (b + 0.05), e.className + ' ' + walker.currentNode.data.trim().slice(0, 30)]);
}
return found;
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_contrast(opened: Any, theme: str) -> None:
    browser.scheme(opened, theme)
    press(opened, "j", "o")
    found = opened.execute_script(CONTRAST)
    assert len(found) > 100
    assert [row for row in found if row[0] < ENOUGH_CONTRAST] == []


def test_the_theme_button_turns_it(opened: Any) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = opened.execute_script(ground)
    click(opened, "#theme")
    dark = opened.execute_script(ground)
    assert light != dark
    press(opened, "t")
    assert opened.execute_script(ground) == light


def test_print_shows_every_step(opened: Any) -> None:
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert len(shown(opened)) == 9
        assert opened.execute_script("return document.querySelector('#search').offsetParent") is None
    finally:
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_without_script_every_step_is_there(driver: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page(study()), encoding="utf-8")
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get(file.as_uri())
        articles = driver.find_elements("css selector", "article")
        assert len(articles) == 9
        assert all(article.is_displayed() for article in articles)
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


class Loads(HTMLParser):
    """Collects what a document would fetch, ids, and what is referred to."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.named: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        for key in ("src", "srcset", "poster", "data"):
            self.fetched += [str(values[key])] if values.get(key) else []
        if tag == "link":
            self.fetched += [str(values["href"])]
        self.ids += [str(values["id"])] if "id" in values else []
        for key in ("aria-controls", "aria-labelledby"):
            self.named += [str(values[key])] if key in values else []
        if tag not in ("meta", "link", "input", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_one_file_well_formed_that_asks_for_nothing() -> None:
    text = page(study())
    loads = Loads()
    loads.feed(text)
    assert loads.open == []
    assert loads.fetched == ["data:,"]
    assert len(set(loads.ids)) == len(loads.ids)
    assert set(loads.named) <= set(loads.ids)
    assert not re.search(r"@import|url\(", text)
    assert text == page(study())


def test_the_map_shows_all_that_is_drawn_in_it(opened: Any) -> None:
    """No box and no arrow leaves the picture, and no box lies on another."""
    script = """
    const svg = document.querySelector('.map svg');
    const frame = svg.viewBox.baseVal;
    const boxes = [...svg.querySelectorAll('rect, path')].map(e => [e.tagName, e.getBBox()]);
    const out = boxes.filter(([, b]) => b.x < 0 || b.y < 0 || b.x + b.width > frame.width || b.y + b.height > frame.height);
    const rects = boxes.filter(([tag]) => tag === 'rect').map(([, b]) => b);
    const over = rects.filter(a => rects.some(b => a !== b && a.x < b.x + b.width && b.x < a.x + a.width
                                             && a.y < b.y + b.height && b.y < a.y + a.height));
    return [boxes.length, out.length, over.length];
    """
    drawn, out, over = opened.execute_script(script)
    assert drawn > 12
    assert (out, over) == (0, 0)
