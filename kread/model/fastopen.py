"""TCP Fast Open: the child is made when the SYN comes, and the data in the SYN is its first.

Theory of operation: a server must have it switched on (tcp_fastopen & 2) and a queue for it. A peer that asks for a
cookie gets one with the SYN-ACK and an ordinary handshake; a peer that brings a valid one, or none where none is
needed, gets a child at once, queued for accept(). Such a child has no request in ehash: its own retransmission timer
repeats the SYN-ACK, once more often than a request's would, and gives up with an error on the child.
"""

from __future__ import annotations

from kread.model import child, close, fastopenq, synack
from kread.model.events import Segment
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import TCP_TIMEOUT_INIT, Request, Sock, add

RULES = (
    rule("9.1", "tcp_try_fastopen",
         "switched off, or neither data nor option in the SYN, or no room: an ordinary handshake, no cookie",
         guard("tcp_try_fastopen",
               "!((tcp_fastopen & TFO_SERVER_ENABLE) && (syn_data || foc->len >= 0) && tcp_fastopen_queue_check(sk))"),
         guard("tcp_fastopen_queue_check", "max_qlen == 0"),
         guard("tcp_sk_init", "net->ipv4.sysctl_tcp_fastopen = TFO_CLIENT_ENABLE")),
    rule("9.3", "tcp_try_fastopen", "a cookie was asked for: it comes with the SYN-ACK",
         guard("tcp_try_fastopen", "foc->len == 0"), guard("tcp_try_fastopen", "LINUX_MIB_TCPFASTOPENCOOKIEREQD")),
    rule("9.3:child", "tcp_try_fastopen", "a valid cookie, or none needed: a child, TCPFastOpenPassive",
         guard("tcp_fastopen_no_cookie",
               "(sock_net(sk)->ipv4.sysctl_tcp_fastopen & flag) || tcp_sk(sk)->fastopen_no_cookie")),
    rule("9.3:invalid", "tcp_try_fastopen", "an invalid cookie: TCPFastOpenPassiveFail and a new one",
         guard("tcp_try_fastopen", "if (!ret)"), guard("tcp_try_fastopen", "LINUX_MIB_TCPFASTOPENPASSIVEFAIL")),
    rule("9.4", "tcp_fastopen_create_child", "the child has the data of the SYN; the Fast Open queue grows",
         guard("tcp_fastopen_create_child", "queue->fastopenq.qlen++"),
         guard("tcp_fastopen_create_child", "tcp_rsk(req)->tfo_listener = true"),
         guard("tcp_fastopen_create_child", "tcp_fastopen_add_skb(child, skb)"),
         guard("tcp_try_fastopen", "LINUX_MIB_TCPFASTOPENPASSIVE")),
    rule("9.4:failed", "tcp_try_fastopen", "no child could be made: TCPFastOpenPassiveFail, an ordinary handshake",
         guard("tcp_try_fastopen", "if (child)")),
    rule("8.10", "tcp_fastopen_synack_timer", "the child's own timer repeats the SYN-ACK",
         guard("tcp_retransmit_timer", "if (req)")),
    rule("8.10:over", "tcp_fastopen_synack_timer", "once more than tcp_synack_retries, then the child gets an error",
         guard("tcp_fastopen_synack_timer", "req->num_timeout >= max_retries"),
         guard("tcp_fastopen_synack_timer", "sysctl_tcp_synack_retries + 1")),
)  # fmt: skip

TFO_SERVER_ENABLE = 0x2
TFO_SERVER_COOKIE_NOT_REQD = 0x200


def try_fastopen(host: Host, sk: Sock, req: Request, segment: Segment) -> tuple[Sock | None, str]:
    """tcp_try_fastopen(): the child, if one was made, and the option that the SYN-ACK carries."""
    host.called("tcp_try_fastopen")
    option, mode = segment.fastopen, host.sysctl["tcp_fastopen"]
    if option == "request":
        host.count("TCPFastOpenCookieReqd")
    wanted = mode & TFO_SERVER_ENABLE and (segment.length or option)
    if not wanted or not fastopenq.queue_check(host, sk):
        host.fire("9.1")
        return None, ""
    if mode & TFO_SERVER_COOKIE_NOT_REQD or sk.fastopen_no_cookie:
        return _create(host, sk, req, segment), ""
    if option == "request":
        host.fire("9.3")
        host.called("tcp_fastopen_cookie_gen")
        return None, "cookie"
    if not option:
        return None, ""
    host.called("tcp_fastopen_cookie_gen_check")
    if option == "invalid":
        host.fire("9.3:invalid")
        host.count("TCPFastOpenPassiveFail")
        return None, "cookie"
    sock = _create(host, sk, req, segment)
    return sock, "" if sock else "cookie"


def _create(host: Host, sk: Sock, req: Request, segment: Segment) -> Sock | None:
    """tcp_fastopen_create_child(): clone the listener now, with the data of the SYN."""
    host.called("tcp_fastopen_create_child")
    sock = child.syn_recv_sock(host, sk, req, hashed=False)
    if sock is None:
        host.fire("9.4:failed")
        host.count("TCPFastOpenPassiveFail")
        return None
    host.fire("9.4")
    host.fire("9.3:child")
    sk.fastopen_qlen += 1
    sock.fastopen_rsk, req.tfo_listener = req, True
    req.timeout = synack.timeout_init(host, sk) if host.policy.timeout_kept else TCP_TIMEOUT_INIT
    sock.deadline = host.now + req.timeout
    host.called("tcp_init_transfer", "tcp_fastopen_add_skb")
    sock.unread = segment.length
    req.rcv_nxt = sock.rcv_nxt = add(req.rcv_nxt, segment.length)
    host.count("TCPFastOpenPassive")
    return sock


def synack_timer(host: Host, sock: Sock, req: Request) -> None:
    """tcp_fastopen_synack_timer(): the retransmission timer of a child whose handshake is not done."""
    host.called("tcp_retransmit_timer", "tcp_fastopen_synack_timer", "tcp_syn_ack_timeout")
    host.count("TCPTimeouts")
    retries = sock.syn_retries or host.sysctl["tcp_synack_retries"] + 1
    if req.num_timeout >= retries:
        host.fire("8.10:over")
        host.called("tcp_write_err")
        host.count("TCPAbortOnTimeout")
        return close.done(host, sock)
    host.fire("8.10")
    synack.rtx(host, req)
    req.num_timeout += 1
    sock.deadline = host.now + synack.backoff(host, req)
