"""tcp_conn_request(): a SYN reaches a listener; refuse, answer with a cookie, build a child, or remember a request.

Theory of operation: the decisions stand in this order, and the order matters.

    4.1  half-open requests beyond the backlog, syncookies off       dropped   TCPReqQFullDrop, ListenDrops
    4.2  the same with syncookies on, or syncookies=2                a cookie  TCPReqQFullDoCookies
    4.3  accept queue beyond the backlog, cookie or not              dropped   ListenOverflows, ListenDrops
    4.4  no memory, no route, a security module says no              dropped   ListenDrops
    4.5  syncookies off, the last quarter of max_syn_backlog is
         reached and the peer's address is not proven                dropped   ListenDrops
    4.6  a cookie: SYN-ACK, and nothing is remembered                          SyncookiesSent
    4.7  Fast Open: SYN-ACK, a child and an entry of the accept queue          TCPFastOpenPassive
    4.8  otherwise: a request in ehash with a timer, and SYN-ACK

A SYN that comes out of a TIME_WAIT sock brings its own sequence number and passes 4.1, 4.2 and 4.5, not 4.3. The
limits are "more than": backlog + 1 fit, and a backlog of 0 still lets one through.
"""

from __future__ import annotations

from kread.model import accept, child, cookies, fastopen, limits, reuseport, synack
from kread.model.events import Receive, Segment
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import DEFAULT_WINDOW, STAMPED_WINDOW, TCP_TIMEOUT_INIT, WIDEST_UNSCALED, Request, Sock, add

RULES = (
    rule("3.3", "tcp_v4_conn_request", "a SYN to a broadcast or multicast address is dropped",
         guard("tcp_v4_conn_request", "skb_rtable(skb)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)"),
         guard("tcp_v4_conn_request", "tcp_listendrop(sk)")),
    rule("4.1", "tcp_conn_request", "too many half-open requests and no cookies: dropped",
         guard("inet_csk_reqsk_queue_is_full",
               "inet_csk_reqsk_queue_len(sk) > sk->sk_max_ack_backlog", request_queue_full=">"),
         guard("inet_csk_reqsk_queue_is_full",
               "inet_csk_reqsk_queue_len(sk) >= sk->sk_max_ack_backlog", request_queue_full=">="),
         guard("tcp_conn_request", "syncookies == 2 || inet_csk_reqsk_queue_is_full(sk)"),
         guard("tcp_conn_request", "!want_cookie"),
         guard("tcp_syn_flood_action", "LINUX_MIB_TCPREQQFULLDROP")),
    rule("4.2", "tcp_syn_flood_action", "too many half-open requests, or syncookies=2: a cookie",
         guard("tcp_syn_flood_action", "if (syncookies)"),
         guard("tcp_sk_init", "net->ipv4.sysctl_tcp_syncookies = 1"),
         guard("tcp_syn_flood_action", "LINUX_MIB_TCPREQQFULLDOCOOKIES")),
    rule("4.2:warned", "tcp_syn_flood_action", "the flood is reported once for each listener, unless syncookies=2",
         guard("tcp_syn_flood_action", "!queue->synflood_warned && syncookies != 2",
               "syncookies != 2 && !queue->synflood_warned")),
    rule("4.3", "tcp_conn_request", "the accept queue is full: dropped, whatever else holds",
         guard("sk_acceptq_is_full",
               "sk->sk_ack_backlog > sk->sk_max_ack_backlog", accept_queue_full=">"),
         guard("sk_acceptq_is_full",
               "sk->sk_ack_backlog >= sk->sk_max_ack_backlog", accept_queue_full=">="),
         guard("tcp_conn_request", "sk_acceptq_is_full(sk)"),
         guard("tcp_conn_request", "LINUX_MIB_LISTENOVERFLOWS")),
    rule("4.4", "tcp_conn_request", "no memory, no route, or a security module refuses: dropped",
         guard("tcp_conn_request", "if (!req)"), guard("tcp_conn_request", "if (!dst)"),
         guard("tcp_conn_request", "tcp_listendrop(sk)"),
         guard("tcp_listendrop", "LINUX_MIB_LISTENDROPS"),
         guard("tcp_listendrop", "atomic_inc(&((struct sock *)sk)->sk_drops)", "sk_drops_inc((struct sock *)sk)")),
    rule("4.5", "tcp_conn_request",
         "without cookies the last quarter of max_syn_backlog is for peers whose round trip time is known",
         guard("tcp_conn_request",
               "!syncookies && (max_syn_backlog - inet_csk_reqsk_queue_len(sk) < (max_syn_backlog >> 2)) && "
               "!tcp_peer_is_proven(req, dst)"),
         guard("tcp_peer_is_proven", "tm && tcp_metric_get(tm, TCP_METRIC_RTT)")),
    rule("4.6", "tcp_conn_request", "a cookie is answered and nothing is kept",
         guard("tcp_conn_request", "if (want_cookie)")),
    rule("4.7", "tcp_conn_request", "Fast Open made a child: it is queued for accept() at once",
         guard("tcp_conn_request", "if (fastopen_sk)")),
    rule("4.8", "inet_csk_reqsk_queue_hash_add", "the request is hashed, counted, timed, and the SYN-ACK sent",
         guard("inet_csk_reqsk_queue_hash_add", "reqsk_queue_hash_req(req, timeout)", "reqsk_queue_hash_req(req)"),
         guard("inet_csk_reqsk_queue_hash_add", "inet_csk_reqsk_queue_added(sk)"),
         guard("reqsk_queue_added", "atomic_inc(&queue->young)"), guard("reqsk_queue_added", "atomic_inc(&queue->qlen)"),
         guard("reqsk_queue_hash_req", "refcount_set(&req->rsk_refcnt, 2 + 1)"),
         guard("TCP_TIMEOUT_INIT", "((unsigned)(1*HZ))")),
    rule("4.8:duplicate", "reqsk_queue_hash_req",
         "a request of the same 4-tuple was hashed meanwhile: freed, with neither SYN-ACK nor ListenDrops",
         guard("reqsk_queue_hash_req", "!inet_ehash_insert(req_to_sk(req), NULL, &found_dup_sk)"),
         duplicate_refused=True),
    rule("4.8:timeout", "tcp_timeout_init", "a BPF program may set the first timeout",
         guard("tcp_timeout_init", "timeout <= 0"),
         guard("reqsk_queue_hash_req", "req->timeout = tcp_timeout_init((struct sock *)req)", timeout_when_hashed=True)),
    rule("4.8:unsent", "tcp_conn_request", "a SYN-ACK that cannot be sent is left to the timer",
         guard("tcp_conn_request", "!want_cookie ? TCP_SYNACK_NORMAL : TCP_SYNACK_COOKIE")),
)  # fmt: skip


def conn_request(host: Host, sk: Sock, event: Receive, isn: int) -> None:
    """tcp_v4_conn_request() and tcp_conn_request(): decide about a SYN; isn is the one TIME_WAIT chose, or 0."""
    host.called("tcp_v4_conn_request")
    if event.broadcast:
        host.fire("3.3")
        return host.listendrop(sk)
    host.called("tcp_conn_request")
    want_cookie = False
    if not isn and (host.sysctl["tcp_syncookies"] == 2 or limits.reqsk_queue_is_full(host, sk)):
        want_cookie = _syn_flood_action(host, sk)
        if not want_cookie:
            host.fire("4.1")
            return host.listendrop(sk)
    if limits.acceptq_is_full(host, sk):
        host.fire("4.3")
        return host.listendrop(sk, "ListenOverflows")
    host.called("inet_reqsk_alloc")
    if host.failing("reqsk_alloc"):
        host.fire("4.4")
        return host.listendrop(sk)
    _prepare(host, sk, event, isn, want_cookie)


def _syn_flood_action(host: Host, sk: Sock) -> bool:
    """tcp_syn_flood_action(): whether a cookie is to be sent; and the warning, once."""
    host.called("tcp_syn_flood_action")
    syncookies = host.sysctl["tcp_syncookies"]
    if syncookies:
        host.fire("4.2")
        host.count("TCPReqQFullDoCookies")
    else:
        host.count("TCPReqQFullDrop")
    if not sk.synflood_warned and syncookies != 2:
        host.fire("4.2:warned")
        sk.synflood_warned = True
        action = "Sending cookies" if syncookies else "Dropping request"
        if host.policy.flood_names_address:
            host.log(f"Possible SYN flooding on port {sk.rcv_saddr}:{sk.num}. {action}.")
        else:
            host.log(f"Possible SYN flooding on port {sk.num}. {action}.  Check SNMP counters.")
    return bool(syncookies)


def _prepare(host: Host, sk: Sock, event: Receive, isn: int, want_cookie: bool) -> None:
    """Route and number the request, and refuse it where the last quarter of the backlog is for the proven."""
    policy, segment = host.policy, event.segment
    host.called("tcp_openreq_init")
    if want_cookie and policy.cookie_before_route:
        host.called("cookie_init_sequence", "cookie_v4_init_sequence", "__cookie_v4_init_sequence")
    if not policy.init_req_in_route:
        host.called("tcp_v4_init_req")
    host.called("tcp_v4_route_req")
    if policy.init_req_in_route:
        host.called("tcp_v4_init_req")
    host.called("inet_csk_route_req")
    if host.failing("route_req") or host.failing("security"):
        host.fire("4.4")
        host.called("__reqsk_free")
        return host.listendrop(sk)
    if not want_cookie and not isn:
        host.called("tcp_v4_init_seq_and_ts_off")
        if not host.sysctl["tcp_syncookies"] and _last_quarter(host, sk, segment):
            host.fire("4.5")
            host.called("__reqsk_free")
            return host.listendrop(sk)
        host.called("tcp_v4_init_seq")
        isn = host.isn(segment.key)
    if want_cookie:
        isn = cookies.init_sequence(host, sk, segment)
    req = _request(host, sk, event, isn)
    host.called("tcp_openreq_init_rwin")
    if want_cookie:
        host.fire("4.6")
        synack.send(host, req, host.tsval())
        return host.called("reqsk_free")
    _keep(host, sk, req, segment)


def _last_quarter(host: Host, sk: Sock, segment: Segment) -> bool:
    """Whether max_syn_backlog is filled to its last quarter and the peer is not proven."""
    backlog = host.sysctl["tcp_max_syn_backlog"]
    host.called("inet_csk_reqsk_queue_len")
    if backlog - sk.qlen < backlog >> 2:
        host.called("tcp_peer_is_proven")
        return segment.key.saddr not in host.proven
    return False


def _request(host: Host, sk: Sock, event: Receive, isn: int) -> Request:
    segment = event.segment
    stamped = segment.tsval is not None
    window = sk.rcv_wnd or (STAMPED_WINDOW if stamped else DEFAULT_WINDOW)
    return Request(
        segment.key,
        sk,
        rcv_isn=segment.seq,
        snt_isn=isn,
        rcv_nxt=add(segment.seq, 1),
        tstamp_ok=stamped,
        ts_recent=segment.tsval or 0,
        rcv_wnd=min(window, WIDEST_UNSCALED) if host.policy.initial_window_capped else window,
        hash=reuseport.hash_of(event),
        bound_dev_if=sk.bound_dev_if,
    )


def _keep(host: Host, sk: Sock, req: Request, segment: Segment) -> None:
    """The last part of tcp_conn_request(): a Fast Open child, or a request in ehash; then the SYN-ACK."""
    fastopen_sk, cookie = fastopen.try_fastopen(host, sk, req, segment)
    if fastopen_sk is not None:
        host.fire("4.7")
        synack.send(host, req, host.tsval(), cookie)
        if child.queue_add(host, sk, req, fastopen_sk) is None:
            return host.listendrop(sk)
        return accept.data_ready(host, sk)
    if not host.policy.timeout_when_hashed:
        req.timeout = synack.timeout_init(host, sk)
    host.called("inet_csk_reqsk_queue_hash_add", "reqsk_queue_hash_req")
    if not host.policy.timer_after_insert:
        host.called("mod_timer")
    host.called("inet_ehash_insert")
    if host.policy.duplicate_refused and host.twin(req):
        host.fire("4.8:duplicate")
        return host.called("reqsk_free")
    host.fire("4.8")
    host.insert(req)
    if host.policy.timeout_when_hashed:
        req.timeout = synack.timeout_init(host, sk)
    if host.policy.timer_after_insert:
        host.called("mod_timer")
    req.deadline = host.now + req.timeout
    if not host.policy.timeout_kept:
        req.timeout = TCP_TIMEOUT_INIT
    host.called("inet_csk_reqsk_queue_added")
    sk.qlen += 1
    sk.young += 1
    if not synack.send(host, req, host.tsval(), cookie):
        host.fire("4.8:unsent")
