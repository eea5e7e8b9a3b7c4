"""A full sock takes a segment: the child's last step to ESTABLISHED, and what can befall it before accept().

Theory of operation: tcp_rcv_state_process() in the order of RFC 9293, cut to what a listener's story needs: the checks
of sequence number, RST and SYN, the ACK that ends the handshake or a close, data, FIN. Data out of order is answered
and forgotten; windows, retransmission of data and congestion lie outside of the model. A child that was reset stays in
the accept queue as CLOSE, and accept() still returns it.
"""

from __future__ import annotations

from kread.model import accept, check_req, close, fastopenq, limits, reset, timewait
from kread.model.events import Flag, Segment
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import Sock, State, add, after, before, between, older

RULES = (
    rule("5.1", "tcp_child_process", "the child becomes ESTABLISHED and the listener's sleeper is woken",
         guard("tcp_child_process", "state == TCP_SYN_RECV && child->sk_state != state")),
    rule("5.3", "tcp_rcv_state_process", "an acceptable ACK moves SYN_RECV to ESTABLISHED",
         guard("tcp_rcv_state_process", "case TCP_SYN_RECV")),
    rule("5.4", "tcp_rcv_state_process", "an unacceptable one in SYN_RECV is answered with RST",
         guard("tcp_rcv_state_process", "if (sk->sk_state == TCP_SYN_RECV)")),
    rule("10.3:reset", "tcp_validate_incoming", "an exact RST closes the child where it is, even in the accept queue",
         guard("tcp_validate_incoming", "TCP_SKB_CB(skb)->seq == tp->rcv_nxt")),
    rule("10.3:fin", "tcp_fin", "a FIN moves the child to CLOSE_WAIT", guard("tcp_fin", "case TCP_ESTABLISHED")),
    rule("10.3:challenge", "tcp_validate_incoming", "a RST that is not exact, or a SYN: a challenge ACK",
         guard("tcp_validate_incoming", "if (th->syn)")),
    rule("10.3:unsent", "tcp_ack",
         "an ACK of something that was not sent is discarded; a challenge ACK answers it, or not while ESTABLISHED",
         guard("tcp_ack", "after(ack, tp->snd_nxt)")),
    rule("10.3:old", "tcp_validate_incoming", "out of the window, or too old: an ACK",
         guard("tcp_validate_incoming", "if (!th->rst)")),
)  # fmt: skip


TCP_PAWS_WINDOW = 1
"""By how much a timestamp may lie behind on a connection; before and after it there is no such grace."""


def child_process(host: Host, parent: Sock, sock: Sock, segment: Segment) -> None:
    """tcp_child_process(): the child takes the segment that made it, and the parent's sleeper wakes."""
    host.called("tcp_child_process")
    if process(host, sock, segment):
        reset.send(host, segment)
    if sock.state is not State.SYN_RECV:
        host.fire("5.1")
        accept.data_ready(host, parent)


def process(host: Host, sock: Sock, segment: Segment) -> bool:
    """tcp_rcv_state_process(): whether the segment must be refused with a RST."""
    host.called("tcp_rcv_established" if sock.state is State.ESTABLISHED else "tcp_rcv_state_process")
    if (
        sock.fastopen_rsk is not None
        and check_req.check(host, sock, sock.fastopen_rsk, segment, fastopen_sk=True) is None
    ):
        return False
    flags = segment.flags
    if not flags & (Flag.ACK | Flag.RST | Flag.SYN) or sock.state is State.CLOSE:
        return False
    if not _validate(host, sock, segment):
        return False
    if sock.state is not State.SYN_RECV and after(segment.ack, sock.snd_nxt):
        host.called("tcp_ack")
        host.fire("10.3:unsent")
        if sock.state is not State.ESTABLISHED or host.policy.unsent_ack_challenged:
            _challenge(host, sock)
        return False
    if not _ack(host, sock, segment):
        host.fire("5.4")
        return True
    _text(host, sock, segment)
    return False


def _validate(host: Host, sock: Sock, segment: Segment) -> bool:
    """tcp_validate_incoming(): whether the segment may go on."""
    host.called("tcp_validate_incoming")
    rst = bool(segment.flags & Flag.RST)
    stale = sock.tstamp_ok and segment.tsval is not None and older(sock.ts_recent, segment.tsval, TCP_PAWS_WINDOW)
    outside = before(segment.end_seq, sock.rcv_nxt) or after(segment.seq, add(sock.rcv_nxt, sock.rcv_wnd))
    if rst:
        if segment.seq == sock.rcv_nxt:
            host.fire("10.3:reset")
            close.reset(host, sock)
        elif not outside:
            _challenge(host, sock)
        return False
    if segment.flags & Flag.SYN:
        host.count("TCPSYNChallenge")
        _challenge(host, sock)
        return False
    if stale or outside:
        host.fire("10.3:old")
        if stale:
            host.count("PAWSEstab")
        counter = "TCPACKSkippedPAWS" if stale else "TCPACKSkippedSeq"
        if not limits.oow_rate_limited(host, sock, segment, counter):
            _send_ack(host, sock)
        return False
    return True


def _challenge(host: Host, sock: Sock) -> None:
    host.fire("10.3:challenge")
    host.called("tcp_send_challenge_ack")
    if not limits.rate_limited(host, sock, "TCPACKSkippedChallenge"):
        host.count("TCPChallengeACK")
        _send_ack(host, sock)


def _send_ack(host: Host, sock: Sock) -> None:
    assert sock.key is not None
    host.called("tcp_send_ack")
    host.send(Segment(sock.key, Flag.ACK, sock.snd_nxt, sock.rcv_nxt))


def _ack(host: Host, sock: Sock, segment: Segment) -> bool:
    """tcp_ack() and step 5: whether the acknowledgement is acceptable; moves the state where it ends something."""
    host.called("tcp_ack")
    if sock.state is State.SYN_RECV and not between(segment.ack, add(sock.snd_una, 1), sock.snd_nxt):
        return False
    sock.snd_una = segment.ack
    stamped = sock.tstamp_ok and segment.tsval is not None and not older(sock.ts_recent, segment.tsval)
    if stamped and segment.tsval is not None and not after(segment.seq, sock.rcv_nxt):
        sock.ts_recent = segment.tsval
    done = segment.ack == sock.snd_nxt
    if sock.fastopen_rsk is not None:
        host.called("tcp_rcv_synrecv_state_fastopen")
        fastopenq.remove(host, sock, sock.fastopen_rsk, reset=False)
    if sock.state is State.SYN_RECV:
        host.fire("5.3")
        host.called("tcp_init_transfer")
        close.set_state(host, sock, State.ESTABLISHED)
        host.called("sock_def_wakeup")
    elif sock.state is State.LAST_ACK and done:
        close.done(host, sock)
    elif sock.state is State.CLOSING and done:
        timewait.enter(host, sock, State.TIME_WAIT)
    elif sock.state is State.FIN_WAIT1 and done:
        close.set_state(host, sock, State.FIN_WAIT2)
        if not segment.flags & Flag.FIN:
            timewait.enter(host, sock, State.FIN_WAIT2)
    return True


def _text(host: Host, sock: Sock, segment: Segment) -> None:
    """Steps 6 to 8: data and FIN, in order only."""
    size = segment.length + bool(segment.flags & Flag.FIN)
    if not size or sock.state is State.CLOSE:
        return
    if sock.state in (State.CLOSE_WAIT, State.CLOSING, State.LAST_ACK) and not before(segment.seq, sock.rcv_nxt):
        return  # what a peer says after its FIN is not even answered
    if segment.seq != sock.rcv_nxt:
        return _send_ack(host, sock)
    sock.rcv_nxt = segment.end_seq
    sock.unread += segment.length
    if segment.flags & Flag.FIN:
        _fin(host, sock)
    _send_ack(host, sock)


def _fin(host: Host, sock: Sock) -> None:
    """tcp_fin(): the peer has nothing more to say."""
    host.called("tcp_fin")
    if sock.state is State.ESTABLISHED:
        host.fire("10.3:fin")
        close.set_state(host, sock, State.CLOSE_WAIT)
    elif sock.state is State.FIN_WAIT1:
        close.set_state(host, sock, State.CLOSING)
    else:
        timewait.enter(host, sock, State.TIME_WAIT)
