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

#: A sequence diagram with more arrows than this is cut: nobody reads it, and Mermaid refuses much larger ones.
MOST_ARROWS = 120

#: The actors of a sequence that are no peers.
KERNEL, APPLICATION = "kernel", "app"

#: How an entry of ehash changes: its state, the rule that decides, the state afterwards; "none" is no entry. The end of
#: TIME_WAIT and of FIN_WAIT2 after a minute is the one change that no rule decides.
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
    ("SYN_RECV", "12:icmp-child", "none"),
    ("SYN_RECV", "11.2", "none"),
    ("SYN_RECV", "11.5", "none"),
    ("SYN_RECV", "11.6", "FIN_WAIT1"),
    ("SYN_RECV", "11.7:later", "FIN_WAIT1"),
    ("ESTABLISHED", "10.3:fin", "CLOSE_WAIT"),
    ("ESTABLISHED", "10.3:reset", "none"),
    ("ESTABLISHED", "11.2", "none"),
    ("ESTABLISHED", "11.5", "none"),
    ("ESTABLISHED", "11.6", "FIN_WAIT1"),
    ("ESTABLISHED", "11.7", "FIN_WAIT1"),
    ("CLOSE_WAIT", "11.2", "none"),
    ("CLOSE_WAIT", "11.6", "LAST_ACK"),
    ("CLOSE_WAIT", "11.7", "LAST_ACK"),
    ("LAST_ACK", "2.2", "none"),
    ("FIN_WAIT1", "2.2", "FIN_WAIT2"),
    ("FIN_WAIT1", "2.2", "CLOSING"),
    ("FIN_WAIT1", "2.2", "TIME_WAIT"),
    ("FIN_WAIT1", "10.3:orphan", "none"),
    ("CLOSING", "2.2", "TIME_WAIT"),
    ("CLOSING", "10.3:reset", "none"),
    ("FIN_WAIT2", "2.2", "TIME_WAIT"),
    ("FIN_WAIT2", "10.3:orphan", "none"),
    ("FIN_WAIT2", "11.5", "none"),
    ("FIN_WAIT2", "2.7:fin-wait", "TIME_WAIT"),
    ("FIN_WAIT2", "2.7:data", "none"),
    ("FIN_WAIT2", "2.7:rst", "none"),
    ("TIME_WAIT", "2.7:rst", "none"),
    ("TIME_WAIT", "2.7:syn", "NEW_SYN_RECV"),
    ("TIME_WAIT", "2.7:syn", "none"),
)


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


@dataclass(frozen=True, slots=True)
class Arrow:
    """One line of a sequence: who to whom, and what. `answer` is drawn dashed; `note` stands at the kernel."""

    source: str
    target: str
    text: str
    answer: bool = False
    note: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """A run as a drawing of who says what to whom: actors from left to right, arrows from above to below."""

    actors: tuple[str, ...]
    arrows: tuple[Arrow, ...]


def sequence(run: Run) -> Sequence:
    """The run between peers, the kernel and the application; cut at MOST_ARROWS, which it then says."""
    arrows = [arrow for outcome in run.outcomes for arrow in _arrows(outcome, run.peers)]
    peers = sorted({arrow.source for arrow in arrows if not arrow.note} - {KERNEL, APPLICATION})
    actors = [*peers, KERNEL]
    if any(APPLICATION in (arrow.source, arrow.target) for arrow in arrows):
        actors.append(APPLICATION)
    if len(arrows) > MOST_ARROWS:
        rest = len(arrows) - MOST_ARROWS
        arrows = [*arrows[:MOST_ARROWS], Arrow(KERNEL, KERNEL, f"{rest} lines more are left out", note=True)]
    return Sequence(tuple(actors), tuple(arrows))


def sequence_diagram(drawn: Sequence) -> str:
    """The sequence as a Mermaid diagram."""
    lines = ["sequenceDiagram", *(f"    participant {_actor(name)}" for name in drawn.actors)]
    for arrow in drawn.arrows:
        if arrow.note:
            over = _actor(arrow.source) + (f",{_actor(arrow.target)}" if arrow.target != arrow.source else "")
            lines.append(f"    Note over {over}: {_text(arrow.text)}")
        else:
            shape = "-->>" if arrow.answer else "->>"
            lines.append(f"    {_actor(arrow.source)}{shape}{_actor(arrow.target)}: {_text(arrow.text)}")
    return "\n".join(lines) + "\n"


def _arrows(outcome: Outcome, peers: Peers) -> list[Arrow]:
    """The lines of one outcome: what came in, what decided, what went out."""
    event, came, sender = named(outcome.event, peers).partition(" from ")
    arrows = []
    if came and " on" not in sender:
        arrows.append(Arrow(sender.split()[0], KERNEL, event))
    elif outcome.results and outcome.results[0].call in event:
        arrows.append(Arrow(APPLICATION, KERNEL, event))
    deciding = [RULES[rule] for rule in outcome.rules][-3:]
    if deciding or outcome.counters:
        told = "; ".join(f"{rule.id} {rule.function}" for rule in deciding)
        moved = " ".join(f"{name}+{n}" for name, n in outcome.counters.items())
        lengths = " ".join(f"{name}: {queues}" for name, queues in outcome.queues.items())
        note = " · ".join(filter(None, (f"t={outcome.time / SECOND:g}", told, moved, lengths)))
        arrows.append(Arrow(KERNEL, KERNEL, note, note=True))
    for segment in outcome.segments:
        arrows.append(Arrow(KERNEL, peers.name_of(segment.key), str(segment), answer=True))
    for result in outcome.results:
        arrows.append(Arrow(KERNEL, APPLICATION, named(str(result), peers), answer=True))
    return arrows


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
