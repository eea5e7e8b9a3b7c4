"""`kread path`: how control gets from one function to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kread.paths.answer import Answer


def path(
    caller: Annotated[
        str, typer.Argument(metavar="CALLER", help="Where control starts: a function, file:name, or sys_listen.")
    ],
    callee: Annotated[str, typer.Argument(metavar="CALLEE", help="Where it arrives.")],
    via: Annotated[
        list[str] | None, typer.Option("--via", metavar="F", help="Pass through F (repeat for more, in order).")
    ] = None,
    avoid: Annotated[
        list[str] | None, typer.Option("--avoid", metavar="F", help="Do not pass through F (repeatable).")
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            "--assume", metavar="EXPR", help="Take a condition to hold: 'sk->sk_state == TCP_LISTEN' (repeatable)."
        ),
    ] = None,
    config: Annotated[
        str | None, typer.Option(metavar="FILE", help="Only what this .config compiles (gzipped too).")
    ] = None,
    families: Annotated[
        int, typer.Option("-k", metavar="N", min=1, max=50, help="Show so many families of paths.")
    ] = 4,
    max_hops: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="The longest path, in calls.")] = 24,
    kinds: Annotated[
        str, typer.Option(metavar="KIND,...", help="Only edges of these kinds: direct, macro, ops_table, callback, ...")
    ] = "",
    release: Annotated[
        str | None, typer.Option(metavar="RELEASE", help="The release, by prefix, or a tree's directory.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(metavar="NAME|DIR", help="The scope (repeatable); see kread index.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="RELEASE", help="Tell what differs from the path in this release (text or json)."),
    ] = None,
    source: Annotated[bool, typer.Option("--source", help="Show the lines that matter of each function.")] = False,
    format: Annotated[str, typer.Option(metavar="FORMAT", help="text, json or quickfix.")] = "text",
) -> None:
    """Show how control gets from CALLER to CALLEE, hop by hop, with the conditions and the lines that prove it.

    Paths come in families, told apart by the calls through pointers that they take. Exit code 1: no path.

    Examples:

      kread path tcp_v4_rcv inet_ehash_insert

      kread path tcp_v4_rcv inet_ehash_insert --via tcp_check_req

      kread path sys_listen inet_csk_listen_start --release v6.1

      kread path tcp_v4_rcv tcp_conn_request --assume 'sk->sk_state == TCP_LISTEN' --source

      kread path tcp_v4_rcv inet_ehash_insert --against v5.10
    """
    from kread.cli.session import choose, emit, open_graph
    from kread.errors import EXIT_NO, UsageError
    from kread.facts import KINDS
    from kread.paths.find import Finder, Request

    choose("--format", format, ("text", "json", "quickfix"))
    wanted = tuple(kind for kind in kinds.split(",") if kind)
    for kind in wanted:
        choose("--kinds", kind, KINDS)
    steered = tuple(via or ()), tuple(avoid or ()), tuple(assume or ())
    if against is not None:
        if source or format == "quickfix":
            raise UsageError(
                "usage", "--against tells differences: it has no --source and no quickfix", where="kread path"
            )
        # A family that is told early in one release may be told late in the other.
        request = Request(caller, callee, *steered, 2 * families, max_hops, wanted)
        before, after = (Finder(open_graph(one, scope, config)).answer(request) for one in (against, release))
        _emit_comparison(before, after, families, format)
        return
    graph = open_graph(release, scope, config)
    finder = Finder(graph)
    answer = finder.answer(Request(caller, callee, *steered, families, max_hops, wanted))
    if format == "json":
        from kread.render.json_path import path_json

        emit(path_json(answer))
    elif format == "quickfix":
        from kread.render.quickfix import quickfix

        emit(quickfix(answer))
    else:
        from kread.cli.session import color, links, source_lines, width
        from kread.render.terminal import path_text

        shown = source_lines(finder.sites) if source else None
        emit(path_text(answer, width=width(), color=color(), links=links(graph), source=shown))
    if not answer.trails:
        raise typer.Exit(EXIT_NO)


def _emit_comparison(before: Answer, after: Answer, families: int, format: str) -> None:
    from kread.cli.session import color, emit, width
    from kread.errors import EXIT_NO
    from kread.paths.compare import compare

    found = compare(before, after, families)
    if format == "json":
        from kread.render.comparison_json import comparison_json

        emit(comparison_json(found))
    else:
        from kread.render.comparison import comparison_text

        emit(comparison_text(found, width=width(), color=color()))
    if not found.families:
        raise typer.Exit(EXIT_NO)
