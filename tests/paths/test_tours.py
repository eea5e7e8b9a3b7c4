"""The tours that ship, computed on four releases: complete, or each gap by its name; and everything in the outline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kread.errors import UsageError
from kread.facts import Trail
from kread.graph.callgraph import CallGraph
from kread.paths.find import Finder, Request
from kread.paths.new_tour import new_tour
from kread.paths.tour_file import parse_tour, read_tour, shipped
from kread.paths.tours import ShownTour, show_tour

GraphOf = Callable[[str], CallGraph]

RELEASES = ("5.10", "6.1", "6.12", "7.2")
GOLD = Path(__file__).parent / "gold"

#: What a release lacks, from reading its source: (release, tour) -> the first words of each gap. None elsewhere.
GAPS = {
    ("5.10", "tcp-syn"): ["inet_lookup_run_sk_lookup is not in"],  # inet_lookup_run_bpf until UDP shared it
    ("6.1", "tcp-syn"): ["inet_lookup_run_sk_lookup is not in"],
    ("5.10", "tcp-synack"): ["struct request_sock has no member timeout"],  # req->timeout came with 6.1
    ("5.10", "tcp-listener-close"): [
        "reuseport_stop_listen_sock is not in",  # migration of requests came with 6.1
        "reuseport_migrate_sock is not in",
    ],
    ("7.2", "tcp-listen"): ["__inet_hash is not in"],  # merged into inet_hash
}

#: Every function that the outline names, in its order; INADDR_ANY and SO_REUSEPORT by what deals with them.
OUTLINE = {
    "inet_listen",
    "inet_accept",
    "tcp_v4_rcv",
    "__inet_lookup_skb",
    "__inet_lookup",
    "__inet_lookup_established",
    "__inet_lookup_listener",
    "reuseport_select_sock",
    "tcp_check_req",
    "inet_csk_complete_hashdance",
    "inet_csk_reqsk_queue_add",
    "tcp_v4_do_rcv",
    "tcp_rcv_state_process",
    "tcp_v4_conn_request",
    "tcp_conn_request",
    "inet_csk_reqsk_queue_hash_add",
    "reqsk_queue_hash_req",
    "inet_ehash_insert",
}
OUTLINE_STRUCTURES = {"sock", "socket", "inet_connection_sock", "inet_sock"}

#: The statements of the outline, by words that stand in the tours.
OUTLINE_STATEMENTS = (
    ("Without a SYN flood", "imprecise"),
    ("more than 3/4 of max_syn_backlog", "imprecise"),
    ("In a flood without syncookies", "right"),
    ("Ba is built in step 3", "wrong"),
    ("It enters hashinfo", "right"),
    ("After the ACK's check it enters the accept queue", "imprecise"),
    ("a timer resends the SYN-ACK", "right"),
    ("Fast Open helps", "right"),
    ("backlog has been the length of the accept queue since 2.2", "imprecise"),
    ("sock and socket point to each other", "right"),
    ("inet_connection_sock holds inet_sock", "right"),
)


def trails(shown: ShownTour) -> Iterator[Trail]:
    for stop in shown.stops:
        yield from (trail for trail in (stop.lead, stop.trail) if trail)


@pytest.mark.parametrize("release", RELEASES)
def test_every_tour_is_complete_or_names_its_gaps(release: str, graph_of: GraphOf) -> None:
    finder = Finder(graph_of(release))
    for name in shipped():
        shown = show_tour(read_tour(name), finder)
        expected = GAPS.get((release, name), [])
        assert [gap[: len(words)] for gap, words in zip(shown.gaps, expected, strict=True)] == expected, name
        for stop in shown.stops:
            assert stop.function is not None or stop.gaps
            assert all(one.line for one in stop.seen), stop.waypoint
        for trail in trails(shown):
            for step, after in zip(trail.steps, trail.steps[1:], strict=False):
                assert step.edge is not None
                assert (step.edge.caller, step.edge.callee) == (step.function, after.function)


@pytest.mark.parametrize("release", RELEASES)
def test_hops_join_the_stops(release: str, graph_of: GraphOf) -> None:
    finder = Finder(graph_of(release))
    for name in shipped():
        for leg in show_tour(read_tour(name), finder).legs:
            for before, stop in zip((None, *leg.stops), leg.stops, strict=False):
                if stop.trail is not None:
                    assert stop.trail.steps[-1].function == stop.function
                    if before and before.function and stop.waypoint.start is None and not stop.handover:
                        assert stop.trail.steps[0].function == before.function


@pytest.mark.parametrize("release", RELEASES)
def test_the_tours_cover_the_outline(release: str, graph_of: GraphOf) -> None:
    finder = Finder(graph_of(release))
    functions: set[str] = set()
    structures: set[str] = set()
    statements: dict[str, str] = {}
    for name in shipped():
        shown = show_tour(read_tour(name), finder)
        functions |= {stop.function.name for stop in shown.stops if stop.function}
        functions |= {step.function.name for trail in trails(shown) for step in trail.steps}
        structures |= {one.structure.name for one in shown.structures if one.line}
        for one in shown.statements:
            assert one.function is not None
            assert all(seen.line for seen in one.seen)
            statements.setdefault(one.statement.says, one.statement.stands)
    assert functions >= OUTLINE
    assert structures >= OUTLINE_STRUCTURES
    for words, stands in OUTLINE_STATEMENTS:
        assert [found for says, found in statements.items() if words in says] == [stands], words


def test_lines_shown_say_what_was_looked_for(graph_of: GraphOf, tree: Callable[[str], Path]) -> None:
    shown = show_tour(read_tour("tcp-syn"), Finder(graph_of("6.12")))
    looked = 0
    for stop in shown.stops:
        assert stop.function is not None
        lines = (tree("6.12") / stop.function.file).read_text(errors="replace").splitlines()
        for one in stop.seen:
            assert one.text.split()[0] in lines[one.line - 1]
            looked += 1
    assert looked > 20


@pytest.mark.parametrize("name", shipped())
def test_gold(name: str, graph_of: GraphOf) -> None:
    """The order of functions on 6.12, reviewed by hand when it was kept: stops, hops under them, hand-overs between."""
    shown = show_tour(read_tour(name), Finder(graph_of("6.12")))
    out = []
    for leg in shown.legs:
        out.append(f"[{leg.leg.title}]")
        for stop in leg.stops:
            out += [f"  {step.function.name}" for step in (stop.lead.steps if stop.lead else ())]
            out += [f"  ~ {stop.handover.name}"] if stop.handover else []
            out += [f"  {step.function.name}" for step in (stop.trail.steps[:-1] if stop.trail else ())]
            out.append(stop.function.name if stop.function else f"{stop.waypoint.at}?")
    assert "\n".join(out) + "\n" == (GOLD / f"{name}.txt").read_text()


def test_a_waypoint_that_is_gone_is_a_gap_with_what_took_its_place(graph_of: GraphOf) -> None:
    text = """
title = "t"
[[leg]]
title = "l"
[[leg.stop]]
at = "inet_listen"
reason = "r"
[[leg.stop]]
at = "no_such_function"
instead = ["no_other_either", "inet_csk_listen_start"]
because = "It was renamed."
reason = "r"
[[leg.stop]]
at = "nor_this_one"
because = "It went away."
reason = "r"
[[leg.stop]]
at = "inet_hash"
reason = "r"
"""
    shown = show_tour(parse_tour(text, "mine.toml", "mine"), Finder(graph_of("6.12")))
    found = [(stop.function.name if stop.function else None, stop.gaps) for stop in shown.stops]
    release = shown.release
    assert found == [
        ("inet_listen", ()),
        (
            "inet_csk_listen_start",
            (f"no_such_function is not in {release}; here inet_csk_listen_start. It was renamed.",),
        ),
        (None, (f"nor_this_one is not in {release}. It went away.",)),
        ("inet_hash", ()),
    ]
    last = shown.stops[-1].trail
    assert last is not None
    assert last.steps[0].function.name == "inet_csk_listen_start"


def test_no_way_between_two_stops_is_a_gap(graph_of: GraphOf) -> None:
    text = """
title = "t"
[[leg]]
title = "l"
[[leg.stop]]
at = "inet_csk_accept"
reason = "r"
[[leg.stop]]
at = "inet_csk_listen_start"
reason = "r"
look = ["no_such_word"]
"""
    shown = show_tour(parse_tour(text, "mine.toml", "mine"), Finder(graph_of("6.12")))
    assert shown.gaps == (
        f"No call leads from inet_csk_accept to inet_csk_listen_start in {shown.release}.",
        f"inet_csk_listen_start does not mention no_such_word in {shown.release}.",
    )


def test_a_slot_that_many_fill_needs_a_table(graph_of: GraphOf) -> None:
    text = 'title = "t"\n[[leg]]\ntitle = "l"\n\n[[leg.stop]]\nat = "proto_ops.listen"\nreason = "r"\n'
    with pytest.raises(UsageError, match=r"mine\.toml:5: proto_ops\.listen holds \d+ functions") as error:
        show_tour(parse_tour(text, "mine.toml", "mine"), Finder(graph_of("6.12")))
    assert "inet_stream_ops" in error.value.hint


HEAD = 'title = "t"\ngoal = "g"\n\n[[leg]]\ntitle = "l"\n\n[[leg.stop]]\nat = "f"\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEAD, 7, "reason is missing"),
        (HEAD + 'reason = ""\n', 9, "reason must be a text"),
        (HEAD + 'reason = "r"\nbackground = "x"\n', 10, "background means nothing here"),
        (HEAD + 'reason = "r"\n\n\nlook = "x"\n', 12, "look must be a list of texts"),
        (HEAD + 'reason = "r"\nhandover = "nothing"\n', 10, "no hand-over nothing"),
        (HEAD + 'reason = "r\n', 9, "this is not TOML"),
        (HEAD + 'reason = "r"\n[[leg]]\ntitle = "empty"\n', 11, r"a leg needs at least one \[\[leg.stop\]\]"),
        (HEAD + 'reason = "r"\n[[struct]]\nname = "sock"\n', 10, "reason is missing"),
        (
            HEAD + 'reason = "r"\n[[statement]]\nsays = "s"\nstands = "so-so"\nbecause = "b"\nat = "f"\n',
            12,
            "a statement stands right or imprecise or wrong",
        ),
        ('goal = "g"\n', 1, r"at least one \[\[leg\]\]"),
        (HEAD.replace("leg.stop", "leg.halt"), 7, "halt means nothing here"),
    ],
)
def test_errors_name_the_line(text: str, line: int, words: str) -> None:
    with pytest.raises(UsageError, match=rf"mine\.toml:{line}: .*{words}"):
        parse_tour(text, "mine.toml", "mine")


def test_a_file_that_is_not_there_names_the_tours_that_are() -> None:
    with pytest.raises(UsageError) as error:
        read_tour("nowhere/no.toml")
    assert "tcp-listen" in error.value.hint


def test_a_new_tour_is_one_that_can_be_shown(graph_of: GraphOf) -> None:
    finder = Finder(graph_of("6.12"))
    answer = finder.answer(Request("sys_listen", "inet_hash", families=1))
    text = new_tour(answer, "mine")
    for release in RELEASES:
        shown = show_tour(parse_tour(text, "mine.toml", "mine"), Finder(graph_of(release)))
        assert shown.gaps == ()
        names = [stop.function.name for stop in shown.stops if stop.function]
        # Stops only where control goes through a table: these hold although the functions between differ.
        assert names == ["sys_listen", "inet_listen", "inet_hash"]
