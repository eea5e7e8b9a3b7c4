"""`kread index`: build or refresh the index of a scope."""

from __future__ import annotations

from kread.cli.options import Release, Scope, TextOrJson


def index(release: Release = None, scope: Scope = None, format_: TextOrJson = "text") -> None:
    """Build the index of a release, or refresh it, and say what is in it.

    The other commands do this by themselves when they need it. Only what changed is parsed again: a file's facts are
    kept under its content, so an equal file of another release is not parsed twice. Nothing is written into the
    kernel's tree. A scope is a name or a directory of the tree, with all the headers that its files include:

      default   net/ipv4, and of net/core, net/ipv6, net/mptcp what listen, SYN, ACK and accept pass through

      tcp       net/ipv4 alone

      net       all of net/

      kernel    the whole tree, as far as a kernel for x86 can be built of it; the directory is kernel/ or ./kernel

    A tree that was fetched for a smaller scope is fetched again with the folders that the scope needs. An index that was
    interrupted goes on where it was.

    Examples:

      kread index

      kread index --scope net --release v6.12

      kread index --scope fs/ext4 --scope fs/jbd2
    """
    from kread.cli.session import choose, color, emit, open_graph, width

    choose("--format", format_, ("text", "json"))
    graph = open_graph(release, scope)

    from kread.check.census import census
    from kread.render.census import index_json, index_text

    found = census(graph)
    emit(index_json(found) if format_ == "json" else index_text(found, width=width(), color=color()))
