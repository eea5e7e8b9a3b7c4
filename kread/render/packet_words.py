"""The words of a packetdrill script: its head, its end, and a segment as packetdrill writes one.

Theory of operation: a script sets the sysctls that machines have otherwise, says for whom it is, and ends with the
counters as they must be. In a network namespace of its own those start at zero. The numbers of segments are relative.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kread.model.events import Flag, Key, Segment
from kread.model.host import SYSCTLS
from kread.model.policy import Policy
from kread.model.record import Happened
from kread.model.script import Script
from kread.model.socks import SECOND
from kread.render.packet_clock import TOLERANCE

#: The address of the machine under test, in the network that packetdrill takes for it, and the port that it binds.
ADDRESS, PORT = "192.168.0.1", 8080
#: The counters of the group Tcp; all others are of the group TcpExt.
TCP_COUNTERS = frozenset(
    {"AttemptFails", "EstabResets", "InErrs", "InCsumErrors", "OutRsts", "PassiveOpens", "RetransSegs"}
)
#: The sysctls that every script sets, for machines have them otherwise, by their size or by their distribution.
FIXED = ("somaxconn", "tcp_max_syn_backlog", "tcp_syncookies", "tcp_synack_retries", "tcp_abort_on_overflow")
WRITTEN = (("S", Flag.SYN), ("F", Flag.FIN), ("R", Flag.RST), ("P", Flag.PSH), (".", Flag.ACK))

ERRORS = {
    "-EAGAIN": "EAGAIN (Resource temporarily unavailable)",
    "-EINVAL": "EINVAL (Invalid argument)",
    "-EADDRINUSE": "EADDRINUSE (Address already in use)",
}
OPTIONS = {
    "TCP_DEFER_ACCEPT": "SOL_TCP",
    "TCP_SYNCNT": "SOL_TCP",
    "SO_REUSEADDR": "SOL_SOCKET",
    "SO_REUSEPORT": "SOL_SOCKET",
}


def head(scenario: Script, policy: Policy) -> Iterator[str]:
    """What stands above the events."""
    yield f"// {scenario.name}"
    if scenario.gloss:
        yield f"// {scenario.gloss}"
    yield f"// As Linux {policy.name} reads. Run it in a network namespace of its own: unshare -n packetdrill FILE"
    yield "--ip_version=ipv4"
    yield f"--local_ip={ADDRESS}"
    yield f"--bind_port={PORT}"
    yield f"--tolerance_usecs={TOLERANCE * 1000}"
    yield ""
    # A client on the same machine goes by the loopback device, which is down in a new namespace.
    yield f"`ip link set lo up && {sysctl({name: SYSCTLS[name] for name in FIXED}, policy)}`"
    yield ""


def sysctl(values: Mapping[str, int], policy: Policy) -> str:
    """The command that sets sysctls, of those that the release has."""
    words = [
        f"net.{'core' if name == 'somaxconn' else 'ipv4'}.{name}={value}"
        for name, value in values.items()
        if name != "tcp_rto_max_ms" or policy.timeout_capped_by_listener
    ]
    return " ".join(["sysctl -q -w", *words])


def end(rest: int, counters: Mapping[str, int], reason: str) -> Iterator[str]:
    """What stands below them: `rest` ms later the counters, and why the scenario goes on, if it does."""
    yield f"+{rest / SECOND:g} `true` // whatever was to be sent has been sent by now"
    if reason:
        yield f"// Here the scenario goes on with what packetdrill cannot be told: {reason}."
    for name, n in sorted(counters.items()):
        full = ("Tcp" if name in TCP_COUNTERS else "TcpExt") + name
        yield f"   +0 `test $(nstat -asz {full} | awk 'END {{print $2}}') -eq {n}`"


def is_last_ack(segment: Segment, key: Key, happened: Happened) -> bool:
    """Whether a segment is the bare ACK of a connection, and answered by nothing."""
    bare = segment.flags == Flag.ACK and not segment.length
    return bare and segment.key == key and not happened.outcomes[-1].segments


def told(segment: Segment, seq: int, ack: int) -> str:
    """A segment in packetdrill's words, with numbers relative to the first ones."""
    flags = "".join(letter for letter, flag in WRITTEN if flag & segment.flags) or "-"
    start = seq & 0xFFFFFFFF
    text = f"{flags} {start}:{start + segment.length}({segment.length})"
    return text + (f" ack {ack & 0xFFFFFFFF}" if segment.flags & Flag.ACK else "")


def offer(segment: Segment) -> str:
    """The window of a segment that comes in, which packetdrill wants to be told, and a SYN's options."""
    return " win 65535" + (" <mss 1460>" if segment.flags & Flag.SYN else "")


def returned(happened: Happened, call: str) -> str:
    """What a call returned, as the model writes it."""
    return next((each.value for outcome in happened.outcomes for each in outcome.results if each.call == call), "0")
