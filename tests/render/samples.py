"""A made-up answer for the renderers' tests: two families through one table, in the shape that real ones have.

The functions are invented, so that no expected text depends on a release; what a renderer says of a real one is tested
elsewhere against the tree.
"""

from __future__ import annotations

from kread.facts import CallSite, Edge, Evidence, Function, Guard, Held, Step, Trail
from kread.paths.answer import Answer


def function(name: str, file: str, line: int, **more: object) -> Function:
    return Function(file, name, line, line + 40, signature=f"int {name}(struct thing *t)", **more)  # type: ignore[arg-type]


RECEIVE = function("thing_receive", "net/thing/input.c", 2183)
DISPATCH = function("thing_dispatch", "net/thing/input.c", 1901)
REQUEST4 = function("thing4_request", "net/thing/four.c", 1720)
REQUEST6 = function("thing6_request", "net/thing/six.c", 880, presence="CONFIG_THING6")
REQUEST = function("thing_request_common_to_both_families", "net/thing/common_request_handling.c", 7240)
ANSWER4 = function("thing4_answer", "net/thing/four.c", 1790)
INSERT = function("thing_insert", "net/thing/table.c", 657)


def edge(caller: Function, callee: Function, line: int, text: str, **more: object) -> Edge:
    more.setdefault("kind", "direct")
    return Edge(caller, callee, CallSite(caller.file, line, 9, text), **more)  # type: ignore[arg-type]


SLOT = "thing_ops.request"
RECEIVE_EDGE = edge(RECEIVE, DISPATCH, 2349, "thing_dispatch(sk, skb)")
TABLE_EDGE = edge(
    DISPATCH,
    REQUEST4,
    1920,
    "t->ops->request(sk, skb)",
    kind="ops_table",
    grade="object",
    candidates=3,
    slot=SLOT,
    table="thing4_ops",
    evidence=(
        Evidence("install", "net/thing/four.c", 2471, "t->ops = &thing4_ops", "thing4_init"),
        Evidence("slot", "net/thing/four.c", 2420, ".request = thing4_request,"),
    ),
)
OTHER_EDGE = edge(
    DISPATCH,
    REQUEST6,
    1920,
    "t->ops->request(sk, skb)",
    kind="ops_table",
    grade="object",
    candidates=3,
    slot=SLOT,
    table="thing6_ops",
    presence="CONFIG_THING6",
)
LONG_CALL = (
    "thing_request_common_to_both_families(&thing4_request_operations, &thing4_request_sock_operations, sk, skb, "
    "thing4_route_of_request(skb))"
)
REQUEST_EDGE = edge(REQUEST4, REQUEST, 1731, LONG_CALL)
INSERT_EDGE = edge(
    REQUEST,
    INSERT,
    7393,
    "THING_INSERT(sk, req)",
    kind="macro",
    evidence=(
        Evidence(
            "macro", "include/net/thing.h", 12, "#define THING_INSERT(sk, req) thing_insert(req_to_thing(req), sk)"
        ),
    ),
)
ANSWER_EDGE = edge(DISPATCH, ANSWER4, 1960, "cb(sk)", kind="callback", grade="type", candidates=6, context="softirq")
ANSWER_INSERT = edge(ANSWER4, INSERT, 1820, "thing_insert(t, sk)", presence="CONFIG_THING_ANSWER && !CONFIG_SMALL")

RECEIVE_STEP = Step(RECEIVE, RECEIVE_EDGE, (Guard(2348, "sk->state == THING_LISTEN", True),))
TABLE_STEP = Step(
    DISPATCH,
    TABLE_EDGE,
    (
        Guard(1902, "sk->state == THING_LISTEN", True, "case"),
        Guard(1903, "th->ack", False, "exit", "return 1"),
        Guard(1909, "th->first", True),
    ),
    (Held(1918, "rcu_read_lock"), Held(1919, "local_bh_disable")),
    (OTHER_EDGE,),
)
REQUEST_STEP = Step(
    REQUEST,
    INSERT_EDGE,
    (
        Guard(
            7262,
            "(cookies == 2 || thing_queue_is_full(sk)) && !is_new && !thing_flood_action(sk, skb, request_operations)",
            False,
            "exit",
            "goto drop",
            "ThingQueueFullDrop",
        ),
        Guard(7270, "thing_is_full(sk)", False, "exit", "goto drop", "ListenOverflows"),
        Guard(7391, "!fast && !want_cookie", True),
        Guard(7392, "i < THING_TRIES", True, "loop"),
    ),
)

FIRST = Trail(
    "A first packet reaches a listener: the request is hashed",
    (RECEIVE_STEP, TABLE_STEP, Step(REQUEST4, REQUEST_EDGE), REQUEST_STEP, Step(INSERT)),
)
SECOND = Trail(
    "The answer: the child replaces the request",
    (
        RECEIVE_STEP,
        Step(DISPATCH, ANSWER_EDGE, (Guard(1950, "th->ack", True),)),
        Step(ANSWER4, ANSWER_INSERT),
        Step(INSERT),
    ),
)
ANSWER = Answer(
    "v6.12.117",
    "thing_receive",
    "thing_insert",
    (FIRST, SECOND),
    complete=False,
    cut=("Families after the second; -k 8 shows more.",),
    others=(Trail("a cookie's answer", FIRST.steps),),
)
NOTHING = Answer("v6.12.117", "thing_insert", "thing_receive", ())
