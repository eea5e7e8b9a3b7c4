"""Closing: a listener with all that it holds, a child that nobody wanted, a connection.

Theory of operation: a listener leaves the tables first. Its accept queue is then emptied, each child reset, or handed
to another member of the group; its half-open requests are not looked for, each finds out at its next segment or at its
next firing. close() of a connection sends FIN, or RST where data was left unread.
"""

from __future__ import annotations

from kread.model import accept, fastopenq, reuseport, timewait
from kread.model.events import Close, Flag, IllegalEvent, Segment, Shutdown
from kread.model.host import Host
from kread.model.listen import held
from kread.model.rules import guard, rule
from kread.model.socks import Request, Sock, State, add

RULES = (
    rule("11.1", "__tcp_close", "close() of a listener: out of the tables, then its accept queue is emptied",
         guard("__tcp_close", "sk->sk_state == TCP_LISTEN")),
    rule("11.1:shutdown", "inet_shutdown", "shutdown() for reading does the same, and the socket can listen again",
         guard("inet_shutdown", "!(how & RCV_SHUTDOWN)")),
    rule("11.2", "inet_csk_listen_stop", "a child that nobody accepted is forgotten: its peer gets a RST",
         guard("inet_csk_listen_stop", "(req = reqsk_queue_remove(queue, sk)) != NULL")),
    rule("11.2:migrated", "inet_csk_listen_stop", "or it is queued at another member of the group",
         guard("inet_csk_listen_stop", "if (nsk)"), migration=True),
    rule("11.2:silent", "tcp_disconnect", "no RST for one whose connection has ended already",
         guard("tcp_disconnect", "tcp_need_reset(old_state)"),
         guard("tcp_need_reset", "(1 << state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT | TCPF_FIN_WAIT1 | "
               "TCPF_FIN_WAIT2 | TCPF_SYN_RECV)"),
         guard("tcp_send_active_reset", "TCP_MIB_OUTRSTS")),
    rule("11.3", "inet_csk_listen_stop", "half-open requests stay hashed until their next segment or firing"),
    rule("11.4", "inet_csk_listen_stop", "the list of Fast Open children that died of a RST is freed",
         guard("inet_csk_listen_stop", "queue->fastopenq.rskq_rst_head")),
    rule("11.5", "__tcp_close", "close() of a connection with unread data: RST",
         guard("__tcp_close", "data_was_unread"), guard("__tcp_close", "LINUX_MIB_TCPABORTONCLOSE"),
         guard("tcp_set_state", "oldstate == TCP_CLOSE_WAIT || oldstate == TCP_ESTABLISHED"),
         guard("tcp_set_state", "TCP_MIB_ESTABRESETS")),
    rule("11.6", "__tcp_close", "close() of a connection: FIN", guard("__tcp_close", "tcp_close_state(sk)")),
    rule("11.7", "tcp_shutdown", "shutdown() of a connection for writing: FIN, and the socket stays",
         guard("tcp_shutdown", "!(how & SEND_SHUTDOWN)"),
         guard("tcp_shutdown", "(1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_SYN_SENT | TCPF_CLOSE_WAIT)"),
         guard("tcp_shutdown", "if (tcp_close_state(sk))")),
    rule("11.7:later", "tcp_rcv_state_process", "of one whose handshake is not done: FIN once it is",
         guard("tcp_rcv_state_process", "if (sk->sk_shutdown & SEND_SHUTDOWN)")),
    rule("11.7:over", "inet_shutdown", "of one that is over: -ENOTCONN", guard("inet_shutdown", "err = -ENOTCONN")),
)  # fmt: skip

#: tcp_need_reset(): the states in which an abort tells the peer.
NEED_RESET = frozenset({State.ESTABLISHED, State.CLOSE_WAIT, State.FIN_WAIT1, State.FIN_WAIT2, State.SYN_RECV})

#: tcp_close_state(): where close() moves a connection; a FIN is sent on the way.
CLOSING = {
    State.SYN_RECV: State.FIN_WAIT1,
    State.ESTABLISHED: State.FIN_WAIT1,
    State.CLOSE_WAIT: State.LAST_ACK,
}


def close(host: Host, event: Close) -> None:
    """close() of a socket's last descriptor."""
    sk = held(host, event.sock)
    if any(waiter.listener is sk for waiter in host.waiters):
        raise IllegalEvent(f"a task sleeps in accept() on {sk.name}: its file cannot go")
    del host.socks[event.sock]
    if host.sk_lookup is sk:
        host.sk_lookup = None
    sk.orphan = True
    host.called("inet_release", "tcp_close", "__tcp_close")
    if sk.state is State.LISTEN:
        host.fire("11.1")
        _stop(host, sk)
    elif sk.unread and sk.state is not State.CLOSE:
        host.fire("11.5")
        host.count("TCPAbortOnClose")
        set_state(host, sk, State.CLOSE)
        _send_active_reset(host, sk)
        if sk.fastopen_rsk is not None:
            fastopenq.remove(host, sk, sk.fastopen_rsk, reset=False)
    elif sk.state in CLOSING:
        host.fire("11.6")
        _send_fin(host, sk)
    elif sk.state is State.FIN_WAIT2:
        timewait.enter(host, sk, State.FIN_WAIT2)
    host.returned("close", "0")


def _send_fin(host: Host, sk: Sock) -> None:
    """tcp_close_state() and tcp_send_fin(): nothing more will be said."""
    host.called("tcp_close_state")
    set_state(host, sk, CLOSING[sk.state])
    host.called("tcp_send_fin")
    assert sk.key is not None
    host.send(Segment(sk.key, Flag.FIN | Flag.ACK, sk.snd_nxt, sk.rcv_nxt))
    sk.snd_nxt = add(sk.snd_nxt, 1)


def shutdown(host: Host, event: Shutdown) -> None:
    """shutdown() of a listener or of a connection."""
    sk = held(host, event.sock)
    host.called("inet_shutdown")
    if sk.state is State.CLOSE:
        host.fire("11.7:over")
        return host.returned("shutdown", "-ENOTCONN")
    if sk.state is not State.LISTEN:
        sk.shut_rd |= event.how != "WR"
        sk.shut_wr |= event.how != "RD"
        host.called("tcp_shutdown")
        if event.how != "RD" and sk.state is not State.SYN_RECV:
            shutdown_sent(host, sk)
    elif event.how != "WR":
        host.fire("11.1:shutdown")
        host.called("tcp_disconnect")
        _stop(host, sk)
        sk.synq_overflow_ts = None
        accept.listener_closed(host, sk)
    host.returned("shutdown", "0")


def shutdown_sent(host: Host, sk: Sock) -> None:
    """tcp_shutdown() for writing: a FIN, unless one was sent."""
    if sk.state in CLOSING:
        host.fire("11.7")
        _send_fin(host, sk)


def _stop(host: Host, sk: Sock) -> None:
    """tcp_set_state(CLOSE) and inet_csk_listen_stop(): out of the tables, then the accept queue."""
    host.called("tcp_set_state", "inet_unhash")
    sk.state = State.CLOSE
    reuseport.stop_listening(host, sk)
    host.lhash2[sk.rcv_saddr, sk.num].remove(sk)
    host.called("inet_csk_listen_stop")
    while sk.accept_queue:
        host.called("reqsk_queue_remove")
        req = sk.accept_queue.pop(0)
        sk.ack_backlog -= 1
        _forget_or_migrate(host, sk, req)
    if sk.fastopen_rst:
        host.fire("11.4")
        sk.fastopen_rst = []
    if host.requests(sk):
        host.fire("11.3")


def _forget_or_migrate(host: Host, sk: Sock, req: Request) -> None:
    sock = req.sk
    assert sock is not None
    heir = reuseport.migrate(host, sk, req.hash)
    if heir is None:
        host.fire("11.2")
        return child_forget(host, sock)
    host.fire("11.2:migrated")
    host.called("inet_reqsk_clone", "inet_csk_reqsk_queue_add")
    host.count("TCPMigrateReqSuccess")
    if req.tfo_listener:
        heir.fastopen_qlen += 1
    req.listener = sock.parent = heir
    heir.accept_queue.append(req)
    heir.ack_backlog += 1
    accept.data_ready(host, heir)


def child_forget(host: Host, sock: Sock) -> None:
    """inet_child_forget(): disconnect a child that nobody will accept."""
    host.called("inet_child_forget", "tcp_disconnect")
    needed = sock.state in NEED_RESET
    if sock.state is not State.CLOSE:
        set_state(host, sock, State.CLOSE)
    if needed:
        _send_active_reset(host, sock)
    else:
        host.fire("11.2:silent")
    sock.deadline = None
    if sock.fastopen_rsk is not None:
        fastopenq.remove(host, sock, sock.fastopen_rsk, reset=False)
    host.called("inet_csk_destroy_sock")


def _send_active_reset(host: Host, sock: Sock) -> None:
    assert sock.key is not None
    host.called("tcp_send_active_reset")
    host.count("OutRsts")
    host.send(Segment(sock.key, Flag.RST | Flag.ACK, sock.snd_nxt, sock.rcv_nxt))


def set_state(host: Host, sock: Sock, state: State) -> None:
    """tcp_set_state(): CLOSE takes the sock out of ehash, and from ESTABLISHED or CLOSE_WAIT counts EstabResets."""
    host.called("tcp_set_state")
    host.touch(sock)
    if state is State.CLOSE:
        if sock.state in (State.ESTABLISHED, State.CLOSE_WAIT):
            host.count("EstabResets")
        host.unlink(sock)
        # A child never bound its port itself, and so gives it back.
        sock.num = 0
    sock.state = state


def done(host: Host, sock: Sock) -> None:
    """tcp_done(): the connection is over; in SYN_RECV it never was one, AttemptFails."""
    host.called("tcp_done")
    if sock.state is State.SYN_RECV:
        host.count("AttemptFails")
    set_state(host, sock, State.CLOSE)
    sock.deadline = None
    if sock.fastopen_rsk is not None:
        fastopenq.remove(host, sock, sock.fastopen_rsk, reset=False)


def reset(host: Host, sock: Sock) -> None:
    """tcp_reset(): the peer ended the connection."""
    host.called("tcp_reset", "tcp_done_with_error")
    done(host, sock)
