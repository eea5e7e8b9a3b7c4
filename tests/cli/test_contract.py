"""The contract of the command line, end to end: exit codes, the three lines of an error, what goes to which stream."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

KREAD = (sys.executable, "-c", "from kread.cli.main import main; main()")
Run = Callable[..., subprocess.CompletedProcess[str]]


def three_lines(stderr: str) -> list[str]:
    """The lines of an error; what happened is told first, what it concerns and what to do are indented."""
    lines = stderr.splitlines()
    assert lines[0].startswith("kread: ")
    assert 2 <= len(lines) <= 3
    assert all(line.startswith("  ") for line in lines[1:])
    assert "Traceback" not in stderr
    return lines


def test_an_answer_is_exit_code_0_and_nothing_else_on_stderr(kread: Run) -> None:
    done = kread("callers", "inet_ehash_insert")
    assert (done.returncode, done.stderr) == (0, "")
    assert "reqsk_queue_hash_req" in done.stdout


def test_no_is_exit_code_1_with_an_answer(kread: Run) -> None:
    done = kread("path", "inet_ehash_insert", "tcp_v4_rcv")
    assert done.returncode == 1
    assert "no path" in (done.stdout + done.stderr).lower()
    assert kread("slot", "proto_ops.owner").returncode == 1
    assert kread("callees", "tcp_twsk_purge", "--format", "json").returncode in (0, 3)


def test_a_release_against_itself_is_as_it_was(kread: Run) -> None:
    asked = ("path", "sys_listen", "inet_csk_listen_start", "--against", "v6.12")
    done = kread(*asked)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"Linux (v6\.12\S*) > \1\n", done.stdout)
    assert "1  By inet_listen" in done.stdout
    assert done.stdout.count("as before") == len(re.findall(r"^\d  ", done.stdout, re.M)) > 0
    families = json.loads(kread(*asked, "--format", "json").stdout)["families"]
    assert {family["is"] for family in families} == {"same"}
    assert kread("path", "inet_csk_listen_start", "sys_listen", "--against", "v6.12").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["path", "tcp_v4_rcv"], "CALLEE"),
        (["callers", "tcp_v4_rcv", "--no-such-option"], "--no-such-option"),
        (["callers", "tcp_v4_rcv", "--format", "xml"], "text, json"),
        (["edges", "--kind", "guess"], "ops_table"),
        (["pth", "a", "b"], "kread path"),
        (["tour", "--new"], "kread tour --help"),
        (["path", "a", "b", "--against", "v6.12", "--source"], "--against"),
        (["callers", "tcp_v4_rcv", "--config", "/nonexistent/.config"], "/nonexistent/.config"),
    ],
)
def test_a_usage_error_is_exit_code_2_and_says_what_to_do(kread: Run, arguments: list[str], says: str) -> None:
    done = kread(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in "\n".join(three_lines(done.stderr))


def test_without_a_command_the_help_goes_to_stderr(kread: Run) -> None:
    done = kread()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == kread("--help").stdout


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["path", "tcp_v4_rvc", "inet_ehash_insert"], "tcp_v4_rcv"),
        (["callers", "inet_ehash_insrt"], "inet_ehash_insert"),
        (["callees", "tcp_v4_recv"], "tcp_v4_rcv"),
        (["show", "tcp_conn_reqest"], "tcp_conn_request"),
        (["slot", "proto_ops.lisen"], "proto_ops.listen"),
        (["struct", "inet_connection_sok"], "inet_connection_sock"),
    ],
)
def test_an_unknown_symbol_is_exit_code_3_and_names_the_nearest(kread: Run, arguments: list[str], nearest: str) -> None:
    done = kread(*arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert nearest in three_lines(done.stderr)[-1]


def test_a_name_of_another_kind_says_which_command_takes_it(kread: Run) -> None:
    assert "kread show tcp_sk" in kread("callers", "tcp_sk").stderr
    assert "kread struct inet_connection_sock" in kread("show", "inet_connection_sock").stderr


def test_a_missing_source_is_exit_code_4(kread: Run, tmp_path: Path) -> None:
    done = kread("callers", "tcp_v4_rcv", "--release", str(tmp_path / "nothing"))
    assert (done.returncode, done.stdout) == (4, "")
    three_lines(done.stderr)
    done = kread("index", "--scope", "net/nothing")
    assert (done.returncode, done.stdout) == (4, "")
    assert "net/nothing" in three_lines(done.stderr)[0]


def test_a_fault_of_ours_is_exit_code_70_and_names_its_log(tmp_path: Path) -> None:
    broken = (
        "import kread.source.releases as r; r.list_releases = lambda: 1 / 0; from kread.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken, "releases"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (70, "")
    assert "Traceback" not in done.stderr
    (log,) = tmp_path.glob("kread-fault-*.log")
    assert str(log) in done.stderr
    assert "ZeroDivisionError" in log.read_text()


def test_an_interrupt_is_exit_code_130_and_the_next_run_is_right(tree: Callable[[str], Path], tmp_path: Path) -> None:
    environment = {**os.environ, "KREAD_HOME": str(tmp_path)}
    command = [*KREAD, "show", "reqsk_put", "--scope", "net/ipv4/fou_core.c", "--release", str(tree("6.12"))]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not (tmp_path / "index").exists():
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the job
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    *told, last = err.splitlines()
    assert last == "kread: interrupted; what was done so far is kept, and the same command goes on from there"
    assert all(line.startswith("indexing ") for line in told), err  # said first, or not yet when the interrupt came
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "reqsk_put" in done.stdout


def test_a_reader_who_leaves_is_no_error(indexed_home: Path) -> None:
    kread = " ".join(f"'{word}'" for word in KREAD)
    for command in ("edges", "struct sock", "--help"):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{kread} {command} | head -n 1"],
            env={**os.environ, "KREAD_HOME": str(indexed_home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert len(done.stdout.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, which plays a full disk")
def test_an_answer_that_cannot_be_written_is_said(indexed_home: Path) -> None:
    environment = {**os.environ, "KREAD_HOME": str(indexed_home)}
    for command in (["edges"], ["callers", "inet_ehash_insert"], ["--help"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [*KREAD, *command], env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert done.returncode == 4
        assert "No space left" in three_lines(done.stderr)[0]


def test_a_closed_output_is_no_fault(indexed_home: Path) -> None:
    kread = " ".join(f"'{word}'" for word in KREAD)
    done = subprocess.run(
        ["bash", "-c", f"{kread} callers inet_ehash_insert >&-"],
        env={**os.environ, "KREAD_HOME": str(indexed_home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_output_that_is_not_utf8_gets_what_it_can_show(kread: Run) -> None:
    done = kread("path", "tcp_v4_rcv", "tcp_v4_do_rcv", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()


def _on_a_terminal(indexed_home: Path, **environment: str) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*KREAD, "callers", "inet_ehash_insert"],
        env={**os.environ, "KREAD_HOME": str(indexed_home), "TERM": "xterm-256color", **environment},
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    assert process.wait() == 0
    os.close(ours)
    return shown.decode()


def test_colour_is_for_terminals_and_no_color_is_honoured(indexed_home: Path, kread: Run) -> None:
    assert "\x1b[" in _on_a_terminal(indexed_home)
    assert "\x1b" not in _on_a_terminal(indexed_home, NO_COLOR="1")
    assert "\x1b" not in _on_a_terminal(indexed_home, TERM="dumb")
    assert "\x1b" not in kread("callers", "inet_ehash_insert").stdout


def test_version_and_help_name_the_program(kread: Run) -> None:
    from kread import __version__

    assert kread("--version").stdout == f"kread {__version__}\n"
    assert kread("--help").stdout == kread("-h").stdout


def test_json_is_data_alone_even_while_the_index_is_built(tree: Callable[[str], Path], tmp_path: Path) -> None:
    done = subprocess.run(
        [*KREAD, "index", "--scope", "net/ipv4/fou_core.c", "--format", "json", "--release", str(tree("6.12"))],
        env={**os.environ, "KREAD_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["schema"] == "kread.index/1"
    assert report["functions"] > 100
    assert re.search(r"files", done.stderr)


def test_the_shell_completes_commands_and_options(tmp_path: Path) -> None:
    program = tmp_path / "kread"
    program.write_text(f'#!/bin/sh\nexec {KREAD[0]} -c "{KREAD[2]}" "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    script = subprocess.run(
        ["kread", "--show-completion", "bash"], env=environment, capture_output=True, text=True, check=True
    ).stdout

    def complete(*words: str) -> set[str]:
        line = " ".join(f"'{word}'" for word in words)
        asked = f'COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _kread_completion kread; echo "${{COMPREPLY[@]}}"'
        done = subprocess.run(
            ["bash", "-c", f"{script}\n{asked}"], env=environment, capture_output=True, text=True, check=True
        )
        return set(done.stdout.split())

    assert complete("kread", "call") == {"callers", "callees"}
    assert "--scope" in complete("kread", "index", "--sc")
    assert {"--via", "--avoid", "--assume"} <= complete("kread", "path", "--")
