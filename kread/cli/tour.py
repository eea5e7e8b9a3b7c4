"""`kread tour`: list the declared reading paths, print one computed on a release, or write a new one from a path."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope


def tour(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TOUR | FILE]",
            help="A tour that ships, or a file; none: list those that ship.",
            show_default=False,
        ),
    ] = None,
    new: Annotated[
        Path | None,
        typer.Option(
            "--new", metavar="FILE", help="Write a new tour into FILE from the path CALLER CALLEE.", show_default=False
        ),
    ] = None,
    via: Annotated[list[str] | None, typer.Option("--via", metavar="F", help="With --new: pass through F.")] = None,
    avoid: Annotated[list[str] | None, typer.Option("--avoid", metavar="F", help="With --new: not through F.")] = None,
    assume: Annotated[
        list[str] | None, typer.Option("--assume", metavar="EXPR", help="With --new: take a condition to hold.")
    ] = None,
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
    format: Annotated[str, typer.Option(metavar="text|json", help="Text to read, or JSON for programs.")] = "text",
) -> None:
    """Print a declared reading path, computed on a release: where to stop and why, and the hops between with their
    conditions and proof. What a release doesn't have is told as a gap, with what replaced it.

    A tour is a TOML file: a title, legs ([[leg]]), and stops in them ([[leg.stop]]), each `at` a function, a slot
    (record.slot, with the `table` that fills it) or a system call (sys_listen), with the `reason` to stop there.
    Start from one that --new writes. `kread tour FILE` shows it like those that ship.

    Examples:

      kread tour

      kread tour tcp-listen --release v6.12

      kread tour --new my.toml tcp_v4_rcv tcp_conn_request

      kread tour my.toml --release v5.10
    """
    from kread.cli.session import choose, emit, open_graph
    from kread.errors import UsageError

    choose("--format", format, ("text", "json"))
    given = list(names or ())
    if new is None and (via or avoid or assume):
        raise UsageError(
            "tour-steering", "--via, --avoid and --assume go with --new", hint="A tour's stops say it in its file."
        )
    if new is not None:
        if len(given) != 2:
            raise UsageError(
                "new-tour",
                "--new FILE takes a CALLER and a CALLEE",
                hint="kread tour --new my.toml sys_listen inet_hash",
            )
        _write(new, given, (via or [], avoid or [], assume or []), (release, scope, config))
        return
    if len(given) > 1:
        raise UsageError("one-tour", "One tour at a time", hint=f"kread tour {given[0]}")
    if not given:
        emit(_listing(format))
        return
    from kread.paths.find import Finder
    from kread.paths.tour_file import read_tour
    from kread.paths.tours import show_tour

    declared = read_tour(given[0])  # an error in the file is said before any work is done
    graph = open_graph(release, scope, config)
    shown = show_tour(declared, Finder(graph))
    if format == "json":
        from kread.render.tour_json import tour_json

        emit(tour_json(shown))
    else:
        from kread.cli.session import layout
        from kread.render.tour import tour_text

        emit(tour_text(shown, **layout(graph)))


def _listing(format: str) -> str:
    from kread.paths.tour_file import read_tour, shipped

    tours = [read_tour(name) for name in shipped()]
    if format == "json":
        import json

        rows = [{"name": one.name, "title": one.title, "goal": one.goal} for one in tours]
        return json.dumps({"schema": "kread.tours/1", "tours": rows}, indent=2, ensure_ascii=False)
    from kread.cli.session import width
    from kread.render.tour import list_text

    return list_text([(one.name, one.title) for one in tours], width())


def _write(
    file: Path,
    ends: list[str],
    steering: tuple[list[str], list[str], list[str]],
    where: tuple[str | None, list[str] | None, str | None],
) -> None:
    """Write a new tour; a file that is there already is left alone."""
    from kread.cli.session import open_graph
    from kread.errors import EXIT_NO, UsageError
    from kread.paths.find import Finder, Request
    from kread.paths.new_tour import new_tour

    if file.exists():
        raise UsageError(
            "file-exists", "There is a file of that name already", where=str(file), hint="Name another one."
        )
    via, avoid, assume = (tuple(one) for one in steering)
    answer = Finder(open_graph(*where)).answer(Request(ends[0], ends[1], via, avoid, assume, families=1))
    if not answer.trails:
        typer.echo(f"kread: no path from {ends[0]} to {ends[1]} in Linux {answer.release}", err=True)
        raise typer.Exit(EXIT_NO)
    try:
        file.write_text(new_tour(answer, file.stem), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "cannot-write", f"Can't write it: {error.strerror}", where=str(file), hint="Name another file."
        ) from error
    typer.echo(file)
