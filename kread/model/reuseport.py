"""SO_REUSEPORT: which member of a group gets a connection, and who inherits what a closed member held.

Theory of operation: a group chooses by a program if one is attached, else by the hash of the 4-tuple scaled to the
number of members. A closed member leaves the group at once, and the last one takes its place there. Where migration is
possible it is kept aside, so that its half-open requests and unaccepted children still find the group and may move to a
member that listens.
"""

from __future__ import annotations

import zlib

from kread.model.events import Key, Receive
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import Group, Sock

RULES = (
    rule(
        "2.5:hash",
        "reuseport_select_sock",
        "without a program the hash scaled to the number of members chooses",
        guard("reuseport_select_sock", "!prog || !skb"),
    ),
    rule(
        "2.5:prog",
        "reuseport_select_sock",
        "an attached program chooses; an index outside the group is no choice",
        guard("reuseport_select_sock", "if (prog->type == BPF_PROG_TYPE_SK_REUSEPORT)"),
        guard("reuseport_select_sock", "if (!sk2)"),
    ),
    rule(
        "2.5:cpu",
        "reuseport_select_sock_by_hash",
        "a member whose SO_INCOMING_CPU is the current CPU is preferred, from the hashed place on",
        guard("reuseport_select_sock_by_hash", "!reuse->incoming_cpu"),
        guard("reuseport_select_sock_by_hash", "sk->sk_incoming_cpu == raw_smp_processor_id()"),
        reuseport_prefers_cpu=True,
    ),
    rule(
        "R6.14",
        "reuseport_migrate_sock",
        "with tcp_migrate_req or a program for it, another member takes what the closed one held",
        guard("reuseport_migrate_sock", "sock_net(sk)->ipv4.sysctl_tcp_migrate_req"),
        guard("reuseport_migrate_sock", "!prog || prog->expected_attach_type != BPF_SK_REUSEPORT_SELECT_OR_MIGRATE"),
        migration=True,
    ),
    rule(
        "R6.14:failure",
        "reuseport_migrate_sock",
        "no member listens, or migration was turned off since: counted as a failure",
        guard("reuseport_migrate_sock", "unlikely(!socks)"),
        guard("reuseport_migrate_sock", "LINUX_MIB_TCPMIGRATEREQFAILURE"),
        migration=True,
    ),
    rule(
        "11.1:aside",
        "reuseport_stop_listen_sock",
        "a closed member is kept aside in its group while migration is possible, else it leaves",
        guard("reuseport_stop_listen_sock", "sock_net(sk)->ipv4.sysctl_tcp_migrate_req"),
        migration=True,
    ),
)


def hash_of(event: Receive) -> int:
    """The 32-bit hash of the segment's 4-tuple: the scenario's own where it gives one."""
    return keyed_hash(event.segment.key) if event.hash is None else event.hash


def _detach(group: Group, sk: Sock) -> None:
    """__reuseport_detach_sock(): the last member takes the place of the one that leaves."""
    group.socks[group.socks.index(sk)] = group.socks[-1]
    group.socks.pop()


def keyed_hash(key: Key) -> int:
    """inet_ehashfn(): a hash of the 4-tuple. The kernel's is keyed by a secret, so any spread is as good."""
    return zlib.crc32(f"ehash {key}".encode())


def lookup(host: Host, sk: Sock, event: Receive) -> Sock | None:
    """inet_lookup_reuseport(): the choice of the sock's group, None for a sock without SO_REUSEPORT."""
    if not sk.reuseport:
        return None
    host.called("inet_lookup_reuseport", "inet_ehashfn", "reuseport_select_sock")
    assert sk.reuseport_cb is not None
    group = sk.reuseport_cb
    if group.prog is not None and 0 <= group.prog < len(group.socks):
        host.fire("2.5:prog")
        return group.socks[group.prog]
    return _by_hash(host, group, hash_of(event), event.cpu)


def _by_hash(host: Host, group: Group, hash_: int, cpu: int) -> Sock:
    """reuseport_select_sock_by_hash(): the member at the hashed place, or the CPU's own from there on."""
    host.called("reuseport_select_sock_by_hash")
    place = hash_ * len(group.socks) >> 32
    ring = group.socks[place:] + group.socks[:place]
    if host.policy.reuseport_prefers_cpu and group.incoming_cpu:
        for sk in ring:
            if sk.incoming_cpu == cpu:
                host.fire("2.5:cpu")
                return sk
    host.fire("2.5:hash")
    return ring[0]


def migrate(host: Host, sk: Sock, hash_: int, cpu: int = 0) -> Sock | None:
    """reuseport_migrate_sock(): the member that takes over a connection of a listener that was closed."""
    if not host.policy.migration:
        return None
    host.called("reuseport_migrate_sock")
    group = sk.reuseport_cb
    if group is None:
        return None
    if not group.socks or not (group.prog_migrates or host.sysctl["tcp_migrate_req"]):
        host.fire("R6.14:failure")
        host.count("TCPMigrateReqFailure")
        return None
    host.fire("R6.14")
    if group.prog_migrates and group.prog is not None and 0 <= group.prog < len(group.socks):
        return group.socks[group.prog]
    return _by_hash(host, group, hash_, cpu)


def stop_listening(host: Host, sk: Sock) -> None:
    """reuseport_stop_listen_sock(): a closed listener leaves its group, or is kept aside for migration."""
    group = sk.reuseport_cb
    if group is None:
        return
    host.called("reuseport_stop_listen_sock")
    _detach(group, sk)
    if host.policy.migration and (host.sysctl["tcp_migrate_req"] or group.prog_migrates):
        host.fire("11.1:aside")
        group.closed.append(sk)
        return
    host.called("reuseport_detach_sock")
    sk.reuseport_cb = None
