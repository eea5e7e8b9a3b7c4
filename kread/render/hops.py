"""The tours of a release beside the model, as text and as JSON (kread.check/1): each hop, its guards and their numbers."""

from __future__ import annotations

from collections.abc import Iterator

from kread.check.hops import Hop, ToursCheck
from kread.render.check import dump, laid
from kread.render.layout import Row

#: Where a guard begins behind "if" or "not".
COLUMN = 4


def tours_text(check: ToursCheck, *, every: bool, width: int = 80, color: bool = False) -> str:
    """The tours against the model; with `every` each hop with the values that the model had there."""
    return laid(_rows(check, every), width, color)


def _rows(check: ToursCheck, every: bool) -> Iterator[Row]:
    hops, known = check.hops, check.known
    beyond = sum(1 for tour in check.tours for hop in tour.hops if hop.beyond)
    gone = sum(1 for hop in hops if hop.scenario)
    holding = sum(1 for guard in known if guard.agrees)
    yield Row("Tours against model", role="title", place=f"Linux {check.release}")
    yield Row(f"hops of {len(check.tours)} tours that some scenario goes", indent=2, place=f"{gone}/{len(hops)}")
    if beyond:
        yield Row("hops beyond the model, each with its reason", indent=4, place=str(beyond))
    yield Row("guards on them that hold in the model's state", indent=2, place=f"{holding}/{len(known)}")
    yield Row("guards of which the model has no value", indent=4, place=str(len(check.guards) - len(known)))
    for hop in check.differing:
        yield Row("")
        if not hop.scenario:
            yield Row(
                f"No scenario goes from {hop.caller} to {hop.callee}", role="unsure", place=f"{hop.file}:{hop.at}"
            )
        else:
            yield Row(
                f"The model is otherwise: {hop.caller} > {hop.callee}", role="unsure", place=f"{hop.file}:{hop.at}"
            )
            yield from _guards(hop, differing=True)
    if every:
        for tour in check.tours:
            yield Row("")
            yield Row(f"{tour.tour}: {tour.title}", role="family")
            for hop in tour.hops:
                yield Row(f"{hop.caller} > {hop.callee}", indent=2, hang=2, place=f"{hop.file}:{hop.at}")
                yield from _guards(hop, differing=False)


def _guards(hop: Hop, *, differing: bool) -> Iterator[Row]:
    for each in hop.guards:
        if each.held.told and not (differing and each.agrees is not False):
            word = "if" if each.guard.holds else "not"
            yield Row(each.guard.text, indent=4, word=word, column=COLUMN, role="code", word_role="note")
            yield Row(each.held.told, indent=4 + COLUMN, role="unsure" if each.agrees is False else "note")
    if hop.beyond:
        yield Row(hop.beyond, indent=4, role="note")
    elif hop.scenario:
        yield Row(f"{hop.scenario}, line {hop.line}", indent=4, role="note")


def tours_json(check: ToursCheck) -> str:
    """The same for programs."""
    return dump(
        "tours",
        check.release,
        check.passed,
        {
            "tours": [
                {
                    "tour": tour.tour,
                    "hops": [
                        {
                            "caller": hop.caller,
                            "callee": hop.callee,
                            "place": f"{hop.file}:{hop.at}",
                            "scenario": hop.scenario,
                            "line": hop.line,
                            "event": hop.event,
                            "agrees": hop.agrees,
                            "beyond": hop.beyond,
                            "guards": [
                                {
                                    "function": each.function,
                                    "text": each.guard.text,
                                    "holds": each.guard.holds,
                                    "agrees": each.agrees,
                                    "values": each.held.told,
                                }
                                for each in hop.guards
                            ],
                        }
                        for hop in tour.hops
                    ],
                }
                for tour in check.tours
            ]
        },
    )
