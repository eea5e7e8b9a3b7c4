"""`kread clone`: get a release here.

Theory of operation: the options go to `kread.source.fetch.obtain` as they are. What the fetch has to say and its
progress go to standard error; standard output gets one line, the folder of the tree, so that a script can use it.
"""

from __future__ import annotations

from typing import Annotated

import typer


def clone(
    release: Annotated[
        str | None,
        typer.Argument(
            metavar="RELEASE",
            help="The release: v6.12, 6.12.117, v6.13-rc1; by default v6.12, or what --from holds.",
            show_default=False,
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="git|debian|DIR|ARCHIVE",
            help="Where to take it from: git (the stable tree, then its mirror), Debian's package linux-source-X.Y "
            "through this machine's apt, a directory that is used in place and never written to, or a linux-*.tar.xz, "
            ".tar.gz or .tar.zst. By default git, and where git reaches no remote, Debian's package.",
            show_default=False,
        ),
    ] = None,
    remote: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Another git repository than the stable tree.", show_default=False),
    ] = None,
) -> None:
    """Get a release of Linux: only the folders that kread reads, a few tens of megabytes.

    A clone by git is shallow, sparse and without the files of the other folders. What is here already is not fetched
    again, and an interrupted clone leaves nothing half done: run it again. The other commands clone by themselves
    what they need. Prints the folder of the tree.

    Examples:

      kread clone

      kread clone v6.1 --from debian

      kread clone --from ~/src/linux

      kread clone --from linux-6.12.tar.xz

      kread clone v6.12.9 --remote https://kernel.example.org/linux.git
    """
    from kread.source.fetch import obtain
    from kread.source.progress import Reporter

    with Reporter() as reporter:
        tree = obtain(release, source=from_, remote=remote, progress=reporter)
    typer.echo(tree.root)
