"""`kread edges`: every edge of a scope, for other programs."""

from __future__ import annotations

from typing import Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope


def edges(
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND,...", help="Only edges of these kinds: direct, macro, ops_table, ...")
    ] = "",
    format_: Annotated[
        str,
        typer.Option(
            "--format", metavar="tsv|jsonl", help="Tab-separated with a header row, or one JSON object a line."
        ),
    ] = "tsv",
) -> None:
    """Print every edge of the call graph, in the order of the files and lines where the calls stand.

    The columns: caller_file caller callee_file callee call_file call_line kind grade presence. Caller and callee are
    functions under the names that the compiler gives them. A call that a macro makes stands on the line that uses the
    macro. presence is the condition under which the edge is compiled; empty means always.

    Examples:

      kread edges | wc -l

      kread edges --kind ops_table,slot_assignment | cut -f 2,4 | sort -u

      kread edges --config .config --format jsonl > edges.jsonl
    """
    import sys

    from kread.cli.session import choose, open_graph
    from kread.facts import KINDS
    from kread.render.edges import edges_jsonl, edges_tsv

    choose("--format", format_, ("tsv", "jsonl"))
    kinds = tuple(one for one in kind.split(",") if one)
    for one in kinds:
        choose("--kind", one, KINDS)
    rows = open_graph(release, scope, config).edge_rows(kinds)
    for block in edges_tsv(rows) if format_ == "tsv" else edges_jsonl(rows):
        sys.stdout.write(block)
