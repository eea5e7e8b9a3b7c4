"""Rows of a table of scenarios in prose, turned into scripts of ours, and compared with what the table expects.

The table describes each scenario in words: a setup, events parted by semicolons, an outcome, counters, and functions
in order. `script` turns setup and events into happenings by a list of phrases; a row with a phrase that the list does
not know is not mapped, and said to be so. `disagreements` reads numbers, segments and results out of the expected
words. Nothing here knows a row by its number, except where a row says "as S11": what that means stands in `AS`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kread.model.events import Flag
from kread.model.expect import subsequence
from kread.model.play import Run

#: A happening without effect that parts the setup from the events.
MARK = "proven 192.0.2.1"


class Unmapped(Exception):
    """A phrase that the list does not know."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One row of the table."""

    id: str
    release: str
    title: str
    setup: str
    events: str
    outcome: str
    counters: str
    functions: tuple[str, ...]


def read(file: Path) -> list[SampleRow]:
    """The rows of a table."""
    with file.open(newline="") as lines:
        found = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        SampleRow(
            row["id"],
            row["release"],
            row["title"],
            row["setup"],
            row["events"],
            row["expected_outcome"],
            row["expected_counters"],
            tuple(row["ordered_functions(subsequence)"].split(" > ")),
        )
        for row in found
    ]


#: What the table's references to rows that we do not have must mean, from the title and the rules.
AS = {
    "S11": ["listen(1)", "2 x SYN", "SYN from=x"],
    "S57": [
        "syncookies=0",
        "listen(2)",
        "handshake from=x",
        "accept(L) as C",
        "close(C)",
        "ACK from=x",
        "FIN|ACK from=x",
        "given Q=3",
    ],
    "S60": ["fastopen=3", "listen(8) fastopen=2"],
}

SETUP: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"defaults: (.*)", (r"\1",)),
    (r"as (S\d+)(?:, 2 pending)?", ("AS",)),
    (r"listen\((-?\d+)\) on (\S+)", (r"listen(\1) on \2",)),
    (r"listen\((-?\d+)\)", (r"listen(\1)",)),
    (r"listen", ("listen(8)",)),
    (r"listener (\S+)", (r"listen(8) on \1",)),
    (
        r"listeners (\S+) and (\S+) \(SO_REUSEPORT both\)",
        (r"listen(8) on \1 as W reuseport", r"listen(8) on \2 as E reuseport"),
    ),
    (r"([A-Z]=\d+), ([A-Z]=\d+)", (r"given \1 \2",)),
    (r"1 hashed request, (A=\d+)", (r"given Q=1 \1",)),
    (r"cookie outstanding, A=1", ("syncookies=2", "SYN from=x", "handshake from=y")),
    (r"1 requests?(?: with timestamps)?", ("SYN from=x ts=1000",)),
    (r"request at t=0, timer fired at 1.0 \(num_timeout=1\)", ("SYN from=x", "at 1.0s")),
    (
        r"2 members, 20 half-open spread",
        ("listen(64) as A reuseport", "listen(64) as B reuseport", "SYN from=m1..m20"),
    ),
    (r"O_NONBLOCK|2 CPUs, same ACK", ()),
    (r"B=(\d+)", (r"listen(\1)",)),
)

EVENTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"SYN (seq=\d+)", (r"SYN from=x \1",)),
    (r"ACK (seq=\d+ ack=\S+)", (r"ACK from=x \1",)),
    (r"accept\(\)", ("accept(L) nonblock",)),
    (r"(\d+ x full handshake(?: attempts)?)", (r"\1",)),
    (r"SYN\+ACK from (\w+)", (r"handshake from=\1",)),
    (r"SYN from (\w+)", (r"SYN from=\1",)),
    (r"(\d+) SYNs(?: from \d+ unproven peers)?", (r"\1 x SYN",)),
    (r"ACK with random ack", ("ACK from=x ack=random",)),
    (r"same SYN at t=([\d.]+)", (r"at \1s", "SYN from=x")),
    (r"ACK with older TSval", ("ACK from=x ts=999",)),
    (r"RST seq=(\S+)", (r"RST from=x seq=\1",)),
    (r"PSH data without ACK", ("PSH from=x data=10",)),
    (r"no ACK", ("wait 200s",)),
    (r"SYN to (\S+)", (r"SYN from=x to=\1",)),
    (r"close\(member 1\)", ("close(A)",)),
    (r"(\d+) ACKs", ("ACK from=all",)),
    (r"close\(\)", ("close(L)",)),
    (r"late ACK for the half-open", ("ACK from=h1",)),
    (r"SYN\|ACK", (r"SYN|ACK from=x ack=5",)),
    (r"(\d+) more SYN\+data", (r"2 x SYN data=5 fastopen=valid", r"\1 x SYN data=5 fastopen=valid")),
    (r"valid cookie ACK|ACK", ("ACK from=x",)),
    (r"SYN", ("SYN from=x seq=5000",)),
)


def script(row: SampleRow) -> str:
    """The row as a script; Unmapped names the phrase that is not known."""
    setup = _setup(row.setup)
    events = [line for part in row.events.split(" ; ") for line in _phrase(part.strip(), EVENTS)]
    if not any("listen(" in line for line in setup):
        setup.insert(0, "listen(8)")
    known = any("from=x" in line or "given" in line for line in setup)
    if events == ["ACK from=x", "ACK from=x"]:
        setup, events = [*setup, "SYN from=x"], ["ACK from=x", "ACK from=x raced"]
    elif events == ["ACK from=x"] and any(line.startswith("given") for line in setup):
        events = ["ACK from=h1"]
    elif "wait 200s" in events and not known:
        events.insert(0, "SYN from=x")
    if match := re.search(r"SYN-ACKs? at [\d., ]*?([\d.]+) s", row.outcome):
        events.append(f"at {max(float(match[1]), 200 if 'wait 200s' in events else 0)}s")
    return "\n".join([*_ordered(setup), MARK, *events])


def _ordered(setup: list[str]) -> list[str]:
    """Sysctls and listeners before what needs them."""
    return sorted(setup, key=lambda line: 0 if re.match(r"[a-z_]+=", line) else 1 if "listen(" in line else 2)


def _setup(text: str) -> list[str]:
    if text.startswith("2 members"):
        text = text.replace(", 20", "\0")
    parts = [part.strip().replace("\0", ", 20") for part in re.split(r";|(?<=\)), (?=[a-z])|(?<=\d), (?=1 req)", text)]
    found: list[str] = []
    for part in parts:
        part = part.removeprefix("defaults: ")
        if re.fullmatch(r"\w+=-?\d+(,\s*[a-z]\w*=-?\d+)*", part) and not re.match(r"[A-Z]=", part):
            found += [each.strip() for each in part.split(",")]
        elif match := re.fullmatch(r"([a-z_]+=\d+), (.*)", part):
            found += [match[1], *_setup(match[2])]
        else:
            found += _phrase(part, SETUP)
    return found


def _phrase(part: str, phrases: Iterable[tuple[str, tuple[str, ...]]]) -> list[str]:
    for pattern, lines in phrases:
        match = re.fullmatch(pattern, part)
        if match is not None:
            return list(AS[match[1]]) if lines == ("AS",) else [match.expand(line) for line in lines]
    raise Unmapped(part)


def disagreements(row: SampleRow, run: Run) -> list[str]:
    """What the run does otherwise than the row expects, as far as the words say it in numbers and names."""
    marks = [i for i, step in enumerate(run.steps) if step.text == MARK]
    steps = run.steps[marks[0] + 1 :]
    outcomes = [outcome for step in steps for outcome in step.outcomes]
    segments = [(outcome, segment) for outcome in outcomes for segment in outcome.segments]
    wrong: list[str] = []

    def check(what: str, expected: object, found: object) -> None:
        if expected != found:
            wrong.append(f"{what}: expected {expected}, found {found}")

    for name, n in re.findall(r"([A-Z]\w+)\+(\d+)", row.counters):
        check(name, int(n), sum(outcome.counters.get(name, 0) for outcome in outcomes))
    missing = subsequence(row.functions, [name for outcome in run.outcomes for name in outcome.functions])
    check("functions", "", missing)
    text = row.outcome
    answered = [(outcome, each) for outcome, each in segments if each.flags == Flag.SYN | Flag.ACK]
    if match := re.search(r"(\d+) SYN-ACKs", text):
        check("SYN-ACKs", int(match[1]), len(answered))
    if match := re.search(r"SYN-ACKs? at ([\d., ]+) s", text):
        sent = [outcome.time / 1000 for step in run.steps for outcome in step.outcomes for segment in outcome.segments]
        wanted = [float(each) for each in match[1].split(",")]
        check("times", wanted, sent[: len(wanted)])
    final = outcomes[-1].queues.get("L") if outcomes else None
    if final is not None:
        last = {name: int(n) for name, n in re.findall(r"\b([QA])=(\d+)(?! >)", text)}
        if match := re.search(r"(\d+) child(?:ren)? queued", text):
            last["A"] = int(match[1])
        if match := re.search(r"(\d+) half-open", text):
            last["Q"] = int(match[1])
        for name, n in last.items():
            check(name, n, getattr(final, name))
    resets = [each for _, each in segments if each.flags & Flag.RST]
    if "no RST" in text:
        check("RSTs", [], resets)
    elif "RST" in text:
        check("a RST", True, bool(resets))
    if re.search(r"no SYN-ACK|dropped silently, no RST|^ignored", text):
        check("sent", [], segments)
    if match := re.search(r"-E[A-Z]+", text):
        check("result", match[0], outcomes[-1].results[-1].value)
    return wrong
