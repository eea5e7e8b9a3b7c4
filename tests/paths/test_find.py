"""Paths on real releases: families, ranking, steering, and what is said of ends that are no plain function."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from kread.errors import UnknownSymbol, UsageError
from kread.facts import Trail
from kread.graph.callgraph import CallGraph
from kread.paths.answer import Answer
from kread.paths.contradict import Hop, contradiction
from kread.paths.find import Finder, Request
from kread.presence import Config

GraphOf = Callable[[str], CallGraph]

RELEASES = ("5.10", "6.1", "6.12", "7.2")
REPOSITORY = Path(__file__).resolve().parents[2]
CASES = REPOSITORY / "benchmarks" / "data"

#: What is asked of the ranking (issue "Reading paths"): first, and among the first three.
FIRST, THREE = 0.92, 0.98

HEADLINE = ("tcp_v4_rcv", "inet_ehash_insert")
SYN = (
    "tcp_v4_rcv > tcp_v4_do_rcv > tcp_rcv_state_process > tcp_v4_conn_request > tcp_conn_request"
    " > inet_csk_reqsk_queue_hash_add > reqsk_queue_hash_req > inet_ehash_insert"
)
ACK = "tcp_v4_rcv > tcp_check_req > tcp_v4_syn_recv_sock > inet_ehash_nolisten > inet_ehash_insert"


def asked(graph: CallGraph, *ends: str, **steering: object) -> Answer:
    return Finder(graph).answer(Request(*ends, **steering))  # type: ignore[arg-type]


def hops(answer: Answer) -> list[str]:
    return [str(trail) for trail in answer.trails]


def names(trail: Trail) -> list[str]:
    return [step.function.name for step in trail.steps]


@pytest.mark.parametrize("release", RELEASES)
def test_the_four_stories_of_the_headline(release: str, graph_of: GraphOf) -> None:
    answer = asked(graph_of(release), *HEADLINE)
    assert hops(answer)[:2] == [SYN, ACK]
    assert [trail.family.partition(":")[0] for trail in answer.trails] == [
        "A SYN reaches a listener",
        "The final ACK",
        "The ACK of a SYN cookie",
        "Fast Open",
    ]
    assert "cookie_v4_check" in names(answer.trails[2])
    assert "tcp_fastopen_create_child" in names(answer.trails[3])


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(("cases", "least"), [("paths_own.tsv", 200), ("paths_unseen.tsv", 45)])
def test_expected_sequences_come_first(release: str, cases: str, least: int, graph_of: GraphOf) -> None:
    """Sequences written down from reading the source (benchmarks/data), not from kread's output."""
    finder = Finder(graph_of(release))
    with (CASES / cases).open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter="\t") if row["release"] == release]
    assert len(rows) > least
    first = three = 0
    for row in rows:
        found = hops(finder.answer(Request(row["source"], row["target"], families=3)))
        first += found[:1] == [row["hops"]]
        three += row["hops"] in found
    assert first >= FIRST * len(rows)
    assert three >= THREE * len(rows)


@pytest.mark.parametrize("release", RELEASES)
def test_no_path_needs_what_contradicts_itself(release: str, graph_of: GraphOf) -> None:
    graph = graph_of(release)
    finder = Finder(graph)
    for trail in finder.answer(Request(*HEADLINE, families=20)).trails:
        told = []
        for step in trail.steps[:-1]:
            assert step.edge is not None
            context = finder.sites.context(step.function, step.edge.site.line, step.edge.site.column)
            told.append(
                Hop(
                    context.guards,
                    context.stale,
                    context.changed,
                    context.entry,
                    step.function.signature,
                    step.edge.site.text,
                )
            )
        assert contradiction(told) is None


@pytest.mark.parametrize("release", RELEASES)
def test_worlds_do_not_mix(release: str, graph_of: GraphOf) -> None:
    graph = graph_of(release)
    for ends in (HEADLINE, ("tcp_v4_rcv", "tcp_conn_request"), ("sys_connect", "tcp_v4_connect")):
        for trail in asked(graph, *ends, families=20).trails:
            assert not [name for name in names(trail) if "v6_" in name or "dgram" in name], str(trail)
            for step in trail.steps:
                if step.edge and step.edge.table:
                    assert not step.edge.table.startswith(("ipv6", "inet6", "tcpv6", "udp", "inet_dgram"))
    assert asked(graph, "tcp_v4_conn_request", "tcp_v6_send_synack").trails == ()
    assert asked(graph, "tcp_v6_do_rcv", "tcp_v4_do_rcv").trails  # an IPv6 socket may carry IPv4: a call by name


# Steering


@pytest.mark.parametrize("release", RELEASES)
def test_assumed_state_leaves_the_story_of_that_state(release: str, graph_of: GraphOf) -> None:
    graph = graph_of(release)
    assert hops(asked(graph, *HEADLINE, assume=("sk->sk_state == TCP_NEW_SYN_RECV",))) == [ACK]
    listening = hops(asked(graph, *HEADLINE, assume=("sk->sk_state == TCP_LISTEN",)))
    assert listening[0] == SYN
    assert ACK not in listening


def test_assumed_guards_need_not_be_told(graph_of: GraphOf) -> None:
    text = "sk->sk_state == TCP_LISTEN"
    plain = asked(graph_of("6.12"), *HEADLINE).trails[0].steps
    assumed = asked(graph_of("6.12"), *HEADLINE, assume=(text,)).trails[0].steps
    told, less = ([guard.text for step in steps for guard in step.guards] for steps in (plain, assumed))
    assert any("sk->sk_state == TCP_NEW_SYN_RECV" in guard for guard in told)
    assert not any("sk->sk_state == TCP_NEW_SYN_RECV" in guard for guard in less)


@pytest.mark.parametrize("release", RELEASES)
def test_assumed_objects_are_pruned(release: str, graph_of: GraphOf) -> None:
    graph = graph_of(release)
    assert hops(asked(graph, *HEADLINE, assume=("icsk->icsk_af_ops == &ipv4_specific",)))[:2] == [SYN, ACK]
    assert asked(graph, *HEADLINE, assume=("icsk->icsk_af_ops == &ipv6_specific",)).trails == ()
    four = asked(graph, "sys_bind", "inet_csk_get_port", assume=("sk->sk_family == AF_INET",))
    six = asked(graph, "sys_bind", "inet_csk_get_port", assume=("sk->sk_family == AF_INET6",))
    assert four.trails
    assert six.trails
    assert all("inet6_bind" not in names(trail) for trail in four.trails)
    assert all("inet_bind" not in names(trail) for trail in six.trails)


def test_via_and_avoid(graph_of: GraphOf) -> None:
    graph = graph_of("6.12")
    assert hops(asked(graph, *HEADLINE, via=("tcp_check_req",))) == [ACK]
    via = asked(graph, *HEADLINE, via=("tcp_conn_request", "reqsk_queue_hash_req"))
    assert hops(via)[0] == SYN
    avoiding = asked(graph, *HEADLINE, avoid=("tcp_rcv_state_process",))
    assert hops(avoiding)[0] == ACK
    assert all("tcp_rcv_state_process" not in names(trail) for trail in avoiding.trails)
    with pytest.raises(UsageError):
        asked(graph, *HEADLINE, via=("tcp_check_req",), avoid=("tcp_check_req",))


def test_steering_as_readers_write_it(graph_of: GraphOf) -> None:
    graph = graph_of("6.12")
    apart = asked(graph, *HEADLINE, avoid=("tcp_conn_request", "tcp_check_req"))
    assert hops(asked(graph, *HEADLINE, avoid=("tcp_conn_request, tcp_check_req",))) == hops(apart)
    assert hops(asked(graph, *HEADLINE, via=("tcp_v4_rcv",))) == hops(asked(graph, *HEADLINE))
    assert hops(asked(graph, *HEADLINE, via=("inet_ehash_insert",))) == hops(asked(graph, *HEADLINE))
    none = asked(graph, *HEADLINE, max_hops=2)
    assert not none.trails
    assert none.notes == ("Without the steering there is a path of 7 calls.",)
    with pytest.raises(UsageError):
        asked(graph, *HEADLINE, assume=("sk->sk_state = TCP_LISTEN",))


def test_max_hops_and_kinds_and_k(graph_of: GraphOf) -> None:
    graph = graph_of("6.12")
    assert hops(asked(graph, *HEADLINE, max_hops=4)) == [ACK]
    assert asked(graph, *HEADLINE, max_hops=3).trails == ()
    assert asked(graph, *HEADLINE, kinds=("direct", "macro")).trails == ()
    assert hops(asked(graph, *HEADLINE, kinds=("direct", "ops_table")))[0] == SYN
    two = asked(graph, *HEADLINE, families=2)
    assert len(two.trails) == 2
    assert two.others
    assert not two.complete
    assert "more families" in two.cut[0]


def test_a_configuration_leaves_out_what_it_does_not_compile(graph_of: GraphOf) -> None:
    file = graph_of("6.12").file
    every = "CONFIG_NET=y\nCONFIG_INET=y\nCONFIG_SYN_COOKIES=y\n"
    without = "CONFIG_NET=y\nCONFIG_INET=y\n# CONFIG_SYN_COOKIES is not set\n"
    ends = ("tcp_v4_do_rcv", "check_tcp_syn_cookie")
    assert hops(asked(CallGraph(file, Config.parse(every)), *ends))
    with pytest.raises(UnknownSymbol, match=r"not compiled under this configuration.*CONFIG_SYN_COOKIES") as refused:
        asked(CallGraph(file, Config.parse(without)), *ends)
    assert refused.value.hint.startswith("Nearest: ")
    assert "check_tcp_syn_cookie" not in refused.value.hint
    trails = asked(CallGraph(file, Config.parse(without)), *HEADLINE).trails
    assert str(trails[0]) == SYN
    assert not [trail for trail in trails if "cookie_v4_check" in names(trail)]


def test_what_a_macro_names_for_speed_is_reached_without_it_too(graph_of: GraphOf) -> None:
    """INDIRECT_CALL_INET compares the pointer with two names where CONFIG_MITIGATION_RETPOLINE asks for it."""
    graph = graph_of("6.12")
    (caller,) = graph.require("dst_input")
    found = [edge for edge in graph.callees(caller) if edge.callee.key == "net/ipv4/ip_input.c:ip_local_deliver"]
    assert {"CONFIG_MITIGATION_RETPOLINE" in edge.presence for edge in found} == {True, False}
    (call, _) = asked(graph, "dst_input", "net/ipv4/ip_input.c:ip_local_deliver").trails[0].steps
    assert call.edge
    assert call.edge.presence == "CONFIG_NET && CONFIG_INET"


@pytest.mark.parametrize("release", ["6.1", "6.12", "7.2"])
def test_what_a_macro_names_for_speed_is_proved_by_the_pointer(graph_of: GraphOf, release: str) -> None:
    """`INDIRECT_CALL_INET(sk->sk_backlog_rcv, ...)`: the name says where it may lead, tcp_prot why it leads there."""
    (call, _) = asked(graph_of(release), "__sk_backlog_rcv", "net/ipv4/tcp_ipv4.c:tcp_v4_do_rcv").trails[0].steps
    assert call.edge
    assert call.edge.slot == "sock.sk_backlog_rcv"
    assert "tcp_prot.backlog_rcv = tcp_v4_do_rcv" in {why.text for why in call.edge.evidence}
    assert "tcp_v6_do_rcv" in {other.callee.name for other in call.others}


# Ends


def test_an_ambiguous_end_says_so(graph_of: GraphOf) -> None:
    graph = graph_of("6.12")
    answer = asked(graph, "tcp_v4_rcv", "compute_score")
    assert "net/ipv4/udp.c" in answer.notes[0]
    assert "file:name" in answer.notes[0]
    one = asked(graph, "tcp_v4_rcv", "inet_hashtables.c:compute_score")
    assert one.notes == ()
    assert one.trails[0].steps[-1].function.file == "net/ipv4/inet_hashtables.c"


@pytest.mark.parametrize(
    ("release", "name", "words", "hint"),
    [
        ("6.12", "inet_hash2", "no function inet_hash2", "inet_hash"),  # gone since 6.1
        ("7.2", "__inet_hash", "no function __inet_hash", "inet_hash"),
        ("6.12", "sk_state", "sk_state is a macro", "kread show sk_state"),
        ("6.12", "icsk_af_ops", "icsk_af_ops is a member of struct inet_connection_sock", ""),
        ("6.12", "udp.c:tcp_v4_rcv", "tcp_v4_rcv is not defined in udp.c, but in net/ipv4/tcp_ipv4.c", ""),
    ],
)
def test_an_end_that_is_no_function_names_what_it_is(
    release: str, name: str, words: str, hint: str, graph_of: GraphOf
) -> None:
    with pytest.raises(UnknownSymbol) as error:
        asked(graph_of(release), "tcp_v4_rcv", name)
    assert words in error.value.what
    assert hint in f"{error.value.what} {error.value.hint}"


@pytest.mark.parametrize("release", RELEASES)
def test_a_system_call_has_the_name_that_readers_use(release: str, graph_of: GraphOf) -> None:
    answer = asked(graph_of(release), "sys_listen", "inet_csk_listen_start")
    first = answer.trails[0].steps[0]
    assert first.function.name == "sys_listen"
    assert first.function.macro == "SYSCALL_DEFINE2"
    assert first.edge is not None
    assert first.edge.caller == first.function
    assert "SYSCALL_DEFINE2" in answer.notes[0]


def test_from_a_function_to_itself(graph_of: GraphOf) -> None:
    assert asked(graph_of("6.12"), "tcp_v4_rcv", "tcp_v4_rcv").trails == ()


def test_the_same_question_has_the_same_answer(graph_of: GraphOf) -> None:
    graph = graph_of("6.12")
    assert asked(graph, *HEADLINE) == asked(CallGraph(graph.file), *HEADLINE)


# What is told of a way


@pytest.mark.parametrize("release", RELEASES)
def test_two_bodies_of_one_name_are_told_apart_by_their_conditions(release: str, graph_of: GraphOf) -> None:
    answer = asked(graph_of(release), "tcp_conn_request", "cookie_init_sequence")
    assert [trail.family for trail in answer.trails] == ["With CONFIG_SYN_COOKIES", "With !CONFIG_SYN_COOKIES"]
    for trail in answer.trails:
        assert trail.steps[-1].function.presence.split(" && ")[-1] == trail.family.removeprefix("With ")


@pytest.mark.parametrize("release", RELEASES)
def test_a_packet_goes_on_behind_the_hooks(release: str, graph_of: GraphOf) -> None:
    """NF_HOOK is given the function that goes on: the story is that function, not what the hook does inside."""
    answer = asked(graph_of(release), "ip_rcv", "tcp_v4_rcv", families=20)
    way = names(answer.trails[0])
    assert way[:2] == ["ip_rcv", "ip_rcv_finish"]
    assert way[-4:-1] == ["ip_local_deliver", "ip_local_deliver_finish", "ip_protocol_deliver_rcu"]
    assert not [trail for trail in answer.trails if "NF_HOOK" in names(trail)]
    hook = answer.trails[0].steps[0].edge
    assert hook is not None
    assert hook.kind == "callback"
    assert hook.context == ""
    assert not answer.trails[0].steps[0].others


@pytest.mark.parametrize("release", RELEASES)
def test_a_call_is_told_as_it_is_written(release: str, graph_of: GraphOf) -> None:
    step = asked(graph_of(release), "dst_input", "ip_local_deliver").trails[0].steps[0]
    assert step.edge is not None
    assert step.edge.written.startswith("INDIRECT_CALL_INET(")
    assert step.edge.written.endswith("ip_local_deliver, skb)")


@pytest.mark.parametrize("release", RELEASES)
def test_of_several_calls_the_least_conditional_is_told(release: str, graph_of: GraphOf) -> None:
    """tcp_conn_request sends the SYN-ACK in two places: with Fast Open's child, and the usual way."""
    step = asked(graph_of(release), "tcp_v4_conn_request", "tcp_v4_send_synack").trails[0].steps[1]
    assert ("fastopen_sk", False) in [(guard.text, guard.holds) for guard in step.guards]


@pytest.mark.parametrize("release", RELEASES)
def test_a_way_is_proved_by_tables_of_its_own_world(release: str, graph_of: GraphOf) -> None:
    """inet_release stands in three tables: that of stream sockets leads to tcp_close, and no other."""
    for end, table in (("tcp_send_fin", "inet_stream_ops"), ("udp_destroy_sock", "inet_dgram_ops")):
        steps = asked(graph_of(release), "sock_close", end, families=1).trails[0].steps
        edge = next(step.edge for step in steps if step.edge and step.edge.slot.endswith("proto_ops.release"))
        assert edge.table == table
        assert {why.role for why in edge.evidence} >= {"call", "install", "slot"}
        told = " ".join(why.text for why in edge.evidence)
        assert f"{table}.release = inet_release" in told
        assert f"&{table}" in told


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_handed_to_a_function_is_called_by_it(release: str, graph_of: GraphOf) -> None:
    """inet_hash_connect hands __inet_check_established to __inet_hash_connect, which is no wrapper but the place to read."""
    trails = asked(graph_of(release), "tcp_v4_connect", "__inet_check_established").trails
    assert names(trails[0])[1:] == ["inet_hash_connect", "__inet_hash_connect", "__inet_check_established"]


@pytest.mark.parametrize("release", RELEASES)
def test_where_the_question_names_no_world_the_first_is_told_first(release: str, graph_of: GraphOf) -> None:
    """sock_init_data is called by inet_create and by its twin for IPv6, which asks no more than the other."""
    trails = asked(graph_of(release), "sys_socket", "sock_init_data").trails
    assert "inet_create" in names(trails[0])
    assert [trail for trail in trails[1:] if "inet6_create" in names(trail)]


@pytest.mark.parametrize("release", ["6.12", "7.2"])
def test_what_the_source_itself_names_is_told_first(release: str, graph_of: GraphOf) -> None:
    """inet_recvmsg calls through a pointer, and names tcp_recvmsg and udp_recvmsg there: not raw_recvmsg."""
    trails = asked(graph_of(release), "sock_recvmsg", "__sock_recv_cmsgs").trails
    assert "udp_recvmsg" in names(trails[0])
    assert [trail for trail in trails[1:] if "raw_recvmsg" in names(trail)]


@pytest.mark.parametrize("release", RELEASES)
def test_a_callback_that_is_assigned_is_registered(release: str, graph_of: GraphOf) -> None:
    """The timer that paces gets its function by an assignment, and from 7.2 on by hrtimer_setup."""
    trails = asked(graph_of(release), "tcp_v4_init_sock", "tcp_pace_kick").trails
    assert names(trails[0])[1:-1] == ["tcp_init_sock", "tcp_init_xmit_timers"]
    edge = trails[0].steps[-2].edge
    assert edge is not None
    assert (edge.kind, edge.slot, edge.context) == ("callback", "hrtimer.function", "hardirq")


@pytest.mark.parametrize("release", RELEASES)
def test_what_hooks_keep_is_not_what_goes_on(release: str, graph_of: GraphOf) -> None:
    """ip_sublist_rcv hands ip_rcv_finish to the hooks, for packets that they keep; the others it finishes itself."""
    trails = asked(graph_of(release), "ip_list_rcv", "ip_local_deliver").trails
    assert "ip_list_rcv_finish" in names(trails[0])


@pytest.mark.parametrize("release", RELEASES)
def test_an_assumption_prunes_what_else_a_call_could_reach(release: str, graph_of: GraphOf) -> None:
    def others(*assume: str) -> set[str]:
        trails = asked(graph_of(release), "__inet_stream_connect", "tcp_connect", assume=assume).trails
        return {edge.callee.name for edge in trails[0].steps[0].others}

    assert "tcp_v6_connect" in others()
    assert not others("sk->sk_prot == &tcp_prot")
    assert "tcp_v6_connect" not in others("sk->sk_family == AF_INET")


@pytest.mark.parametrize("release", RELEASES)
def test_where_steering_shuts_all_paths_out_no_other_way_is_made_up(release: str, graph_of: GraphOf) -> None:
    assumed = ("sk->sk_state == TCP_FIN_WAIT1",)
    answer = asked(graph_of(release), "tcp_rcv_state_process", "tcp_send_fin", assume=assumed, max_hops=2)
    assert not answer.trails
    assert not answer.crossings
    assert answer.notes == ("Without the steering there is a path of 2 calls.",)


@pytest.mark.parametrize("release", RELEASES)
def test_what_the_source_calls_unlikely_comes_later(release: str, graph_of: GraphOf) -> None:
    """tcp_sendmsg_locked connects by Fast Open under unlikely(); sending is what it is for."""
    trails = asked(graph_of(release), "tcp_sendmsg", "ip_queue_xmit").trails
    assert "tcp_write_xmit" in names(trails[0])
    rare = next(trail for trail in trails if "tcp_sendmsg_fastopen" in names(trail))
    assert [guard.rare for guard in rare.steps[1].guards if guard.holds and guard.kind == "if"] == [True]


@pytest.mark.parametrize("release", RELEASES)
def test_a_way_may_combine_calls_of_two_others(release: str, graph_of: GraphOf) -> None:
    """The ordinary lookup shares its beginning with the one by BPF and its end with that of a reset: still it is told."""
    trails = asked(graph_of(release), "tcp_v4_rcv", "inet_lookup_reuseport").trails
    ordinary = ["__inet_lookup_skb", "__inet_lookup", "__inet_lookup_listener", "inet_lhash2_lookup"]
    assert ordinary in [names(trail)[1:-1] for trail in trails[:2]]


@pytest.mark.parametrize("release", RELEASES)
def test_a_listener_is_not_established(release: str, graph_of: GraphOf) -> None:
    """tcp_v4_rcv calls tcp_v4_do_rcv for a listener and for others: data is queued by the others only."""
    steered = {"via": ("tcp_rcv_state_process",), "avoid": ("tcp_child_process",)}
    trails = asked(graph_of(release), "tcp_v4_rcv", "tcp_data_queue", **steered).trails
    assert trails
    for trail in trails:
        told = [(guard.text, guard.holds) for guard in trail.steps[0].guards]
        assert ("sk->sk_state == TCP_LISTEN", True) not in told


@pytest.mark.parametrize("release", RELEASES)
def test_a_socket_keeps_its_table(release: str, graph_of: GraphOf) -> None:
    """close and destroy are slots of one struct proto: what closes a ping socket comes after what closes UDP's."""
    trails = asked(graph_of(release), "sock_close", "udp_destroy_sock").trails
    assert "udp_lib_close" in names(trails[0])
