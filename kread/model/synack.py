"""The SYN-ACK: sent, and sent again.

Theory of operation: a SYN-ACK is built from the request alone, so that it can be repeated at any time. A repetition
counts RetransSegs and TCPSynRetrans; one that cannot be sent counts nothing and its caller decides what that means.
"""

from __future__ import annotations

from kread.model.events import Flag, Segment
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import TCP_RTO_MAX, TCP_TIMEOUT_INIT, Request, Sock

RULES = (
    rule("8.6", "tcp_rtx_synack", "each SYN-ACK sent again counts RetransSegs and TCPSynRetrans",
         guard("tcp_rtx_synack", "if (!res)"), guard("tcp_rtx_synack", "TCP_MIB_RETRANSSEGS"),
         guard("tcp_rtx_synack", "LINUX_MIB_TCPSYNRETRANS")),
)  # fmt: skip


def send(host: Host, req: Request, tsval: int, cookie: str = "") -> bool:
    """tcp_v4_send_synack(): whether the SYN-ACK went out."""
    host.called("tcp_v4_send_synack", "tcp_make_synack")
    if req.tstamp_ok:
        req.tsval_first = req.tsval_first or tsval
        req.tsval_last = tsval
    if host.failing("send_synack"):
        return False
    host.called("ip_build_and_send_pkt")
    stamp, echo = (tsval, req.ts_recent) if req.tstamp_ok else (None, 0)
    host.send(Segment(req.key, Flag.SYN | Flag.ACK, req.snt_isn, req.rcv_nxt, 0, stamp, echo, cookie))
    return True


def rtx(host: Host, req: Request) -> bool:
    """inet_rtx_syn_ack() and tcp_rtx_synack(): whether the SYN-ACK went out again."""
    host.called("inet_rtx_syn_ack", "tcp_rtx_synack")
    if not send(host, req, host.tsval()):
        return False
    host.fire("8.6")
    host.count("RetransSegs", "TCPSynRetrans")
    req.num_retrans += 1
    return True


def timeout(host: Host, req: Request) -> int:
    """reqsk_timeout(): how long the timer now runs."""
    host.called("reqsk_timeout", "tcp_reqsk_timeout")
    return backoff(host, req)


def backoff(host: Host, req: Request) -> int:
    """The first timeout, doubled for each time it fired and capped; a Fast Open child computes it in place."""
    cap = TCP_RTO_MAX
    if host.policy.timeout_capped_by_listener:
        cap = req.listener.rto_max
    return min(req.timeout << req.num_timeout, cap)


def timeout_init(host: Host, sk: Sock) -> int:
    """tcp_timeout_init(): a second, or what a BPF program says."""
    host.called("tcp_timeout_init")
    if sk.timeout_init <= 0:
        return TCP_TIMEOUT_INIT
    host.fire("4.8:timeout")
    return min(sk.timeout_init, TCP_RTO_MAX) if host.policy.timeout_init_capped else sk.timeout_init
