"""accept(): the head of the accept queue, or sleep until there is one.

Theory of operation: children leave in the order in which they were queued. With nothing queued a caller that may not
sleep gets -EAGAIN; others sleep one behind the other, and one event wakes one of them. What comes out may have been
reset or half closed while it waited, and a Fast Open child may not have finished its handshake: then the request stays
behind, without its child, until the handshake ends.
"""

from __future__ import annotations

from kread.model.events import Accept, IllegalEvent, Signal
from kread.model.host import Host, Waiter
from kread.model.listen import held
from kread.model.rules import guard, rule
from kread.model.socks import Sock, State

RULES = (
    rule("10.1", "inet_csk_accept", "a socket that does not listen: -EINVAL",
         guard("inet_csk_accept", "sk->sk_state != TCP_LISTEN")),
    rule("10.1:empty", "inet_csk_accept", "nothing queued and no wish to wait: -EAGAIN",
         guard("inet_csk_accept", "reqsk_queue_empty(queue)"), guard("inet_csk_accept", "!timeo")),
    rule("10.1:sleep", "inet_csk_wait_for_connect", "otherwise the caller sleeps, and one event wakes one caller",
         guard("inet_csk_wait_for_connect", "!reqsk_queue_empty(&icsk->icsk_accept_queue)")),
    rule("10.1:closed", "inet_csk_wait_for_connect", "the listener was shut down: -EINVAL",
         guard("inet_csk_wait_for_connect", "sk->sk_state != TCP_LISTEN")),
    rule("10.1:signal", "inet_csk_wait_for_connect", "a signal: -EINTR, or -ERESTARTSYS without a timeout",
         guard("inet_csk_wait_for_connect", "signal_pending(current)")),
    rule("10.1:timeout", "inet_csk_wait_for_connect", "SO_RCVTIMEO is over: -EAGAIN",
         guard("inet_csk_wait_for_connect", "if (!timeo)")),
    rule("10.2", "inet_csk_accept", "the head of the accept queue leaves, whatever its state is by now",
         guard("inet_csk_accept", "req = reqsk_queue_remove(queue, sk)"),
         guard("reqsk_queue_remove", "req = queue->rskq_accept_head"),
         guard("reqsk_queue_remove", "sk_acceptq_removed(parent)"),
         guard("sk_acceptq_removed", "WRITE_ONCE(sk->sk_ack_backlog, sk->sk_ack_backlog - 1)")),
    rule("9.6", "inet_csk_accept", "a Fast Open child leaves before its handshake is done: its request stays",
         guard("inet_csk_accept", "tcp_rsk(req)->tfo_listener")),
)  # fmt: skip


def accept(host: Host, event: Accept) -> None:
    """accept() by a task."""
    sk = held(host, event.sock)
    if any(waiter.task == event.task for waiter in host.waiters):
        raise IllegalEvent(f"task {event.task} sleeps in accept() already")
    if event.name in host.socks:
        raise IllegalEvent(f"a socket is called {event.name} already")
    host.called("__sys_accept4", "do_accept", "inet_accept", "inet_csk_accept")
    if sk.state is not State.LISTEN:
        host.fire("10.1")
        return host.returned("accept", "-EINVAL", event.task)
    if sk.accept_queue:
        return _pop(host, sk, event.task, event.name)
    if event.nonblock or event.timeout == 0:
        host.fire("10.1:empty")
        return host.returned("accept", "-EAGAIN", event.task)
    host.fire("10.1:sleep")
    host.called("inet_csk_wait_for_connect", "prepare_to_wait_exclusive", "schedule_timeout")
    deadline = None if event.timeout is None else host.now + event.timeout
    host.waiters.append(Waiter(event.task, sk, deadline, event.name))
    host.returned("accept", "sleeps", event.task)


def _pop(host: Host, sk: Sock, task: str, name: str) -> None:
    host.fire("10.2")
    host.called("reqsk_queue_remove", "sk_acceptq_removed")
    req = sk.accept_queue.pop(0)
    sk.ack_backlog -= 1
    sock = req.sk
    assert sock is not None
    if req.tfo_listener:
        host.fire("9.6")
        req.sk = None
    else:
        host.called("reqsk_put")
    host.called("__inet_accept", "sock_graft")
    sock.name = _name(host, name or sock.name)
    sock.accepted = sock.connected = True
    host.socks[sock.name] = sock
    host.returned("accept", sock.name, task, sock.state.value)


def _name(host: Host, name: str) -> str:
    """A name that no socket has: the wanted one, or the wanted one with strokes."""
    while name in host.socks:
        name += "'"
    return name


def data_ready(host: Host, sk: Sock) -> None:
    """sk_data_ready(): wake the first of the tasks that sleep in accept() on a listener, and let it finish."""
    host.called("sock_def_readable")
    for waiter in host.waiters:
        if waiter.listener is sk:
            host.waiters.remove(waiter)
            host.called("finish_wait")
            return _pop(host, sk, waiter.task, waiter.name)


def listener_closed(host: Host, sk: Sock) -> None:
    """Every task that sleeps on a listener that was shut down wakes up."""
    for waiter in [each for each in host.waiters if each.listener is sk]:
        host.fire("10.1:closed")
        _wake(host, waiter, "-EINVAL")


def signal(host: Host, event: Signal) -> None:
    """A signal ends a task's sleep; it is -ERESTARTSYS for one that would sleep for ever."""
    found = [each for each in host.waiters if each.task == event.task]
    if not found:
        raise IllegalEvent(f"task {event.task} does not sleep in accept()")
    host.fire("10.1:signal")
    _wake(host, found[0], "-ERESTARTSYS" if found[0].deadline is None else "-EINTR")


def timed_out(host: Host, waiter: Waiter) -> None:
    """A task's SO_RCVTIMEO is over."""
    host.fire("10.1:timeout")
    _wake(host, waiter, "-EAGAIN")


def _wake(host: Host, waiter: Waiter, value: str) -> None:
    host.waiters.remove(waiter)
    host.called("finish_wait")
    host.returned("accept", value, waiter.task)
