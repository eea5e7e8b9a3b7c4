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
from kread.model.events import Event, Flag, IllegalEvent, Outcome, Queues
from kread.model.happenings import DEFAULT_ADDRESS, DEFAULT_PORT, HAPPENINGS, names, place
from kread.model.host import Host
from kread.model.machine import step
from kread.model.peers import Peer, Peers
from kread.model.policy import Policy
from kread.model.script import Script, ScriptError, Statement
from kread.model.socks import INADDR_ANY


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

    def queues(self) -> dict[str, Queues]:
        """The queues of every listener at the end."""
        outcomes = self.outcomes
        return dict(outcomes[-1].queues) if outcomes else {}

    @property
    def rules(self) -> frozenset[str]:
        """The rules that fired."""
        return frozenset(rule for outcome in self.outcomes for rule in outcome.rules)


def play(scenario: Script, policy: Policy, make: Callable[[Policy], Host] = Host) -> Run:
    """Play a scenario under a policy, on a host of the wanted kind; ScriptError where the script makes no sense."""
    run = Run(scenario, policy)
    for statement in scenario.statements:
        if statement.verb == "with":
            policy = run.policy = _with(policy, statement)
    player = Player(run, make(policy))
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


class Player:
    """A scenario at work: what has been and the step at hand."""

    def __init__(self, run: Run, host: Host) -> None:
        self.run = run
        self.host: Host = host
        self.peers: Peers = run.peers
        self.step = Step(0, "")
        self.counted: Counter[str] = Counter()
        self.walked = 0

    def play(self, statement: Statement) -> None:
        """Do what a line says, or compare what it expects."""
        if statement.verb in script.EXPECT:
            return self._expect(statement)
        self.end()
        self.step = Step(statement.line, statement.text)
        self.run.steps.append(self.step)
        try:
            HAPPENINGS[statement.verb](self, statement)
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
        """Let an event happen and the peers hear what was sent."""
        outcomes = step(self.host, event)
        self.step.outcomes += outcomes
        for outcome in outcomes:
            for segment in outcome.segments:
                self.peers.hear(segment)

    def target(self, options: dict[str, str]) -> tuple[str, int]:
        """Where a segment goes: as the script says, or to the first listener."""
        if "to" in options:
            return place(options["to"])
        for sk in self.host.socks.values():
            if sk.num and sk.key is None:
                return (DEFAULT_ADDRESS if sk.rcv_saddr == INADDR_ANY else sk.rcv_saddr), sk.num
        return DEFAULT_ADDRESS, DEFAULT_PORT

    def senders(self, statement: Statement) -> list[Peer]:
        """The peers that a line speaks of, in order; N fresh ones for `N x` without a name."""
        wanted = statement.options.get("from", "")
        if statement.counted and not wanted:
            to = self.target(statement.options)
            return [self.peers.fresh(to) for _ in range(statement.count)]
        if wanted == "all":
            return list(self.peers.by_name.values()) * statement.count
        return [self._peer(name, statement.options) for name in names(wanted or "p1")] * statement.count

    def _peer(self, name: str, options: dict[str, str]) -> Peer:
        known = self.peers.by_name.get(name)
        if known is not None and "to" not in options:
            return known
        return self.peers.named(name, self.target(options))

    def arrive(self, peer: Peer, flags: Flag, statement: Statement) -> None:
        """A segment of a peer arrives, as the line describes it."""
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
