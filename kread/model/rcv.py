"""tcp_v4_rcv(): from a segment to the code that owns it, and the RST where nobody does.

Theory of operation: look up, then by the kind of what was found. TIME_WAIT decides for itself and may hand a SYN to a
listener. A request sock is checked against its listener's state and then by tcp_check_req(), which may answer with the
listener (the segment is no good, let it be refused), with a child, or with nothing. A listener takes the segment
without its lock. Anything else is a connection. A lookup is repeated when the thing found turned out to be gone.
"""

from __future__ import annotations

from kread.model import check_req, child, close, conn_request, cookies, established, lookup, reset, reuseport, timewait
from kread.model.events import Flag, Receive
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import Request, Sock, State, TimeWait, between

RULES = (
    rule("2.6", "tcp_v4_rcv", "nobody owns the segment: RST", guard("tcp_v4_rcv", "tcp_v4_send_reset(NULL, skb")),
    rule(
        "2.6:checksum",
        "tcp_v4_rcv",
        "a wrong checksum is counted and nothing is sent",
        guard("tcp_v4_rcv", "if (tcp_checksum_complete(skb))"),
        guard("tcp_v4_rcv", "TCP_MIB_CSUMERRORS"),
        guard("tcp_v4_rcv", "TCP_MIB_INERRS"),
    ),
    rule(
        "2.8",
        "tcp_v4_rcv",
        "a request sock was found: its listener is asked",
        guard("tcp_v4_rcv", "sk->sk_state == TCP_NEW_SYN_RECV"),
    ),
    rule(
        "2.8:gone",
        "tcp_v4_rcv",
        "the listener no longer listens: the request is dropped and the lookup repeated",
        guard("tcp_v4_rcv", "unlikely(sk->sk_state != TCP_LISTEN)"),
    ),
    rule(
        "2.8:migrated",
        "tcp_v4_rcv",
        "unless another member of its group takes the request over",
        guard("tcp_v4_rcv", "nsk = reuseport_migrate_sock(sk, req_to_sk(req), skb)"),
        migration=True,
    ),
    rule(
        "2.8:filter",
        "tcp_v4_rcv",
        "the listener's socket filter drops the segment",
        guard("tcp_v4_rcv", "if (tcp_filter(sk, skb))", "drop_reason = tcp_filter(sk, skb)"),
        guard("tcp_v4_rcv", "sk_drops_add(sk, skb)", "sk_drops_skbadd(sk, skb)"),
    ),
    rule(
        "2.8:stolen",
        "tcp_v4_rcv",
        "another CPU took the request meanwhile: the lookup is repeated",
        guard("tcp_v4_rcv", "req_stolen"),
    ),
    rule("2.8:listener", "tcp_v4_rcv", "the segment goes on as one for the listener", guard("tcp_v4_rcv", "nsk == sk")),
    rule(
        "2.9",
        "tcp_v4_rcv",
        "a listener takes a segment without its lock",
        guard("tcp_v4_rcv", "sk->sk_state == TCP_LISTEN"),
    ),
    rule(
        "3.1",
        "tcp_v4_cookie_check",
        "a segment without SYN may be the ACK of a SYN cookie",
        guard("tcp_v4_cookie_check", "!th->syn"),
    ),
    rule(
        "3.2",
        "tcp_rcv_state_process",
        "a listener answers an ACK with RST",
        guard("tcp_rcv_state_process", "th->ack"),
    ),
    rule("3.2:rst", "tcp_rcv_state_process", "it ignores a RST", guard("tcp_rcv_state_process", "th->rst")),
    rule("3.2:syn-fin", "tcp_rcv_state_process", "and SYN with FIN", guard("tcp_rcv_state_process", "th->fin")),
    rule(
        "3.2:syn",
        "tcp_rcv_state_process",
        "a SYN is a connection request; what conn_request returns is always 0, so nobody minds whether it is looked at",
        guard("tcp_rcv_state_process", "th->syn"),
    ),
    rule("3.2:other", "tcp_rcv_state_process", "anything else is ignored"),
    rule(
        "12:icmp", "tcp_req_err", "an ICMP error that ends a request: ListenDrops", guard("tcp_req_err", "if (abort)")
    ),
    rule(
        "12:old-icmp",
        "tcp_req_err",
        "one about anything else than what was sent is counted only",
        guard("tcp_req_err", "seq != tcp_rsk(req)->snt_isn"),
        guard("tcp_v4_err", "!between(seq, snd_una, tp->snd_nxt)"),
    ),
    rule(
        "12:icmp-child",
        "tcp_v4_err",
        "a child in SYN_RECV that nobody accepted dies of any; other connections bear it",
        guard("tcp_v4_err", "fastopen && !fastopen->sk"),
    ),
)


def tcp_v4_rcv(host: Host, event: Receive) -> None:
    """A segment arrives from the network."""
    host.called("tcp_v4_rcv")
    while _attempt(host, event):
        host.called("tcp_v4_restore_cb")


def _attempt(host: Host, event: Receive) -> bool:
    """One lookup and what follows from it; whether the lookup must be repeated."""
    entry = lookup.lookup(host, event)
    host.stale = None
    if entry is None:
        _no_socket(host, event)
        return False
    if isinstance(entry, TimeWait):
        _time_wait(host, entry, event)
        return False
    if isinstance(entry, Request):
        return _request(host, entry, event)
    _process(host, entry, event)
    return False


def _bad_checksum(host: Host, event: Receive) -> bool:
    if event.checksum_ok:
        return False
    host.fire("2.6:checksum")
    host.count("InCsumErrors", "InErrs")
    return True


def _no_socket(host: Host, event: Receive) -> None:
    if not _bad_checksum(host, event):
        host.fire("2.6")
        reset.send(host, event.segment, route=event.local)


def _time_wait(host: Host, tw: TimeWait, event: Receive) -> None:
    host.called("tcp_v4_fill_cb")
    if _bad_checksum(host, event):
        return
    verdict, isn = timewait.state_process(host, tw, event.segment)
    if verdict == "SYN":
        host.called("inet_lookup_listener")
        sk = lookup.listener(host, event)
        if sk is not None:
            timewait.deschedule(host, tw)
            host.called("tcp_v4_restore_cb")
            host.fire("2.7:syn")
            return _process(host, sk, event, isn)
        verdict = "ACK"
    if verdict == "ACK":
        timewait.send_ack(host, tw)
    elif verdict == "RST":
        reset.send(host, event.segment)
        timewait.deschedule(host, tw)


def _request(host: Host, req: Request, event: Receive) -> bool:
    """A segment that matched a request sock; whether the lookup must be repeated."""
    host.fire("2.8")
    sk = req.listener
    if _bad_checksum(host, event):
        return False
    if sk.state is not State.LISTEN:
        heir = reuseport.migrate(host, sk, req.hash, event.cpu)
        if heir is None:
            host.fire("2.8:gone")
            host.called("inet_csk_reqsk_queue_drop_and_put")
            child.queue_drop(host, req)
            return True
        host.fire("2.8:migrated")
        sk = heir
    if _filtered(host, sk):
        return False
    host.called("tcp_v4_fill_cb")
    verdict = check_req.check(host, sk, req, event.segment)
    if verdict is child.Stolen.STOLEN:
        host.fire("2.8:stolen")
        return True
    if verdict is sk:
        host.fire("2.8:listener")
        host.called("tcp_v4_restore_cb")
        _process(host, sk, event)
    elif isinstance(verdict, Sock):
        established.child_process(host, sk, verdict, event.segment)
    else:
        # What ends here counts as dropped by the listener, though it may have done its work.
        sk.drops += 1
    return False


def _filtered(host: Host, sk: Sock) -> bool:
    host.called("tcp_filter")
    if sk.filter_drops:
        host.fire("2.8:filter")
        sk.drops += 1
    return sk.filter_drops


def _process(host: Host, sk: Sock, event: Receive, isn: int = 0) -> None:
    """The part of tcp_v4_rcv() behind the label `process`: a full sock takes the segment."""
    if _filtered(host, sk):
        return
    host.called("tcp_v4_fill_cb")
    if sk.state is State.LISTEN:
        host.fire("2.9")
        if not host.policy.tw_isn_survives:
            if isn:
                host.fire("2.7:lost")
            isn = 0
        host.called("tcp_v4_do_rcv")
        return _listener(host, sk, event, isn)
    host.called("tcp_v4_do_rcv")
    if _bad_checksum(host, event):
        return
    if established.process(host, sk, event.segment):
        reset.send(host, event.segment)


def _listener(host: Host, sk: Sock, event: Receive, isn: int) -> None:
    """tcp_v4_do_rcv() and tcp_rcv_state_process() for a listener."""
    segment = event.segment
    if _bad_checksum(host, event):
        return
    host.called("tcp_v4_cookie_check")
    if not segment.flags & Flag.SYN:
        host.fire("3.1")
        verdict = cookies.check(host, sk, event)
        if verdict is not sk:
            if verdict is not None:
                established.child_process(host, sk, verdict, segment)
            return
    host.called("tcp_rcv_state_process")
    if segment.flags & Flag.ACK:
        host.fire("3.2")
        return reset.send(host, segment)
    if segment.flags & (Flag.SYN | Flag.RST | Flag.FIN) == Flag.SYN:
        host.fire("3.2:syn")
        return conn_request.conn_request(host, sk, event, isn)
    syn_fin = "3.2:syn-fin" if segment.flags & Flag.SYN else "3.2:other"
    host.fire("3.2:rst" if segment.flags & Flag.RST else syn_fin)
    sk.drops += 1


def icmp_established(host: Host, sock: Sock, seq: int) -> None:
    """tcp_v4_err() for a connection: only an unfinished Fast Open child that nobody accepted dies of it."""
    host.called("tcp_v4_err")
    req = sock.fastopen_rsk
    if not between(seq, sock.snd_una if req is None else req.snt_isn, sock.snd_nxt):
        host.fire("12:old-icmp")
        host.count("OutOfWindowIcmps")
    elif sock.state is State.SYN_RECV and (req is None or req.sk is not None):
        host.fire("12:icmp-child")
        close.done(host, sock)


def icmp_error(host: Host, req: Request, seq: int, abort: bool) -> None:
    """tcp_req_err(): an ICMP error about a SYN-ACK ends its request, if it is about the very one and says so."""
    host.called("tcp_v4_err", "tcp_req_err")
    if seq != req.snt_isn:
        host.fire("12:old-icmp")
        host.count("OutOfWindowIcmps")
    elif abort:
        host.fire("12:icmp")
        child.queue_drop(host, req)
        host.listendrop(req.listener)
