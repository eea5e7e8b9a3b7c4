"""The RST that answers a segment: built from nothing but that segment.

Theory of operation: it needs no socket, so it is the answer wherever a segment fits nothing, and a RST never answers
a RST. With an ACK in the segment the RST takes its number from there; without one it acknowledges what came.
"""

from __future__ import annotations

from kread.model.events import Flag, Segment
from kread.model.host import Host
from kread.model.rules import guard, rule

RULES = (
    rule(
        "2.6:rst",
        "tcp_v4_send_reset",
        "a RST is never sent in reply to a RST",
        guard("tcp_v4_send_reset", "th->rst"),
        guard("tcp_v4_send_reset", "TCP_MIB_OUTRSTS"),
    ),
    rule(
        "2.6:route",
        "tcp_v4_send_reset",
        "nor to a segment that belongs to nobody and whose destination is not ours",
        guard("tcp_v4_send_reset", "!sk && skb_rtable(skb)->rt_type != RTN_LOCAL"),
    ),
)


def send(host: Host, segment: Segment, *, route: bool = True) -> None:
    """tcp_v4_send_reset(): a RST built from nothing but the segment that caused it."""
    host.called("tcp_v4_send_reset")
    if segment.flags & Flag.RST:
        host.fire("2.6:rst")
        return
    if not route:
        host.fire("2.6:route")
        return
    host.called("ip_send_unicast_reply")
    host.count("OutRsts")
    if segment.flags & Flag.ACK:
        host.send(Segment(segment.key, Flag.RST, segment.ack))
    else:
        host.send(Segment(segment.key, Flag.RST | Flag.ACK, 0, segment.end_seq))
