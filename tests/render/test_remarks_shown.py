"""The reader's remarks outside Markdown: marked up as far as people write it by hand, escaped, and shown at their step."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import reading
import samples

from kread.render.codetour import tours
from kread.render.notes import notes_markdown
from kread.render.notes_page import notes_page
from kread.render.remark_html import remark_html
from kread.render.remarked import remarked
from kread.render.remarks import END, Place, mark
from kread.render.study import study_of

STUDY = study_of(samples.ANSWER, reading.Reading({}))
PLACE = Place("thing_dispatch", "t->ops->request(sk, skb)", samples.FIRST.family)


@pytest.mark.parametrize(
    ("remark", "html"),
    [
        ("One.\nTwo.", "<p>One.<br>\nTwo.</p>"),
        ("a < b && `c->d <e>`", "<p>a &lt; b &amp;&amp; <code>c-&gt;d &lt;e&gt;</code></p>"),
        ("- one\n- *two*\n  more", "<ul><li>one</li><li><em>two</em><br>\nmore</li></ul>"),
        (
            "**Why?**\n\n```c\nif (a)\n\n\tb();\n```\nso",
            "<p><strong>Why?</strong></p><pre>if (a)\n\n\tb();</pre><p>so</p>",
        ),
        ("2 * 3 * 4 and a*b*c", "<p>2 * 3 * 4 and a*b*c</p>"),
        (
            "see [RFC](https://a.org/x?y=1&z) or https://b.org/q.",
            '<p>see <a href="https://a.org/x?y=1&amp;z" rel="noreferrer">RFC</a> or '
            '<a href="https://b.org/q" rel="noreferrer">https://b.org/q</a>.</p>',
        ),
        ("[no](javascript:alert(1))", "<p>[no](javascript:alert(1))</p>"),
    ],
)
def test_what_people_write_by_hand(remark: str, html: str) -> None:
    assert remark_html(remark) == html


@given(st.text(st.sampled_from("ab <>&\"'`*[]()-~\n:/.htps")))
def test_every_remark_is_well_formed_and_loses_no_letter(remark: str) -> None:
    shown = remark_html(remark)
    read = "".join(ElementTree.fromstring(f"<div>{shown.replace('<br>', '<br/>')}</div>").itertext())
    kept = [letter for letter in remark if letter in "ab<>&"]
    assert [letter for letter in read if letter in "ab<>&"] == kept or "http" in remark


def test_a_remark_in_the_markdown_stands_on_the_page_and_in_the_editors_tour() -> None:
    text = notes_markdown(STUDY).replace(mark(PLACE), f"{mark(PLACE)}\nMine: <b>`x`</b>", 1)
    noted = remarked(STUDY, text)
    page = notes_page(noted, remarks="thing.md")
    article = page[page.index('<article id="f1s2"') : page.index('<article id="f1s3"')]
    assert "Mine: &lt;b&gt;<code>x</code>&lt;/b&gt;" in article
    assert page.count('class="remark"') == 1
    assert page.count('class="noted"') == 1
    assert "write them in thing.md" in page
    assert sum("Mine: <b>`x`</b>" in tour for _, tour in tours(noted)) == 1
    assert 'class="remark"' not in notes_page(STUDY)


def test_a_remark_without_a_place_stands_at_the_end_of_the_page() -> None:
    gone = Place("thing_that_was", "x()", "")
    page = notes_page(remarked(STUDY, f"{mark(gone)}\nOld.\n{END}\n"))
    more = page[page.index('id="more"') :]
    assert "thing_that_was" in more
    assert "<p>Old.</p>" in more
