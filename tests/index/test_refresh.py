"""What is parsed again after a change: that file, and what depends on its macros."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import mini_tree

SOURCES = 20
#: The sources, the one that they share, and the header.
FILES = SOURCES + 2


def test_one_changed_file_is_the_only_one_that_is_parsed_again(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", SOURCES), tmp_path / "home"
    first = mini_tree.kread(root, home, "edges")
    assert mini_tree.parsed(first.stderr) == FILES
    changed = root / "net/ipv4/file_3.c"
    changed.write_text(changed.read_text() + "\nint added(void)\n{\n\treturn shared(3);\n}\n")
    second = mini_tree.kread(root, home, "edges")
    assert mini_tree.parsed(second.stderr) == 1
    more = set(second.stdout.splitlines()) - set(first.stdout.splitlines())
    assert [line.split("\t")[1] for line in more] == ["added"]


def test_nothing_is_read_again_where_nothing_changed(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", SOURCES), tmp_path / "home"
    first = mini_tree.kread(root, home, "edges")
    second = mini_tree.kread(root, home, "edges")
    assert (second.stdout, second.stderr) == (first.stdout, "")


def test_a_touched_file_is_looked_at_and_not_parsed(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", SOURCES), tmp_path / "home"
    mini_tree.kread(root, home, "index")
    os.utime(root / "net/ipv4/file_3.c", (1, 1))
    assert mini_tree.parsed(mini_tree.kread(root, home, "index").stderr) == 0


def test_a_changed_macro_has_its_users_read_again(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", SOURCES), tmp_path / "home"
    other = root / "net/ipv4/other.c"
    other.write_text("int other(void)\n{\n\treturn 0;\n}\n")
    before = mini_tree.edges(root, home)
    assert "\tfile_once" not in before
    header = root / "include/linux/thing.h"
    header.write_text(header.read_text().replace("f(x); f(x);", "f(x); other();"))
    done = mini_tree.kread(root, home, "edges")
    assert mini_tree.parsed(done.stderr) == SOURCES + 1  # those that use it, and the header; not shared.c, not other.c
    assert len([line for line in done.stdout.splitlines() if line.split("\t")[3] == "other"]) == SOURCES


def test_a_makefile_that_changes_changes_the_conditions(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", 2), tmp_path / "home"
    assert "CONFIG_SEVEN" not in mini_tree.edges(root, home)
    (root / "net/ipv4/Makefile").write_text("obj-$(CONFIG_SEVEN) := file_0.o file_1.o\n")
    rows = [line.split("\t") for line in mini_tree.edges(root, home).splitlines()[1:]]
    assert {row[8] for row in rows if row[0] == "net/ipv4/file_0.c"} == {"CONFIG_SEVEN"}


def test_files_come_and_go(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", 3), tmp_path / "home"
    before = mini_tree.edges(root, home)
    (root / "net/ipv4/file_9.c").write_text(mini_tree.SOURCE.format(number=9))
    assert "use_9" in mini_tree.edges(root, home)
    (root / "net/ipv4/file_9.c").unlink()
    assert mini_tree.edges(root, home) == before


def test_an_equal_file_of_another_tree_is_not_parsed_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    mini_tree.kread(mini_tree.make(tmp_path / "one", SOURCES), home, "index")
    other = mini_tree.make(tmp_path / "other", SOURCES)
    (other / "net/ipv4/file_5.c").write_text("int different(void)\n{\n\treturn shared(5);\n}\n")
    assert mini_tree.parsed(mini_tree.kread(other, home, "index").stderr) == 1


def test_the_kernel_tree_is_never_written_to(tmp_path: Path) -> None:
    root = mini_tree.make(tmp_path / "tree", 3)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    mini_tree.kread(root, tmp_path / "home", "index")
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_after_a_change_no_other_file_is_opened(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", SOURCES), tmp_path / "home"
    mini_tree.kread(root, home, "index")
    changed = root / "net/ipv4/file_3.c"
    changed.write_text(changed.read_text() + "\nint added(void)\n{\n\treturn shared(3);\n}\n")
    listed = tmp_path / "opened"
    line = "import sys; sys.addaudithook(lambda event, row: event == 'open' and print(row[0], file=sys.stderr))"
    (tmp_path / "sitecustomize.py").write_text(line)
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    with open(listed, "w", encoding="utf-8") as stream:
        subprocess.run(
            mini_tree.command(root, "index"),
            env=mini_tree.environment(home, PYTHONPATH=path),
            stdout=subprocess.DEVNULL,
            stderr=stream,
            check=True,
            timeout=300,
        )
    opened = {name for name in listed.read_text().splitlines() if name.startswith(f"{root}/net")}
    assert str(changed) in opened <= {str(changed), str(root / "net/ipv4/Makefile")}


def test_a_macro_of_another_source_is_of_no_concern(tmp_path: Path) -> None:
    root, home = mini_tree.make(tmp_path / "tree", SOURCES), tmp_path / "home"
    for number in range(SOURCES):
        source = root / f"net/ipv4/file_{number}.c"
        source.write_text(
            f"#define report(x) shared({number})\n{source.read_text()}\nint r(void) {{ return report(1); }}\n"
        )
    mini_tree.kread(root, home, "index")
    changed = root / "net/ipv4/file_3.c"
    changed.write_text(changed.read_text().replace("shared(3)", "doubled(3)", 1))
    done = mini_tree.kread(root, home, "edges")
    assert mini_tree.parsed(done.stderr) == 1
    by_macro = [row.split("\t") for row in done.stdout.splitlines() if "\tr\t" in row]
    assert {row[3] for row in by_macro if row[0].endswith("file_3.c")} == {"doubled"}
    assert {row[3] for row in by_macro if not row[0].endswith("file_3.c")} == {"shared"}
