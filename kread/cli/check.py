"""`kread check`: whether the source, the call graph and a running kernel agree with the model."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope, TextOrJson

if TYPE_CHECKING:
    from kread.check.bodies import Bodies
    from kread.graph.callgraph import CallGraph
    from kread.model.play import Run

#: What can be checked of a release, in order; without a name, the first three.
PARTS = ("source", "walks", "tours", "claims")
DEFAULT_PARTS = ("source", "walks", "tours")


def check(
    part: Annotated[
        str | None,
        typer.Argument(metavar="[source|walks|tours|claims]", help="What to check. By default all but claims."),
    ] = None,
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
    every: Annotated[bool, typer.Option("--list", help="List every anchor, every branch and every hop too.")] = False,
    live: Annotated[
        bool,
        typer.Option("--live", help="Run the scenarios on this machine's kernel (Linux), in namespaces of their own."),
    ] = False,
    packetdrill: Annotated[
        Path | None,
        typer.Option(
            "--packetdrill", metavar="DIR", help="Compare the packetdrill scripts of a folder with the model."
        ),
    ] = None,
    format_: TextOrJson = "text",
) -> None:
    """Check the model of listening and accepting against a release. Exit code 1: something disagrees.

    source: each rule's conditions are looked up by syntax in the functions that decide. A reading that some real
    release has is one that the model follows; any other is drift, and both texts are shown. walks: what the
    scenarios say is called, the call graph must say too. tours: each hop of the tours is one that some scenario
    goes, and the guards on it hold in the model's state there; --list shows the numbers. claims: what is commonly
    said of listen() and its backlog, and whether it holds, is imprecise or is wrong in this release. --live: the
    scenarios that can be run on this machine's kernel, which may be another release than the one that is read.

    Examples:

      kread check

      kread check source --list --release v6.1

      kread check tours --list

      kread check claims --release v5.10

      kread check --live

      kread check --packetdrill linux/tools/testing/selftests/net/packetdrill

      kread check --format json | jq '.parts[].agrees'
    """
    from kread.cli.session import choose, emit, open_graph
    from kread.errors import UsageError

    choose("--format", format_, ("text", "json"))
    if part is not None:
        choose("check", part, PARTS)
    graph = open_graph(release, scope, config)
    wanted: tuple[str, ...] = DEFAULT_PARTS if part is None else (part,)
    if live:
        wanted = ("live",) if part is None else (part, "live")
    if packetdrill is not None and not packetdrill.is_dir():
        raise UsageError("no-such-folder", f"--packetdrill {packetdrill}: there is no such folder")
    if packetdrill is not None and part is None and not live:
        wanted = ()
    answers = [_ANSWERS[name](graph, format_, every) for name in wanted]
    if packetdrill is not None:
        answers.append(_packetdrill(graph, packetdrill, format_))
    if format_ == "text":
        emit("\n".join(text for _, text in answers))
    elif len(answers) == 1:
        emit(answers[0][1])
    else:
        emit(_joined([text for _, text in answers]))
    if not all(passed for passed, _ in answers):
        raise typer.Exit(1)


def _joined(parts: list[str]) -> str:
    import json

    from kread.render.check import SCHEMA

    return json.dumps({"schema": SCHEMA, "parts": [json.loads(each) for each in parts]}, indent=1, ensure_ascii=False)


def _source(graph: CallGraph, format_: str, every: bool) -> tuple[bool, str]:
    from kread.check.drift import check_source
    from kread.cli.session import color, width
    from kread.render.check import source_json, source_text

    found = check_source(_bodies(graph))
    text = source_json(found) if format_ == "json" else source_text(found, every=every, width=width(), color=color())
    return found.passed, text


@cache
def _bodies(graph: CallGraph) -> Bodies:
    """The functions of the release; what one part has read the next finds."""
    from kread.check.bodies import Bodies

    return Bodies(graph)


@cache
def _runs(graph: CallGraph) -> list[Run]:
    """Every scenario under the release's policy, on hosts that note the values."""
    from kread.check.hops import watched
    from kread.check.policy import read_policy

    return watched(read_policy(_bodies(graph)).policy)


def _walks(graph: CallGraph, format_: str, every: bool) -> tuple[bool, str]:
    from kread.check.walks import check_walks
    from kread.cli.session import color, width
    from kread.render.check import walks_json, walks_text

    found = check_walks(_runs(graph), graph)
    if format_ == "json":
        return found.passed, walks_json(found, graph.release)
    return found.passed, walks_text(found, graph.release, width=width(), color=color())


def _tours(graph: CallGraph, format_: str, every: bool) -> tuple[bool, str]:
    from kread.check.hops import check_tours
    from kread.cli.session import color, width
    from kread.render.hops import tours_json, tours_text

    found = check_tours(graph, _runs(graph))
    text = tours_json(found) if format_ == "json" else tours_text(found, every=every, width=width(), color=color())
    return found.passed, text


def _claims(graph: CallGraph, format_: str, every: bool) -> tuple[bool, str]:
    from kread.check.claims import check_claims
    from kread.cli.session import color, width
    from kread.render.claims import claims_json, claims_text

    found = check_claims(_bodies(graph))
    if format_ == "json":
        return found.passed, claims_json(found)
    return found.passed, claims_text(found, width=width(), color=color())


def _live(graph: CallGraph, format_: str, every: bool) -> tuple[bool, str]:
    from kread.check.live import run_all
    from kread.check.policy import policy_of
    from kread.check.scenarios import bundled
    from kread.cli.session import color, width
    from kread.render.live import live_json, live_text

    found = run_all(bundled(), policy_of(graph))
    if format_ == "json":
        return found.passed, live_json(found)
    return found.passed, live_text(found, every=every, width=width(), color=color())


def _packetdrill(graph: CallGraph, folder: Path, format_: str) -> tuple[bool, str]:
    from kread.check.packetdrill import check_folder
    from kread.check.policy import policy_of
    from kread.cli.session import color, width
    from kread.render.live import packetdrill_json, packetdrill_text

    found = check_folder(folder, policy_of(graph))
    if format_ == "json":
        return found.passed, packetdrill_json(found)
    return found.passed, packetdrill_text(found, width=width(), color=color())


_ANSWERS = {"source": _source, "walks": _walks, "tours": _tours, "claims": _claims, "live": _live}
