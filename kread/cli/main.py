"""The command line: registers the commands, runs one, and turns its end into an exit code.

A command is one file beside this one: it parses options, calls one function, renders, and returns. Only the command
that was asked for is imported, because start-up is part of every answer. Whatever ends a command, its reader sees an
answer or three lines (what, where, what to do) and never a traceback: a fault of ours goes to a log that is named.
"""

from __future__ import annotations

import errno
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from kread.errors import (
    EXIT_ANSWERED,
    EXIT_FAULT,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    KreadError,
    SourceError,
    UsageError,
)

#: command -> (what it does, in one line). The function lies in kread/cli/<command>.py under the same name.
COMMANDS = {
    "path": "How control gets from one function to another, with proof",
    "callers": "Who calls a function",
    "callees": "What a function calls",
    "show": "A function or macro: where it is, what it calls, who calls it",
    "slot": "Which functions fill a slot of an ops structure",
    "struct": "What a structure holds, what embeds it, which casts lead to it",
    "edges": "Every edge of the scope, for other programs",
    "graph": "Draw a call graph: DOT, SVG, PNG, PDF, Mermaid, GraphML, JSON",
    "tour": "Print a declared reading path, computed on this release",
    "notes": "Write study notes of tours or a path",
    "mcp": "Answer as tools of the Model Context Protocol",
    "model": "Run a scenario of the executable model of listen, SYN, ACK, accept",
    "check": "Whether a release and a running kernel agree with the model",
    "clone": "Fetch a release's source",
    "releases": "List the releases that are here",
    "index": "Build or refresh the index of a release",
    "doctor": "Parse faults, unresolved calls, accuracy, versions",
}

#: What a full disk, a quota or a limit says to whoever writes.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

#: So many objects are made before cycles are looked for: an answer makes some hundred thousand, hardly any of them in one.
_OBJECTS = 100_000

_ABOUT = """kread reads Linux kernel source: how control gets from one function to another, proved from the source of
a real release."""


def _app(asked: str | None, every: bool) -> Any:
    """The typer application. Only the asked command is imported, or every one where completion needs their options."""
    # Typer asks the processes above which shell this is, and fails where none is; ours says so: --show-completion bash.
    os.environ["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    import typer

    app = typer.Typer(
        name="kread",
        help=_ABOUT,
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
        wanted = every or name == asked
        command = getattr(importlib.import_module(f"kread.cli.{name}"), name) if wanted else _listed
        app.command(name, short_help=gloss)(command)
    return app


def _listed() -> None:
    """Stands for a command that is listed and not run."""


def _asked(arguments: Sequence[str]) -> str | None:
    """The command's name among the arguments; UsageError where kread has none of that name."""
    name = next((word for word in arguments if not word.startswith("-")), None)
    options = arguments[: arguments.index(name)] if name else ()
    if name is None or options:
        return name
    if name not in COMMANDS:
        from difflib import get_close_matches

        near = get_close_matches(name, COMMANDS, n=1)
        raise UsageError(
            "no-such-command",
            f"there is no command {name}",
            hint=f"did you mean kread {near[0]}?" if near else "kread --help lists the commands",
        )
    return name


def _run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    import typer

    if _completing():
        _app(None, True)(prog_name="kread")
    name = _asked(arguments)
    command = typer.main.get_command(_app(name, False))
    try:
        # Not by calling the application: that would end a broken pipe and an interrupt in its own way.
        with command.make_context("kread", list(arguments)) as context:
            code = command.invoke(context)
    except typer.Exit as end:
        code = end.exit_code
    except Exception as error:
        # Typer carries its own copy of click's exceptions or imports click's, by version; they share this method.
        if not hasattr(error, "format_message"):
            raise
        raise _usage(error, name) from None
    sys.stdout.flush()
    return code if isinstance(code, int) else EXIT_ANSWERED


def _completing() -> bool:
    """Whether a shell asks what could come next."""
    return "_KREAD_COMPLETE" in os.environ


def _usage(error: Any, name: str | None) -> UsageError:
    """What a command of that name was asked wrongly; not every error knows where it arose."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else f"kread {name or ''}".rstrip()
    return UsageError("usage", error.format_message(), where=command, hint=f"{command} --help says what it takes")


def main() -> None:
    """Entry point of `kread`; exits with the contract's codes."""
    arguments = sys.argv[1:]
    gc.set_threshold(_OBJECTS)
    try:
        _prepare_streams()
        if arguments or _completing():
            sys.exit(_run(arguments))
        from contextlib import redirect_stdout

        with redirect_stdout(sys.stderr):
            _run(["--help"])
        sys.exit(EXIT_USAGE)
    except KreadError as error:
        _complain(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print(
            "kread: interrupted; what was done so far is kept, and the same command goes on from there", file=sys.stderr
        )
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever reads has seen enough (`| head`): that is no error.
        _drop_output()
        sys.exit(EXIT_ANSWERED)
    except OSError as error:
        if error.errno not in _FULL:
            sys.exit(_fault(arguments))
        _drop_output()
        _complain(_unwritable(error))
        sys.exit(SourceError.exit_code)
    except Exception:
        sys.exit(_fault(arguments))
    finally:
        gc.freeze()  # the process ends: its million objects need not be searched for cycles first


def _prepare_streams() -> None:
    """Write whatever the locale: what an encoding lacks becomes a question mark. A closed stdout is like /dev/null."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - it stays open as long as we run
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")


def _drop_output() -> None:
    """What is still to be written is not: without this, Python would complain about it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unwritable(error: OSError) -> SourceError:
    return SourceError(
        "output-unwritable",
        f"the answer cannot be written: {error.strerror}",
        where=error.filename or "standard output",
        hint="free some space, or write it elsewhere",
    )


def _complain(error: KreadError) -> None:
    lines = [f"kread: {error.what}"]
    lines += [f"  {line}" for line in (error.where, error.hint) if line]
    print("\n".join(lines), file=sys.stderr)


def _fault(arguments: Sequence[str]) -> int:
    """Write what happened to a log, name it, and give the exit code of a fault of ours."""
    import platform
    import tempfile
    import traceback

    from kread import __version__

    # No arguments but the command: a URL among them may hold a password.
    about = f"kread {__version__} {arguments[0] if arguments else ''}, Python {platform.python_version()}"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="kread-fault-", suffix=".log", delete=False) as log:
            print(about, file=log)
            traceback.print_exc(file=log)
    except OSError:
        print("kread: a fault of kread's own, and no log can be written", file=sys.stderr)
        traceback.print_exc(file=sys.stderr)
    else:
        print(f"kread: a fault of kread's own; the log is {log.name}", file=sys.stderr)
        print("  Please report it with this file.", file=sys.stderr)
    return EXIT_FAULT
