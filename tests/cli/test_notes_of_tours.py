"""`kread notes TOUR...` on a real release: what is written stands in the tree as it says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(kread: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notes of two tours."""
    where = tmp_path_factory.mktemp("tours")
    done = kread("notes", "tcp-syn", "tcp-accept", "-o", str(where))
    assert done.returncode == 0, done.stderr
    assert all(Path(line).is_file() for line in done.stdout.splitlines())
    return where


def test_each_line_of_source_stands_where_the_notes_say(folder: Path, tree: Callable[[str], Path]) -> None:
    text = (folder / "tcp-syn.md").read_text()
    parts = re.split(r"^### \d+\. `", text, flags=re.M)[1:]
    assert len(parts) > 15
    seen = 0
    for part in parts:
        file = re.search(r"^`([^`:]+):\d+`", part, re.M)
        assert file is not None
        lines = (tree("6.12") / file[1]).read_text(errors="replace").splitlines()
        fence = part.split("```c\n")[1].split("\n```")[0]
        for row in fence.splitlines():
            if number := re.match(r" *(\d+)  (.*)", row):
                assert lines[int(number[1]) - 1].rstrip() == number[2].rstrip()
                seen += 1
    assert seen > 100


def test_the_reader_learns_why_a_full_queue_drops_and_at_which_line(folder: Path, tree: Callable[[str], Path]) -> None:
    text = (folder / "tcp-syn.md").read_text()
    answer = re.search(r"SYN number 7: ListenDrops\+1 ListenOverflows\+1\..*?\(([\w/.]+):(\d+)\)", text)
    assert answer is not None
    line = (tree("6.12") / answer[1]).read_text(errors="replace").splitlines()[int(answer[2]) - 1]
    assert "sk_acceptq_is_full" in line


def test_the_notes_have_every_part(folder: Path) -> None:
    text = (folder / "tcp-syn.md").read_text()
    for part in (
        "sequenceDiagram",
        "classDiagram",
        "What the model had here",
        "## What the model plays",
        "## Structures",
        "**What it reads**",
        "- `struct sock`: `sk_state` (:",
        "3. **B's kernel receives the SYN",
        "## What is said of it",
        "## References",
        "a->>kernel: SYN",
        "hand-over: the hash table of connections (ehash)",
    ):
        assert part in text
    assert "(step 3). **wrong**" in text
    # A function that ends a path is shown whole where it is short: what it decides is its body.
    assert "sk_ack_backlog) > READ_ONCE(sk->sk_max_ack_backlog)" in text


def test_notes_of_a_path_that_a_tour_knows_have_every_part_too(kread: Run, tmp_path: Path) -> None:
    done = kread("notes", "tcp_v4_rcv", "inet_ehash_insert", "-k", "2", "--format", "md", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "tcp_v4_rcv-inet_ehash_insert.md").read_text()
    syn, ack = re.split(r"^## [12]\. ", text, flags=re.M)[1:]
    for part in ("2 families", "sequenceDiagram", "3. **B's kernel", "5. **B's kernel", "classDiagram", "u32 rcv_isn"):
        assert part in text
    assert "at: `SYN seq=1000 from a`" in syn
    assert "at: `ACK seq=1001" in ack
    assert "SYN number 7: ListenDrops" in syn
    assert "(step 3). **wrong**" in text
    assert "## References" in text


def test_a_path_that_no_tour_knows_has_no_model(kread: Run, tmp_path: Path) -> None:
    done = kread("notes", "udp_rcv", "__udp4_lib_rcv", "--format", "md", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (text,) = [file.read_text() for file in tmp_path.glob("*_*.md")]
    assert "1 family" in text
    assert "What the model" not in text
    assert "sequenceDiagram" not in text


def test_no_question_asks_for_calls_between_functions_that_do_not_call(folder: Path) -> None:
    for file in folder.glob("tcp-*.md"):
        for names in re.findall(r"\d+ calls?: (.*)\.$", file.read_text(), re.M):
            functions = names.replace("\\", "").split(" > ")
            assert len(set(functions)) == len(functions)


def test_several_tours_have_an_index_in_their_order(folder: Path) -> None:
    assert re.findall(r'href="([^"]*html)"', (folder / "index.html").read_text()) == ["tcp-syn.html", "tcp-accept.html"]
    assert re.findall(r"\(([\w-]+\.md)\)", (folder / "SUMMARY.md").read_text()) == ["tcp-syn.md", "tcp-accept.md"]


def test_remarks_survive_and_the_language_changes(folder: Path, kread: Run) -> None:
    file = folder / "tcp-accept.md"
    mark = re.search(r"^<!-- remark .*-->\n", file.read_text(), re.M)
    assert mark is not None
    file.write_text(file.read_text().replace(mark[0], mark[0] + "Mine.\n", 1))
    done = kread("notes", "tcp-accept", "-o", str(folder), "--format", "md", "--lang", "zh")
    assert done.returncode == 0, done.stderr
    text = file.read_text()
    assert "Mine." in text
    assert "6. **B 调用 accept()" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "tcp-syn"),
        (["tcp-sny"], "tcp-syn"),
        (["tcp-syn", "tcp_v4_rcv"], "tcp_v4_rcv"),
        (["a", "b", "c"], "tcp-syn"),
    ],
)
def test_what_is_no_tour_is_said(kread: Run, arguments: list[str], says: str) -> None:
    done = kread("notes", *arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_every_function_of_a_tour_is_said_what_it_is_for(folder: Path) -> None:
    from kread import data

    named = {
        name for file in folder.glob("tcp-*.md") for name in re.findall(r"^### \d+\. `(\w+)`", file.read_text(), re.M)
    }
    assert len(named) > 25
    assert sorted(named - set(data.load("purposes")["purpose"])) == []
