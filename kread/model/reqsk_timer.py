"""reqsk_timer_handler(): the timer of a half-open request; SYN-ACK again, or the end.

Theory of operation: each firing doubles the wait. How often it may fire is TCP_SYNCNT or tcp_synack_retries, less
where the queue is more than half full of requests that have fired before: then only two firings are granted, to keep
room for young ones. A request that expires is removed in silence. One whose ACK was dropped for TCP_DEFER_ACCEPT is
kept longer and its SYN-ACK held back, until the last but one of the deferred timeouts. A request whose listener is
gone moves to another member of the group, or ends.
"""

from __future__ import annotations

from copy import copy

from kread.model import child, reuseport, synack
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import MASK, Request, Sock, State

RULES = (
    rule("8.1", "reqsk_timer_handler", "TCP_SYNCNT, or else tcp_synack_retries, says how often",
         guard("reqsk_timer_handler", "icsk->icsk_syn_retries ? :"),
         guard("tcp_sk_init", "net->ipv4.sysctl_tcp_synack_retries = TCP_SYNACK_RETRIES"),
         guard("TCP_SYNACK_RETRIES", "5")),
    rule("8.2", "reqsk_timer_handler", "a queue more than half full of old requests: fewer, down to two",
         guard("reqsk_timer_handler", "(qlen << 1) > max(8U, sk_listener->sk_max_ack_backlog)"),
         guard("reqsk_timer_handler", "max_syn_ack_retries > 2"), guard("reqsk_timer_handler", "qlen < young"),
         guard("reqsk_timer_handler", "young <<= 1")),
    rule("8.3", "syn_ack_recalc", "without TCP_DEFER_ACCEPT: expired once it fired that often; always sent again",
         guard("syn_ack_recalc", "req->num_timeout >= max_syn_ack_retries"),
         guard("syn_ack_recalc", "if (!rskq_defer_accept)")),
    rule("8.3:defer", "syn_ack_recalc", "with it: an acknowledged request lives for the deferred timeouts at least",
         guard("syn_ack_recalc", "(!inet_rsk(req)->acked || req->num_timeout >= rskq_defer_accept)"),
         guard("syn_ack_recalc", "!inet_rsk(req)->acked || req->num_timeout >= rskq_defer_accept - 1")),
    rule("8.3:hold", "syn_ack_recalc", "and its SYN-ACK is not sent again before the last but one of them",
         guard("syn_ack_recalc", "req->num_timeout >= rskq_defer_accept - 1")),
    rule("8.4", "reqsk_timer_handler", "each firing counts TCPTimeouts, the last one too",
         guard("reqsk_timer_handler", "req->rsk_ops->syn_ack_timeout(req)", "tcp_syn_ack_timeout(req)"),
         guard("tcp_syn_ack_timeout", "LINUX_MIB_TCPTIMEOUTS")),
    rule("8.5", "reqsk_timer_handler", "not expired: the next firing after twice the time, and no longer young",
         guard("reqsk_timer_handler", "req->num_timeout++ == 0"),
         guard("reqsk_timer_handler", "min(TCP_TIMEOUT_INIT << req->num_timeout, TCP_RTO_MAX)", timeout_kept=False),
         guard("TCP_RTO_MAX", "((unsigned)(120*HZ))", timeout_capped_by_listener=False),
         guard("TCP_RTO_MAX", "((unsigned)(TCP_RTO_MAX_SEC * HZ))", timeout_capped_by_listener=True),
         guard("TCP_RTO_MAX_SEC", "120", timeout_capped_by_listener=True),
         guard("tcp_sk_init", "net->ipv4.sysctl_tcp_rto_max_ms = TCP_RTO_MAX_SEC * MSEC_PER_SEC",
               timeout_capped_by_listener=True)),
    rule("8.5:expired", "reqsk_timer_handler", "expired: removed, with neither RST nor ListenDrops",
         guard("reqsk_timer_handler", "!expire && (!resend || ")),
    rule("8.7", "reqsk_timer_handler", "so is one whose SYN-ACK cannot be sent, unless it was acknowledged",
         guard("reqsk_timer_handler", "inet_rsk(req)->acked")),
    rule("8.8", "reqsk_timer_handler", "the listener is gone: removed",
         guard("reqsk_timer_handler", "inet_sk_state_load(sk_listener) != TCP_LISTEN")),
    rule("8.8:migrated", "reqsk_timer_handler", "or moved to another member of its group",
         guard("reqsk_timer_handler", "!inet_ehash_insert(req_to_sk(nreq), req_to_sk(oreq), NULL)"), migration=True),
)  # fmt: skip


def fire(host: Host, req: Request) -> None:
    """The timer of a request is due."""
    host.called("reqsk_timer_handler")
    sk = req.listener
    if sk.state is State.LISTEN:
        if not _run(host, sk, req):
            _drop(host, req)
        return
    heir = reuseport.migrate(host, sk, req.hash)
    if heir is None:
        host.fire("8.8")
        return _drop(host, req)
    _migrate(host, req, heir)


def _drop(host: Host, req: Request) -> None:
    host.called("__inet_csk_reqsk_queue_drop", "reqsk_queue_unlink")
    req.deadline = None
    host.unlink(req)
    child.removed(host, req.listener, req)
    host.called("reqsk_put")


def _migrate(host: Host, req: Request, heir: Sock) -> None:
    """A clone of the request goes to another listener and fires there; the old one is counted off here."""
    host.called("inet_reqsk_clone", "reqsk_queue_migrated")
    clone = copy(req)
    clone.listener = heir
    heir.qlen += 1
    if clone.num_timeout == 0:
        heir.young += 1
    if not _run(host, heir, clone):
        host.count("TCPMigrateReqFailure")
        child.removed(host, heir, clone)
        return _drop(host, req)
    host.fire("8.8:migrated")
    host.called("inet_ehash_insert")
    host.count("TCPMigrateReqSuccess")
    _drop(host, req)
    host.insert(clone)


def _run(host: Host, sk: Sock, req: Request) -> bool:
    """Count the firing, send again; whether the request lives on."""
    retries = _retries(host, sk)
    expire, resend = _recalc(host, req, retries, sk.defer_accept)
    host.fire("8.4")
    host.called("tcp_syn_ack_timeout")
    host.count("TCPTimeouts")
    if expire:
        host.fire("8.5:expired")
        return False
    if resend and not synack.rtx(host, req) and not req.acked:
        host.fire("8.7")
        return False
    host.fire("8.5")
    if req.num_timeout == 0:
        sk.young -= 1
    req.num_timeout += 1
    req.deadline = host.now + synack.timeout(host, req)
    host.called("mod_timer")
    return True


def _retries(host: Host, sk: Sock) -> int:
    """How often the timer may fire, pruned where old requests clog the queue."""
    if sk.syn_retries:
        host.fire("8.1")
    retries = sk.syn_retries or host.sysctl["tcp_synack_retries"]
    if sk.qlen << 1 & MASK > max(8, sk.max_ack_backlog):
        host.fire("8.2")
        young = sk.young << 1
        while retries > 2:
            if sk.qlen < young:
                break
            retries -= 1
            young <<= 1
    return retries


def _recalc(host: Host, req: Request, retries: int, defer_accept: int) -> tuple[bool, bool]:
    """syn_ack_recalc(): whether the request is over, and whether its SYN-ACK goes out again."""
    host.called("syn_ack_recalc")
    over = req.num_timeout >= retries
    if not defer_accept:
        host.fire("8.3")
        return over, True
    host.fire("8.3:defer")
    expire = over and (not req.acked or req.num_timeout >= defer_accept)
    resend = not req.acked or req.num_timeout >= defer_accept - 1
    if not resend:
        host.fire("8.3:hold")
    return expire, resend
