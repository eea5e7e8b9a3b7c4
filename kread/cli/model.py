"""`kread model`: what Linux does from listen() to accept(), played by an executable model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kread.model.play import Run
    from kread.model.policy import Policy
    from kread.model.script import Script

#: The release whose readings are followed where none is named; the one that kread fetches by default.
DEFAULT_RELEASE = "6.12"


def model(
    scenario: Annotated[
        str | None, typer.Argument(metavar="SCENARIO", help="A scenario's name, a script's file, or - for stdin.")
    ] = None,
    steps: Annotated[
        str | None,
        typer.Option("--steps", metavar="SCRIPT", help="A script on the command line, its lines parted by ';'."),
    ] = None,
    release: Annotated[
        str,
        typer.Option(
            "--release",
            metavar="X.Y",
            help="Whose readings to follow where releases differ: X.Y, or a release whose index is here, by its full name.",
        ),
    ] = DEFAULT_RELEASE,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="FIELD=VALUE", help="Another reading than the release's. Repeat it for more."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Play every scenario and say which hold.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules with the source's conditions.")] = False,
    diagram: Annotated[
        str, typer.Option("--diagram", metavar="sequence|state", help="What --format mermaid draws.")
    ] = "sequence",
    packetdrill: Annotated[
        bool,
        typer.Option("--packetdrill", help="Write the scenario as a script for packetdrill instead of playing it."),
    ] = False,
    format_: Annotated[
        str, typer.Option("--format", metavar="text|json|mermaid", help="Text, JSON, or a drawing for Mermaid.")
    ] = "text",
) -> None:
    """Play a scenario of listening, handshakes and accepting, and tell what happened and which rule decided.

    Without SCENARIO the scenarios are listed: each is a script whose name is what it claims. Expectations that are
    not met are shown, and the exit code is 1. A script has one thing a line:

    \b
      somaxconn=3                 a sysctl; tcp_ may be left out
      listen(5) on 10.0.0.1:80 as L
                                  reuseport, dev=, cpu=, defer=, fastopen=
      given Q=2 A=2               half-open h1, h2 and queued children c1, c2
      SYN from=a seq=1000         ACK, RST, FIN|ACK; ack=, data=, ts=, to=
      8 x handshake               from 8 fresh peers; also 8 x SYN
      wait 3s; at 63s             time
      accept(L) nonblock          close(L), shutdown(L), setsockopt(L, O, V)
      fail clone; mend clone      what cannot be had; proven a; icmp from=a
      -> SYN-ACK ack=irs+1        exactly what was sent; -> nothing
      returns a ESTABLISHED       what the calls returned
      queues Q=1 A=0 of L         lengths; times 1 3 7: when it was sent
      peer a NEW_SYN_RECV         the entry of a connection; none
      counters ListenDrops+1      exactly what moved since last asked
      rules 4.1                   what decided; functions f > g: the walk
      [migration] ...             for policies that have it, or lack it: !

    Examples:

      kread model

      kread model a-backlog-of-zero-lets-one-through --release 5.10

      kread model --steps 'syncookies=0; listen(8); 20 x SYN' --format json

      kread model a-handshake-makes-a-child-that-accept-returns --format mermaid --diagram state

      kread model with-abort-on-overflow-the-last-ack-is-reset --packetdrill > abort.pkt
    """
    from kread.check.scenarios import bundled
    from kread.cli.session import choose, color, emit, width
    from kread.model import RULES
    from kread.model.story import sequence, sequence_diagram, state_diagram
    from kread.render import model as render

    choose("--format", format_, ("text", "json", "mermaid"))
    choose("--diagram", diagram, ("sequence", "state"))
    if rules:
        emit(
            render.rules_json(RULES.values()) if format_ == "json" else render.rules_text(RULES.values(), width=width())
        )
        return
    followed = _policy(release, policy or [])
    if every:
        runs = [_play(script, followed) for script in bundled()]
        emit(render.figures_json(runs) if format_ == "json" else render.figures(runs, width=width(), color=color()))
        # Where nothing was expected, nothing holds.
        raise typer.Exit(0 if any(run.checks for run in runs) and all(run.passed for run in runs) else 1)
    if packetdrill and scenario is None and steps is None:
        from kread.errors import UsageError

        raise UsageError("no-scenario", "--packetdrill needs a scenario", hint="`kread model` lists them")
    if scenario is None and steps is None:
        if format_ == "mermaid":
            emit(state_diagram())
        else:
            scripts = bundled()
            emit(render.listing_json(scripts) if format_ == "json" else render.listing(scripts, width=width()))
        return
    if packetdrill:
        emit(_packet_script(_script(scenario, steps), followed))
        return
    run = _play(_script(scenario, steps), followed)
    if format_ == "json":
        emit(render.story_json(run))
    elif format_ == "mermaid":
        emit(state_diagram(run) if diagram == "state" else sequence_diagram(sequence(run)))
    else:
        emit(render.story(run, width=width(), color=color()))
    if not run.passed:
        raise typer.Exit(1)


def _policy(release: str, changes: list[str]) -> Policy:
    from dataclasses import replace

    from kread.data import load
    from kread.errors import UsageError
    from kread.model.policy import policies

    known = policies(load("policies"))
    wanted = release.removeprefix("v")
    names = [name for name in known if wanted == name or wanted.startswith(f"{name}.")]
    read = _read(release) if release not in known else None
    if not names and read is None:
        raise UsageError(
            "no-such-policy",
            f"--release {release}: the readings of this release are not known",
            hint="One of: " + ", ".join(known),
        )
    found = known[names[0]] if read is None else read
    for change in changes:
        name, _, value = change.partition("=")
        try:
            old = found.answer(name)
        except ValueError as error:
            raise UsageError("no-such-policy-field", f"--policy {change}: {error}") from error
        if value not in ((">", ">=") if isinstance(old, str) else ("true", "false")):
            kind = "> or >=" if isinstance(old, str) else "true or false"
            raise UsageError("no-such-policy-value", f"--policy {change}: {name} is {kind}")
        found = replace(found, **{name: value if isinstance(old, str) else value == "true"})  # type: ignore[arg-type]
    return found


def _read(release: str) -> Policy | None:
    """What the source of a release shows that is here with its index; None where it is not."""
    from kread.errors import KreadError
    from kread.graph.build import graph_file, is_fresh
    from kread.source.releases import find_release

    try:
        tree = find_release(release)
        file = graph_file(tree)
        fresh = is_fresh(tree, (), file)
    except KreadError:
        return None
    if not fresh:
        return None
    from kread.check.policy import policy_of
    from kread.graph.callgraph import CallGraph

    return policy_of(CallGraph(file))


def _script(scenario: str | None, steps: str | None) -> Script:
    """The script that was asked for: from the command line, stdin, a file, or the bundled ones."""
    import sys
    from difflib import get_close_matches
    from pathlib import Path

    from kread.check.scenarios import bundled
    from kread.errors import UsageError
    from kread.model.script import ScriptError, parse

    name = scenario or "steps"
    if steps is not None:
        text = _lines(steps)
    elif scenario == "-":
        text, name = sys.stdin.read(), "stdin"
    else:
        known = {script.name: script for script in bundled()}
        if name in known:
            return known[name]
        file = Path(name)
        if not file.is_file():
            near = get_close_matches(name, known, n=3, cutoff=0.4)
            hint = "Near: " + ", ".join(near) if near else "`kread model` lists them"
            raise UsageError("no-such-scenario", f"{name}: no scenario and no file of that name", hint=hint)
        text, name = file.read_text(encoding="utf-8"), file.stem
    try:
        return parse(text, name)
    except ScriptError as error:
        raise UsageError("bad-script", f"{name}: {error}", hint="`kread model --help` shows the language") from error


def _lines(steps: str) -> str:
    """A script of one line as one of many; an expectation of several segments keeps its semicolons."""
    lines: list[str] = []
    for part in steps.split(";"):
        if lines and lines[-1].lstrip().startswith("->") and part.strip().split(" ")[0].isupper():
            lines[-1] += ";" + part
        else:
            lines.append(part)
    return "\n".join(lines)


def _packet_script(script: Script, policy: Policy) -> str:
    from kread.errors import UsageError
    from kread.render.packet_script import NotWritable, packet_script

    _play(script, policy)  # what makes no sense is said before anything is written
    try:
        return packet_script(script, policy)
    except NotWritable as error:
        raise UsageError(
            "no-packet-script",
            f"{script.name} cannot be written for packetdrill: {error}",
            hint="packetdrill follows one connection to one listener, from outside",
        ) from error


def _play(script: Script, policy: Policy) -> Run:
    from kread.errors import UsageError
    from kread.model.play import play
    from kread.model.script import ScriptError

    try:
        return play(script, policy)
    except ScriptError as error:
        raise UsageError(
            "bad-script", f"{script.name}: {error}", hint="`kread model --help` shows the language"
        ) from error
