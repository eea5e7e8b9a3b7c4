"""The lists: gold files of made-up views, their width, and their JSON's keys."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import samples

from kread.facts import Edge, Evidence, Function
from kread.graph.callgraph import SlotValue
from kread.graph.records import Cast, Holder, Member
from kread.render import listing, listing_json
from kread.render.views import MacroView, Neighbours, Shown, SlotView, StructView

GOLD = Path(__file__).parent / "gold"
RELEASE = "v6.12.117"
SLOTS = (
    SlotValue(
        "struct thing_ops", "request", samples.REQUEST4, "thing4_ops", "net/thing/four.c", 2420, ".request = x", ""
    ),
    SlotValue(
        "struct thing_ops",
        "request",
        samples.REQUEST6,
        "thing6_ops",
        "net/thing/six.c",
        90,
        ".request = y",
        "CONFIG_THING6",
    ),
)
CALLERS = Neighbours(RELEASE, samples.INSERT, "callers", (samples.INSERT_EDGE, samples.ANSWER_INSERT))
CALLEES = Neighbours(
    RELEASE, samples.DISPATCH, "callees", (samples.TABLE_EDGE, samples.OTHER_EDGE, samples.ANSWER_EDGE)
)
SHOWN = Shown(
    RELEASE,
    "thing_insert",
    ((samples.REQUEST4, (samples.TABLE_EDGE,), (samples.REQUEST_EDGE,), SLOTS[:1]),),
    (MacroView("thing_insert", "include/net/thing.h", 12, "sk, req", "do { \\\n\tinsert(req, sk); \\\n} while (0)"),),
)
SLOT = SlotView(RELEASE, "thing_ops.request", SLOTS)
STRUCT = StructView(
    RELEASE,
    "struct thing_sock",
    (
        Member("sock", "struct sock", "include/net/thing.h", 20, embeds=True),
        Member("ops", "const struct thing_ops *", "include/net/thing.h", 21),
        Member(
            "a_member_with_a_very_long_name_indeed", "unsigned long", "include/net/thing.h", 22, "CONFIG_THING6", False
        ),
    ),
    (
        Holder("struct thing6_sock", "thing", "include/net/six.h", 30, first=True),
        Holder("struct thing_request", "owner", "include/net/thing.h", 41, pointer=True),
    ),
    SLOTS,
    (Cast("struct sock", "struct thing_sock", "thing_sk", "include/net/thing.h", 50),),
)
TEXTS = {
    "callers.txt": lambda width: listing.neighbours_text([CALLERS], width=width),
    "callees.txt": lambda width: listing.neighbours_text([CALLEES], width=width),
    "show.txt": lambda width: listing.show_text(SHOWN, width=width),
    "slot.txt": lambda width: listing.slot_text(SLOT, width=width),
    "struct.txt": lambda width: listing.struct_text(STRUCT, width=width),
}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_text_is_the_gold_file(name: str) -> None:
    assert TEXTS[name](80) == (GOLD / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(TEXTS))
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_too_wide(name: str, width: int) -> None:
    assert max(map(len, TEXTS[name](width).splitlines())) <= width


def test_the_calls_of_a_macro_stand_together_under_the_name_that_the_line_has() -> None:
    def made(callee: Function, line: int, through: str) -> Edge:
        uses = (Evidence("use", samples.REQUEST.file, line, "THING_COUNT"),) if through else ()
        definition = Evidence("macro", "include/net/thing.h", 12, f"#define {through or 'THING_INSERT'}(sk) call(sk)")
        return samples.edge(samples.REQUEST, callee, line, "call(sk)", kind="macro", evidence=(*uses, definition))

    edges = (
        made(samples.INSERT, 7393, ""),
        made(samples.INSERT, 7395, "ADD"),
        made(samples.ANSWER4, 7395, "ADD"),
        samples.edge(samples.REQUEST, samples.REQUEST4, 7396, "thing4_request(sk)"),
    )
    text = listing.neighbours_text([Neighbours(RELEASE, samples.REQUEST, "callees", edges)])
    assert "calls 1 function itself, 2 more through macros" in " ".join(text.replace("Linux v6.12.117", "").split())
    assert [line.strip() for line in text.splitlines() if "macro " in line] == [
        ":7393   macro THING_INSERT: thing_insert",
        ":7395   macro THING_COUNT: thing4_answer, thing_insert",
    ]


def test_json_names_its_schema_and_keeps_every_row() -> None:
    callers = json.loads(listing_json.neighbours_json([CALLERS]))
    assert callers["schema"] == "kread.callers/1"
    assert [edge["caller"]["function"] for edge in callers["functions"][0]["callers"]] == [
        samples.REQUEST.name,
        "thing4_answer",
    ]
    assert json.loads(listing_json.neighbours_json([CALLEES]))["schema"] == "kread.callees/1"
    shown = json.loads(listing_json.show_json(SHOWN))
    assert (shown["functions"][0]["slots"][0]["table"], shown["macros"][0]["parameters"]) == ("thing4_ops", "sk, req")
    assert [one["table"] for one in json.loads(listing_json.slot_json(SLOT))["values"]] == ["thing4_ops", "thing6_ops"]
    struct = json.loads(listing_json.struct_json(STRUCT))
    assert [one["name"] for one in struct["members"]][:2] == ["sock", "ops"]
    assert struct["casts"][0]["from"] == "struct sock"
