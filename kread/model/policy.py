"""Where releases differ, as fields: what the source answers, never what the release calls itself.

Theory of operation: two trees that call themselves by one number can differ in the very comparison that decides
whether a queue is full, for fixes travel. So the model asks a Policy, each field of which is the answer to one
question that can be put to a tree: does this function mention that text, is that function defined, which operator
stands between these two terms. The questions stand as data beside the answers that four real trees gave, and those
answers are what the model uses when no tree is at hand.

`absent` names the functions that the model may walk through but the tree does not define: the model then leaves them
out of its trails, which is how one model speaks of four releases' names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Policy:
    """The readings that the model follows. Section numbers are those of the page of facts."""

    name: str
    #: 4.3, R6.11: the operator between the accept queue's length and the backlog: ">" or ">=".
    accept_queue_full: str = ">"
    #: 4.1: the operator between the number of half-open requests and the backlog: ">" or ">=".
    request_queue_full: str = ">"
    #: 1.4: listen() returns the error of get_port() rather than always -EADDRINUSE.
    listen_keeps_error: bool = True
    #: 2.1: a listener assigned to the packet by BPF is run through its reuseport group again.
    steal_reselects: bool = True
    #: 2.5: a group with SO_INCOMING_CPU prefers the member of the current CPU.
    reuseport_prefers_cpu: bool = True
    #: 2.7: the sequence number chosen in TIME_WAIT reaches tcp_conn_request, so that the SYN passes the limits.
    tw_isn_survives: bool = True
    #: 2.8, 8.8, 11.2, R6.14: what a closed listener held may move to another member of its group.
    migration: bool = True
    #: 4.8: the request's addresses are set inside route_req, not by a slot before it.
    init_req_in_route: bool = True
    #: 4.g: the cookie is computed before the route is looked up.
    cookie_before_route: bool = True
    #: 4.c: the warning of a flood names the listener's address, not only its port.
    flood_names_address: bool = True
    #: 4.e: a request whose 4-tuple is already hashed is freed, with no SYN-ACK.
    duplicate_refused: bool = True
    #: 4.e: the request's timer is armed after the request is hashed.
    timer_after_insert: bool = True
    #: 4.f: the first timeout is asked for when the request is hashed, not before.
    timeout_when_hashed: bool = True
    #: 4.f: a BPF program's first timeout is cut to TCP_RTO_MAX.
    timeout_init_capped: bool = True
    #: 4.f, 8.5: the request keeps its first timeout and later ones are multiples of it, not of TCP_TIMEOUT_INIT.
    timeout_kept: bool = True
    #: 8.5: the cap of the doubled timeout is the listener's own maximum, not TCP_RTO_MAX.
    timeout_capped_by_listener: bool = True
    #: R6.2: a segment with RST is not handed to the listener for its wrong acknowledgement.
    wrong_ack_spares_rst: bool = True
    #: R6.3: the window offered is cut to 65535 where it is chosen, so that a child has no larger one either.
    initial_window_capped: bool = False
    #: R6.3: the window of a request is at most 65535.
    synack_window_capped: bool = True
    #: R6.3: the echoed timestamp must be one that was sent.
    tsecr_checked: bool = True
    #: R6.4: a RST kills a request only if its sequence number is the next one expected.
    rst_must_be_exact: bool = True
    #: 10.3: an established connection answers an ACK of something that was not sent with a challenge ACK.
    unsent_ack_challenged: bool = True
    #: 10.3: while a connection closes, a segment that acknowledges less than was acknowledged before is not refused.
    old_ack_accepted: bool = True
    #: 10.3: a SYN with an older timestamp on a connection is challenged as any other SYN is, not counted as PAWSEstab.
    paws_spares_syn: bool = True
    #: 10.3: a pure ACK with an older timestamp and an older number is counted as PAWSOldAck and not answered.
    paws_old_ack: bool = True
    #: 10.3: a repeated ACK's timestamp may be older by the retransmission timeout in 1200ths of a second, not in 1024ths.
    replay_in_1200ths: bool = True
    #: 10.3: a segment beyond the window of a connection counts BeyondWindow.
    beyond_window_counted: bool = True
    #: 10.3: a segment that ends beyond the window is refused where data waits to be read.
    window_end_strict: bool = True
    #: 12: a segment that PAWS rejects in TIME_WAIT counts PAWSTimewait, not PAWSEstab.
    tw_paws_counter: bool = True
    #: 7.5: a BPF program may vouch for a cookie.
    cookie_by_bpf: bool = True
    #: The functions that the tree does not define and the model leaves out of its trails.
    absent: frozenset[str] = frozenset()

    def answer(self, field: str) -> object:
        """The value of a field by its name; ValueError names a field that there is not."""
        if field not in FIELDS:
            raise ValueError(f"no policy field {field!r}; there are: {', '.join(sorted(FIELDS))}")
        value: object = getattr(self, field)
        return value


FIELDS = frozenset(field.name for field in fields(Policy)) - {"name", "absent"}


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask a tree to learn one field.

    asks    -- "mentions" (the function's body holds the text), "defines" (the function is there), "order" (the
               first of two texts comes first in the body), "operator" (the comparison between two texts)
    negated -- the answer is turned round
    """

    field: str
    function: str
    asks: str
    text: tuple[str, ...]
    gloss: str
    negated: bool = False


def questions(document: Mapping[str, object]) -> tuple[Question, ...]:
    """The questions of a parsed policies file, by field."""
    found = document["question"]
    assert isinstance(found, dict)
    rows = [
        Question(
            field, row["function"], row["asks"], tuple(row.get("text", ())), row["gloss"], bool(row.get("negated"))
        )
        for field, row in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: row.field))


def policies(document: Mapping[str, object]) -> dict[str, Policy]:
    """The policies of a parsed policies file, by the name of the release whose tree gave the answers."""
    found = document["release"]
    assert isinstance(found, dict)
    return {name: _policy(name, dict(row)) for name, row in found.items()}


def _policy(name: str, row: dict[str, object]) -> Policy:
    absent = row.pop("absent", [])
    assert isinstance(absent, list)
    unknown = sorted(set(row) - FIELDS)
    if unknown:
        raise ValueError(f"policy {name}: no such field: {', '.join(unknown)}")
    return Policy(name, absent=frozenset(absent), **row)  # type: ignore[arg-type]  # fields checked above


def parse(text: str) -> dict[str, Policy]:
    """The policies of a policies file, from its text."""
    return policies(tomllib.loads(text))
