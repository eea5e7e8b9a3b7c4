"""What the model adds to the notes of a tour: a scenario played on the release's policy, what it decided, and questions.

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

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kread import data
from kread.check.values import Values, Watch, held, taken_apart
from kread.facts import Guard
from kread.model import RULES
from kread.model.play import Run, play
from kread.model.policy import Policy
from kread.model.rules import Rule, normalise
from kread.model.script import parse
from kread.model.socks import SECOND
from kread.model.story import Arrow, Row, Sequence, rows, sequence
from kread.render.study import Moment
from kread.render.texts import Texts, texts

#: What stands where a run has nothing to say.
NOTHING = "-"

#: Where a rule is decided, as file:line in the release at hand.
Placer = Callable[[Rule], str]


#: A rule that did not fire is told beside a function only as often as this: more is a list that nobody reads.
UNFIRED_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Lesson:
    """A tour's scenario after it was played: as a drawing, happening by happening, and by function.

    walked -- for each happening the functions that were walked in it, with the model's values there
    asked  -- (question, answer)
    """

    sequence: Sequence
    played: tuple[Moment, ...]
    walked: tuple[Mapping[str, Values], ...]
    policy: Policy
    asked: tuple[tuple[str, str], ...]

    def at(self, function: str, source: Iterable[str], text: Texts, among: Iterable[str] = ()) -> Moment | None:
        """What the model decided in a function; `source` are the lines that are shown of it.

        Of the happenings in which it was walked, it is the one that walked most of the functions `among`. A rule
        that fired is told where it fired; one that did not, where the condition that decides it is shown.
        """
        number = self._happening(function, among)
        if number is None:
            return None
        moment = self.played[number]
        shown = normalise(" ".join(source))
        fired = tuple(one for one in moment.rules if one[2] == function)
        ids = {one[1] for one in moment.rules}
        unfired = [
            (False, rule.id, rule.function, text.say(rule.gloss))
            for rule in RULES.values()
            if rule.id not in ids and rule.exists(self.policy) and _asked_in(rule, function, shown, self.policy)
        ]
        rules = (*fired, *unfired[:UNFIRED_SHOWN])
        return replace(moment, rules=rules) if rules else None

    def numbers(self, function: str, guards: Iterable[Guard], among: Iterable[str] = ()) -> tuple[tuple[int, str], ...]:
        """(line, numbers of the model) for the guards of a function that hold in the happening that `at` tells of."""
        number = self._happening(function, among)
        if number is None:
            return ()
        values = self.walked[number][function]
        told = [(guard, held(taken_apart(guard.text, function), values)) for guard in guards]
        return tuple((guard.line, one.told) for guard, one in told if one.told and one.holds is guard.holds)

    def _happening(self, function: str, among: Iterable[str]) -> int | None:
        """Of the happenings in which a function was walked, the first that walked most of the functions `among`."""
        wanted = frozenset(among)
        found = [number for number, walked in enumerate(self.walked) if function in walked]
        return max(found, key=lambda number: (len(wanted & self.walked[number].keys()), -number), default=None)


def _asked_in(rule: Rule, function: str, shown: str, policy: Policy) -> bool:
    return any(
        anchor.function == function and anchor.holds(policy) and any(one in shown for one in anchor.spellings)
        for anchor in rule.guards
    )


def lesson(tour: str, policy: Policy, place: Placer, lang: str) -> Lesson:
    """What the model says to a tour under a release's policy."""
    course, text = data.load("course"), texts(lang)
    scenarios = course["scenario"]
    run = play(parse(scenarios.get(tour, scenarios["default"])["script"], tour), policy, Watch)
    assert isinstance(run.host, Watch)
    asked = [_asked(row, policy, place, lang) for row in course["question"] if row["tour"] == tour]
    told = tuple(_played(run, text))
    noted = zip(run.outcomes, run.host.noted, strict=True)
    walked = tuple(dict(zip(outcome.functions, values, strict=True)) for outcome, values in noted)
    return Lesson(_with_acts(sequence(run), lang), told, walked, policy, tuple(asked))


def _with_acts(drawn: Sequence, lang: str) -> Sequence:
    """The sequence with a heading where a step of the whole story begins."""
    acts = {row["event"]: in_language(row, lang) for row in data.load("course")["act"]}
    out: list[Arrow] = []
    for arrow in drawn.arrows:
        event = re.split(r"\W", arrow.text, maxsplit=1)[0]
        if not arrow.answer and not arrow.note and event in acts:
            out.append(Arrow(drawn.actors[0], drawn.actors[-1], acts.pop(event), note=True))
        out.append(arrow)
    return replace(drawn, arrows=tuple(out))


def _played(run: Run, text: Texts) -> Iterable[Moment]:
    """The happenings of a run, each with the queues before and after it."""
    before: dict[str, str] = {}
    for row, outcome in zip(rows(run), run.outcomes, strict=True):
        after = {name: str(queues) for name, queues in row.queues.items()}
        moves = [(run.peers.name_of(move.key), f"{move.before} > {move.after}") for move in outcome.moves]
        moves += [(name, f"+{n}") for name, n in row.counters.items()]
        yield Moment(
            row.event,
            (*row.segments, *row.results),
            tuple((name, before[name]) for name in after if name in before),
            tuple(after.items()),
            tuple(moves),
            tuple((True, rule.id, rule.function, text.say(rule.gloss)) for rule in dict.fromkeys(row.rules)),
        )
        before |= after


def in_language(row: Mapping[str, Any], lang: str) -> str:
    """A text of a row that has it by language."""
    return str(row.get(lang, row["en"]))


def _asked(row: Mapping[str, Any], policy: Policy, place: Placer, lang: str) -> tuple[str, str]:
    run = play(parse(row["script"], row["tour"]), policy)
    found = blanks(run, place)
    found["dropped_rule"] = texts(lang).say(found["dropped_rule"])
    return in_language(row["ask"], lang), in_language(row["answer"], lang).format(**found)


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
