"""The command line: registers the commands, runs one, and turns its end into an exit code.

A command is one file beside this one: it parses options, calls one function, renders, and returns. Only the command
that was asked for is imported, because start-up is part of every answer.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from kread.errors import EXIT_FAULT, EXIT_INTERRUPTED, EXIT_USAGE, KreadError

#: command -> (what it does, in one line). The function lies in kread/cli/<command>.py under the same name.
COMMANDS = {
    "path": "How control gets from one function to another, with proof",
    "tour": "Print a declared reading path, computed on this release",
    "callers": "Who calls a function",
    "callees": "What a function calls",
    "show": "A function or macro: where it is, what it calls, who calls it",
    "slot": "Which functions fill a slot of an ops structure, and in which tables",
    "struct": "What a structure holds, what embeds it, which tables are made of it",
    "edges": "Every edge of the scope, for other programs",
    "graph": "Draw a call graph: DOT, SVG, PNG, PDF, Mermaid, GraphML, JSON",
    "notes": "Write study notes of a tour or a path",
    "model": "Run a scenario of the executable model of listen, SYN, ACK, accept",
    "check": "Check the source, the paths and a running kernel against the model",
    "clone": "Fetch a release's source",
    "releases": "List the releases that are here",
    "index": "Build or refresh the index of a release",
    "doctor": "Parse faults, unresolved calls, accuracy, versions",
}


def _app(asked: str | None, every: bool) -> Any:
    """The typer application. Only the asked command is imported, or every one where completion needs their options."""
    import typer

    app = typer.Typer(
        name="kread",
        help="kread reads Linux kernel source: how control gets from one function to another, proved from the source of a real release.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Example: kread path tcp_v4_rcv inet_ehash_insert",
    )

    def version(value: bool) -> None:
        if value:
            from kread import __version__

            typer.echo(f"kread {__version__}")
            raise typer.Exit

    @app.callback()
    def options(
        version: bool = typer.Option(
            False, "--version", callback=version, is_eager=True, help="Print kread's version."
        ),
    ) -> None:
        pass

    for name, gloss in COMMANDS.items():
        if name == asked or every:
            command = getattr(importlib.import_module(f"kread.cli.{name}"), name)
        else:
            command = _listed
        app.command(name, short_help=gloss)(command)
    return app


def _listed() -> None:
    """Stands for a command that is listed and not run."""


def _complain(error: KreadError) -> None:
    lines = [f"kread: {error.what}"]
    lines += [f"  {line}" for line in (error.where, error.hint) if line]
    print("\n".join(lines), file=sys.stderr)


def main() -> None:
    """Entry point of `kread`; exits with the contract's codes."""
    arguments = sys.argv[1:]
    asked = next((word for word in arguments if not word.startswith("-")), None)
    completing = any(name.startswith("_KREAD") for name in os.environ)
    try:
        _app(asked, completing)(standalone_mode=True)
    except KreadError as error:
        _complain(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("kread: interrupted; what was done so far is kept", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_USAGE - 1)
    except Exception:
        sys.exit(_fault())


def _fault() -> int:
    """Write what happened to a log, name it, and give the exit code of a fault of ours."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="kread-fault-", suffix=".log", delete=False) as log:
        traceback.print_exc(file=log)
    print(f"kread: a fault of kread's own; the log is {log.name}", file=sys.stderr)
    print("  Please report it with this file.", file=sys.stderr)
    return EXIT_FAULT
