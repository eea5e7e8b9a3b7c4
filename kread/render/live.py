"""The scenarios on this machine's kernel, and the packetdrill scripts of a tree, as text and as JSON (kread.check/1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from kread.check.live import LiveCheck
from kread.check.packetdrill import FAILED, OUTSIDE, PASSED, PacketdrillCheck
from kread.render.check import dump, laid
from kread.render.layout import Row

#: Where the text begins beside "kernel".
COLUMN = 8


def live_text(check: LiveCheck, *, every: bool = False, width: int = 80, color: bool = False) -> str:
    """What was run, what differs, and what was skipped for which reason."""
    return laid(_live(check, every), width, color)


def _live(check: LiveCheck, every: bool) -> Iterator[Row]:
    yield Row("Kernel against model", role="title", place=f"running {check.kernel}")
    yield Row("whose readings the model follows", indent=2, place=f"Linux {check.policy}")
    if check.unavailable:
        yield Row(f"nothing was run: {check.unavailable}", indent=2, role="unsure")
        yield Row("scenarios skipped", indent=2, place=str(len(check.runs)))
        return
    agree = len(check.ran) - len(check.differing)
    yield Row("scenarios run, of which the kernel did the same", indent=2, place=f"{agree}/{len(check.ran)}")
    yield Row("events compared", indent=2, place=str(sum(run.events for run in check.ran)))
    if every:
        for run in check.ran:
            yield Row(run.scenario, indent=4, place=f"{run.events} events")
    if check.otherwise:
        yield Row("of them as another release reads than this one", indent=4, place=str(len(check.otherwise)))
        for run in check.otherwise:
            yield Row(run.scenario, indent=6, place=f"as {run.reading}")
    for run in check.differing:
        assert run.difference is not None
        yield Row("")
        yield Row(f"Differs: {run.scenario}, line {run.difference.line}", role="unsure")
        yield Row(f"{run.difference.what}, after {run.difference.event}", indent=2)
        yield Row(run.difference.model, word="model", column=COLUMN, indent=2, word_role="if")
        yield Row(run.difference.kernel, word="kernel", column=COLUMN, indent=2, word_role="not")
    yield Row("")
    yield Row("scenarios skipped, because the scenario", indent=2, place=str(sum(check.reasons.values())))
    for reason, count in sorted(check.reasons.items(), key=lambda row: (-row[1], row[0])):
        yield Row(reason, indent=4, place=str(count))


def live_json(check: LiveCheck) -> str:
    """The same for programs."""
    return dump(
        "live",
        check.policy,
        check.passed,
        {"kernel": check.kernel, "unavailable": check.unavailable, "runs": [asdict(run) for run in check.runs]},
    )


def packetdrill_text(check: PacketdrillCheck, *, width: int = 80, color: bool = False) -> str:
    """Which scripts passed and how far, which failed, and which are out of scope for which reason."""
    return laid(_packetdrill(check), width, color)


def _packetdrill(check: PacketdrillCheck) -> Iterator[Row]:
    yield Row("Packetdrill scripts against model", role="title", place=f"Linux {check.policy}")
    for verdict in (PASSED, FAILED, OUTSIDE):
        yield Row(verdict, indent=2, place=str(check.counts[verdict]))
    compared = sum(each.compared for each in check.verdicts)
    yield Row("segments and calls compared", indent=2, place=str(compared))
    for verdict in (FAILED, PASSED, OUTSIDE):
        rows = [each for each in check.verdicts if each.verdict == verdict]
        if rows:
            yield Row("")
            yield Row(verdict, role="family")
        for each in rows:
            yield Row(each.script, indent=2, place=f"line {each.line}" if each.line else "")
            yield Row(each.why, indent=4, role="unsure" if verdict == FAILED else "note")


def packetdrill_json(check: PacketdrillCheck) -> str:
    """The same for programs."""
    return dump(
        "packetdrill",
        check.policy,
        check.passed,
        {"folder": check.folder, "scripts": [asdict(each) for each in check.verdicts]},
    )
