"""A run told: rows of what happened when, a sequence diagram, and the states that a connection goes through.

Theory of operation: a row is one outcome with the names that a reader knows: peers as the script calls them, rules
with their functions and glosses. The sequence diagram draws the same rows; the state diagram draws `TRANSITIONS`, the
table of every way in which an entry of ehash can change, each with the rule that decides it, or those rows of it that
a run went. A test holds the table against all scenarios, both ways. Diagrams are Mermaid text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kread.model import RULES
from kread.model.events import Outcome, Queues
from kread.model.peers import Peers
from kread.model.play import Run
from kread.model.rules import Rule
from kread.model.socks import SECOND

MOST_ARROWS = 120
"""A sequence diagram with more arrows than this is cut: nobody reads it, and Mermaid refuses much larger ones."""

TRANSITIONS: tuple[tuple[str, str, str], ...] = (
    ("none", "4.8", "NEW_SYN_RECV"),
    ("none", "4.7", "SYN_RECV"),
    ("none", "7.4", "ESTABLISHED"),
    ("none", "7.5", "ESTABLISHED"),
    ("NEW_SYN_RECV", "R6.10", "ESTABLISHED"),
    ("NEW_SYN_RECV", "10.3:fin", "CLOSE_WAIT"),
    ("NEW_SYN_RECV", "10.3:challenge", "SYN_RECV"),
    ("NEW_SYN_RECV", "R6.12:closed", "none"),
    ("NEW_SYN_RECV", "R6.5", "none"),
    ("NEW_SYN_RECV", "R6.5:syn", "none"),
    ("NEW_SYN_RECV", "R6.9:abort", "none"),
    ("NEW_SYN_RECV", "2.8:gone", "none"),
    ("NEW_SYN_RECV", "8.5:expired", "none"),
    ("NEW_SYN_RECV", "8.7", "none"),
    ("NEW_SYN_RECV", "8.8", "none"),
    ("NEW_SYN_RECV", "12:icmp", "none"),
    ("SYN_RECV", "5.3", "ESTABLISHED"),
    ("SYN_RECV", "R6.5", "none"),
    ("SYN_RECV", "8.10:over", "none"),
    ("SYN_RECV", "11.2", "none"),
    ("SYN_RECV", "11.5", "none"),
    ("SYN_RECV", "11.6", "FIN_WAIT1"),
    ("ESTABLISHED", "10.3:fin", "CLOSE_WAIT"),
    ("ESTABLISHED", "10.3:reset", "none"),
    ("ESTABLISHED", "11.2", "none"),
    ("ESTABLISHED", "11.5", "none"),
    ("ESTABLISHED", "11.6", "FIN_WAIT1"),
    ("CLOSE_WAIT", "11.2", "none"),
    ("CLOSE_WAIT", "11.6", "LAST_ACK"),
    ("LAST_ACK", "2.2", "none"),
    ("FIN_WAIT1", "2.2", "FIN_WAIT2"),
    ("FIN_WAIT1", "2.2", "CLOSING"),
    ("FIN_WAIT1", "2.2", "TIME_WAIT"),
    ("CLOSING", "2.2", "TIME_WAIT"),
    ("FIN_WAIT2", "2.7:fin-wait", "TIME_WAIT"),
    ("FIN_WAIT2", "2.7:data", "none"),
    ("FIN_WAIT2", "2.7:rst", "none"),
    ("TIME_WAIT", "2.7:rst", "none"),
    ("TIME_WAIT", "2.7:syn", "NEW_SYN_RECV"),
    ("TIME_WAIT", "2.7:syn", "none"),
)
"""How an entry of ehash changes: its state, the rule that decides, the state afterwards; "none" is no entry.

The end of TIME_WAIT and of FIN_WAIT2 after a minute is the one change that no rule decides.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One outcome, told: when (in seconds), what happened, and what came of it."""

    time: float
    line: int
    event: str
    segments: tuple[str, ...]
    results: tuple[str, ...]
    rules: tuple[Rule, ...]
    counters: Mapping[str, int]
    queues: Mapping[str, Queues]
    functions: tuple[str, ...]
    messages: tuple[str, ...]


def rows(run: Run) -> tuple[Row, ...]:
    """The story of a run, row by row."""
    return tuple(_row(step.line, outcome, run.peers) for step in run.steps for outcome in step.outcomes)


def _row(line: int, outcome: Outcome, peers: Peers) -> Row:
    return Row(
        outcome.time / SECOND,
        line,
        named(outcome.event, peers),
        tuple(f"{segment} to {peers.name_of(segment.key)}" for segment in outcome.segments),
        tuple(named(str(result), peers) for result in outcome.results),
        tuple(RULES[rule] for rule in outcome.rules),
        outcome.counters,
        outcome.queues,
        outcome.functions,
        outcome.messages,
    )


def named(text: str, peers: Peers) -> str:
    """A text with a peer's address replaced by its name."""
    words = text.split(" ")
    known = {f"{key.saddr}:{key.sport}": peer.name for key, peer in peers.by_key.items()}
    return " ".join(known.get(word, word) for word in words)


def sequence_diagram(run: Run) -> str:
    """The run as a Mermaid sequence diagram: peers, the kernel, the application."""
    lines: list[str] = []
    for outcome in run.outcomes:
        lines += _arrows(outcome, run.peers)
    names = sorted({each.split("-", 1)[0].strip() for each in lines if "->>kernel" in each} - {"app"})
    head = ["sequenceDiagram", *(f"    participant {name}" for name in names), "    participant kernel"]
    if any("app" in each.split(":", 1)[0] for each in lines):
        head.append("    participant app")
    if len(lines) > MOST_ARROWS:
        rest = len(lines) - MOST_ARROWS
        lines = [*lines[:MOST_ARROWS], f"    Note over kernel: {rest} lines more are left out"]
    return "\n".join(head + lines) + "\n"


def _arrows(outcome: Outcome, peers: Peers) -> list[str]:
    """The lines of one outcome: what came in, what decided, what went out."""
    event, came, sender = named(outcome.event, peers).partition(" from ")
    lines = []
    if came and " on" not in sender:
        lines.append(f"    {_actor(sender.split()[0])}->>kernel: {_text(event)}")
    elif outcome.results and outcome.results[0].call in event:
        lines.append(f"    app->>kernel: {_text(event)}")
    deciding = [RULES[rule] for rule in outcome.rules][-3:]
    if deciding or outcome.counters:
        told = "; ".join(f"{rule.id} {rule.function}" for rule in deciding)
        moved = " ".join(f"{name}+{n}" for name, n in outcome.counters.items())
        lengths = " ".join(f"{name}: {queues}" for name, queues in outcome.queues.items())
        note = " · ".join(filter(None, (f"t={outcome.time / SECOND:g}", told, moved, lengths)))
        lines.append(f"    Note over kernel: {_text(note)}")
    for segment in outcome.segments:
        lines.append(f"    kernel-->>{_actor(peers.name_of(segment.key))}: {_text(str(segment))}")
    for result in outcome.results:
        lines.append(f"    kernel-->>app: {_text(named(str(result), peers))}")
    return lines


def _actor(name: str) -> str:
    """A peer's name as Mermaid takes it: an address has no place there."""
    return name.replace(":", "_").replace(".", "_")


def _text(text: str) -> str:
    """Text without the characters that end a Mermaid statement."""
    return text.replace(";", ",").replace("#", "no. ")


def state_diagram(run: Run | None = None) -> str:
    """The states of a connection as a Mermaid state diagram: all of the table, or what a run went through."""
    wanted: Iterable[tuple[str, str, str]] = TRANSITIONS
    if run is not None:
        gone = {step for outcome in run.outcomes for step in transitions(outcome)}
        wanted = [row for row in TRANSITIONS if row in gone]
    lines = [
        f"    {_state(before)} --> {_state(after)} : {_text(rule)} {RULES[rule].function}"
        for before, rule, after in wanted
    ]
    return "\n".join(["stateDiagram-v2", *lines]) + "\n"


def _state(name: str) -> str:
    return "[*]" if name == "none" else name


def transitions(outcome: Outcome) -> list[tuple[str, str, str]]:
    """The rows of the table that one outcome went; a move that no row tells is not among them."""
    moved = [(move.before, move.after) for move in outcome.moves]
    return [row for row in TRANSITIONS if (row[0], row[2]) in moved and row[1] in outcome.rules]
