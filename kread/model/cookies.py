"""SYN cookies: the connection's state travels in the sequence number, and nothing is kept.

Theory of operation: the cookie is a hash of the 4-tuple, the peer's sequence number and a counter of minutes. Sending
one notes the moment on the listener, or on its reuseport group, at most once a second. An ACK that matches nothing
comes to the listener; it is tried as a cookie only if one was sent in the last two minutes, and the cookie itself is
good for less than two counts of its own minutes. A good one makes a request and a child at once, and both go straight
to the accept queue, or nowhere if that is full: silently, whatever tcp_abort_on_overflow says.
"""

from __future__ import annotations

import zlib

from kread.model import child, reuseport
from kread.model.events import Flag, Key, Receive, Segment
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import DEFAULT_WINDOW, SECOND, Group, Request, Sock, add

RULES = (
    rule("7.1", "tcp_synq_overflow", "the moment of a cookie is noted on the listener, at most once a second",
         guard("tcp_synq_overflow", "!time_between32(now, last_overflow, last_overflow + HZ)"),
         guard("cookie_init_sequence", "LINUX_MIB_SYNCOOKIESSENT", without="cookie_record_sent"),
         guard("cookie_record_sent", "LINUX_MIB_SYNCOOKIESSENT")),
    rule("7.1:group", "tcp_synq_overflow", "of a SO_REUSEPORT listener it is noted on the group",
         guard("tcp_synq_overflow", "if (sk->sk_reuseport)")),
    rule("7.4:off", "cookie_v4_check", "no cookies, no ACK, or a RST: the segment is the listener's",
         guard("cookie_v4_check",
               "!sock_net(sk)->ipv4.sysctl_tcp_syncookies || !th->ack || th->rst",
               "!net->ipv4.sysctl_tcp_syncookies || !th->ack || th->rst")),
    rule("7.4:late", "tcp_synq_no_recent_overflow", "no cookie in the last 120 s: the segment is the listener's",
         guard("tcp_synq_no_recent_overflow",
               "!time_between32(now, last_overflow - HZ, last_overflow + TCP_SYNCOOKIE_VALID)"),
         guard("TCP_SYNCOOKIE_VALID", "(MAX_SYNCOOKIE_AGE * TCP_SYNCOOKIE_PERIOD)"),
         guard("TCP_SYNCOOKIE_PERIOD", "(60 * HZ)")),
    rule("7.4:failed", "__cookie_v4_check", "a wrong or old cookie: SyncookiesFailed, and the listener refuses",
         guard("check_tcp_syn_cookie", "diff >= MAX_SYNCOOKIE_AGE"), guard("MAX_SYNCOOKIE_AGE", "2"),
         guard("cookie_v4_check", "LINUX_MIB_SYNCOOKIESFAILED", without="cookie_tcp_check"),
         guard("cookie_tcp_check", "LINUX_MIB_SYNCOOKIESFAILED")),
    rule("7.4", "cookie_v4_check", "a good cookie: SyncookiesRecv, and a child",
         guard("cookie_v4_check", "LINUX_MIB_SYNCOOKIESRECV", without="cookie_tcp_check"),
         guard("cookie_tcp_check", "LINUX_MIB_SYNCOOKIESRECV")),
    rule("7.4:full", "tcp_get_cookie_sock", "no child could be made: silence",
         guard("tcp_get_cookie_sock", "if (child)")),
    rule("7.4:none", "cookie_v4_check",
         "no memory, no route or a refusal for a good cookie: silence, and not even ListenDrops",
         guard("cookie_v4_check", "if (!req)"), guard("cookie_v4_check", "if (IS_ERR(rt))")),
    rule("7.5", "cookie_bpf_check", "a BPF program vouched for the cookie: no window and no check",
         guard("cookie_v4_check", "cookie_bpf_ok(skb)"), cookie_by_bpf=True),
)  # fmt: skip

TCP_SYNCOOKIE_VALID = 120 * SECOND
TCP_SYNCOOKIE_PERIOD = 60 * SECOND
MAX_SYNCOOKIE_AGE = 2
COOKIEBITS = 24
COOKIEMASK = 0xFFFFFF
#: What is left of the minutes above the COOKIEBITS of the hash.
COUNTMASK = 0xFF
#: The place of 1460 in the table of MSS values, which the model's peers all announce, and how many there are.
MSSIND, SIZES = 3, 4


def _hash(key: Key, count: int) -> int:
    return zlib.crc32(f"cookie {key} {count}".encode())


def cookie(key: Key, seq: int, now: int) -> int:
    """secure_tcp_syn_cookie(): the sequence number that stands for a connection at a moment."""
    count = now // TCP_SYNCOOKIE_PERIOD
    return add(_hash(key, -1) + seq + (count << COOKIEBITS), (_hash(key, count) + MSSIND) & COOKIEMASK)


def good(key: Key, seq: int, value: int, now: int) -> bool:
    """Whether a number is a cookie of the connection that is not too old.

    check_tcp_syn_cookie() finds a place in the table of MSS values, and any of the table will do: so a number that lies
    a little below a good cookie is another good one.
    """
    count = now // TCP_SYNCOOKIE_PERIOD
    rest = add(value, -_hash(key, -1) - seq)
    diff = (count - (rest >> COOKIEBITS)) & COUNTMASK
    if diff >= MAX_SYNCOOKIE_AGE:
        return False
    return (rest - _hash(key, count - diff)) & COOKIEMASK < SIZES


def init_sequence(host: Host, sk: Sock, segment: Segment) -> int:
    """cookie_init_sequence(): the cookie for a SYN; the listener notes the moment."""
    host.called("cookie_record_sent")
    if not host.policy.cookie_before_route:
        host.called("cookie_init_sequence")
    host.called("tcp_synq_overflow")
    holder = _holder(sk)
    if isinstance(holder, Group):
        host.fire("7.1:group")
    else:
        host.fire("7.1")
    if holder.synq_overflow_ts is None or host.now - holder.synq_overflow_ts > SECOND:
        holder.synq_overflow_ts = host.now
    host.count("SyncookiesSent")
    if not host.policy.cookie_before_route:
        host.called("cookie_v4_init_sequence", "__cookie_v4_init_sequence")
    host.called("secure_tcp_syn_cookie")
    return cookie(segment.key, segment.seq, host.now)


def _holder(sk: Sock) -> Sock | Group:
    """Who remembers when the last cookie was sent."""
    return sk if sk.reuseport_cb is None else sk.reuseport_cb


def _no_recent_overflow(sk: Sock, now: int) -> bool:
    last = _holder(sk).synq_overflow_ts
    return last is None or now > last + TCP_SYNCOOKIE_VALID


def check(host: Host, sk: Sock, event: Receive) -> Sock | None:
    """cookie_v4_check(): the listener if the segment is no cookie's ACK, else the child, or None without one."""
    segment = event.segment
    host.called("cookie_v4_check")
    flags = segment.flags
    if not host.sysctl["tcp_syncookies"] or not flags & Flag.ACK or flags & Flag.RST:
        host.fire("7.4:off")
        return sk
    if host.policy.cookie_by_bpf and event.bpf_cookie:
        host.fire("7.5")
        host.called("cookie_bpf_check")
    elif not _tcp_check(host, sk, segment):
        return sk
    host.called("cookie_tcp_reqsk_alloc", "inet_reqsk_alloc")
    if any(map(host.failing, ("reqsk_alloc", "security", "route_req"))):
        host.fire("7.4:none")
        return None
    req = _request(sk, event)
    host.called("tcp_get_cookie_sock")
    sock = child.syn_recv_sock(host, sk, req, hashed=False, routed=True)
    if sock is None:
        host.fire("7.4:full")
        host.called("__reqsk_free")
        return None
    return child.queue_add(host, sk, req, sock)


def _tcp_check(host: Host, sk: Sock, segment: Segment) -> bool:
    host.called("cookie_tcp_check", "tcp_synq_no_recent_overflow")
    if _no_recent_overflow(sk, host.now):
        host.fire("7.4:late")
        return False
    host.called("__cookie_v4_check", "check_tcp_syn_cookie")
    if not good(segment.key, add(segment.seq, -1), add(segment.ack, -1), host.now):
        host.fire("7.4:failed")
        host.count("SyncookiesFailed")
        return False
    host.fire("7.4")
    host.count("SyncookiesRecv")
    return True


def _request(sk: Sock, event: Receive) -> Request:
    """cookie_tcp_reqsk_alloc(): the request that the ACK's numbers speak of."""
    segment = event.segment
    return Request(
        segment.key,
        sk,
        rcv_isn=add(segment.seq, -1),
        snt_isn=add(segment.ack, -1),
        rcv_nxt=segment.seq,
        tstamp_ok=segment.tsval is not None,
        rcv_wnd=sk.rcv_wnd or DEFAULT_WINDOW,
        hash=reuseport.hash_of(event),
        bound_dev_if=sk.bound_dev_if,
    )
