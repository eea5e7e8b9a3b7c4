"""socket() and setsockopt(): what a listener is told before and while it listens.

Theory of operation: an option sets one field of the sock. Two of them are counted differently from what is written: a
TCP_DEFER_ACCEPT in seconds becomes a number of timeouts, a TCP_FASTOPEN length is clamped as a backlog is. BPF
programs are options too: their answer is set, not their code.
"""

from __future__ import annotations

from kread.model import listen
from kread.model.events import IllegalEvent, Open, SetOption
from kread.model.host import Host
from kread.model.socks import OPTIONS, SECOND, TCP_RTO_MAX, Group, Sock, State, secs_to_retrans

#: The one option whose value is a name; "none" unbinds.
TEXT = "SO_BINDTODEVICE"

#: The values that an option takes: any other is -EINVAL.
RANGES = {"TCP_SYNCNT": (1, 127), "TCP_FASTOPEN": (0, 2**31 - 1), "TCP_RTO_MAX_MS": (SECOND, TCP_RTO_MAX)}


def open_socket(host: Host, event: Open) -> None:
    """socket(): a new one in CLOSE."""
    if event.sock in host.socks:
        raise IllegalEvent(f"a socket is called {event.sock} already")
    host.socks[event.sock] = Sock(
        event.sock,
        uid=event.uid,
        stream=event.stream,
        connected=event.connected,
        rto_max=host.sysctl["tcp_rto_max_ms"],
    )


def set_option(host: Host, event: SetOption) -> None:
    """setsockopt(), or what a BPF program attached to the socket answers."""
    sk, option, value = listen.held(host, event.sock), event.option, event.value
    if option not in OPTIONS:
        raise IllegalEvent(f"no option {option}; there are: {', '.join(sorted(OPTIONS))}")
    if isinstance(value, str) is not (option == TEXT):
        raise IllegalEvent(f"{option} does not take {value!r}")
    host.called("__sys_setsockopt")
    if isinstance(value, str):
        sk.bound_dev_if = "" if value == "none" else value
        return host.returned("setsockopt", "0")
    if option == "TCP_RTO_MAX_MS" and not host.policy.timeout_capped_by_listener:
        return host.returned("setsockopt", "-ENOPROTOOPT")
    if option in RANGES and not RANGES[option][0] <= value <= RANGES[option][1]:
        return host.returned("setsockopt", "-EINVAL")
    if option == "TCP_FASTOPEN":
        if sk.state not in (State.CLOSE, State.LISTEN):
            return host.returned("setsockopt", "-EINVAL")
        listen.fastopen_queue_tune(host, sk, value)
    elif option == "SK_LOOKUP":
        host.sk_lookup = sk if value else None
    elif option in ("SO_ATTACH_REUSEPORT", "SO_ATTACH_REUSEPORT_MIGRATE"):
        _attach(sk, value, migrates=option == "SO_ATTACH_REUSEPORT_MIGRATE")
    else:
        _set(sk, option, value)
    host.returned("setsockopt", "0")


def _attach(sk: Sock, index: int, *, migrates: bool) -> None:
    if not sk.reuseport:
        raise IllegalEvent(f"{sk.name} has no SO_REUSEPORT")
    if sk.reuseport_cb is None:
        sk.reuseport_cb = Group()
    sk.reuseport_cb.prog, sk.reuseport_cb.prog_migrates = index, migrates


def _set(sk: Sock, option: str, value: int) -> None:
    if option == "SO_REUSEPORT" and sk.state is not State.CLOSE:
        raise IllegalEvent(f"{sk.name} listens: its group cannot change")
    if option == "TCP_DEFER_ACCEPT":
        value = secs_to_retrans(value)
    field = OPTIONS[option]
    setattr(sk, field, type(getattr(sk, field))(value))
