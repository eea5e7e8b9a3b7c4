"""Notes: read by a Markdown parser, remarks that survive a change of release, texts in two languages, and CodeTour."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import reading
import samples

from kread import data
from kread.errors import UsageError
from kread.facts import CallSite, Step, Trail
from kread.render.codetour import tours
from kread.render.markdown import code
from kread.render.notes import notes_markdown
from kread.render.notes_page import notes_page
from kread.render.questions import questions
from kread.render.remarked import remarked
from kread.render.remarks import END, Place, damaged, found, mark
from kread.render.study import Study, study_of
from kread.render.texts import texts

READER = reading.Reading({"thing_dispatch": "Takes *things*.\n\n# not a heading\n\n@t: a thing"})
STUDY = study_of(samples.ANSWER, READER)


def test_every_step_has_its_parts_in_order() -> None:
    text = notes_markdown(STUDY)
    step = text[text.index("### 2. `thing_dispatch`") : text.index("### 3. `thing4_request`")]
    parts = [
        "cross-reference",
        "```c",
        "Why control comes here",
        "`th->ack` must be false (:1903)",
        "otherwise `return 1`",
    ]
    parts += [
        "held at the call: `rcu_read_lock`",
        "How it is known",
        "thing4_ops.request = thing4_request",
        "thing6_request",
    ]
    parts += ["Your notes", "<!-- remark", END]
    places = [step.index(part) for part in parts]
    assert places == sorted(places)


def test_a_markdown_parser_sees_what_is_meant() -> None:
    markdown_it = pytest.importorskip("markdown_it")
    text = notes_markdown(STUDY)
    tokens = markdown_it.MarkdownIt("commonmark").parse(text)
    fences = [token.info for token in tokens if token.type == "fence"]
    assert fences.count("c") == 9 - 2
    assert text.count("\nTold in 1.1.\n") == text.count("\nTold in 1.5.\n") == 1  # where both families begin and end
    assert text.count(END) == 9
    assert fences.count("mermaid") == 2
    headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert "1. `thing_receive`" in headings
    inline = [child for token in tokens for child in token.children or []]
    assert not any(child.type == "em_open" for child in inline if "thing" in child.content)


@given(st.text(st.sampled_from("`ab_* "), min_size=1).filter(str.strip))
def test_code_spans_show_what_they_hold(said: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    (token,) = [t for t in markdown_it.MarkdownIt("commonmark").parse("x " + code(said) + " x") if t.type == "inline"]
    (shown,) = [child.content for child in token.children if child.type == "code_inline"]
    assert shown.strip() == said.strip()


def with_remark(text: str, place: Place, said: str) -> str:
    opening = mark(place)
    assert opening in text
    return text.replace(opening, f"{opening}\n{said}", 1)


FIRST = Place("thing_dispatch", "t->ops->request(sk, skb)", samples.FIRST.family)


def other_release(function: str, call: str) -> Study:
    """The same study, where one function has a new line, a new call text, or another name."""

    def moved(step: Step) -> Step:
        if step.function.name != "thing_dispatch" or step.edge is None:
            return step
        changed = dataclasses.replace(step.function, name=function, line=step.function.line + 57)
        text = call if step.edge.site.text == FIRST.call else step.edge.site.text
        site = CallSite(step.edge.site.file, step.edge.site.line + 57, 3, text)
        return dataclasses.replace(step, function=changed, edge=dataclasses.replace(step.edge, site=site))

    trails = tuple(Trail(trail.family, tuple(map(moved, trail.steps))) for trail in samples.ANSWER.trails)
    return study_of(dataclasses.replace(samples.ANSWER, release="v7.2.1", trails=trails), READER)


@pytest.mark.parametrize("call", [FIRST.call, "READ_ONCE(t->ops)->request(sk, skb)"])
def test_a_remark_follows_its_function_and_call(call: str) -> None:
    text = notes_markdown(STUDY)
    said = "Remember this: `a < b` -- and <!-- that --> too.\n\n- one\n- two"
    after = remarked(other_release("thing_dispatch", call), with_remark(text, FIRST, said))
    again = notes_markdown(after)
    assert after.lost == ()
    assert (Place("thing_dispatch", call, samples.FIRST.family), said) in found(again)
    assert again.count("Remember this") == 1


def test_a_remark_whose_call_is_gone_stays_with_its_function_and_is_said_to_have_moved() -> None:
    text = notes_markdown(STUDY)
    after = remarked(other_release("thing_dispatch", "zzz()"), with_remark(text, FIRST, "Mine."))
    ((place, said),) = found(notes_markdown(after))
    assert (place.function, said) == ("thing_dispatch", "Mine.")
    assert after.moved == ((FIRST, place),)
    like = remarked(
        other_release("thing_dispatch", "READ_ONCE(t->ops)->request(sk, skb)"), with_remark(text, FIRST, "M")
    )
    assert like.moved == ()


def test_a_remark_whose_function_is_gone_is_kept_and_reported() -> None:
    text = notes_markdown(STUDY)
    after = remarked(other_release("thing_renamed", "x()"), with_remark(text, FIRST, "Mine."))
    again = notes_markdown(after)
    assert after.lost == ((FIRST, "Mine."),)
    assert found(again) == [(FIRST, "Mine.")]
    returned = remarked(STUDY, again)
    back = notes_markdown(returned)
    assert returned.lost == ()
    assert found(back) == [(FIRST, "Mine.")]
    assert "Notes whose place is gone" not in back


def test_the_same_notes_twice_are_the_same_bytes() -> None:
    text = notes_markdown(STUDY)
    noted = with_remark(text, FIRST, "Mine.")
    once = notes_markdown(remarked(STUDY, noted))
    assert notes_markdown(remarked(STUDY, once)) == once


def test_a_remark_on_a_call_of_two_families_stays_in_its_family() -> None:
    text = notes_markdown(STUDY)
    for family in (samples.FIRST, samples.SECOND):
        place = Place("thing_receive", "thing_dispatch(sk, skb)", family.family)
        after = remarked(STUDY, with_remark(text, place, "Mine."))
        again = notes_markdown(after, "zh")
        assert after.lost == ()
        assert found(again) == [(place, "Mine.")]


def test_a_lost_mark_is_seen_and_swallows_nothing() -> None:
    text = notes_markdown(STUDY)
    noted = with_remark(
        with_remark(text, FIRST, "Mine."),
        Place("thing_receive", "thing_dispatch(sk, skb)", samples.FIRST.family),
        "First.",
    )
    assert not damaged(noted)
    broken = noted.replace(f"First.\n\n{END}", "First.\n", 1)
    assert broken != noted
    assert damaged(broken)
    assert found(broken) == [(FIRST, "Mine.")]


@given(st.text(st.sampled_from("-><&\"' ab"), max_size=30), st.text(st.sampled_from("-><&\"' ab"), max_size=30))
def test_any_place_survives_its_mark(function: str, call: str) -> None:
    line = mark(Place(function, call))
    assert line.count("-->") == 1
    assert found(f"{line}\nsaid\n{END}\n") == [(Place(function, call), "said")]


def test_questions_are_answered_by_the_trail() -> None:
    asked = dict(questions(STUDY.chapters[0], texts("en")))
    assert asked["How many calls lie between thing_receive and thing_insert in this family?"].startswith("4 calls: ")
    (dispatch,) = [answer for question, answer in asked.items() if "through a pointer" in question]
    assert dispatch.startswith("thing4_request; t->ops = &thing4_ops (net/thing/four.c:2471)")
    assert "ThingQueueFullDrop" in asked.values()


def test_languages_have_the_same_keys_and_blanks() -> None:
    english = data.load("lang/en")["text"]
    for name in data.names("lang"):
        other = data.load(name)["text"]
        assert list(other) == list(english)
        for key, text in english.items():
            assert sorted(re.findall(r"{(\w+)}", other[key])) == sorted(re.findall(r"{(\w+)}", text)), key


def test_chinese_notes_are_chinese() -> None:
    text = notes_markdown(STUDY, "zh")
    assert "控制流为什么到这里" in text
    assert not re.search(r"Why control|Your notes|must be|How it is known", text)
    english = r"\b(?:needs|otherwise|through|by type|candidates?|calls?|held|or|when) "
    for said in (text, notes_page(STUDY, "zh"), *(tour for _, tour in tours(STUDY, "zh"))):
        shown = re.sub(
            r"<(script|style).*?</\1>|```.*?```|<!--.*?-->|<pre>.*?</pre>|^> .*?$", "", said, flags=re.S | re.M
        )
        assert re.findall(rf".*{english}.*", shown) == []
    with pytest.raises(UsageError, match="no texts in 'xx'"):
        texts("xx")


#: What CodeTour's own schema says: of each key its type; a tour must have title and steps, a step a description.
TOUR_KEYS = {"$schema": str, "title": str, "description": str, "ref": str, "isPrimary": bool, "steps": list}
STEP_KEYS = {"file": str, "directory": str, "uri": str, "line": int, "pattern": str, "title": str, "description": str}


def test_codetour_fits_its_schema() -> None:
    for _, text in tours(STUDY, "zh"):
        tour = json.loads(text)
        assert {"title", "steps"} <= set(tour)
        assert all(isinstance(value, TOUR_KEYS[key]) for key, value in tour.items())
        for step in tour["steps"]:
            assert "description" in step
            assert all(isinstance(value, STEP_KEYS[key]) for key, value in step.items())


def test_codetour_steps_by_pattern_and_ref() -> None:
    (name, text), _ = tours(STUDY)
    assert name == "01-a-first-packet-reaches-a-listener-the-request-is-hashed.tour"
    tour = json.loads(text)
    assert tour["ref"] == "v6.12.117"
    assert len(tour["steps"]) == 5 + 4
    for step in tour["steps"]:
        assert step["description"]
        assert not step["file"].startswith("/")
        assert ("pattern" in step) != ("line" in step)
    patterns = [step["pattern"] for step in tour["steps"] if "pattern" in step]
    for pattern, function in zip(patterns, [step.function for step in samples.FIRST.steps], strict=True):
        assert [line for line in reading.body(function) if re.search(pattern, line)] == [reading.body(function)[0]]
