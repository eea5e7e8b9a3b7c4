"""The child: from a request to a full sock that accept() can have.

Theory of operation: tcp_v4_syn_recv_sock() clones the listener, unless the accept queue is full; the clone takes the
request's place in ehash, and only if the request was still there is the clone the owner of the connection. Then the
request, with the child in it, is appended to the accept queue, where nothing is limited any more, and only after that
does the child become ESTABLISHED and the listener's sleeper wake.
"""

from __future__ import annotations

from enum import Enum

from kread.model import close, limits
from kread.model.events import Close
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import Request, Sock, State, add

RULES = (
    rule("R6.11", "tcp_v4_syn_recv_sock", "the accept queue is full: ListenOverflows and ListenDrops, no child",
         guard("tcp_v4_syn_recv_sock", "sk_acceptq_is_full(sk)"),
         guard("tcp_v4_syn_recv_sock", "LINUX_MIB_LISTENOVERFLOWS")),
    rule("R6.11:failed", "tcp_v4_syn_recv_sock", "no memory, no route or no port: ListenDrops, no child",
         guard("tcp_v4_syn_recv_sock", "if (!newsk)"),
         guard("tcp_v4_syn_recv_sock", "__inet_inherit_port(sk, newsk) < 0"),
         guard("tcp_v4_syn_recv_sock", "tcp_listendrop(sk)")),
    rule("R6.11:lost", "inet_ehash_nolisten", "the request is no longer hashed: the child is destroyed",
         guard("tcp_v4_syn_recv_sock", "likely(*own_req)")),
    rule("R6.11:twin", "tcp_v4_syn_recv_sock",
         "a cookie's or Fast Open child whose connection another CPU hashed meanwhile is destroyed, uncounted",
         guard("tcp_v4_syn_recv_sock", "!req_unhash && found_dup_sk")),
    rule("R6.12", "inet_csk_reqsk_queue_add", "the request and its child go to the tail of the accept queue, unlimited",
         guard("inet_csk_reqsk_queue_add", "queue->rskq_accept_head == NULL"),
         guard("inet_csk_reqsk_queue_add", "queue->rskq_accept_tail = req"),
         guard("inet_csk_reqsk_queue_add", "sk_acceptq_added(sk)"),
         guard("sk_acceptq_added", "WRITE_ONCE(sk->sk_ack_backlog, sk->sk_ack_backlog + 1)")),
    rule("R6.12:closed", "inet_csk_reqsk_queue_add", "unless the listener is closed: the child is reset",
         guard("inet_csk_reqsk_queue_add", "unlikely(sk->sk_state != TCP_LISTEN)")),
    rule("R6.13", "inet_csk_complete_hashdance", "the half-open request is counted off exactly once",
         guard("inet_csk_complete_hashdance", "if (own_req)"),
         guard("reqsk_queue_removed", "req->num_timeout == 0"), guard("reqsk_queue_removed", "atomic_dec(&queue->qlen)")),
    rule("R6.14:ack", "inet_csk_complete_hashdance", "a migrating request is queued at its new listener",
         guard("inet_csk_complete_hashdance", "sk != req->rsk_listener"),
         guard("inet_csk_complete_hashdance", "LINUX_MIB_TCPMIGRATEREQSUCCESS"), migration=True),
    rule("5.2", "tcp_create_openreq_child", "the listener is cloned: the full sock exists, PassiveOpens",
         guard("tcp_create_openreq_child", "if (!newsk)"),
         guard("tcp_create_openreq_child", "TCP_MIB_PASSIVEOPENS")),
)  # fmt: skip


class Stolen(Enum):
    """What is left for the CPU that lost the race for a request: to look up again."""

    STOLEN = "stolen"


def syn_recv_sock(host: Host, sk: Sock, req: Request, *, hashed: bool, routed: bool = False) -> Sock | None:
    """tcp_v4_syn_recv_sock(): a child in SYN_RECV, or None; hashed says whether the request is replaced in ehash.

    routed -- the caller has looked the route up already, as it does for a cookie

    A child that lost the race for the request comes back CLOSE, outside of ehash.
    """
    host.called("tcp_v4_syn_recv_sock")
    if limits.acceptq_is_full(host, sk):
        host.fire("R6.11")
        host.listendrop(sk, "ListenOverflows")
        return None
    host.called("tcp_create_openreq_child", "inet_csk_clone_lock", "sk_clone_lock", "sk_clone")
    if host.failing("clone"):
        host.fire("R6.11:failed")
        host.listendrop(sk)
        return None
    host.fire("5.2")
    host.count("PassiveOpens")
    if not routed:
        host.called("inet_csk_route_child_sock")
    if routed or not host.failing("route_child"):
        host.called("__inet_inherit_port")
        if not host.failing("inherit_port"):
            return _hash(host, _clone(sk, req), req, hashed)
    host.fire("R6.11:failed")
    host.called("inet_csk_prepare_forced_close", "tcp_done")
    host.count("AttemptFails")
    host.listendrop(sk)
    return None


def _clone(sk: Sock, req: Request) -> Sock:
    return Sock(
        f"{req.key.saddr}:{req.key.sport}",
        State.SYN_RECV,
        uid=sk.uid,
        key=req.key,
        rcv_saddr=req.key.daddr,
        num=req.key.dport,
        bound_dev_if=req.bound_dev_if,
        reuse=sk.reuse,
        reuseport=sk.reuseport,
        filter_drops=sk.filter_drops,
        parent=sk,
        syn_retries=sk.syn_retries,
        rcv_wnd=req.rcv_wnd,
        rcv_nxt=req.rcv_nxt,
        snd_una=add(req.snt_isn, 1),
        snd_wl1=req.rcv_isn,
        snd_nxt=add(req.snt_isn, 1),
        tstamp_ok=req.tstamp_ok,
        ts_recent=req.ts_recent,
    )


def _hash(host: Host, sock: Sock, req: Request, hashed: bool) -> Sock | None:
    """inet_ehash_nolisten(): the child takes the request's place, if the request still has it, or a place of its own."""
    host.called("inet_ehash_nolisten", "inet_ehash_insert")
    if not hashed and host.twin(sock):
        host.fire("R6.11:twin")
        host.called("inet_csk_destroy_sock")
        return None
    if hashed and not host.unlink(req):
        host.fire("R6.11:lost")
        host.called("inet_csk_destroy_sock")
        sock.state = State.CLOSE
        return sock
    host.insert(sock)
    return sock


def queue_drop(host: Host, req: Request, sk: Sock | None = None) -> bool:
    """inet_csk_reqsk_queue_drop(): take a request out of ehash, stop its timer, count it off; whether it was there.

    sk -- the listener where it is counted off, if that is not its own
    """
    host.called("inet_csk_reqsk_queue_drop", "__inet_csk_reqsk_queue_drop", "reqsk_queue_unlink")
    req.deadline = None
    if not host.unlink(req):
        return False
    removed(host, sk or req.listener, req)
    host.called("reqsk_put")
    return True


def removed(host: Host, sk: Sock, req: Request) -> None:
    """reqsk_queue_removed(): one half-open request less, and one young one less if its timer never fired."""
    host.called("reqsk_queue_removed")
    if req.num_timeout == 0:
        sk.young -= 1
    sk.qlen -= 1


def complete_hashdance(host: Host, sk: Sock, req: Request, sock: Sock) -> Sock | Stolen | None:
    """inet_csk_complete_hashdance(): count the request off and queue its child; a child that lost the race is gone."""
    host.called("inet_csk_complete_hashdance")
    if sock.state is State.CLOSE:
        return Stolen.STOLEN
    host.fire("R6.10")
    host.fire("R6.13")
    queue_drop(host, req)
    removed(host, req.listener, req)
    if sk is not req.listener:
        host.fire("R6.14:ack")
        host.called("inet_reqsk_clone")
        req.listener = sock.parent = sk
        queued = queue_add(host, sk, req, sock)
        host.count("TCPMigrateReqSuccess" if queued else "TCPMigrateReqFailure")
        return queued
    return queue_add(host, sk, req, sock)


def queue_add(host: Host, sk: Sock, req: Request, sock: Sock) -> Sock | None:
    """inet_csk_reqsk_queue_add(): the tail of the accept queue; no limit is looked at here."""
    host.called("inet_csk_reqsk_queue_add")
    if sk.name == host.closing:
        close.close(host, Close(sk.name))
    if sk.state is not State.LISTEN:
        host.fire("R6.12:closed")
        close.child_forget(host, sock)
        return None
    host.fire("R6.12")
    host.called("sk_acceptq_added")
    req.sk = sock
    sk.accept_queue.append(req)
    sk.ack_backlog += 1
    return sock
