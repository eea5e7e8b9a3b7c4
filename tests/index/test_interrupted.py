"""An index that is killed, raced, damaged, old, or has no room: the next run is right and loses little."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import mini_tree
import pytest

SOURCES = 400
#: Parts of the time that a whole index takes, at which it is killed.
MOMENTS = (0.1, 0.4, 0.55, 0.65, 0.75, 0.9)
#: SIGKILL cannot be caught and is tried at each moment; of the others it is enough that they end everything too.
ENDS = [*((signal.SIGKILL, moment) for moment in MOMENTS), (signal.SIGTERM, 0.6), (signal.SIGINT, 0.6)]


@pytest.fixture(scope="module")
def tree_of_many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, float]:
    """A tree, its edges, and how long its index takes."""
    root = mini_tree.make(tmp_path_factory.mktemp("many") / "tree", SOURCES)
    begun = time.monotonic()
    expected = mini_tree.edges(root, root.parent / "home")
    return root, expected, time.monotonic() - begun


def committed(home: Path) -> int:
    """How many files' facts are safe."""
    files = list((home / "index").glob("facts-*.sqlite"))
    if not files:
        return 0
    with closing(sqlite3.connect(files[0])) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM unit").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # killed before there was a table


def gone(group: int) -> bool:
    """Whether no process of a group is left, after at most ten seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(("how", "moment"), ENDS)
def test_a_killed_index_loses_no_more_than_a_batch(
    tree_of_many: tuple[Path, str, float], tmp_path: Path, how: signal.Signals, moment: float
) -> None:
    root, expected, seconds = tree_of_many
    process = subprocess.Popen(
        mini_tree.command(root, "edges"),
        env=mini_tree.environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(seconds * moment)
    process.send_signal(how)
    process.wait(timeout=30)
    assert gone(process.pid), "a child of a dead kread lives on"
    safe = committed(tmp_path)
    done = mini_tree.kread(root, tmp_path, "edges")
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected
    if done.stderr:
        # Nothing that was safe is parsed again. (An equal content counts once, and the tree has no two equal files.)
        assert mini_tree.parsed(done.stderr) == SOURCES + 2 - safe
    assert not list((tmp_path / "index").glob("*.tmp"))


def test_two_at_once_are_both_right(tree_of_many: tuple[Path, str, float], tmp_path: Path) -> None:
    root, expected, _ = tree_of_many
    processes = [
        subprocess.Popen(
            mini_tree.command(root, "edges"),
            env=mini_tree.environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ends = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ends
    assert {out for out, _ in ends} == {expected}
    assert sum("of which" in err for _, err in ends) == 1, "one of them indexes, the others wait for it"


def test_two_scopes_at_once_share_the_facts(tree_of_many: tuple[Path, str, float], tmp_path: Path) -> None:
    root, _, _ = tree_of_many
    scopes = [("net/ipv4/shared.c",), ("net",), ("net/ipv4",)]
    processes = [
        subprocess.Popen(
            [*mini_tree.KREAD, "index", "--release", str(root), *(f"--scope={place}" for place in scope)],
            env=mini_tree.environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for scope in scopes
    ]
    ends = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ends


def test_what_an_older_kread_wrote_is_made_again(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", 3), tmp_path / "home"
    expected = mini_tree.edges(root, home)
    (graph,) = (home / "index").glob("v6*.sqlite")
    with closing(sqlite3.connect(graph)) as connection:
        connection.execute("DROP TABLE edge")
        connection.execute("PRAGMA user_version=1")
        connection.commit()
    (facts,) = (home / "index").glob("facts-*.sqlite")
    facts.rename(facts.with_name("facts-1.sqlite"))
    assert mini_tree.edges(root, home) == expected
    assert [file.name for file in (home / "index").glob("facts*.sqlite")] == [facts.name]


def _truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _zero(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:4096] + b"\0" * (len(data) - 4096))


def _garbage(file: Path) -> None:
    file.write_bytes(b"\xff not a database \x00" * 1000)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("damage", [_truncate, _zero, _garbage, _empty])
@pytest.mark.parametrize("which", ["v6*.sqlite", "facts-*.sqlite"])
def test_a_damaged_index_heals(tmp_path: Path, damage: Callable[[Path], None], which: str) -> None:
    root, home = mini_tree.make(tmp_path / "tree", 30), tmp_path / "home"
    expected = mini_tree.edges(root, home)
    (file,) = (home / "index").glob(which)
    damage(file)
    if which.startswith("facts"):
        with open(root / "net/ipv4/file_1.c", "a") as stream:
            stream.write("/* so that the facts are needed */\n")
    first = mini_tree.kread(root, home, "edges")
    if first.returncode != 0:  # damage that shows itself late: it is said, and the next run is right
        assert first.returncode == 4, first.stderr
        assert "run the command again" in first.stderr
    assert mini_tree.edges(root, home) == expected


def test_a_full_disk_is_said_and_costs_nothing_later(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", 100), tmp_path / "home"
    for limit in (0, 5_000, 60_000, 150_000):
        done = subprocess.run(
            mini_tree.command(root, "edges"),
            env=mini_tree.environment(home),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        assert (done.returncode, done.stdout) == (4, ""), done.stderr
        assert "Traceback" not in done.stderr
        assert "free some space" in done.stderr
    assert "use_99" in mini_tree.edges(root, home)


def in_a_namespace(script: str, home: Path, root: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell script with mounts of its own; skip where that is not allowed."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mounts of our own here; to enable, run as root with util-linux installed")
    kread = " ".join(f"'{word}'" for word in mini_tree.command(root, "edges"))
    return subprocess.run(
        [unshare, "-m", "sh", "-c", script.format(home=home, kread=kread)],
        env=mini_tree.environment(home),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_home_that_can_only_be_read_answers_from_what_it_has(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", 3), tmp_path / "home"
    expected = mini_tree.edges(root, home)
    read_only = "mount --bind {home} {home} && mount -o remount,ro,bind {home} && exec {kread}"
    done = in_a_namespace(read_only, home, root)
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")
    (root / "net/ipv4/file_1.c").write_text("int changed(void)\n{\n\treturn shared(1);\n}\n")
    done = in_a_namespace(read_only, home, root)
    assert (done.returncode, done.stdout) == (4, "")
    assert "KREAD_HOME" in done.stderr


def test_a_disk_that_fills_up_is_said(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", 300), tmp_path / "home"
    home.mkdir()
    done = in_a_namespace("mount -t tmpfs -o size=300k none {home} && exec {kread}", home, root)
    assert (done.returncode, done.stdout) == (4, ""), done.stderr
    assert "free some space" in done.stderr


def test_a_home_that_cannot_be_is_said(tmp_path: Path) -> None:
    root = mini_tree.make(tmp_path / "tree", 1)
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = mini_tree.kread(root, blocked / "home", "edges")
    assert (done.returncode, done.stdout) == (4, "")
    assert "KREAD_HOME" in done.stderr
