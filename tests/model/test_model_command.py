"""`kread model`: lists, plays, draws, and refuses with three lines that help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from kread.cli.model import model
from kread.errors import UsageError

APP = typer.Typer()
APP.command()(model)
NAME = "a-backlog-of-zero-lets-one-through"


def _run(*arguments: str, stdin: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(APP, list(arguments), input=stdin, catch_exceptions=False)
    return done.exit_code, done.stdout


def _json(*arguments: str) -> Any:
    return json.loads(_run(*arguments, "--format", "json")[1])


def test_without_a_name_the_scenarios_are_listed() -> None:
    code, text = _run()
    assert code == 0
    assert f"{NAME}\n" in text
    listed = _json()
    assert listed["schema"] == "kread.model/1"
    assert NAME in [each["name"] for each in listed["scenarios"]]


def test_a_scenario_is_told_with_times_rules_and_functions() -> None:
    code, text = _run(NAME, "--release", "v5.10")
    assert code == 0
    assert "R6.10 " in text
    assert "tcp_check_req" in text
    assert "counts  ListenDrops+1 ListenOverflows+1" in text
    assert "expectations, all met, in 5.10" in text


def test_all_scenarios_hold() -> None:
    code, text = _run("--all", "--release", "7.2")
    assert code == 0
    assert "scenarios hold in 7.2" in text


def test_no_scenario_at_all_is_no_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kread.check.scenarios.bundled", tuple)
    code, text = _run("--all")
    assert code == 1
    assert "0 of 0 scenarios hold; 0 expectations" in text


def test_steps_from_the_command_line_stdin_and_a_file(tmp_path: Path) -> None:
    steps = "listen(1); 3 x handshake; -> SYN-ACK; SYN-ACK; counters PassiveOpens+2 ListenOverflows+1 ListenDrops+1"
    assert _json("--steps", steps)["passed"] is True
    script = "listen(1)\nSYN from=a\nqueues Q=2\n"
    code, text = _run("-", stdin=script)
    assert code == 1
    assert "stdin\n" in text
    assert "line 3    queues Q=2" in text
    file = tmp_path / "mine.scn"
    file.write_text(script)
    told = _json(str(file))
    assert told["scenario"] == "mine"
    assert told["failures"] == [{"line": 3, "expected": "queues Q=2", "found": "Q=1 Y=1 A=0 B=1"}]
    assert told["connections"][0]["state"] == "NEW_SYN_RECV"


def test_json_has_what_a_judge_needs() -> None:
    told = _json("--steps", "syncookies=0; listen(2); 5 x SYN", "--release", "6.1")
    assert told["release"] == "6.1"
    assert told["counters"] == {"ListenDrops": 2, "TCPReqQFullDrop": 2}
    assert told["queues"] == {"L": {"B": 2, "A": 0, "Q": 3, "Y": 3, "T": 0}}
    last = told["steps"][-1]["outcomes"][-1]
    assert last["segments"] == []
    assert last["rules"][-1] == "4.1"
    assert last["functions"][-1] == "tcp_listendrop"


def test_another_reading_than_the_release_s() -> None:
    steps = ("--steps", "listen(1); 3 x handshake")
    assert _json(*steps)["counters"]["PassiveOpens"] == 2
    assert _json(*steps, "--policy", "accept_queue_full=>=")["counters"]["PassiveOpens"] == 1


def test_diagrams() -> None:
    assert _run(NAME, "--format", "mermaid")[1].startswith("sequenceDiagram\n")
    assert _run(NAME, "--format", "mermaid", "--diagram", "state")[1].startswith("stateDiagram-v2\n")
    assert "TIME_WAIT" in _run("--format", "mermaid")[1]


def test_the_rules_are_listed_with_their_conditions() -> None:
    assert "4.3" in _run("--rules")[1]
    rules = {rule["id"]: rule for rule in _json("--rules")["rules"]}
    assert rules["4.3"]["guards"][0]["spellings"] == ["sk->sk_ack_backlog>sk->sk_max_ack_backlog"]


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (["no-such-thing"], "no-such-scenario"),
        ([NAME, "--release", "4.19"], "no-such-policy"),
        ([NAME, "--policy", "colour=true"], "no-such-policy-field"),
        ([NAME, "--policy", "migration=perhaps"], "no-such-policy-value"),
        (["--steps", "NONSENSE"], "bad-script"),
        (["--steps", "close(X)"], "bad-script"),
        ([NAME, "--format", "xml"], "no-such-choice"),
        ([NAME, "--diagram", "pie"], "no-such-choice"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], slug: str) -> None:
    with pytest.raises(UsageError) as caught:
        _run(*arguments)
    assert caught.value.slug == slug
