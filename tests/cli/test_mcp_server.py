"""`kread mcp`, started over stdio by the SDK's own client, every tool called on a real release.

What an answer claims is compared with the tree itself: each line of evidence must stand where the answer says.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp.server.mcpserver", reason="the MCP SDK is not here; to enable: pip install 'kread[mcp]'")

GRADES = ("certain", "object", "type", "signature")
CALLS = (
    ("path", {"caller": "tcp_v4_rcv", "callee": "inet_ehash_insert"}),
    ("callers", {"function": "inet_ehash_insert"}),
    ("callees", {"function": "tcp_v4_conn_request"}),
    ("slot", {"name": "inet_connection_sock_af_ops.conn_request"}),
    ("struct", {"name": "request_sock"}),
    ("tour", {"name": "tcp-syn"}),
    ("check", {"part": "claims"}),
    ("check", {"part": "source"}),
    ("tour", {}),
    ("callers", {"function": "inet_ehash_insrt"}),
)
SECONDS = 600


@pytest.fixture(scope="module")
def answers(indexed_home: Path) -> tuple[set[str], list[Any]]:
    """The tools' names, and the result of each of CALLS, from one server."""
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    server = StdioServerParameters(
        command=sys.executable,
        args=["-c", "from kread.cli.main import main; main()", "mcp"],
        env={**os.environ, "KREAD_HOME": str(indexed_home)},
    )

    async def ask() -> tuple[set[str], list[Any]]:
        async with Client(server, read_timeout_seconds=SECONDS) as client:
            listed = await client.list_tools()
            results = [await client.call_tool(name, dict(arguments)) for name, arguments in CALLS]
            return {tool.name for tool in listed.tools}, results

    return asyncio.run(ask())


def test_every_tool_is_listed_and_called(answers: tuple[set[str], list[Any]]) -> None:
    names, results = answers
    assert {name for name, _ in CALLS} == names
    assert [result.is_error for result in results] == [False] * (len(CALLS) - 1) + [True]


def _evidence(value: Any) -> Iterator[tuple[str, int, str]]:
    """(file, line, text) of all evidence in an answer; whoever has evidence has a grade."""
    if isinstance(value, dict):
        if "evidence" in value:
            assert value["grade"] in GRADES
            yield from ((one["file"], one["line"], one.get("text", "")) for one in value["evidence"])
        for one in value.values():
            yield from _evidence(one)
    elif isinstance(value, list):
        for one in value:
            yield from _evidence(one)


@pytest.mark.parametrize("number", range(8), ids=[name for name, _ in CALLS[:8]])
def test_the_evidence_stands_where_the_answer_says(
    answers: tuple[set[str], list[Any]], tree: Callable[[str], Path], number: int
) -> None:
    found = list(_evidence(answers[1][number].structured_content))
    assert found
    for file, line, text in found:
        lines = (tree("6.12") / file).read_text(errors="replace").splitlines()
        words = re.findall(r"\w+", text)
        # A call or a definition may go on for some lines: its first word stands on the line itself.
        assert not words or words[0] in lines[line - 1] or words[-1] in lines[line - 1], (file, line, text)


def test_the_answers_are_those_of_the_sketch(answers: tuple[set[str], list[Any]]) -> None:
    path, callers, callees, slot, struct, tour, claims, source, tours, _ = (
        result.structured_content for result in answers[1]
    )
    first = [step["function"] for step in path["trails"][0]["steps"]]
    assert first[:5] == [
        "tcp_v4_rcv",
        "tcp_v4_do_rcv",
        "tcp_rcv_state_process",
        "tcp_v4_conn_request",
        "tcp_conn_request",
    ]
    assert {edge["caller"]["function"] for one in callers["functions"] for edge in one["callers"]} >= {
        "reqsk_queue_hash_req"
    }
    assert "tcp_conn_request" in {edge["callee"]["function"] for one in callees["functions"] for edge in one["callees"]}
    assert ("ipv4_specific", "tcp_v4_conn_request") in {
        (one["table"], one["function"]["function"]) for one in slot["values"]
    }
    assert {"rsk_timer", "rsk_ops", "num_timeout"} <= {one["name"] for one in struct["members"]}
    assert (tour["schema"], tour["name"]) == ("kread.tour/1", "tcp-syn")
    stops = [stop["function"] for leg in tour["legs"] for stop in leg["stops"] if stop["function"]]
    assert stops[0] == "tcp_v4_rcv"
    assert "tcp_conn_request" in stops
    verdicts = {one["verdict"] for one in claims["claims"]}
    assert {"wrong", "imprecise"} <= verdicts
    assert source["agrees"]
    assert len(source["anchors"]) > 50
    assert "tcp-accept" in {one["name"] for one in tours["tours"]}


def test_an_error_says_what_to_do(answers: tuple[set[str], list[Any]]) -> None:
    assert "inet_ehash_insert" in answers[1][-1].content[0].text


def test_without_the_sdk_the_extra_is_named(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['mcp'] = None; from kread.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", hidden, "mcp"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'kread[mcp]'" in done.stderr
