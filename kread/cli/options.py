"""The options that commands share, with one help text each."""

from __future__ import annotations

from typing import Annotated

import typer

Release = Annotated[
    str | None,
    typer.Option(
        "--release",
        metavar="RELEASE",
        help="The release, by prefix (v6.12), or a tree's directory. By default the newest one here; "
        "where there is none, it is fetched.",
        show_default=False,
    ),
]

Scope = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="NAME|DIR",
        help="The files that are looked at: a scope's name (default, tcp, net, kernel) or a directory of the tree "
        "(kernel/ is the directory), with all the headers that they include. Repeat it for more.",
        show_default=False,
    ),
]

ConfigFile = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="A kernel .config (gzipped too): only what it compiles is there.",
        show_default=False,
    ),
]

TextOrJson = Annotated[str, typer.Option("--format", metavar="text|json", help="Text to read, or JSON for programs.")]
