"""The Fast Open queue of a listener: how many unfinished children it may have.

Theory of operation: the queue is only a count with a limit. A child counts from the SYN until its handshake ends. One
that somebody accepted and whose handshake ended by RST goes on counting for a minute, on a list of its own: a peer
that spoofs addresses provokes RSTs, and shall not get new children for them at once.
"""

from __future__ import annotations

from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import FASTOPEN_RST_WAIT, Request, Sock, State

RULES = (
    rule("9.2", "tcp_fastopen_queue_check", "the queue is full (>=): no Fast Open, TCPFastOpenListenOverflow",
         guard("tcp_fastopen_queue_check", "fastopenq->qlen >= max_qlen"),
         guard("tcp_fastopen_queue_check", "LINUX_MIB_TCPFASTOPENLISTENOVERFLOW"),
         guard("tcp_fastopen_queue_check", "!req1 || time_after(req1->rsk_timer.expires, jiffies)")),
    rule("9.2:recycled", "tcp_fastopen_queue_check", "unless the oldest child that died of a RST has waited its minute",
         guard("tcp_fastopen_queue_check", "!req1 || time_after(req1->rsk_timer.expires, jiffies)")),
    rule("9.5", "reqsk_fastopen_remove", "the handshake ended: one unfinished child less",
         guard("reqsk_fastopen_remove", "if (req->sk)"), guard("reqsk_fastopen_remove", "fastopenq->qlen--")),
    rule("9.5:parked", "reqsk_fastopen_remove",
         "it ended by RST and the child was accepted: it counts for 60 s more",
         guard("reqsk_fastopen_remove", "!reset || lsk->sk_state != TCP_LISTEN")),
)  # fmt: skip


def queue_check(host: Host, sk: Sock) -> bool:
    """tcp_fastopen_queue_check(): whether the listener may have one more unfinished child."""
    host.called("tcp_fastopen_queue_check")
    if sk.fastopen_max_qlen == 0:
        return False
    if sk.fastopen_qlen < sk.fastopen_max_qlen:
        return True
    oldest = sk.fastopen_rst[0] if sk.fastopen_rst else None
    if oldest is None or (oldest.deadline or 0) > host.now:
        host.fire("9.2")
        host.count("TCPFastOpenListenOverflow")
        return False
    host.fire("9.2:recycled")
    sk.fastopen_rst.pop(0)
    sk.fastopen_qlen -= 1
    return True


def remove(host: Host, sock: Sock, req: Request, *, reset: bool) -> None:
    """reqsk_fastopen_remove(): a child's handshake ended, by RST or otherwise."""
    host.called("reqsk_fastopen_remove")
    host.fire("9.5")
    sock.fastopen_rsk = None
    sock.deadline = None
    req.tfo_listener = False
    req.listener.fastopen_qlen -= 1
    if req.sk is None and reset and req.listener.state is State.LISTEN:
        host.fire("9.5:parked")
        req.deadline = host.now + FASTOPEN_RST_WAIT
        req.listener.fastopen_rst.append(req)
        req.listener.fastopen_qlen += 1
