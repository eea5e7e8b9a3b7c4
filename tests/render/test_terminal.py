"""The terminal's text of an answer: its gold file, its width, and that a pipe gets no escape."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import samples

from kread.render.layout import NARROWEST, Layout, Row
from kread.render.links import LinkMaker
from kread.render.style import Style
from kread.render.terminal import path_text

GOLD = Path(__file__).parent / "gold"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;[^\x1b]*\x1b\\")


def test_the_text_is_the_gold_file() -> None:
    assert path_text(samples.ANSWER) == (GOLD / "path.txt").read_text(encoding="utf-8")


def test_no_path_says_so_and_what_to_do() -> None:
    text = path_text(samples.NOTHING)
    assert "No path from thing_insert to thing_receive in Linux v6.12.117." in text
    assert "kread callers thing_receive" in text


@pytest.mark.parametrize("width", [NARROWEST, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(len(line) for line in path_text(samples.ANSWER, width=width).splitlines()) <= width


def test_colour_and_links_change_no_letter() -> None:
    links = LinkMaker("v6.12.117", "/src/linux")
    coloured = path_text(samples.ANSWER, color=True, links=links)
    assert "\x1b[" in coloured
    assert "\x1b]8;;file:///src/linux/net/thing/input.c\x1b\\" in coloured
    assert ESCAPES.sub("", coloured) == path_text(samples.ANSWER)


def test_the_number_of_a_line_of_source_leads_to_git_web() -> None:
    row = Row("\tif (sk)", word="    12 ?", column=9, role="code", file="net/thing/input.c", line=12)
    (line,) = Layout(80, Style(True), LinkMaker("v6.12.117", "/src/linux")).lines(row)
    assert "/tree/net/thing/input.c?h=v6.12.117#n12\x1b\\" in line
    assert [ESCAPES.sub("", line)] == Layout(80).lines(row)


def test_later_families_refer_to_the_first() -> None:
    text = path_text(samples.ANSWER)
    second = text[text.index("\n2  ") :]
    assert "as in 1  thing_receive > thing_dispatch" in second
    assert "thing_dispatch(sk, skb)" not in second


WORDS = st.text(st.sampled_from("abc_->&|()=! ,"), max_size=300)


@settings(max_examples=300, deadline=None)
@given(
    WORDS, st.sampled_from(["", ":12", "net/ipv4/tcp_input.c:7240", "a" * 70]), st.integers(0, 6), st.integers(40, 120)
)
def test_a_row_never_overflows_and_loses_nothing(text: str, place: str, indent: int, width: int) -> None:
    lines = Layout(width).lines(Row(text, indent=indent, hang=2, word="not", column=6, place=place))
    assert all(len(line) <= max(width, len(place)) for line in lines)
    assert sorted("".join(lines).replace(" ", "")) == sorted(("not" + text + place).replace(" ", ""))
