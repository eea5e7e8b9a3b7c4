"""What holds after any sequence of events, whatever the policy; and a refused event changes nothing."""

from __future__ import annotations

import pickle
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kread.data import load
from kread.model.host import Host
from kread.model.play import Player, Run
from kread.model.policy import policies
from kread.model.script import Script, parse
from kread.model.socks import Request, Sock, State

POLICIES = sorted(policies(load("policies")).items())
PEER = st.sampled_from(["a", "b", "c", "d"])
NAME = st.sampled_from(["L", "M", "N"])
ADDRESS = st.sampled_from(["10.0.0.1:80", "0.0.0.0:80", "10.0.0.1:81"])
FLAGS = st.sampled_from(["SYN", "ACK", "RST", "FIN|ACK", "PSH|ACK", "SYN|ACK", "PSH", "RST|ACK", "SYN|FIN"])
SEQ = st.sampled_from(["", "", "", " seq=nxt+50", " seq=irs", " seq=nxt+70000", " seq=irs+100", " ack=wrong"])
MARKS = (
    "data=3,ts=5,ts=900,raced,dev=eth1,hash=0xf0000000,badsum,broadcast,closing=L,assigned=M,to=10.0.0.1:81,bpf_cookie"
)
EXTRA = st.one_of(
    st.just(""),
    st.sampled_from([f" {mark}" for mark in MARKS.split(",")]),
    st.sampled_from([" fastopen=valid data=4", " fastopen=valid", " fastopen=request"]),
)
OPTION = st.sampled_from(["", " reuseport", " reuseport", " dev=eth0", " fastopen=1", " D=2", " syncnt=1", " cpu=0"])

SEGMENT = st.builds(lambda flags, peer, seq, extra: f"{flags} from={peer}{seq}{extra}", FLAGS, PEER, SEQ, EXTRA)
LISTEN = st.builds(
    lambda n, name, addr, one, two: f"listen({n}) as {name} on {addr}{one}{two}",
    st.integers(-1, 3),
    NAME,
    ADDRESS,
    OPTION,
    OPTION,
)
OTHER = st.one_of(
    st.builds(lambda name, how: f"{how}({name})", NAME, st.sampled_from(["close", "shutdown"])),
    st.builds(
        lambda name, how: f"accept({name}){how}", NAME, st.sampled_from([" nonblock", " timeout=2 by=t", " by=u"])
    ),
    st.builds(lambda seconds: f"wait {seconds}s", st.sampled_from([0, 0.4, 1, 2, 7, 60, 130])),
    st.sampled_from(["syncookies=0", "syncookies=1", "syncookies=2", "abort_on_overflow=1", "migrate_req=1"]),
    st.sampled_from(["max_syn_backlog=4", "fastopen=3", "fastopen=0x602", "synack_retries=1", "migrate_req=0"]),
    st.sampled_from(["fail send_synack", "mend send_synack", "fail clone", "mend clone", "signal(t)", "somaxconn=2"]),
    st.builds(lambda peer: f"icmp from={peer}", PEER),
    st.builds(
        lambda call, peer, how: f"{call}({peer}{how})",
        st.sampled_from(["close", "shutdown"]),
        st.sampled_from(["10.1.0.1:40000", "10.1.0.2:40000"]),
        st.sampled_from(["", ", WR", ", RDWR"]),
    ),
)
EVENTS = st.lists(st.one_of(SEGMENT, SEGMENT, SEGMENT, LISTEN, OTHER), max_size=60)


def _state(host: Host) -> bytes:
    return pickle.dumps({name: value for name, value in vars(host).items() if not name.startswith("_")})


def _listeners(host: Host) -> list[Sock]:
    found = {id(sk): sk for sk in host.socks.values() if sk.key is None}
    found |= {id(each.listener): each.listener for each in host.entries() if isinstance(each, Request)}
    return list(found.values())


def _check(host: Host, *, slipped: bool) -> None:
    entries = host.entries()
    assert len({id(each) for each in entries}) == len(entries), "an entry stands twice in ehash"
    for key, chain in host.ehash.items():
        assert chain, "an empty chain is left"
        if host.policy.duplicate_refused:
            devices = [entry.bound_dev_if for entry in chain]
            assert len(set(devices)) == len(devices), "two entries of one connection"
        for entry in chain:
            assert entry.key == key, "an entry stands under another key"
            assert not (isinstance(entry, Sock) and entry.state in (State.CLOSE, State.LISTEN))
            assert entry.deadline is None or entry.deadline > host.now, "a timer is overdue"
    _check_listeners(host, slipped)
    _check_counters(host.counters)


def _check_listeners(host: Host, slipped: bool) -> None:
    """`slipped`: the kernel has counted a migrating request off at the wrong listener, and goes on with that."""
    chained = [sk for chain in host.lhash2.values() for sk in chain]
    listening = [sk for sk in host.socks.values() if sk.state is State.LISTEN]
    assert sorted(map(id, chained)) == sorted(map(id, listening)), "lhash2 and the listeners differ"
    queued = [req.sk for sk in listening for req in sk.accept_queue]
    assert None not in queued, "a request without a child is queued"
    assert len({id(sock) for sock in queued}) == len(queued), "a child is queued twice"
    assert not [sock for sock in queued if sock is not None and sock.accepted], "an accepted child is queued"
    for sk in _listeners(host):
        held = host.requests(sk)
        if not slipped:
            assert sk.qlen == len(held), f"Q={sk.qlen} but {len(held)} requests of {sk.name}"
            assert sk.young == sum(1 for each in held if each.num_timeout == 0), "young ones are miscounted"
        assert sk.ack_backlog == len(sk.accept_queue), "A is miscounted"
        assert sk.state is State.LISTEN or not sk.accept_queue, "a closed listener holds children"
    for sk in listening:
        unfinished = [each for each in host.entries() if isinstance(each, Sock) and each.fastopen_rsk is not None]
        mine = [each for each in unfinished if each.fastopen_rsk is not None and each.fastopen_rsk.listener is sk]
        assert sk.fastopen_qlen == len(mine) + len(sk.fastopen_rst), "the Fast Open queue is miscounted"
        group = sk.reuseport_cb
        assert group is None or [each is sk for each in group.socks].count(True) == 1, "not in its group once"


def _check_counters(counters: Counter[str]) -> None:
    assert counters["ListenOverflows"] <= counters["ListenDrops"]
    assert counters["TCPReqQFullDrop"] <= counters["ListenDrops"]
    assert counters["SyncookiesSent"] <= counters["TCPReqQFullDoCookies"]
    assert counters["RetransSegs"] == counters["TCPSynRetrans"] <= counters["TCPTimeouts"] + 1000
    assert counters["SyncookiesRecv"] <= counters["PassiveOpens"] + counters["ListenDrops"]
    assert counters["TCPFastOpenPassive"] <= counters["PassiveOpens"]
    assert counters["EmbryonicRsts"] <= counters["AttemptFails"] + counters["OutRsts"]
    assert min(counters.values(), default=0) >= 0


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EVENTS, st.sampled_from(POLICIES))
def test_the_invariants_hold_after_any_events(lines: list[str], policy: tuple[str, object]) -> None:
    followed = policies(load("policies"))[policy[0]]
    host = Host(followed)
    player = Player(Run(Script("any", "", ()), followed), host)
    slipped = False
    for statement in parse("\n".join(["listen(2) as L", *lines])).statements:
        before = _state(host)
        counted = host.counters.copy()
        player.play(statement)
        if player.step.refused and len(player.step.outcomes) == 0:
            assert _state(host) == before, f"{statement.text} was refused and changed something"
        player.step.refused = ""
        assert all(host.counters[name] >= n for name, n in counted.items()), "a counter fell"
        slipped = slipped or any("R6.14:slip" in outcome.rules for outcome in player.step.outcomes)
        _check(host, slipped=slipped)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.sampled_from(POLICIES))
def test_the_same_events_give_the_same_story(lines: list[str], policy: tuple[str, object]) -> None:
    followed = policies(load("policies"))[policy[0]]
    script = parse("\n".join(["listen(2) as L", *lines]))
    told = []
    for _ in range(2):
        run = Run(script, followed)
        player = Player(run, Host(followed))
        for statement in script.statements:
            player.play(statement)
            player.step.refused = ""
        told.append(run.outcomes)
    assert told[0] == told[1]
