"""The census of a scope as text and as JSON (kread.doctor/1, kread.index/1).

Theory of operation: a head line, then groups of rows with a number at the right, the most frequent first. The lists of
faults and of unresolved calls are long and are written on request only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kread.check.accuracy import Accuracy
from kread.check.census import Census
from kread.render import words
from kread.render.layout import Layout, Row
from kread.render.style import Style

#: Files with faults and reasons that a summary names.
SHOWN = 12

Versions = Sequence[tuple[str, str]]
Compared = Mapping[str, Accuracy]


def index_text(census: Census, *, width: int = 80, color: bool = False) -> str:
    """`kread index`: what is in the index now."""
    return _text(_summary(census), width, color)


def doctor_text(
    census: Census, versions: Versions, compared: Compared, *, every: bool = False, width: int = 80, color: bool = False
) -> str:
    """`kread doctor`; `every` lists each fault, each unresolved call and each difference."""
    return _text(_doctor(census, versions, compared, every), width, color)


def _text(rows: Iterator[Row], width: int, color: bool) -> str:
    layout = Layout(width, Style(color))
    return "".join(line + "\n" for row in rows for line in layout.lines(row))


def _summary(census: Census) -> Iterator[Row]:
    yield Row(f"Index of scope {census.scope}", place=f"Linux {census.release}", role="title")
    yield Row("")
    yield Row("files", indent=2, place=f"{census.files:,}")
    yield Row("functions", indent=2, place=f"{census.functions:,}")
    yield Row("edges", indent=2, place=f"{sum(count for _, _, count in census.edges):,}")
    for kind, grade, count in census.edges:
        said = words.KIND_WORDS.get(kind, kind) + ("" if grade == "certain" else f", proved by {grade}")
        yield Row(said, indent=4, place=f"{count:,}")
    yield Row("unresolved calls", indent=2, place=f"{len(census.unresolved):,}")
    yield Row("lines that could not be parsed", indent=2, place=f"{len(census.faults):,}")


def _doctor(census: Census, versions: Versions, compared: Compared, every: bool) -> Iterator[Row]:
    yield from _summary(census)
    yield Row("edges to functions whose body lies outside the scope", indent=2, place=f"{census.outside:,}")
    yield from _counted("Lines that could not be parsed, by file", census.faults_by_file)
    yield from _counted("Unresolved calls, by reason", census.reasons)
    if every:
        yield from _lists(census)
    for prefix, accuracy in compared.items():
        yield from _accuracy(prefix, accuracy, every)
    yield Row("")
    yield Row("Versions", role="family")
    for name, version in versions:
        yield Row(name, indent=2, place=version)


def _accuracy(prefix: str, accuracy: Accuracy, every: bool) -> Iterator[Row]:
    yield Row("")
    yield Row(f"Against the compiler, {prefix}", role="family")
    for share in (*accuracy.recall, *accuracy.precision):
        yield Row(share.name, indent=2, place=str(share))
    for title, rows in (("missed", accuracy.missed), ("not in the truth", accuracy.extra)):
        for row in rows if every else ():
            yield Row(f"{title}: {' '.join(part for part in row if part)}", indent=2, hang=2, role="note")


def _counted(title: str, rows: Sequence[tuple[str, int]]) -> Iterator[Row]:
    if not rows:
        return
    yield Row("")
    yield Row(title, role="family")
    for what, count in rows[:SHOWN]:
        yield Row(what, indent=2, hang=2, place=f"{count:,}")
    if len(rows) > SHOWN:
        yield Row(f"and {words.count(len(rows) - SHOWN, 'more', 'more')}; --list shows all", indent=2, role="note")


def _lists(census: Census) -> Iterator[Row]:
    if census.faults:
        yield Row("")
        yield Row("Every line that could not be parsed", role="family")
    for fault in census.faults:
        where = f"in {fault.function}" if fault.function else "at file scope"
        yield Row(where, indent=2, place=f"{fault.file}:{fault.line}", role="name")
        yield Row(fault.text, indent=4, hang=2, role="code")
    if census.unresolved:
        yield Row("")
        yield Row("Every unresolved call", role="family")
    for call in census.unresolved:
        yield Row(call.caller.name, indent=2, place=f"{call.file}:{call.line}", role="name")
        yield Row(call.text, indent=4, hang=2, role="code")
        yield Row(call.reason, indent=4, hang=2, role="note")


def _object(census: Census) -> dict[str, Any]:
    return {
        "release": census.release,
        "scope": census.scope,
        "root": census.root,
        "files": census.files,
        "functions": census.functions,
        "edges": [{"kind": kind, "grade": grade, "count": count} for kind, grade, count in census.edges],
        "unresolved": len(census.unresolved),
        "faults": len(census.faults),
    }


def index_json(census: Census) -> str:
    """`kread index --format json`."""
    return json.dumps({"schema": "kread.index/1", **_object(census)}, indent=2) + "\n"


def doctor_json(census: Census, versions: Versions, compared: Compared) -> str:
    """`kread doctor --format json`, with every fault and every unresolved call."""
    report = {
        "schema": "kread.doctor/1",
        **_object(census),
        "outside": census.outside,
        "faults": [
            {"file": fault.file, "line": fault.line, "function": fault.function, "text": fault.text}
            for fault in census.faults
        ],
        "unresolved": [
            {
                "caller": call.caller.name,
                "file": call.file,
                "line": call.line,
                "text": call.text,
                "reason": call.reason,
            }
            for call in census.unresolved
        ],
        "reasons": [{"reason": reason, "count": count} for reason, count in census.reasons],
        "accuracy": {
            prefix: {
                "shares": [
                    {"name": share.name, "hits": share.hits, "total": share.total}
                    for share in (*accuracy.recall, *accuracy.precision)
                ],
                "missed": accuracy.missed,
                "extra": accuracy.extra,
            }
            for prefix, accuracy in compared.items()
        },
        "versions": dict(versions),
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"
