"""What a function changes: assignments, counters, queues, timers; in comments nothing; on the way to a call only what is."""

from __future__ import annotations

import pytest

from kread.graph.callgraph import CallGraph
from kread.paths.effects import effects
from kread.paths.find import Finder, Request
from kread.paths.reader import SourceReader

SOURCE = """int f(struct till *till, struct sock *sk)
{
\tstruct coin coin = { .worth = 1 };
\tcoin.worth = 2;
\ttill->sum -= 2; /* till->lost = 1; */
\ttill->coins[3] =
\t\tcoin.worth;
\tif (till->open == 1 && xchg(&till->warned, 1) == 0)
\t\t__NET_INC_STATS(sock_net(sk), LINUX_MIB_TILLS);
\t// WRITE_ONCE(till->sum, 3);
\tWRITE_ONCE(till->sum,
\t\t   READ_ONCE(till->other));
\t++till->seen; till->seen++;
\thlist_nulls_add_head_rcu(&till->node, &bucket->chain);
\tsk->ops->add_timer(sk);
\treturn list_empty(&till->list) || atomic_read(&till->count);
}"""


def test_what_a_function_changes_by_line() -> None:
    found = [(one.line, one.text, one.field) for one in effects(SOURCE.split("\n"), 1, {"coin": "coin"})]
    assert found == [
        (5, "till->sum -= 2", "sum"),
        (6, "till->coins[3] = coin.worth", "coins"),
        (8, "xchg(&till->warned, 1)", ""),
        (9, "__NET_INC_STATS(sock_net(sk), LINUX_MIB_TILLS)", ""),
        (11, "WRITE_ONCE(till->sum, READ_ONCE(till->other))", ""),
        (14, "hlist_nulls_add_head_rcu(&till->node, &bucket->chain)", ""),
    ]


@pytest.mark.parametrize(
    ("caller", "callee", "there", "not_there"),
    [
        # Counted before anything is decided; counted only where the segment is dropped.
        ("tcp_v4_rcv", "tcp_v4_do_rcv", "TCP_MIB_INSEGS", "LINUX_MIB_TCPMINTTLDROP"),
        ("tcp_conn_request", "inet_csk_reqsk_queue_hash_add", "req->syncookie = want_cookie", "LISTENOVERFLOWS"),
    ],
)
def test_only_what_happens_on_the_way_to_the_call(
    graph: CallGraph, caller: str, callee: str, there: str, not_there: str
) -> None:
    finder = Finder(graph)
    step = finder.answer(Request(caller, callee, families=1)).trails[0].steps[0]
    found = [said for _, said in SourceReader(finder.sites).changes(step)]
    assert any(there in said for said in found)
    assert not any(not_there in said for said in found)
