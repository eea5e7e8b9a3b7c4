"""The limits: how long the two queues of a listener may be, and how often an invalid segment may provoke an answer.

Theory of operation: "full" means more than the backlog in the releases we know, so that backlog + 1 fit; a tree that
has it otherwise is followed. An ACK sent for a segment out of place can meet its like and go on for ever, so such
answers are spaced for each connection by tcp_invalid_ratelimit. A segment with data and without SYN cannot be part of
such a loop and is never limited.
"""

from __future__ import annotations

from kread.model.events import Flag, Segment
from kread.model.host import Host
from kread.model.socks import MASK, Entry, Sock


def _full(operator: str, n: int, limit: int) -> bool:
    """What "full" means, by the operator that the source has."""
    return n >= limit if operator == ">=" else n > limit


def acceptq_is_full(host: Host, sk: Sock) -> bool:
    """sk_acceptq_is_full(): A > B, or A >= B where the source has it so."""
    host.called("sk_acceptq_is_full")
    return _full(host.policy.accept_queue_full, sk.ack_backlog, sk.max_ack_backlog)


def reqsk_queue_is_full(host: Host, sk: Sock) -> bool:
    """inet_csk_reqsk_queue_is_full(): Q > B, or Q >= B where the source has it so; B is unsigned, so a Q of -1 is full."""
    host.called("inet_csk_reqsk_queue_is_full")
    return _full(host.policy.request_queue_full, sk.qlen & MASK, sk.max_ack_backlog)


def rate_limited(host: Host, entry: Entry, counter: str) -> bool:
    """__tcp_oow_rate_limited(): whether the last answer is too recent; else this one counts as the last."""
    host.called("__tcp_oow_rate_limited")
    last = entry.last_oow
    if last is not None and host.now - last < host.sysctl["tcp_invalid_ratelimit"]:
        host.count(counter)
        return True
    entry.last_oow = host.now
    return False


def oow_rate_limited(host: Host, entry: Entry, segment: Segment, counter: str) -> bool:
    """tcp_oow_rate_limited(): the same for a segment, which is spared if it carries data and no SYN."""
    host.called("tcp_oow_rate_limited")
    if segment.seq != segment.end_seq and not segment.flags & Flag.SYN:
        return False
    return rate_limited(host, entry, counter)
