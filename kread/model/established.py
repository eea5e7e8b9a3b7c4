"""A full sock takes a segment: the child's last step to ESTABLISHED, and what can befall it before accept().

Theory of operation: tcp_rcv_state_process() in the order of RFC 9293, cut to what a listener's story needs: the checks
of sequence number, RST and SYN, the ACK that ends the handshake or a close, data, FIN. Data out of order is answered
and forgotten; the fast path, retransmission of data and congestion lie outside of the model. A child that was reset stays in
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
    rule("10.3:too-old", "tcp_ack", "an ACK of something older than this connection: a challenge ACK",
         guard("tcp_ack", "before(ack, prior_snd_una - max_window)")),
    rule("10.3:late", "tcp_rcv_state_process", "after our FIN was acknowledged, what acknowledges less is heard all the same",
         guard("tcp_rcv_state_process", "if ((int)reason < 0)"), old_ack_accepted=True),
    rule("10.3:old", "tcp_validate_incoming", "out of the window: an ACK",
         guard("tcp_validate_incoming", "if (!th->rst)"), guard("tcp_sequence", "before(end_seq, tp->rcv_wup)"),
         guard("tcp_sequence", "after(seq, tp->rcv_nxt + tcp_receive_window(tp))", "after(seq, seq_limit)")),
    rule("10.3:end", "tcp_sequence", "so is one that ends beyond it while data waits to be read",
         guard("tcp_sequence", "if (skb_queue_len(&sk->sk_receive_queue))"), window_end_strict=True),
    rule("10.3:beyond", "tcp_validate_incoming", "where it lies beyond the window, BeyondWindow",
         guard("tcp_validate_incoming", "LINUX_MIB_BEYOND_WINDOW"), beyond_window_counted=True),
    rule("10.3:paws", "tcp_validate_incoming", "an older timestamp: the same, and PAWSEstab",
         guard("tcp_validate_incoming", "LINUX_MIB_PAWSESTABREJECTED"), guard("TCP_PAWS_WINDOW", "1")),
    rule("10.3:replay", "tcp_validate_incoming", "unless it repeats the last ACK and is only a little older",
         guard("tcp_disordered_ack", "ack == tp->snd_una", paws_old_ack=False),
         guard("tcp_disordered_ack_check", "ack != tp->snd_una", paws_old_ack=True),
         guard("tcp_disordered_ack", "(inet_csk(sk)->icsk_rto * 1024) / HZ", replay_in_1200ths=False),
         guard("tcp_tsval_replay", "inet_csk(sk)->icsk_rto * 1200 / HZ", replay_in_1200ths=True)),
    rule("10.3:overtaken", "tcp_validate_incoming", "a pure ACK that others overtook is counted and not answered",
         guard("tcp_validate_incoming", "reason == SKB_DROP_REASON_TCP_RFC7323_PAWS_ACK"), paws_old_ack=True),
    rule("10.3:orphan", "tcp_rcv_state_process", "new data after close(): the connection ends with a RST",
         guard("tcp_rcv_state_process", "after(TCP_SKB_CB(skb)->end_seq - th->fin, tp->rcv_nxt)")),
)  # fmt: skip


#: The states in which the peer's FIN was taken.
AFTER_FIN = frozenset({State.CLOSE_WAIT, State.CLOSING, State.LAST_ACK})

#: How much older the timestamp of a repeated ACK may be: a timeout of 200 ms, in 1200ths of a second or in 1024ths.
REPLAY = {True: 240, False: 204}

#: By how much a timestamp may lie behind on a connection; before and after it there is no such grace.
TCP_PAWS_WINDOW = 1


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
    if sock.state is not State.SYN_RECV and not between(segment.ack, sock.snd_una, sock.snd_nxt):
        late = sock.state is State.FIN_WAIT2 and segment.ack == add(sock.snd_una, -1)
        if not (late and host.policy.old_ack_accepted):
            return _unacceptable(host, sock, segment)
        host.fire("10.3:late")
    elif not _ack(host, sock, segment):
        host.fire("5.4")
        return True
    return _text(host, sock, segment)


def _unacceptable(host: Host, sock: Sock, segment: Segment) -> bool:
    """The acknowledgement is of something that was not sent yet, or never was: the segment is discarded."""
    host.called("tcp_ack")
    unsent = after(segment.ack, sock.snd_nxt)
    host.fire("10.3:unsent" if unsent else "10.3:too-old")
    if not unsent or sock.state is not State.ESTABLISHED or host.policy.unsent_ack_challenged:
        _challenge(host, sock)
    return False


def _validate(host: Host, sock: Sock, segment: Segment) -> bool:
    """tcp_validate_incoming(): whether the segment may go on."""
    host.called("tcp_validate_incoming")
    rst, syn = bool(segment.flags & Flag.RST), bool(segment.flags & Flag.SYN)
    if not rst and _stale(host, sock, segment):
        if syn and host.policy.paws_spares_syn:
            return _syn_challenge(host, sock)
        return _old_stamp(host, sock, segment)
    beyond = _beyond(host, sock, segment)
    outside = beyond or before(segment.end_seq, sock.rcv_nxt)
    if rst:
        # After a FIN the peer may not have heard that it was taken.
        after_fin = segment.seq == add(sock.rcv_nxt, -1) and sock.state in AFTER_FIN
        if segment.seq == sock.rcv_nxt or after_fin:
            host.fire("10.3:reset")
            close.reset(host, sock)
        elif not outside:
            _challenge(host, sock)
        return False
    if syn:
        return _syn_challenge(host, sock)
    if outside:
        host.fire("10.3:old")
        if beyond and host.policy.beyond_window_counted:
            host.fire("10.3:beyond")
            host.count("BeyondWindow")
        if not limits.oow_rate_limited(host, sock, segment, "TCPACKSkippedSeq"):
            _send_ack(host, sock)
        return False
    return True


def _beyond(host: Host, sock: Sock, segment: Segment) -> bool:
    """tcp_sequence(): whether a segment lies beyond the window, or ends there and finds something unread."""
    limit = add(sock.rcv_nxt, sock.rcv_wnd)
    if after(segment.seq, limit):
        return True
    ends = after(add(segment.end_seq, -bool(segment.flags & Flag.FIN)), limit)
    if host.policy.window_end_strict and ends and (sock.unread or sock.state in AFTER_FIN):
        host.fire("10.3:end")
        return True
    return False


def _stale(host: Host, sock: Sock, segment: Segment) -> bool:
    """tcp_paws_discard(): whether the timestamp is too old; a bare repetition of the last ACK may be a little older."""
    if not sock.tstamp_ok or segment.tsval is None or not older(sock.ts_recent, segment.tsval, TCP_PAWS_WINDOW):
        return False
    repeated = _pure_ack(segment) and segment.seq == sock.rcv_nxt and segment.ack == sock.snd_una
    window = REPLAY[host.policy.replay_in_1200ths]
    spared = repeated and not after(segment.seq, sock.snd_wl1) and add(sock.ts_recent, -segment.tsval) <= window
    if spared:
        host.fire("10.3:replay")
    return not spared


def _pure_ack(segment: Segment) -> bool:
    return bool(segment.flags & Flag.ACK) and segment.seq == segment.end_seq


def _old_stamp(host: Host, sock: Sock, segment: Segment) -> bool:
    """A timestamp that is too old: an ACK, or only a count where a pure ACK was overtaken."""
    if host.policy.paws_old_ack and _pure_ack(segment) and before(segment.seq, sock.rcv_nxt):
        host.fire("10.3:overtaken")
        host.count("PAWSOldAck")
        return False
    host.fire("10.3:paws")
    host.count("PAWSEstab")
    if not limits.oow_rate_limited(host, sock, segment, "TCPACKSkippedPAWS"):
        _send_ack(host, sock)
    return False


def _syn_challenge(host: Host, sock: Sock) -> bool:
    if sock.state is State.ESTABLISHED:
        host.count("InErrs")
    host.count("TCPSYNChallenge")
    _challenge(host, sock)
    return False


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
    if sock.state is State.SYN_RECV and not between(segment.ack, sock.snd_una, sock.snd_nxt):
        return False
    if after(segment.seq, sock.snd_wl1):
        sock.snd_wl1 = segment.seq
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
        if sock.shut_wr:
            host.fire("11.7:later")
            host.called("tcp_shutdown")
            close.shutdown_sent(host, sock)
    elif sock.state is State.LAST_ACK and done:
        timewait.learn(host, sock)
        close.done(host, sock)
    elif sock.state is State.CLOSING and done:
        timewait.enter(host, sock, State.TIME_WAIT)
    elif sock.state is State.FIN_WAIT1 and done:
        close.set_state(host, sock, State.FIN_WAIT2)
        if sock.orphan and not segment.flags & Flag.FIN and not _brings_new(sock, segment):
            timewait.enter(host, sock, State.FIN_WAIT2)
    return True


def _text(host: Host, sock: Sock, segment: Segment) -> bool:
    """Steps 6 to 8: data and FIN, in order only; whether the segment must be refused with a RST."""
    size = segment.length + bool(segment.flags & Flag.FIN)
    if not size or sock.state is State.CLOSE:
        return False
    if sock.state in AFTER_FIN and not before(segment.seq, sock.rcv_nxt):
        return False  # what a peer says after its FIN is not even answered
    if (sock.orphan or sock.shut_rd) and sock.state is not State.ESTABLISHED and _brings_new(sock, segment):
        return _aborted(host, sock)
    if after(segment.seq, sock.rcv_nxt) or not after(segment.end_seq, sock.rcv_nxt):
        _send_ack(host, sock)
        return False
    # What was there before is not taken twice.
    sock.unread += max(0, segment.length - add(sock.rcv_nxt, -segment.seq))
    sock.rcv_nxt = segment.end_seq
    if segment.flags & Flag.FIN:
        _fin(host, sock)
    else:
        _send_ack(host, sock)
    return False


def _brings_new(sock: Sock, segment: Segment) -> bool:
    """Whether a segment that is no bare ACK brings something new, or a FIN beyond what came."""
    return segment.seq != segment.end_seq and after(add(segment.seq, segment.length), sock.rcv_nxt)


def _aborted(host: Host, sock: Sock) -> bool:
    """New data for a socket that nobody has any more: the connection ends with a RST."""
    host.fire("10.3:orphan")
    host.count("TCPAbortOnData")
    close.reset(host, sock)
    return True


def _fin(host: Host, sock: Sock) -> None:
    """tcp_fin(): the peer has nothing more to say; it is told at once where this side has said so before."""
    host.called("tcp_data_queue", "tcp_fin")
    if sock.state is State.ESTABLISHED:
        host.fire("10.3:fin")
        close.set_state(host, sock, State.CLOSE_WAIT)
        return _send_ack(host, sock)
    _send_ack(host, sock)
    if sock.state is State.FIN_WAIT1:
        close.set_state(host, sock, State.CLOSING)
    else:
        timewait.enter(host, sock, State.TIME_WAIT)
