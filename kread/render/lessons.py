"""What the model adds to the notes of a tour: a scenario played on the release's policy, its rules, values and questions.

Theory of operation: data/course.toml names a script for each tour, and questions with scripts of their own. A script is
played under the policy that the release's source shows, so that an answer changes with the release. A question's
answer is a pattern whose blanks are read from the run; there are

    {answered}          how many SYNs were answered with a segment
    {dropped}           the number of the first SYN that was not, counted from 1
    {dropped_counters}  what that SYN counted; {dropped_rule}, {dropped_function}, {dropped_place}: what decided, and where
    {times}             when segments left, in seconds after the first
    {last_sent}, {last_returns}, {last_queues}, {last_counters}     of the last line of the script
    {all_counters}, {all_queues}                                    of the whole run

A blank of which the run has nothing is a dash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kread import data
from kread.model.play import Run, play
from kread.model.policy import Policy
from kread.model.rules import Rule
from kread.model.script import parse
from kread.model.socks import SECOND
from kread.model.story import Row, rows, sequence_diagram

#: What stands where a run has nothing to say.
NOTHING = "-"

#: Where a rule is decided, as file:line in the release at hand.
Placer = Callable[[Rule], str]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A tour's scenario after it was played.

    rules  -- (rule, what it decides, the state of the queues after it fired first)
    values -- of each function that was walked: (name, value) of what was there right after
    asked  -- (question, answer)
    """

    sequence: str
    rules: tuple[tuple[str, str, str], ...]
    values: Mapping[str, tuple[tuple[str, str], ...]]
    asked: tuple[tuple[str, str], ...]


def lesson(tour: str, policy: Policy, place: Placer, lang: str) -> Lesson:
    """What the model says to a tour under a release's policy."""
    course = data.load("course")
    scenarios = course["scenario"]
    run = play(parse(scenarios.get(tour, scenarios["default"])["script"], tour), policy)
    asked = [_asked(row, policy, place, lang) for row in course["question"] if row["tour"] == tour]
    return Lesson(sequence_diagram(run), tuple(_rules(run)), _values(run), tuple(asked))


def in_language(row: Mapping[str, Any], lang: str) -> str:
    """A text of a row that has it by language."""
    return str(row.get(lang, row["en"]))


def _asked(row: Mapping[str, Any], policy: Policy, place: Placer, lang: str) -> tuple[str, str]:
    run = play(parse(row["script"], row["tour"]), policy)
    return in_language(row["ask"], lang), in_language(row["answer"], lang).format(**blanks(run, place))


def blanks(run: Run, place: Placer) -> dict[str, str]:
    """The values of every blank that an answer may have."""
    told = rows(run)
    syns = [row for row in told if row.event.split(" ")[0] == "SYN"]
    refused = [(number, row) for number, row in enumerate(syns, 1) if not row.segments]
    last = [row for row in told if row.line == told[-1].line]
    sent = [outcome.time for outcome in run.outcomes for _ in outcome.segments]
    found = {
        "answered": str(len(syns) - len(refused)),
        "times": ", ".join(f"{(each - sent[0]) / SECOND:g}" for each in sent),
        "last_sent": "; ".join(each for row in last for each in row.segments),
        "last_returns": "; ".join(each for row in last for each in row.results),
        "last_queues": _queues(last[-1]),
        "last_counters": _counted(last),
        "all_counters": _counted(told),
        "all_queues": "; ".join(
            f"{row.event}: {_queues(row)}" for row in syns + [row for row in told if row.event.split(" ")[0] == "ACK"]
        ),
        "dropped": "",
        "dropped_counters": "",
        "dropped_rule": "",
        "dropped_function": "",
        "dropped_place": "",
    }
    if refused:
        number, row = refused[0]
        rule = row.rules[-1]
        found |= {
            "dropped": str(number),
            "dropped_counters": _counted([row]),
            "dropped_rule": rule.gloss,
            "dropped_function": rule.function,
            "dropped_place": place(rule),
        }
    return {name: value or NOTHING for name, value in found.items()}


def _counted(told: Iterable[Row]) -> str:
    total: Counter[str] = Counter()
    for row in told:
        total.update(row.counters)
    return " ".join(f"{name}+{n}" for name, n in sorted(total.items()))


def _queues(row: Row) -> str:
    return "; ".join(f"{name}: {queues}" for name, queues in row.queues.items())


def _rules(run: Run) -> Iterable[tuple[str, str, str]]:
    seen = set()
    for row in rows(run):
        for rule in row.rules:
            if rule.id not in seen:
                seen.add(rule.id)
                after = "; ".join(part for part in (_queues(row), _counted([row])) if part)
                yield f"{rule.id} {rule.function}", rule.gloss, f"{row.event}: {after or NOTHING}"


def _values(run: Run) -> dict[str, tuple[tuple[str, str], ...]]:
    """What was there when a function had done its part: of the first thing that happened in which it was walked."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for row, outcome in zip(rows(run), run.outcomes, strict=True):
        values = [(row.event, "; ".join((*row.segments, *row.results)) or NOTHING)]
        values += [(name, str(queues)) for name, queues in row.queues.items()]
        values += [(run.peers.name_of(move.key), f"{move.before} > {move.after}") for move in outcome.moves]
        values += [(name, f"+{n}") for name, n in row.counters.items()]
        for function in row.functions:
            found.setdefault(function, tuple(values))
    return found
