"""Which socket a segment belongs to: connections first, then listeners, the exact address before INADDR_ANY.

Theory of operation: three steps, the first that finds something ends the search. A socket that BPF attached to the
packet; an entry of ehash with the segment's 4-tuple and a device that fits; a listener. Among listeners the bucket of
the exact address is searched first, and only if it yields nothing that of INADDR_ANY: a listener on the address beats
one on the wildcard whatever their scores. Within a bucket the best score wins, the first in the chain among equals;
a SO_REUSEPORT listener that would win ends the walk at once, for its group's choice is final.

The walk of an empty bucket is still written with its compute_score: a bucket is a hash of address and port, so the
kernel's may well hold other listeners, whose score is -1.
"""

from __future__ import annotations

from kread.model import reuseport
from kread.model.events import Receive
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import INADDR_ANY, Entry, Sock, State

RULES = (
    rule(
        "2.1",
        "skb_steal_sock",
        "a socket that BPF attached to the packet is taken, without any lookup",
        guard("skb_steal_sock", "if (skb->sk)", "if (!sk)"),
        guard("__inet_lookup_skb", "if (sk)", "if (IS_ERR(sk))"),
    ),
    rule(
        "2.1:reselect",
        "inet_steal_sock",
        "if it listens, its reuseport group chooses again",
        guard("inet_steal_sock", "sk->sk_state != TCP_LISTEN"),
        guard("inet_steal_sock", "!prefetched || !sk_fullsock(sk)"),
        steal_reselects=True,
    ),
    rule(
        "2.2",
        "__inet_lookup_established",
        "an entry of ehash matches by 4-tuple and bound device, before any listener is looked at",
        guard("inet_match", "sk->sk_portpair != ports"),
        guard("inet_bound_dev_eq", "bound_dev_if == dif || bound_dev_if == sdif"),
        guard("__inet_lookup", "sk = __inet_lookup_established("),
        guard("__inet_lookup", "if (sk)"),
        guard("__inet_lookup", "return __inet_lookup_listener("),
    ),
    rule(
        "2.3",
        "__inet_lookup_listener",
        "the bucket of the exact address yields a listener",
        guard("__inet_lookup_listener", "ipv4_portaddr_hash(net, daddr, hnum)"),
        guard("__inet_lookup_listener", "saddr, sport, daddr, hnum, dif, sdif"),
    ),
    rule(
        "2.3:any",
        "__inet_lookup_listener",
        "only where it yields none the bucket of INADDR_ANY is searched",
        guard("__inet_lookup_listener", "if (result)"),
        guard("__inet_lookup_listener", "ipv4_portaddr_hash(net, htonl(INADDR_ANY), hnum)"),
        guard("__inet_lookup_listener", "saddr, sport, htonl(INADDR_ANY), hnum, dif, sdif"),
    ),
    rule(
        "2.3:bpf",
        "__inet_lookup_listener",
        "a BPF sk_lookup program runs before both",
        guard("__inet_lookup_listener", "static_branch_unlikely(&bpf_sk_lookup_enabled)"),
    ),
    rule(
        "2.4",
        "compute_score",
        "2 for a bound device that fits, else 1; 1 for AF_INET; 1 for SO_INCOMING_CPU being this CPU; -1 for a device "
        "that does not fit",
        guard("compute_score", "sk->sk_rcv_saddr != daddr"),
        guard("compute_score", "!inet_sk_bound_dev_eq(net, sk->sk_bound_dev_if, dif, sdif)"),
        guard("compute_score", "sk->sk_bound_dev_if ? 2 : 1"),
        guard("compute_score", "sk->sk_incoming_cpu == raw_smp_processor_id()"),
    ),
    rule(
        "2.5",
        "inet_lhash2_lookup",
        "the first sock of the best score wins, but a reuseport group's choice ends the walk at once",
        guard("inet_lhash2_lookup", "score > hiscore"),
    ),
)


def lookup(host: Host, event: Receive) -> Entry | None:
    """__inet_lookup_skb(): the entry or listener that a segment is for."""
    host.called("__inet_lookup_skb", "inet_steal_sock", "skb_steal_sock")
    if event.assigned:
        return _steal(host, event)
    host.called("__inet_lookup")
    return established(host, event) or listener(host, event)


def _steal(host: Host, event: Receive) -> Sock:
    sk = host.socks[event.assigned]
    host.fire("2.1")
    if not host.policy.steal_reselects or sk.state is not State.LISTEN:
        return sk
    host.fire("2.1:reselect")
    return reuseport.lookup(host, sk, event) or sk


def established(host: Host, event: Receive) -> Entry | None:
    """__inet_lookup_established(): the entry of ehash with the segment's 4-tuple and a device that fits."""
    host.called("__inet_lookup_established", "inet_ehashfn", "INET_MATCH", "inet_match")
    key = event.segment.key
    chain = host.ehash.get(key, [])
    if host.stale is not None:
        chain = host.stale
    for entry in chain:
        if bound_dev_eq(entry.bound_dev_if, event.dev):
            host.fire("2.2")
            return entry
    return None


def bound_dev_eq(bound: str, dev: str) -> bool:
    """inet_bound_dev_eq(): a socket bound to no device fits every one."""
    return bound in ("", dev)


def listener(host: Host, event: Receive) -> Sock | None:
    """__inet_lookup_listener(): the listener for a segment, by exact address and then by INADDR_ANY."""
    host.called("__inet_lookup_listener")
    if host.sk_lookup is not None:
        host.called("inet_lookup_run_bpf", "inet_lookup_run_sk_lookup")
        host.fire("2.3:bpf")
        return reuseport.lookup(host, host.sk_lookup, event) or host.sk_lookup
    key = event.segment.key
    for rule_id, addr in (("2.3", key.daddr), ("2.3:any", INADDR_ANY)):
        found = _bucket(host, addr, event)
        if found is not None:
            host.fire(rule_id)
            return found
    return None


def _bucket(host: Host, addr: str, event: Receive) -> Sock | None:
    """inet_lhash2_lookup(): the best listener of one bucket."""
    host.called("inet_lhash2_lookup", "compute_score")
    result, hiscore = None, 0
    for sk in host.lhash2.get((addr, event.segment.key.dport), ()):
        score = compute_score(sk, event)
        if score > hiscore:
            host.fire("2.4")
            chosen = reuseport.lookup(host, sk, event)
            if chosen is not None:
                host.fire("2.5")
                return chosen
            result, hiscore = sk, score
    return result


def compute_score(sk: Sock, event: Receive) -> int:
    """compute_score(): how well a listener of the right address and port fits, from 2 to 4, or -1 for not at all."""
    if not bound_dev_eq(sk.bound_dev_if, event.dev):
        return -1
    score = (2 if sk.bound_dev_if else 1) + 1
    return score + 1 if sk.incoming_cpu == event.cpu else score
