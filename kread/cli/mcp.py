"""`kread mcp`: the questions of kread as tools for programs that speak the Model Context Protocol.

Theory of operation: the official SDK speaks the protocol over standard input and output and is needed by nobody else,
so it is an optional extra that is imported here alone. `mcp_tools` answers; this file registers its methods and turns
a KreadError into the three lines that a person would see.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from kread.cli.options import ConfigFile, Release, Scope


def mcp(release: Release = None, scope: Scope = None, config: ConfigFile = None) -> None:
    """Serve path, callers, callees, slot, struct, tour and check as tools of the Model Context Protocol, over stdio.

    A program that speaks the protocol starts this command itself; every answer is JSON in which each edge has its
    grade and the lines that prove it. Needs the extra: pip install 'kread[mcp]'.

    Example:

      kread mcp --release v6.12
    """
    from kread.errors import UsageError

    try:
        from mcp.server.mcpserver import MCPServer
    except ImportError as error:
        raise UsageError(
            "no-mcp", f"The SDK of the Model Context Protocol is missing: {error}", hint="pip install 'kread[mcp]'"
        ) from error
    from kread import __version__
    from kread.cli.mcp_tools import Tools

    server: MCPServer[Any] = MCPServer(
        "kread",
        version=__version__,
        instructions="Reads Linux kernel source: who calls whom and how control gets there, each edge proved by lines.",
        log_level="WARNING",  # its log goes to stderr, where kread tells only what a person must know
    )
    for tool in Tools(release, scope, config).all():
        server.add_tool(_told(tool))
    server.run("stdio")


def _told(tool: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The tool, with an error that tells what, where and what to do instead of a crash."""
    from mcp.server.mcpserver.exceptions import ToolError

    from kread.errors import KreadError

    @wraps(tool)
    def answer(*args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            return tool(*args, **kwargs)
        except KreadError as error:
            raise ToolError(f"{error.slug}: {error}") from error

    return answer
