"""`kread callers`: who calls a function."""

from __future__ import annotations

from typing import Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope, TextOrJson


def callers(
    function: Annotated[
        str, typer.Argument(metavar="FUNCTION", help="A function; file:name where several files define it.")
    ],
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
    format_: TextOrJson = "text",
) -> None:
    """List who calls FUNCTION, by caller, with each call as it is written.

    Calls through pointers, through macros and callbacks count as well; each says how it is known. A name that several
    files define is answered for each of them. Exit code 1: nothing calls it.

    Examples:

      kread callers inet_ehash_insert

      kread callers net/ipv4/udp.c:compute_score

      kread callers tcp_v4_conn_request --format json
    """
    from kread.cli.neighbours import neighbours

    neighbours("callers", function, release, scope, config, format_)
