"""The executable model of what Linux does from listen() to accept(); standard library only, imports nothing of kread.

Theory of operation: a Host is one network namespace. `machine.step(host, event)` lets one thing happen to it and
answers with outcomes; the modules are named after what they decide, `lookup`, `conn_request`, `check_req`, and each
opens with its rules as a table. `RULES` holds them all. What releases do differently is a `policy.Policy`.

    host = Host(Policy("6.12"))
    step(host, Open("L")); step(host, Bind("L", "10.0.0.1", 80)); step(host, Listen("L", 8))
    (outcome,) = step(host, Receive(Segment(Key("10.0.0.2", 1000, "10.0.0.1", 80), Flag.SYN, seq=1000)))

Outside of the model: IPv6, IPsec, netfilter, MD5 and AO, MPTCP, SMC, congestion control; what a connection does with
data that is out of order or that the fast path takes, and the retransmission of data and of FIN, for they depend on
round trips and on memory, not on what listen() and accept() decide.
"""

from __future__ import annotations

from kread.model import (
    accept,
    check_req,
    child,
    close,
    conn_request,
    cookies,
    established,
    fastopen,
    fastopenq,
    listen,
    lookup,
    rcv,
    reqsk_timer,
    reset,
    reuseport,
    synack,
    timewait,
)
from kread.model.machine import step
from kread.model.rules import Anchor, Rule, table

#: Every rule by its id, in the order of the modules.
RULES = table(
    module.RULES
    for module in (
        listen,
        lookup,
        reuseport,
        timewait,
        rcv,
        reset,
        conn_request,
        synack,
        cookies,
        check_req,
        child,
        established,
        reqsk_timer,
        fastopen,
        fastopenq,
        accept,
        close,
    )
)

__all__ = ["RULES", "Anchor", "Rule", "step"]
