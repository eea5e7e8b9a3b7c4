"""The notes as a page in a real browser: panels, drawings, print; and that nothing overflows or lacks contrast."""

from __future__ import annotations

import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import browser
import reading
import samples
from test_page import CONTRAST, ENOUGH_CONTRAST, click, press, shown

from kread import data
from kread.model.policy import policies
from kread.render.class_diagram import ClassBox, ClassDiagram
from kread.render.lessons import lesson
from kread.render.notes_page import notes_page
from kread.render.remarked import place_of, remarked
from kread.render.remarks import END, Place, mark
from kread.render.study import Claimed, Structured, Study, study_of
from kread.render.svg import letters


def study(lang: str = "en") -> Study:
    """The sample's families with everything that notes of a tour have round them."""
    from dataclasses import replace

    played = lesson("tcp-syn", policies(data.load("policies"))["6.12"], lambda rule: rule.function, lang)
    boxes = ClassDiagram(
        (
            ClassBox("thing", (("struct base", "base"), ("struct thing*", "next"), ("struct ops*", "ops"))),
            ClassBox("base", (("int", "state"),)),
            ClassBox("ops", (("int (*)(struct thing*)", "request"),)),
        )
    )
    found = study_of(samples.ANSWER, reading.Reading({}), lang)
    here = place_of(found.chapters[0].passages[0], found.chapters[0])
    written = (
        "A remark of one_very_long_word_" + "after_another_" * 9 + "\n\n- with `code`, https://www.rfc-editor.org/"
    )
    places = (here, Place("thing_that_was"))
    return replace(
        remarked(found, "".join(f"{mark(place)}\n{written}\n{END}\n" for place in places)),
        overview=("What <it> is about.",),
        steps=(("1. First.", False), ("2. Then.", True)),
        sequence=played.sequence,
        structures=boxes,
        structured=(Structured("thing", "include/net/thing.h", 3, "All that there is."),),
        played=played.played,
        claims=(Claimed("It is so.", "wrong", "it is not", ((False, "a case"),), (("if (x)", "net/a.c", 3),)),),
        references=(("RFC 9293", "https://www.rfc-editor.org/rfc/rfc9293"),),
    )


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with browser.chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(params=["en", "zh"])
def opened(request: pytest.FixtureRequest, driver: Any, tmp_path: Path) -> Any:
    file = tmp_path / "page.html"
    file.write_text(notes_page(study(request.param), request.param), encoding="utf-8")
    browser.resize(driver, 1280)
    browser.scheme(driver, "light")
    driver.get(file.as_uri())
    yield driver
    assert [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []


def panel(driver: Any) -> str:
    script = "return [...document.querySelectorAll('.panel')].filter(p => p.offsetParent).map(p => p.id).join()"
    return str(driver.execute_script(script))


def test_the_overview_opens_first_and_keys_lead_on_and_back(opened: Any) -> None:
    assert panel(opened) == "overview"
    press(opened, "k")
    assert panel(opened) == "overview"
    press(opened, "j")
    assert (panel(opened), shown(opened)) == ("family1", ["f1s1"])
    press(opened, "2", "0")
    assert (panel(opened), shown(opened)) == ("overview", [])
    opened.back()
    assert shown(opened) == ["f2s1"]


def test_tabs_lead_to_every_panel_and_say_which_is_open(opened: Any) -> None:
    for tab, wanted in (("tabmore", "more"), ("tab2", "family2"), ("tab0", "overview"), ("tab1", "family1")):
        click(opened, f"#{tab}")
        assert panel(opened) == wanted
        selected = "return [...document.querySelectorAll('[role=tab][aria-selected=true]')].map(t => t.id)"
        assert opened.execute_script(selected) == [tab]
        assert opened.execute_script("return document.querySelectorAll('[role=tab][tabindex=\"0\"]').length") == 1


def test_every_control_has_a_name_and_every_panel_a_label(opened: Any) -> None:
    nameless = (
        "return [...document.querySelectorAll('a, button, input, [role=tabpanel], nav, svg, [role=region]')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.textContent.trim()))"
        ".map(e => e.outerHTML.slice(0, 90))"
    )
    assert opened.execute_script(nameless) == []
    broken = (
        "return [...document.querySelectorAll('[aria-labelledby], [aria-controls]')].flatMap(e =>"
        "['aria-labelledby', 'aria-controls'].map(a => e.getAttribute(a)).filter(i => i && !document.getElementById(i)))"
    )
    assert opened.execute_script(broken) == []
    levels = opened.execute_script(
        "return [...document.querySelectorAll('h1, h2, h3, h4')].map(h => Number(h.tagName[1]))"
    )
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_keys_lead_from_one_part_of_a_tour_to_the_next(opened: Any) -> None:
    last = len(samples.ANSWER.trails[0].steps)
    press(opened, *"j" * (last + 1))
    assert shown(opened) == ["f2s1"]
    press(opened, "k")
    assert shown(opened) == [f"f1s{last}"]


def test_whoever_walks_on_from_far_down_reads_the_next_step_from_its_beginning(opened: Any) -> None:
    browser.resize(opened, 1280, 500)
    press(opened, "j", "o")
    opened.execute_script("window.scrollTo(0, document.documentElement.scrollHeight)")
    press(opened, "j")
    top = opened.execute_script("return document.querySelector('article.now').getBoundingClientRect().top")
    assert 0 <= top < 200


def test_the_map_can_be_put_away_and_called_back(opened: Any) -> None:
    away = "return document.querySelector('.map').offsetParent === null"
    assert opened.execute_script(away) is False
    press(opened, "m")
    assert opened.execute_script(away) is True
    click(opened, "#mapped")
    assert opened.execute_script(away) is False


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(opened: Any, width: int, theme: str) -> None:
    modules = Path(os.environ.get("KREAD_TEST_NODE_MODULES", "node_modules")).resolve()
    script = modules / "axe-core" / "axe.min.js"
    if not script.is_file():
        pytest.skip("no axe-core; to enable, npm install axe-core and set KREAD_TEST_NODE_MODULES")
    browser.resize(opened, width)
    browser.scheme(opened, theme)
    opened.execute_script(script.read_text(encoding="utf-8"))
    for tab in ("tab0", "tab1", "tabmore"):
        click(opened, f"#{tab}")
        result = opened.execute_async_script("axe.run(document).then(arguments[0])")
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in result["violations"]] == []
        assert len(result["passes"]) > 20


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("tab", ["tab0", "tab1", "tabmore"])
def test_nothing_overflows(opened: Any, width: int, tab: str) -> None:
    browser.resize(opened, width)
    click(opened, f"#{tab}")
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    script = (
        "return [...document.querySelectorAll('.panel *')].filter(e => !e.closest('.drawing') && e.getClientRects().length"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert opened.execute_script(script) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tab", ["tab0", "tabmore"])
def test_text_has_contrast(opened: Any, theme: str, tab: str) -> None:
    browser.scheme(opened, theme)
    click(opened, f"#{tab}")
    found = opened.execute_script(CONTRAST)
    assert len(found) > 60
    assert [row for row in found if row[0] < ENOUGH_CONTRAST] == []


def test_no_text_of_a_drawing_leaves_its_box_or_lies_on_another(opened: Any) -> None:
    script = """
    const inside = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
    const found = [];
    for (const svg of document.querySelectorAll('.drawing svg')) {
      const frame = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll('text')].map(t => [t, t.getBoundingClientRect()]);
      for (const [text, box] of texts) {
        if (!inside(box, frame)) found.push('outside: ' + text.textContent);
        for (const [other, its] of texts) {
          const over = Math.min(box.right, its.right) - Math.max(box.left, its.left);
          const deep = Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top);
          if (text !== other && over > 1 && deep > 4) found.push('over: ' + text.textContent + ' | ' + other.textContent);
        }
      }
    }
    return [document.querySelectorAll('.drawing svg text').length, found];
    """
    texts, found = opened.execute_script(script)
    assert texts > 25
    assert found == []


def test_on_paper_every_panel_stands_and_answers_are_open(opened: Any) -> None:
    opened.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    try:
        assert len(shown(opened)) == 9
        assert panel(opened) == "overview,family1,family2,more"
        assert opened.execute_script("return [...document.querySelectorAll('details.answer')].every(d => d.open)")
    finally:
        opened.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert panel(opened) == "overview"
    assert not opened.execute_script("return [...document.querySelectorAll('details.answer')].some(d => d.open)")


def test_it_loads_nothing_and_its_drawings_are_pictures() -> None:
    text = notes_page(study())
    assert not re.search(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=\"(?!data:)", text)
    drawings = re.findall(r'<div class="drawing"[^>]*>(<svg.*?</svg>)</div>', text, re.S)
    assert [ElementTree.fromstring(one).get("class") for one in drawings] == ["sequence", "classes"]
    assert "sequenceDiagram" not in text
    assert "classDiagram" not in text


def test_a_chinese_letter_is_two_wide() -> None:
    assert letters("步 a") == 4
