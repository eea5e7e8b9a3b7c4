"""tcp_check_req(): a segment that matches a half-open request, or a Fast Open child that still waits for its ACK.

Theory of operation: the checks stand in the kernel's order; the first that applies decides.

    R6.1   the SYN again                        SYN-ACK again, the timer starts anew
    R6.2   an ACK of something not sent         the listener's, who refuses it
    R6.3   out of the window, or too old        an ACK, and nothing else
    R6.4   a RST that is not exact              a challenge ACK
    R6.5   a RST, or a SYN inside the window    the request dies
    R6.6   no ACK                               silence
    R6.7   a Fast Open child                    on with it
    R6.8   a bare ACK while deferred            remembered, nothing more
    R6.9   no child, the accept queue is full   remembered, or the request dies: tcp_abort_on_overflow
    R6.10  otherwise                            the child takes the request's place and is queued

The answer is None (the segment is done), the listener (let it have the segment), the child, or Stolen.
"""

from __future__ import annotations

from kread.model import child, close, fastopenq, limits, reset, synack
from kread.model.child import Stolen
from kread.model.events import Flag, Segment
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import Request, Sock, State, add, between, in_window, paws_reject

RULES = (
    rule("R6.1", "tcp_check_req", "the SYN again: SYN-ACK again, and the timer starts anew without counting",
         guard("tcp_check_req",
               "TCP_SKB_CB(skb)->seq == tcp_rsk(req)->rcv_isn && flg == TCP_FLAG_SYN && !paws_reject")),
    rule("R6.1:limited", "tcp_oow_rate_limited", "but no more often than tcp_invalid_ratelimit allows",
         guard("__tcp_oow_rate_limited",
               "0 <= elapsed && elapsed < net->ipv4.sysctl_tcp_invalid_ratelimit"),
         guard("tcp_check_req", "LINUX_MIB_TCPACKSKIPPEDSYNRECV"),
         guard("tcp_sk_init", "net->ipv4.sysctl_tcp_invalid_ratelimit = HZ / 2")),
    rule("R6.2", "tcp_check_req", "an ACK of something that was not sent is the listener's to refuse",
         guard("tcp_check_req",
               "(flg & TCP_FLAG_ACK) && !fastopen && (TCP_SKB_CB(skb)->ack_seq != tcp_rsk(req)->snt_isn + 1)",
               wrong_ack_spares_rst=False),
         guard("tcp_check_req",
               "(flg & TCP_FLAG_ACK) && !(flg & TCP_FLAG_RST) && !fastopen && "
               "(TCP_SKB_CB(skb)->ack_seq != tcp_rsk(req)->snt_isn + 1)", wrong_ack_spares_rst=True)),
    rule("R6.3", "tcp_check_req", "out of the window: an ACK, unless the segment is a RST",
         guard("tcp_check_req", "paws_reject || !tcp_in_window(", tsecr_checked=False),
         guard("tcp_check_req", "paws_reject || tsecr_reject || !tcp_in_window(", tsecr_checked=True),
         guard("tcp_check_req", "!(flg & TCP_FLAG_RST) && !tcp_oow_rate_limited(")),
    rule("R6.3:paws", "tcp_check_req", "an older timestamp than the SYN's: the same, and PAWSEstab",
         guard("tcp_check_req", "if (paws_reject)"), guard("tcp_check_req", "LINUX_MIB_PAWSESTABREJECTED"),
         guard("tcp_paws_check", "(s32)(rx_opt->ts_recent - rx_opt->rcv_tsval) <= paws_win"),
         guard("tcp_paws_reject",
               "rst && !time_before32(ktime_get_seconds(), rx_opt->ts_recent_stamp + TCP_PAWS_MSL)"),
         guard("TCP_PAWS_MSL", "60")),
    rule("R6.3:tsecr", "tcp_check_req", "an echo of a timestamp that was never sent: the same, and TSEcrRejected",
         guard("tcp_check_req",
               "tsecr_reject = !between(tmp_opt.rcv_tsecr, tcp_rsk(req)->snt_tsval_first, "
               "tcp_rsk(req)->snt_tsval_last)"),
         guard("tcp_check_req", "LINUX_MIB_TSECRREJECTED"), tsecr_checked=True),
    rule("R6.3:limited", "tcp_oow_rate_limited", "these ACKs are limited too, but not for segments with data",
         guard("tcp_oow_rate_limited",
               "(TCP_SKB_CB(skb)->seq != TCP_SKB_CB(skb)->end_seq) && !tcp_hdr(skb)->syn")),
    rule("R6.4", "tcp_check_req", "a RST inside the window that is not exact: a challenge ACK",
         guard("tcp_check_req", "(flg & TCP_FLAG_RST) && TCP_SKB_CB(skb)->seq != tcp_rsk(req)->rcv_nxt"),
         rst_must_be_exact=True),
    rule("R6.5", "tcp_check_req", "a RST ends the request silently",
         guard("tcp_check_req", "flg & (TCP_FLAG_RST|TCP_FLAG_SYN)"), guard("tcp_check_req", "TCP_MIB_ATTEMPTFAILS"),
         guard("tcp_check_req", "LINUX_MIB_EMBRYONICRSTS")),
    rule("R6.5:syn", "tcp_check_req", "a SYN inside the window with another number ends it with a RST",
         guard("tcp_check_req", "TCP_SKB_CB(skb)->seq == tcp_rsk(req)->rcv_isn")),
    rule("R6.6", "tcp_check_req", "without ACK there is nothing to do",
         guard("tcp_check_req", "!(flg & TCP_FLAG_ACK)")),
    rule("R6.7", "tcp_check_req", "a Fast Open child goes on by itself", guard("tcp_check_req", "if (fastopen)")),
    rule("R6.8", "tcp_check_req", "TCP_DEFER_ACCEPT: the bare ACK is remembered and dropped",
         guard("tcp_check_req",
               "req->num_timeout < inet_csk(sk)->icsk_accept_queue.rskq_defer_accept && "
               "TCP_SKB_CB(skb)->end_seq == tcp_rsk(req)->rcv_isn + 1"),
         guard("tcp_check_req", "LINUX_MIB_TCPDEFERACCEPTDROP")),
    rule("R6.9", "tcp_check_req", "no child: the ACK is remembered, the client believes it is connected",
         guard("tcp_check_req", "if (!child)"), guard("tcp_check_req", "inet_rsk(req)->acked = 1")),
    rule("R6.9:abort", "tcp_check_req", "with tcp_abort_on_overflow: RST, and the request dies",
         guard("tcp_check_req", "!sock_net(sk)->ipv4.sysctl_tcp_abort_on_overflow")),
    rule("R6.9:migrating", "tcp_check_req", "and if the request was migrating, that has failed",
         guard("tcp_check_req", "sk != req->rsk_listener"),
         guard("tcp_check_req", "LINUX_MIB_TCPMIGRATEREQFAILURE"), migration=True),
    rule("R6.14:slip", "tcp_check_req",
         "a request that dies while it migrates is counted off where it would have gone, not where it was counted",
         guard("tcp_check_req", "bool unlinked = inet_csk_reqsk_queue_drop(sk, req)"), migration=True),
    rule("R6.10", "tcp_check_req", "the child takes the request's place in ehash and is queued for accept()",
         guard("tcp_check_req", "return inet_csk_complete_hashdance(sk, child, req, own_req)")),
)  # fmt: skip

Verdict = Sock | Stolen | None


def check(host: Host, sk: Sock, req: Request, segment: Segment, *, fastopen_sk: bool = False) -> Verdict:
    """Decide about a segment; sk is the listener, or with fastopen_sk the child itself."""
    host.called("tcp_check_req")
    flags = segment.flags & (Flag.RST | Flag.SYN | Flag.ACK)
    rst = bool(flags & Flag.RST)
    paws = tsecr = False
    if segment.tsval is not None:
        age = synack.timeout(host, req)
        host.called("tcp_paws_reject")
        paws = paws_reject(req.ts_recent, segment.tsval, age, rst=rst)
        tsecr = host.policy.tsecr_checked and _tsecr_reject(req, segment) and not fastopen_sk
    if segment.seq == req.rcv_isn and flags == Flag.SYN and not paws:
        return _syn_again(host, req, segment, fastopen_sk)
    spared = rst and host.policy.wrong_ack_spares_rst
    if flags & Flag.ACK and not spared and not fastopen_sk and segment.ack != add(req.snt_isn, 1):
        host.fire("R6.2")
        return sk
    window = min(req.rcv_wnd, 65535) if host.policy.synack_window_capped else req.rcv_wnd
    host.called("tcp_synack_window", "tcp_in_window")
    if paws or tsecr or not in_window(segment.seq, segment.end_seq, req.rcv_nxt, add(req.rcv_nxt, window)):
        return _out_of_window(host, sk, req, segment, paws, tsecr)
    if segment.seq == req.rcv_isn:
        flags &= ~Flag.SYN
    if rst and segment.seq != req.rcv_nxt and host.policy.rst_must_be_exact:
        return _challenge(host, sk, req)
    if flags & (Flag.RST | Flag.SYN):
        host.fire("R6.5" if rst else "R6.5:syn")
        host.count("AttemptFails")
        return _embryonic_reset(host, sk, req, segment, fastopen_sk)
    if not flags & Flag.ACK:
        host.fire("R6.6")
        return None
    if fastopen_sk:
        host.fire("R6.7")
        return sk
    return _final_ack(host, sk, req, segment)


def _tsecr_reject(req: Request, segment: Segment) -> bool:
    echoed = segment.tsecr != 0 and req.tstamp_ok
    return echoed and not between(segment.tsecr, req.tsval_first, req.tsval_last)


def _syn_again(host: Host, req: Request, segment: Segment, fastopen_sk: bool) -> Verdict:
    host.fire("R6.1")
    if limits.oow_rate_limited(host, req, segment, "TCPACKSkippedSynRecv"):
        host.fire("R6.1:limited")
    elif synack.rtx(host, req):
        deadline = host.now + synack.timeout(host, req)
        if not fastopen_sk:
            host.called("mod_timer_pending")
            req.deadline = deadline
    return None


def _out_of_window(host: Host, sk: Sock, req: Request, segment: Segment, paws: bool, tsecr: bool) -> Verdict:
    host.fire("R6.3")
    if not segment.flags & Flag.RST:
        if limits.oow_rate_limited(host, req, segment, "TCPACKSkippedSynRecv"):
            host.fire("R6.3:limited")
        else:
            _send_ack(host, sk, req)
    if paws:
        host.fire("R6.3:paws")
        host.count("PAWSEstab")
    elif tsecr:
        host.fire("R6.3:tsecr")
        host.count("TSEcrRejected")
    return None


def _send_ack(host: Host, sk: Sock, req: Request) -> None:
    host.called("tcp_v4_reqsk_send_ack", "tcp_v4_send_ack")
    seq = add(req.snt_isn, 1) if sk.state is State.LISTEN else sk.snd_nxt
    host.send(Segment(req.key, Flag.ACK, seq, req.rcv_nxt))


def _challenge(host: Host, sk: Sock, req: Request) -> Verdict:
    host.fire("R6.4")
    host.called("tcp_reqsk_send_challenge_ack")
    if not limits.rate_limited(host, req, "TCPACKSkippedChallenge"):
        host.count("TCPChallengeACK")
        _send_ack(host, sk, req)
    return None


def _final_ack(host: Host, sk: Sock, req: Request, segment: Segment) -> Verdict:
    if req.num_timeout < sk.defer_accept and segment.end_seq == add(req.rcv_isn, 1):
        host.fire("R6.8")
        host.count("TCPDeferAcceptDrop")
        req.acked = True
        return None
    sock = child.syn_recv_sock(host, sk, req, hashed=True)
    if sock is not None:
        return child.complete_hashdance(host, sk, req, sock)
    if sk is not req.listener:
        host.fire("R6.9:migrating")
        host.count("TCPMigrateReqFailure")
    if not host.sysctl["tcp_abort_on_overflow"]:
        host.fire("R6.9")
        req.acked = True
        return None
    host.fire("R6.9:abort")
    return _embryonic_reset(host, sk, req, segment, fastopen_sk=False)


def _embryonic_reset(host: Host, sk: Sock, req: Request, segment: Segment, fastopen_sk: bool) -> Verdict:
    """The label `embryonic_reset`: the request, or the Fast Open child, dies of the segment."""
    if not segment.flags & Flag.RST:
        reset.send(host, segment)
    elif fastopen_sk:
        fastopenq.remove(host, sk, req, reset=True)
        close.reset(host, sk)
    if not fastopen_sk:
        if sk is not req.listener:
            host.fire("R6.14:slip")
        if not child.queue_drop(host, req, sk):
            return Stolen.STOLEN
        host.count("EmbryonicRsts")
    return None
