"""bind() and listen(): how a socket comes to be found by a SYN.

Theory of operation: the system call clamps the backlog, once and for this call only. A socket that listens already
gets a new backlog and keeps its queues. Another one goes CLOSE -> LISTEN *before* its port is validated, which does no
harm because nobody finds it before it is hashed, and back to CLOSE if that fails. Listeners hang in chains by local
address and port, the newest first; those with SO_REUSEPORT also belong to a group.
"""

from __future__ import annotations

from kread.model.events import Bind, IllegalEvent, Listen
from kread.model.host import Host
from kread.model.rules import guard, rule
from kread.model.socks import INADDR_ANY, MASK, Group, Request, Sock, State, TimeWait

_DEVICES = ("!sk->sk_bound_dev_if || !bound_dev_if2 || sk->sk_bound_dev_if == bound_dev_if2",)
_REUSE = (
    "sk->sk_reuse && sk2->sk_reuse && sk2->sk_state != TCP_LISTEN",
    "reuse && sk2->sk_reuse && sk2->sk_state != TCP_LISTEN",
)
#: What two socks with one port may share it for; where it stands differs, and whether a field is read or a copy of it.
_SHARED = (
    "if (!reuseport_ok || !sk->sk_reuseport || !sk2->sk_reuseport",
    "if (!reuseport_ok || !reuseport || !sk2->sk_reuseport",
)

RULES = (
    rule(
        "1.1",
        "__sys_listen",
        "a backlog beyond somaxconn, as an unsigned number, becomes somaxconn: so does a negative one",
        guard("__sys_listen", "(unsigned int)backlog > somaxconn", without="__sys_listen_socket"),
        guard("__sys_listen_socket", "(unsigned int)backlog > somaxconn"),
        guard("SOMAXCONN", "4096"),
    ),
    rule(
        "1.1:kernel",
        "kernel_listen",
        "a listener of the kernel's own is not clamped",
        guard("kernel_listen", "sock->ops->listen(sock, backlog)"),
    ),
    rule(
        "1.2",
        "inet_listen",
        "listen() on a listener changes the backlog and nothing else",
        guard("inet_listen", "old_state != TCP_LISTEN", without="__inet_listen_sk"),
        guard("__inet_listen_sk", "old_state != TCP_LISTEN"),
    ),
    rule(
        "1.2:invalid",
        "inet_listen",
        "only an unconnected stream socket in CLOSE or LISTEN can listen: -EINVAL",
        guard("inet_listen", "sock->state != SS_UNCONNECTED || sock->type != SOCK_STREAM"),
        guard("inet_listen", "!((1 << old_state) & (TCPF_CLOSE | TCPF_LISTEN))", without="__inet_listen_sk"),
        guard("__inet_listen_sk", "!((1 << old_state) & (TCPF_CLOSE | TCPF_LISTEN))"),
    ),
    rule(
        "1.3",
        "fastopen_queue_tune",
        "tcp_fastopen with 0x402 gives a listener without a Fast Open queue one of the backlog's length",
        guard("fastopen_queue_tune", "min_t(unsigned int, backlog, somaxconn)"),
        guard("inet_listen", "!inet_csk(sk)->icsk_accept_queue.fastopenq.max_qlen", without="__inet_listen_sk"),
        guard("__inet_listen_sk", "!inet_csk(sk)->icsk_accept_queue.fastopenq.max_qlen"),
    ),
    rule(
        "1.4",
        "inet_csk_listen_start",
        "the accept queue is emptied, the state is LISTEN, then the port is validated and the sock hashed",
        guard("inet_csk_listen_start", "reqsk_queue_alloc(&icsk->icsk_accept_queue)"),
        guard("inet_csk_listen_start", "sk->sk_ack_backlog = 0"),
        guard("inet_csk_listen_start", "inet_sk_state_store(sk, TCP_LISTEN)"),
        guard("inet_csk_listen_start", "!sk->sk_prot->get_port(sk, inet->inet_num)", listen_keeps_error=False),
        guard("inet_csk_listen_start", "err = sk->sk_prot->get_port(sk, inet->inet_num)", listen_keeps_error=True),
    ),
    rule(
        "1.4:fails",
        "inet_csk_listen_start",
        "without a port or a place in the table the sock is CLOSE again",
        guard("inet_csk_listen_start", "err = sk->sk_prot->hash(sk)"),
        guard("inet_csk_listen_start", "inet_sk_set_state(sk, TCP_CLOSE)"),
    ),
    rule(
        "1.5",
        "inet_hash",
        "a listener goes to the head of its chain: the newest is examined first",
        guard("inet_hash2", "hlist_add_head_rcu(&inet_csk(sk)->icsk_listen_portaddr_node"),
        guard("__inet_hash", "__sk_nulls_add_node_rcu(sk"),
        guard("inet_hash", "__sk_nulls_add_node_rcu(sk", without="__inet_hash"),
    ),
    rule(
        "1.6",
        "inet_reuseport_add_sock",
        "a SO_REUSEPORT listener joins the group of one with its address, device, port and user",
        guard(
            "inet_reuseport_add_sock",
            "sk2->sk_reuseport && uid_eq(",
        ),
    ),
    rule(
        "1.6:alone",
        "reuseport_alloc",
        "without such a one it founds a group",
        guard("inet_reuseport_add_sock", "return reuseport_alloc(sk"),
    ),
    rule(
        "1.7",
        "inet_csk_get_port",
        "one port for two socks needs: other devices, other addresses, SO_REUSEADDR on both and the first not "
        "listening, or SO_REUSEPORT on both and one user",
        guard("inet_csk_bind_conflict", "inet_rcv_saddr_equal(sk, sk2, true)"),
        guard("inet_csk_bind_conflict", *_DEVICES, without="inet_bind_conflict"),
        guard("inet_csk_bind_conflict", *_REUSE, without="inet_bind_conflict"),
        guard("inet_csk_bind_conflict", *_SHARED, without="inet_bind_conflict"),
        guard("inet_bind_conflict", *_DEVICES),
        guard("inet_bind_conflict", *_REUSE),
        guard("inet_bind_conflict", *_SHARED),
    ),
    rule(
        "1.7:autobind",
        "inet_csk_find_open_port",
        "port 0 is replaced by a free one, odd ones first",
        guard("inet_csk_get_port", "if (!port)"),
    ),
)

#: The first odd port of ip_local_port_range's default.
FIRST_EPHEMERAL = 32769

TFO_SERVER_ENABLE = 0x2
TFO_SERVER_WO_SOCKOPT1 = 0x400


def held(host: Host, name: str) -> Sock:
    """The socket that a scenario calls so; IllegalEvent where there is none."""
    sk = host.socks.get(name)
    if sk is None:
        raise IllegalEvent(f"no socket is called {name}")
    return sk


def bind(host: Host, event: Bind) -> None:
    """bind(): give a socket its address and port."""
    sk = held(host, event.sock)
    host.called("__sys_bind", "inet_bind", "inet_csk_get_port")
    if sk.state is not State.CLOSE or sk.num:
        return host.returned("bind", "-EINVAL")
    sk.rcv_saddr, sk.num = event.addr, event.port
    if not _get_port(host, sk):
        sk.rcv_saddr, sk.num = INADDR_ANY, 0
        return host.returned("bind", "-EADDRINUSE")
    host.returned("bind", "0")


def listen(host: Host, event: Listen) -> None:
    """listen(), or kernel_listen() for a listener inside the kernel."""
    sk, backlog = held(host, event.sock), event.backlog
    if event.in_kernel:
        host.fire("1.1:kernel")
        host.called("kernel_listen")
    else:
        host.called("__sys_listen", "__sys_listen_socket")
        if backlog & MASK > host.sysctl["somaxconn"]:
            host.fire("1.1")
            backlog = host.sysctl["somaxconn"]
    host.called("inet_listen")
    host.returned("listen", _inet_listen(host, sk, backlog))


def _inet_listen(host: Host, sk: Sock, backlog: int) -> str:
    if sk.connected or not sk.stream or sk.state not in (State.CLOSE, State.LISTEN):
        host.fire("1.2:invalid")
        return "-EINVAL"
    host.called("__inet_listen_sk")
    sk.max_ack_backlog = backlog & MASK
    if sk.state is State.LISTEN:
        host.fire("1.2")
        return "0"
    fastopen = host.sysctl["tcp_fastopen"]
    if fastopen & TFO_SERVER_WO_SOCKOPT1 and fastopen & TFO_SERVER_ENABLE and not sk.fastopen_max_qlen:
        host.fire("1.3")
        fastopen_queue_tune(host, sk, backlog)
    return _listen_start(host, sk)


def fastopen_queue_tune(host: Host, sk: Sock, backlog: int) -> None:
    """fastopen_queue_tune(): the length of the Fast Open queue, clamped as the backlog is."""
    host.called("fastopen_queue_tune")
    sk.fastopen_max_qlen = min(backlog & MASK, host.sysctl["somaxconn"])


def _listen_start(host: Host, sk: Sock) -> str:
    host.fire("1.4")
    host.called("inet_csk_listen_start", "reqsk_queue_alloc")
    sk.accept_queue, sk.fastopen_rst, sk.fastopen_qlen, sk.ack_backlog = [], [], 0, 0
    sk.state = State.LISTEN
    host.called("inet_csk_get_port")
    error = ""
    if not _get_port(host, sk):
        error = "-EADDRINUSE"
    elif host.failing("get_port"):
        error = "-ENOMEM" if host.policy.listen_keeps_error else "-EADDRINUSE"
    elif host.failing("hash"):
        error = "-ENOMEM"
    if error:
        host.fire("1.4:fails")
        sk.state = State.CLOSE
        return error
    _hash(host, sk)
    return "0"


def _hash(host: Host, sk: Sock) -> None:
    host.called("inet_hash", "__inet_hash")
    chain = host.lhash2.setdefault((sk.rcv_saddr, sk.num), [])
    if sk.reuseport:
        _reuseport_add(host, sk, chain)
    host.called("inet_hash2")
    host.fire("1.5")
    chain.insert(0, sk)


def _reuseport_add(host: Host, sk: Sock, chain: list[Sock]) -> None:
    host.called("inet_reuseport_add_sock")
    group = sk.reuseport_cb
    if group is not None and sk in group.closed:
        group.closed.remove(sk)
        group = None
    for other in chain:
        if other.reuseport and other.bound_dev_if == sk.bound_dev_if and other.uid == sk.uid:
            host.fire("1.6")
            host.called("reuseport_add_sock")
            group = other.reuseport_cb
            break
    else:
        host.fire("1.6:alone")
        host.called("reuseport_alloc")
    sk.reuseport_cb = group or Group()
    sk.reuseport_cb.socks.append(sk)


def _get_port(host: Host, sk: Sock) -> bool:
    """inet_csk_get_port(): whether the sock may have its port; port 0 is replaced by a free one."""
    if not sk.num:
        host.fire("1.7:autobind")
        host.called("inet_csk_find_open_port")
        sk.num = FIRST_EPHEMERAL
        while _conflict(host, sk):
            sk.num += 2
        return True
    if _conflict(host, sk):
        host.fire("1.7")
        return False
    return True


def _conflict(host: Host, sk: Sock) -> bool:
    host.called("inet_csk_bind_conflict", "inet_bind_conflict")
    owners: list[Sock | TimeWait] = [each for each in host.socks.values() if not host.hashed(each)]
    owners += [each for each in host.entries() if not isinstance(each, Request)]
    return any(_bind_conflict(sk, each) for each in owners if each is not sk)


def _bind_conflict(sk: Sock, other: Sock | TimeWait) -> bool:
    """inet_bind_conflict(): whether two socks cannot have one port."""
    if other.num != sk.num or (other.rcv_saddr != sk.rcv_saddr and INADDR_ANY not in (other.rcv_saddr, sk.rcv_saddr)):
        return False
    if sk.bound_dev_if and other.bound_dev_if and sk.bound_dev_if != other.bound_dev_if:
        return False
    if sk.reuse and other.reuse and other.state is not State.LISTEN:
        return False
    # One that brings a group of its own, for a program was attached before, shares with nobody.
    shares = sk.reuseport and other.reuseport and (sk.reuseport_cb is None or bool(sk.reuseport_cb.closed))
    return not (shares and (sk.uid == other.uid or other.state is State.TIME_WAIT))
