"""A scenario as the events that it makes: for whoever wants to let them happen somewhere else as well.

Theory of operation: a player that keeps what it was given, with the time and the sysctls that it was given under:
`given` makes what it gives under limits of its own, which no event tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kread.model import script
from kread.model.events import Advance, Event, Outcome
from kread.model.host import Host
from kread.model.machine import due
from kread.model.play import Player, Run, play
from kread.model.policy import Policy
from kread.model.script import Script, Statement


@dataclass(frozen=True, slots=True)
class Happened:
    """An event: the time before it in ms, the sysctls that it met, what came of it, and the script's line.

    due -- when the next timer fires, in ms, after time has passed; None where none is armed, and after other events
    hashed -- whether a hash chose a socket among several: which one, nobody outside of a kernel knows
    """

    event: Event
    before: int
    sysctls: Mapping[str, int]
    outcomes: tuple[Outcome, ...]
    line: str
    due: int | None
    hashed: bool


class _Recorder(Player):
    def __init__(self, run: Run, host: Host) -> None:
        super().__init__(run, host)
        self.seen: list[Happened] = []

    def happen(self, event: Event) -> None:
        before, sysctls, done = self.host.now, dict(self.host.sysctl), len(self.step.outcomes)
        super().happen(event)
        outcomes = tuple(self.step.outcomes[done:])
        next_timer = due(self.host) if isinstance(event, Advance) else None
        hashed = chosen_by_hash(outcomes, self.host)
        self.seen.append(Happened(event, before, sysctls, outcomes, self.step.text, next_timer, hashed))


def in_any_order(outcomes: Sequence[Outcome]) -> bool:
    """Whether pruning chose among timers of one moment, which a kernel fires in any order."""
    keys = {segment.key for outcome in outcomes for segment in outcome.segments}
    return len(keys) > 1 and any("8.2" in outcome.rules for outcome in outcomes)


def chosen_by_hash(outcomes: Iterable[Outcome], host: Host) -> bool:
    """Whether a hash chose a socket of a group of several."""
    groups = [sk.reuseport_cb for sk in host.socks.values() if sk.reuseport_cb is not None]
    return any("2.5:hash" in outcome.rules for outcome in outcomes) and any(len(group.socks) > 1 for group in groups)


def happenings(run: Run) -> list[Statement]:
    """The lines of a script that let something happen under its policy; none that the state refuses."""
    found: list[Statement] = []
    for each in run.script.statements:
        if any(bool(run.policy.answer(name)) is not wanted for name, wanted in each.conditions):
            continue
        if each.verb == "refused":
            found.pop()
        elif each.verb not in (*script.EXPECT, "with", "only"):
            found.append(each)
    return found


def record(scenario: Script, policy: Policy) -> list[Happened]:
    """Every event of a scenario under a policy; none where the scenario does not apply."""
    run = play(scenario, policy)
    if run.skipped:
        return []
    recorder = _Recorder(Run(scenario, run.policy), Host(run.policy))
    for statement in happenings(run):
        recorder.play(statement)
    recorder.end()
    return recorder.seen
