"""The tours against the model: each hop is one that some scenario goes, and its guards hold there.

Theory of operation: a tour computed on the release is a chain of calls with the guards that must hold. Of it, the hops
between functions that the model speaks of are compared with the walks of all scenarios: in some outcome the second
function is walked after the first, and every guard between them that data/values.toml can say in the model's names holds
in the state that the model had there. The scenario in which most of the guards are known is the one that is shown, with
its numbers. A hop that the model cannot go is listed in data/walks.toml with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kread.check.scenarios import bundled
from kread.check.values import Held, Values, Watch, held, taken_apart
from kread.data import load
from kread.facts import Guard, Trail
from kread.graph.callgraph import CallGraph
from kread.model import RULES
from kread.model.events import Outcome
from kread.model.play import Run, play
from kread.model.policy import Policy
from kread.paths.find import Finder
from kread.paths.tour_file import read_tour, shipped
from kread.paths.tours import ShownTour, show_tour

#: How many moments of one hop are looked at: what the first of so many scenarios do not show, more of them do not.
MOST_MOMENTS = 400


@dataclass(frozen=True, slots=True)
class Told:
    """A guard on a hop with the function that it stands in, and what the model says of it."""

    function: str
    guard: Guard
    held: Held

    @property
    def agrees(self) -> bool | None:
        """Whether it holds in the model as the trail needs it; None where the model has no value for it."""
        return None if self.held.holds is None else self.held.holds is self.guard.holds


@dataclass(frozen=True, slots=True)
class Hop:
    """From one function of a tour to the next that the model speaks of.

    scenario, line -- where the model goes it, "" and 0 for nowhere
    event          -- what happened there
    guards         -- those on the way
    beyond         -- why the model cannot go it, "" for a hop that it can
    """

    caller: str
    callee: str
    file: str
    at: int
    scenario: str
    line: int
    event: str
    guards: tuple[Told, ...]
    beyond: str = ""

    @property
    def agrees(self) -> bool:
        """Whether some scenario goes it and no guard says otherwise, or it lies beyond the model."""
        if self.beyond:
            return True
        return bool(self.scenario) and all(each.agrees is not False for each in self.guards)


@dataclass(frozen=True, slots=True)
class TourHops:
    """The hops of one tour."""

    tour: str
    title: str
    hops: tuple[Hop, ...]


@dataclass(frozen=True, slots=True)
class ToursCheck:
    """All tours of a release against the model."""

    release: str
    tours: tuple[TourHops, ...]

    @property
    def hops(self) -> tuple[Hop, ...]:
        """The hops of all tours, those beyond the model left out."""
        return tuple(hop for tour in self.tours for hop in tour.hops if not hop.beyond)

    @property
    def guards(self) -> tuple[Told, ...]:
        """The guards on them."""
        return tuple(guard for hop in self.hops for guard in hop.guards)

    @property
    def known(self) -> tuple[Told, ...]:
        """Those that the model has values for."""
        return tuple(guard for guard in self.guards if guard.agrees is not None)

    @property
    def differing(self) -> tuple[Hop, ...]:
        """The hops that no scenario goes, or where a guard says otherwise."""
        return tuple(hop for hop in self.hops if not hop.agrees)

    @property
    def passed(self) -> bool:
        """Whether the model goes all that the tours show, and there was something to compare."""
        return bool(self.hops) and bool(self.known) and not self.differing


@dataclass(frozen=True, slots=True)
class _Moment:
    """A function was walked, the one at `index` of an outcome, in a run and a line; the values at each function."""

    run: Run
    line: int
    outcome: Outcome
    noted: tuple[Values, ...]
    index: int

    def before(self, function: str) -> Values | None:
        """The values when another function was walked before, last of all times; None where it was not."""
        names = self.outcome.functions
        return next((self.noted[index] for index in range(self.index - 1, -1, -1) if names[index] == function), None)


def watched(policy: Policy) -> list[Run]:
    """Every scenario played on hosts that note the values."""
    return [play(script, policy, Watch) for script in bundled()]


def check_tours(graph: CallGraph, runs: Sequence[Run]) -> ToursCheck:
    """Compare every tour of a release with the walks of scenarios that were watched."""
    moments = _moments(runs)
    for name in _spoken_of():
        moments.setdefault(name, [])
    finder = Finder(graph)
    tours = [show_tour(read_tour(name), finder) for name in shipped()]
    return ToursCheck(graph.release, tuple(_tour(shown, moments) for shown in tours))


def _spoken_of() -> set[str]:
    """The functions that the rules name: the model speaks of them, whether or not a scenario walks them."""
    anchored = {anchor.function for rule in RULES.values() for anchor in rule.guards}
    return anchored | {rule.function for rule in RULES.values()}


def _moments(runs: Iterable[Run]) -> dict[str, list[_Moment]]:
    found: dict[str, list[_Moment]] = {}
    for run in sorted(runs, key=_plainness):
        if run.skipped or not isinstance(run.host, Watch):
            continue
        noted = iter(run.host.noted)
        for step in run.steps:
            for outcome in step.outcomes:
                values = next(noted)
                for index, name in enumerate(outcome.functions):
                    found.setdefault(name, []).append(_Moment(run, step.line, outcome, values, index))
    return found


def _plainness(run: Run) -> tuple[bool, int, str]:
    """The shortest scenario that shows a hop shows it best, and one with readings of its own worst."""
    own = any(statement.verb == "with" for statement in run.script.statements)
    return own, len(run.script.statements), run.script.name


def _tour(shown: ShownTour, moments: dict[str, list[_Moment]]) -> TourHops:
    hops = [hop for stop in shown.stops for trail in (stop.lead, stop.trail) if trail for hop in _hops(trail, moments)]
    return TourHops(shown.tour.name, shown.tour.title, tuple(dict.fromkeys(hops)))


def _hops(trail: Trail, moments: dict[str, list[_Moment]]) -> Iterator[Hop]:
    caller = ""
    guards: list[tuple[str, Guard]] = []
    place = ("", 0)
    for step in trail.steps:
        name = step.function.name
        if name in moments:
            if caller:
                yield _hop(caller, name, place, guards, moments[name])
            caller, guards = name, []
            place = (step.edge.site.file, step.edge.site.line) if step.edge else ("", 0)
        guards += [(name, guard) for guard in step.guards]


def _hop(
    caller: str, callee: str, place: tuple[str, int], guards: list[tuple[str, Guard]], moments: Sequence[_Moment]
) -> Hop:
    best: Hop | None = None
    wanted = [(function, guard, taken_apart(guard.text, function)) for function, guard in guards]
    seen = 0
    for moment in moments:
        values = moment.before(caller)
        if values is None or seen == MOST_MOMENTS:
            continue
        seen += 1
        told = tuple(
            Told(function, guard, held(what, moment.before(function) or values)) for function, guard, what in wanted
        )
        hop = Hop(caller, callee, *place, moment.run.script.name, moment.line, moment.outcome.event, told)
        if best is None or _rank(hop) > _rank(best):
            best = hop
        if all(each.agrees for each, (_, _, what) in zip(told, wanted, strict=True) if what.sayable):
            break
    if best is not None and best.agrees:
        return best
    reason = _beyond(caller, callee)
    if reason or best is None:
        return Hop(
            caller, callee, *place, "", 0, "", tuple(Told(name, each, Held(None, "")) for name, each in guards), reason
        )
    return best


def _rank(hop: Hop) -> tuple[bool, int]:
    return hop.agrees, sum(each.agrees is True for each in hop.guards)


def _beyond(caller: str, callee: str) -> str:
    """Why the model cannot go a hop, "" for one that it should."""
    for row in load("walks")["beyond"]:
        if [caller, callee] in row["hops"]:
            return str(row["reason"])
    return ""
