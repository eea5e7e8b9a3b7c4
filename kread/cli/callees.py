"""`kread callees`: what a function calls."""

from __future__ import annotations

from typing import Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope, TextOrJson


def callees(
    function: Annotated[
        str, typer.Argument(metavar="FUNCTION", help="A function; file:name where several files define it.")
    ],
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
    format_: TextOrJson = "text",
) -> None:
    """List what FUNCTION calls, in the order of its lines.

    A call through a pointer is listed once, with every function that it can reach and the table that holds it.
    Exit code 1: it calls nothing.

    Examples:

      kread callees tcp_v4_do_rcv

      kread callees sys_listen

      kread callees tcp_v4_rcv --config /boot/config-6.12.0
    """
    from kread.cli.neighbours import neighbours

    neighbours("callees", function, release, scope, config, format_)
