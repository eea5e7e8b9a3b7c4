"""The lines of a packetdrill script at their times: how far a real kernel may be from the model while it runs.

Theory of operation: the model's timers fire on time, the kernel's as much as an eighth of their length later. A script
waits from line to line and for what it expects, so it may lag behind the model, and so may every timer that was armed
since. Where timers fired that no line waited for, the next line waits until they have; where a timer is due so soon
that line and timer could change places, the script cannot say what happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kread.model.events import Key, Outcome
from kread.model.socks import SECOND

#: How much later than its time a segment may come, in ms: a timer's slack, and an eighth of its length more.
LATE = SECOND // 5
#: How far from its time an event of a script may be, in ms, for hundreds of segments at one moment, an ACK that is delayed,
#: and a machine that does other things as well.
TOLERANCE = SECOND // 10
#: How long a command may take that starts an interpreter, in ms.
COMMAND = SECOND // 5
#: A timer of the kernel's wheel is late by an eighth of its length at most.
_SLACK = 8


class Beyond(Exception):
    """Here the scenario goes beyond what can be written: why."""


@dataclass(slots=True)
class Timeline:
    """The lines so far, and how far script and kernel may be behind the model.

    time -- of the last line, by the model's clock, in ms
    lag  -- how much the script may lag behind the model, in ms
    done -- until when the timers that fired for the model have fired on a kernel too, by the model's clock
    due  -- when the next timer fires, by the model's clock; None where none is armed
    """

    lines: list[str] = field(default_factory=list)
    time: int = 0
    lag: int = 0
    done: int = 0
    due: int | None = None
    #: When the timer of a connection was armed last, by the model's clock, and how large the lag was then.
    armed: dict[Key, tuple[int, int]] = field(default_factory=dict)

    def line(self, text: str, time: int) -> None:
        """A line at a time of the model's clock, or as much later as the kernel's timers may be."""
        plus = "+" if self.lines else ""
        when = f"{plus}{self.wait(time) / SECOND:g}"
        self.lines.append(f"{when:>5} {text}")

    def line_of_timer(self, text: str, key: Key, time: int) -> None:
        """What a timer sends, within the time that a kernel takes for it."""
        armed, lag = self.armed.get(key, (0, 0))
        early, late = self.lag - lag, (time - armed) // _SLACK + LATE
        delta, self.time = time - self.time, time
        self.lag += late
        self.lines.append(f"+{max(0, delta - early) / SECOND:g}~+{(delta + late) / SECOND:g} {text}")

    def wait(self, time: int) -> int:
        """How long after the last line the next one comes, in ms; Beyond where a timer may fire first that fires later."""
        pause = max(0, self.done - time)
        self.lag += pause
        self.done = 0
        least = min((lag for _, lag in self.armed.values()), default=self.lag)
        if self.due is not None and time + self.lag - least + TOLERANCE >= self.due:
            raise Beyond("a moment so near to a timer's that it may come before or after")
        delta, self.time = time - self.time + pause, time
        return delta

    def arm(self, outcome: Outcome) -> None:
        """Whatever sends to a connection arms its timer."""
        for segment in outcome.segments:
            self.armed[segment.key] = (outcome.time, self.lag)
        for move in outcome.moves:
            if move.after == "none":
                self.armed.pop(move.key, None)
            else:
                self.armed.setdefault(move.key, (outcome.time, self.lag))

    def fired(self, outcome: Outcome, mine: Key | None) -> None:
        """A timer fired; what sent nothing on the connection followed has to be waited for."""
        sent = {each.key for each in outcome.segments}
        if outcome.counters and mine not in sent:
            keys = sent | {each.key for each in outcome.moves}
            armed = min((self.armed[key][0] for key in keys if key in self.armed), default=0)
            self.done = max(self.done, outcome.time + (outcome.time - armed) // _SLACK + LATE)
        self.arm(outcome)
