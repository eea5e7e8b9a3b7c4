"""A scenario played: its statements turned into events, its expectations compared with what came out.

Theory of operation: the player keeps a Host, the peers, and the step at hand: the last happening with all the outcomes
that it had. Happenings make a new step; expectations look at the one at hand and add a failure for each thing that is
otherwise. A script that the state refuses, where no `refused` stands below, is a ScriptError of its line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kread.model import events as ev
from kread.model import expect, script
from kread.model.events import Event, Flag, IllegalEvent, Outcome
from kread.model.host import Host
from kread.model.machine import step
from kread.model.peers import Peer, Peers
from kread.model.policy import Policy
from kread.model.script import Script, ScriptError, Statement
from kread.model.socks import INADDR_ANY, SECOND

DEFAULT_ADDRESS = "10.0.0.1"
DEFAULT_PORT = 80
MANY = 1 << 20
"""A backlog and a limit that `given` cannot reach."""


@dataclass(slots=True)
class Step:
    """One line's happening and what came of it."""

    line: int
    text: str
    outcomes: list[Outcome] = field(default_factory=list)
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met."""

    line: int
    text: str
    found: str

    def __str__(self) -> str:
        return f"line {self.line}: expected {self.text}\n    found {self.found}"


@dataclass(slots=True)
class Run:
    """A scenario under one policy. `skipped` says why it does not apply, if it does not."""

    script: Script
    policy: Policy
    steps: list[Step] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    checks: int = 0
    skipped: str = ""
    peers: Peers = field(default_factory=Peers)
    host: Host | None = None

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return not self.failures

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes of all steps in order."""
        return [outcome for each in self.steps for outcome in each.outcomes]

    @property
    def rules(self) -> frozenset[str]:
        """The rules that fired."""
        return frozenset(rule for outcome in self.outcomes for rule in outcome.rules)


def play(scenario: Script, policy: Policy) -> Run:
    """Play a scenario under a policy; ScriptError where the script makes no sense."""
    run = Run(scenario, policy)
    for statement in scenario.statements:
        if statement.verb == "with":
            policy = run.policy = _with(policy, statement)
    player = _Player(run, Host(policy))
    run.host = player.host
    for statement in scenario.statements:
        if not _applies(statement, policy):
            continue
        if statement.verb == "only":
            unmet = [each for each in statement.words if not _holds(policy, each, statement)]
            if unmet:
                run.skipped = f"only {' '.join(unmet)}"
                return run
        elif statement.verb != "with":
            player.play(statement)
    player.end()
    return run


def _with(policy: Policy, statement: Statement) -> Policy:
    for word in statement.words:
        name, _, value = word.partition("=")
        try:
            old = policy.answer(name)
        except ValueError as error:
            raise ScriptError(statement.line, statement.text, str(error)) from error
        policy = replace(policy, **{name: value if isinstance(old, str) else value == "true"})  # type: ignore[arg-type]
    return policy


def _holds(policy: Policy, word: str, statement: Statement) -> bool:
    try:
        return bool(policy.answer(word.lstrip("!"))) is not word.startswith("!")
    except ValueError as error:
        raise ScriptError(statement.line, statement.text, str(error)) from error


def _applies(statement: Statement, policy: Policy) -> bool:
    return all(_holds(policy, ("" if wanted else "!") + name, statement) for name, wanted in statement.conditions)


class _Player:
    def __init__(self, run: Run, host: Host) -> None:
        self.run, self.host, self.peers = run, host, run.peers
        self.step = Step(0, "")
        self.counted: Counter[str] = Counter()
        self.walked = 0
        self.unexpected_refusal: Step | None = None

    def play(self, statement: Statement) -> None:
        if statement.verb in script.EXPECT:
            return self._expect(statement)
        self.end()
        self.step = Step(statement.line, statement.text)
        self.run.steps.append(self.step)
        try:
            _HAPPENINGS[statement.verb](self, statement)
        except IllegalEvent as error:
            self.step.refused = str(error)
        except (ValueError, IndexError) as error:
            raise ScriptError(statement.line, statement.text, str(error) or "something is missing") from error

    def end(self) -> None:
        """Close the step at hand: a refusal that nobody expected is an error of the script."""
        if self.step.refused and not self.step.refused.endswith("(expected)"):
            raise ScriptError(self.step.line, self.step.text, self.step.refused)

    def _expect(self, statement: Statement) -> None:
        self.run.checks += 1
        seen = expect.Seen(self.step.outcomes, self.host, self.peers, self.counted, self._walk)
        if statement.verb == "refused":
            found = "" if self.step.refused else "it was allowed"
            self.step.refused = self.step.refused and f"{self.step.refused} (expected)"
        else:
            try:
                found = expect.compare(statement, seen)
            except ValueError as error:
                raise ScriptError(statement.line, statement.text, str(error)) from error
        if statement.verb == "counters":
            self.counted = self.host.counters.copy()
        if statement.verb == "functions" and not found:
            self.walked = len(self.run.outcomes)
        if found:
            self.run.failures.append(Failure(statement.line, statement.text, found))

    def _walk(self) -> list[str]:
        return [name for outcome in self.run.outcomes[self.walked :] for name in outcome.functions]

    def happen(self, event: Event) -> None:
        outcomes = step(self.host, event)
        self.step.outcomes += outcomes
        for outcome in outcomes:
            for segment in outcome.segments:
                self.peers.hear(segment)

    def target(self, options: dict[str, str]) -> tuple[str, int]:
        """Where a segment goes: as the script says, or to the first listener."""
        if "to" in options:
            return _place(options["to"])
        for sk in self.host.socks.values():
            if sk.num and sk.key is None:
                return (DEFAULT_ADDRESS if sk.rcv_saddr == INADDR_ANY else sk.rcv_saddr), sk.num
        return DEFAULT_ADDRESS, DEFAULT_PORT

    def senders(self, statement: Statement) -> list[Peer]:
        """The peers that a line speaks of, in order; N fresh ones for `N x` without a name."""
        names = statement.options.get("from", "")
        if statement.counted and not names:
            to = self.target(statement.options)
            return [self.peers.fresh(to) for _ in range(statement.count)]
        if names == "all":
            return list(self.peers.by_name.values()) * statement.count
        return [self._peer(name, statement.options) for name in _names(names or "p1")] * statement.count

    def _peer(self, name: str, options: dict[str, str]) -> Peer:
        known = self.peers.by_name.get(name)
        if known is not None and "to" not in options:
            return known
        return self.peers.named(name, self.target(options))

    def arrive(self, peer: Peer, flags: Flag, statement: Statement) -> None:
        options, words = statement.options, statement.words
        segment = peer.sends(flags, options)
        self.happen(
            ev.Receive(
                segment,
                dev=options.get("dev", "eth0"),
                cpu=int(options.get("cpu", "0")),
                hash=int(options["hash"], 0) if "hash" in options else None,
                raced="raced" in words,
                checksum_ok="badsum" not in words,
                broadcast="broadcast" in words,
                local="remote" not in words,
                assigned=options.get("assigned", ""),
                bpf_cookie="bpf_cookie" in words,
                closing=options.get("closing", ""),
            )
        )


def _names(text: str) -> list[str]:
    found: list[str] = []
    for part in text.split(","):
        first, dots, last = part.partition("..")
        stem = first.rstrip("0123456789")
        if dots:
            found += [f"{stem}{n}" for n in range(int(first[len(stem) :]), int(last[len(stem) :]) + 1)]
        else:
            found.append(part)
    return found


def _place(text: str) -> tuple[str, int]:
    addr, _, port = text.partition(":")
    return addr, int(port or DEFAULT_PORT)


def _seconds(text: str) -> int:
    return round(float(text.removesuffix("s")) * SECOND)


def _segment(player: _Player, statement: Statement) -> None:
    flags = script.flags(statement.words[0])
    assert flags is not None
    for peer in player.senders(statement):
        player.arrive(peer, flags, statement)


def _handshake(player: _Player, statement: Statement) -> None:
    for peer in player.senders(statement):
        peer.answered = False
        player.arrive(peer, Flag.SYN, statement)
        if peer.answered:
            player.arrive(peer, Flag.ACK, replace(statement, options=_without(statement.options, "seq", "data")))


def _without(options: dict[str, str], *keys: str) -> dict[str, str]:
    return {key: value for key, value in options.items() if key not in keys}


_LISTEN_OPTIONS = {
    "dev": "SO_BINDTODEVICE",
    "cpu": "SO_INCOMING_CPU",
    "defer": "TCP_DEFER_ACCEPT",
    "D": "rskq_defer_accept",
    "syncnt": "TCP_SYNCNT",
    "fastopen": "TCP_FASTOPEN",
    "rcvbuf": "SO_RCVBUF",
    "rto_max": "TCP_RTO_MAX_MS",
    "prog": "SO_ATTACH_REUSEPORT",
    "migrate_prog": "SO_ATTACH_REUSEPORT_MIGRATE",
    "reuseport": "SO_REUSEPORT",
    "reuseaddr": "SO_REUSEADDR",
    "filter": "SO_ATTACH_FILTER",
    "nocookie": "TCP_FASTOPEN_NO_COOKIE",
    "sk_lookup": "SK_LOOKUP",
}


def _listen(player: _Player, statement: Statement) -> None:
    options, words = statement.options, statement.words
    backlog = int(words[0])
    name = options.get("as", words[1] if len(words) > 1 and words[1] not in script.LISTEN_WORDS else "L")
    if name not in player.host.socks:
        player.happen(ev.Open(name, int(options.get("uid", "0")), "dgram" not in words, "connected" in words))
        for key in [each for each in _LISTEN_OPTIONS if each in words]:
            player.happen(ev.SetOption(name, _LISTEN_OPTIONS[key], 1))
        for key, value in options.items():
            if key in _LISTEN_OPTIONS:
                player.happen(ev.SetOption(name, _LISTEN_OPTIONS[key], value if key == "dev" else int(value)))
        if "timeout" in options:
            player.happen(ev.SetOption(name, "TCP_TIMEOUT_INIT", _seconds(options["timeout"])))
        player.happen(ev.Bind(name, *_place(options.get("on", f"{DEFAULT_ADDRESS}:{DEFAULT_PORT}"))))
    player.happen(ev.Listen(name, backlog, "kernel" in words))


def _given(player: _Player, statement: Statement) -> None:
    """Half-open requests and queued children, made under limits that let them pass, then not counted."""
    host, options = player.host, statement.options
    name = options.get("on", "L")
    if name not in host.socks:
        raise ValueError(f"no listener is called {name}")
    backlog, before = host.socks[name].max_ack_backlog, dict(host.sysctl)
    host.sysctl.update(somaxconn=MANY, tcp_syncookies=1)
    player.happen(ev.Listen(name, MANY))
    to = player.target({"to": f"{host.socks[name].rcv_saddr}:{host.socks[name].num}"} if "on" in options else {})
    for i in range(int(options.get("A", "0"))):
        peer = player.peers.named(f"c{i + 1}", to)
        player.arrive(peer, Flag.SYN, replace(statement, options={}))
        player.arrive(peer, Flag.ACK, replace(statement, options={}))
    for i in range(int(options.get("Q", "0"))):
        player.arrive(player.peers.named(f"h{i + 1}", to), Flag.SYN, replace(statement, options={}))
    player.happen(ev.Listen(name, backlog))
    host.sysctl.update(before)
    player.counted = host.counters.copy()
    player.walked = len(player.run.outcomes)


def _accept(player: _Player, statement: Statement) -> None:
    words, options = statement.words, statement.options
    name = next((word for word in words if word != "nonblock"), "L")
    timeout = _seconds(options["timeout"]) if "timeout" in options else None
    for _ in range(statement.count):
        task = options.get("by", "main")
        player.happen(ev.Accept(name, "nonblock" in words, timeout, task, options.get("as", "")))


def _setsockopt(player: _Player, statement: Statement) -> None:
    name, option, value = statement.words
    player.happen(ev.SetOption(name, option, value if option == "SO_BINDTODEVICE" else int(value, 0)))


def _icmp(player: _Player, statement: Statement) -> None:
    peer = player.senders(statement)[0]
    seq = peer.number(statement.options.get("seq", "ISN"))
    player.happen(ev.Icmp(peer.key, seq, "soft" not in statement.words))


def _sysctl(player: _Player, statement: Statement) -> None:
    for key, value in statement.options.items():
        name = key if key in player.host.sysctl else f"tcp_{key}"
        player.happen(ev.Sysctl(name, int(value, 0)))


def _proven(player: _Player, statement: Statement) -> None:
    for word in statement.words:
        for name in _names(word):
            addr = name if name[0].isdigit() else player.peers.named(name, player.target({})).key.saddr
            player.happen(ev.Metric(addr))


def _fault(player: _Player, statement: Statement) -> None:
    for word in statement.words:
        player.happen(ev.Fault(word, statement.verb == "fail"))


def _socket(player: _Player, statement: Statement) -> None:
    words = statement.words
    uid = int(statement.options.get("uid", "0"))
    player.happen(ev.Open(words[0], uid, "dgram" not in words, "connected" in words))


_HAPPENINGS: dict[str, Callable[[_Player, Statement], None]] = {
    "segment": _segment,
    "handshake": _handshake,
    "listen": _listen,
    "given": _given,
    "accept": _accept,
    "setsockopt": _setsockopt,
    "icmp": _icmp,
    "sysctl": _sysctl,
    "proven": _proven,
    "fail": _fault,
    "mend": _fault,
    "socket": _socket,
    "bind": lambda player, s: player.happen(ev.Bind(s.words[0], *_place(s.words[1]))),
    "close": lambda player, s: player.happen(ev.Close(s.words[0] if s.words else "L")),
    "shutdown": lambda player, s: player.happen(
        ev.Shutdown(s.words[0] if s.words else "L", s.words[1] if len(s.words) > 1 else "RD")
    ),
    "signal": lambda player, s: player.happen(ev.Signal(s.words[0])),
    "wait": lambda player, s: player.happen(ev.Advance(player.host.now + _seconds(s.words[0]))),
    "at": lambda player, s: player.happen(ev.Advance(_seconds(s.words[0]))),
}
