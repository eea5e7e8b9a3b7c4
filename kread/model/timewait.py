"""TIME_WAIT: what is left of a connection that this side closed first, and when a new SYN may take its place.

Theory of operation: a small sock remembers the last numbers for a minute. A SYN that is clearly newer, by sequence
number or by timestamp, is handed to a listener together with a sequence number beyond the old connection's; in the
releases that keep that number the SYN passes the limits on half-open requests, in the others it was lost on the way.
Everything else is acknowledged or ignored. With substate FIN_WAIT2 the peer's FIN is still to come.
"""

from __future__ import annotations

from kread.model import limits
from kread.model.events import Flag, Segment
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import (
    TCP_TIMEWAIT_LEN,
    Sock,
    State,
    TimeWait,
    add,
    after,
    before,
    in_window,
    paws_reject,
)

RULES = (
    rule("2.7", "tcp_timewait_state_process", "an old duplicate or a stray segment is acknowledged, sparsely",
         guard("tcp_timewait_state_process", "paws_reject || th->ack")),
    rule("2.7:syn", "tcp_v4_rcv", "a newer SYN ends TIME_WAIT and goes to the listener",
         guard("tcp_timewait_state_process",
               "th->syn && !th->rst && !th->ack && !paws_reject && (after(TCP_SKB_CB(skb)->seq, "),
         guard("tcp_v4_rcv", "case TCP_TW_SYN"), guard("tcp_v4_rcv", "if (sk2)"),
         guard("tcp_timewait_state_process", "isn = tcptw->tw_snd_nxt + 65535 + 2"),
         guard("tcp_timewait_state_process", "if (isn == 0)"),
         guard("tcp_v4_rcv", "TCP_SKB_CB(skb)->tcp_tw_isn = isn", tw_isn_survives=True)),
    rule("2.7:lost", "tcp_v4_fill_cb",
         "the sequence number that TIME_WAIT chose is zeroed on the way: the SYN is one like any other",
         guard("tcp_v4_fill_cb", "TCP_SKB_CB(skb)->tcp_tw_isn = 0"), tw_isn_survives=False),
    rule("2.7:ack", "tcp_timewait_state_process", "a bare ACK in place starts the minute anew, silently",
         guard("tcp_timewait_state_process", "TCP_SKB_CB(skb)->seq == TCP_SKB_CB(skb)->end_seq || th->rst"),
         guard("TCP_TIMEWAIT_LEN", "(60*HZ)")),
    rule("2.7:rst", "tcp_timewait_state_process", "an exact RST ends it, unless tcp_rfc1337",
         guard("tcp_timewait_state_process", "!twsk_net(tw)->ipv4.sysctl_tcp_rfc1337")),
    rule("2.7:paws", "tcp_timewait_state_process", "an older timestamp is counted",
         guard("tcp_timewait_state_process", "if (paws_reject)"),
         guard("tcp_timewait_state_process", "LINUX_MIB_PAWSESTABREJECTED", tw_paws_counter=False),
         guard("tcp_timewait_state_process", "LINUX_MIB_PAWS_TW_REJECTED", tw_paws_counter=True)),
    rule("2.7:fin-wait", "tcp_timewait_state_process", "in FIN_WAIT2 the peer's FIN is acknowledged: true TIME_WAIT",
         guard("tcp_timewait_state_process", "!th->fin || TCP_SKB_CB(skb)->end_seq != ")),
    rule("2.7:data", "tcp_timewait_state_process", "and new data, or a SYN, is answered with RST",
         guard("tcp_timewait_state_process", "th->syn && !before(TCP_SKB_CB(skb)->seq, ")),
    rule("4.5:learnt", "tcp_update_metrics",
         "a connection whose FIN was acknowledged leaves its round trip time behind: its peer is proven",
         guard("tcp_update_metrics", "if (icsk->icsk_backoff || !tp->srtt_us)"),
         guard("tcp_update_metrics", "tcp_metric_set(tm, TCP_METRIC_RTT, rtt)")),
)  # fmt: skip


def enter(host: Host, sock: Sock, substate: State) -> None:
    """tcp_time_wait(): the sock is replaced by a small one."""
    assert sock.key is not None
    host.called("tcp_time_wait", "inet_twsk_alloc")
    tw = TimeWait(
        sock.key,
        sock.rcv_nxt,
        sock.snd_nxt,
        substate,
        host.now + TCP_TIMEWAIT_LEN,
        sock.rcv_wnd,
        sock.ts_recent,
        host.now if sock.tstamp_ok else None,
        sock.bound_dev_if,
        sock.reuse,
        sock.reuseport,
        sock.uid,
    )
    host.unlink(sock)
    host.insert(tw)
    learn(host, sock)
    sock.state = State.CLOSE


def learn(host: Host, sock: Sock) -> None:
    """tcp_update_metrics(): the acknowledgement of a FIN gave a round trip time, which is kept by the peer's address."""
    assert sock.key is not None
    host.called("tcp_update_metrics")
    host.fire("4.5:learnt")
    host.proven.add(sock.key.saddr)


def deschedule(host: Host, tw: TimeWait) -> None:
    """inet_twsk_deschedule_put(): the end of it."""
    host.called("inet_twsk_deschedule_put")
    host.unlink(tw)


def send_ack(host: Host, tw: TimeWait) -> None:
    """tcp_v4_timewait_ack(): the last numbers again."""
    host.called("tcp_v4_timewait_ack")
    host.send(Segment(tw.key, Flag.ACK, tw.snd_nxt, tw.rcv_nxt))


def state_process(host: Host, tw: TimeWait, segment: Segment) -> tuple[str, int]:
    """tcp_timewait_state_process(): "SUCCESS", "ACK", "RST", or "SYN" with the number for the new connection."""
    host.called("tcp_timewait_state_process")
    rst = bool(segment.flags & Flag.RST)
    paws = False
    if segment.tsval is not None and tw.ts_recent_stamp is not None:
        host.called("tcp_paws_reject")
        paws = paws_reject(tw.ts_recent, segment.tsval, host.now - tw.ts_recent_stamp, rst=rst)
    if tw.substate is State.FIN_WAIT2:
        return _fin_wait2(host, tw, segment, paws), 0
    if not paws and segment.seq == tw.rcv_nxt and (segment.seq == segment.end_seq or rst):
        return _in_place(host, tw, segment, rst), 0
    if segment.flags & (Flag.SYN | Flag.RST | Flag.ACK) == Flag.SYN and not paws and _newer(tw, segment):
        return "SYN", add(tw.snd_nxt, 65535 + 2) or 1
    host.fire("2.7")
    if paws:
        host.fire("2.7:paws")
        host.count("PAWSTimewait" if host.policy.tw_paws_counter else "PAWSEstab")
    if rst:
        return "SUCCESS", 0
    if paws or segment.flags & Flag.ACK:
        tw.deadline = host.now + TCP_TIMEWAIT_LEN
    return _limited_ack(host, tw, segment, "TCPACKSkippedTimeWait"), 0


def _newer(tw: TimeWait, segment: Segment) -> bool:
    """Whether a SYN is newer than the old connection, by sequence number or by timestamp."""
    stamped = segment.tsval is not None and tw.ts_recent_stamp is not None
    return after(segment.seq, tw.rcv_nxt) or (stamped and before(tw.ts_recent, segment.tsval or 0))


def _limited_ack(host: Host, tw: TimeWait, segment: Segment, counter: str) -> str:
    """tcp_timewait_check_oow_rate_limit()"""
    host.called("tcp_timewait_check_oow_rate_limit")
    return "SUCCESS" if limits.oow_rate_limited(host, tw, segment, counter) else "ACK"


def _in_place(host: Host, tw: TimeWait, segment: Segment, rst: bool) -> str:
    """A RST or a bare ACK at exactly the number expected."""
    if rst:
        if not host.sysctl["tcp_rfc1337"]:
            host.fire("2.7:rst")
            deschedule(host, tw)
            return "SUCCESS"
    else:
        host.fire("2.7:ack")
        tw.deadline = host.now + TCP_TIMEWAIT_LEN
    _remember(host, tw, segment)
    return "SUCCESS"


def _remember(host: Host, tw: TimeWait, segment: Segment) -> None:
    if segment.tsval is not None and tw.ts_recent_stamp is not None:
        tw.ts_recent, tw.ts_recent_stamp = segment.tsval, host.now


def _fin_wait2(host: Host, tw: TimeWait, segment: Segment, paws: bool) -> str:
    """The substate in which the peer's FIN is still to come."""
    flags = segment.flags
    if paws or not in_window(segment.seq, segment.end_seq, tw.rcv_nxt, add(tw.rcv_nxt, tw.rcv_wnd)):
        return _limited_ack(host, tw, segment, "TCPACKSkippedFinWait2")
    if flags & Flag.RST:
        host.fire("2.7:rst")
        deschedule(host, tw)
        return "SUCCESS"
    if flags & Flag.SYN and not before(segment.seq, tw.rcv_nxt):
        host.fire("2.7:data")
        return "RST"
    if not flags & Flag.ACK or not after(segment.end_seq, tw.rcv_nxt) or segment.seq == segment.end_seq:
        return "SUCCESS"
    if not flags & Flag.FIN or segment.end_seq != add(tw.rcv_nxt, 1):
        host.fire("2.7:data")
        return "RST"
    host.fire("2.7:fin-wait")
    host.touch(tw)
    tw.substate, tw.rcv_nxt, tw.deadline = State.TIME_WAIT, segment.end_seq, host.now + TCP_TIMEWAIT_LEN
    _remember(host, tw, segment)
    return "ACK"
