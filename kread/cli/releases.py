"""`kread releases`: which releases are here, and what each was made from."""

from __future__ import annotations

from typing import Annotated

import typer


def releases(
    format_: Annotated[
        str, typer.Option("--format", metavar="text|json", help="Text to read, or JSON for programs.")
    ] = "text",
) -> None:
    """List the releases that are here, newest first: name, ident, origin, folder.

    A release that is here twice, for instance from git and from Debian, is written NAME@IDENT where it matters which
    one is meant.

    Examples:

      kread releases

      kread path tcp_v4_rcv inet_ehash_insert --release v6.12.117@0b2e
    """
    from kread.errors import UsageError
    from kread.source.releases import list_releases

    if format_ not in {"text", "json"}:
        raise UsageError("bad-format", f"there is no format {format_}", hint="--format takes text or json")
    trees = list_releases()
    if format_ == "json":
        import json

        rows = [
            {"release": tree.release, "ident": tree.ident, "origin": tree.origin, "root": str(tree.root)}
            for tree in trees
        ]
        typer.echo(json.dumps({"schema": "kread.releases/1", "releases": rows}, indent=2))
        return
    if not trees:
        typer.echo("no release is here yet; `kread clone` fetches one", err=True)
    width = max((len(tree.release) for tree in trees), default=0)
    for tree in trees:
        typer.echo(f"{tree.release:<{width}}  {tree.ident}  {tree.origin}\n{'':<{width}}  {tree.root}")
