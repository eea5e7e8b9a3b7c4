"""`kread notes` end to end on a small tree: what it writes, in two languages, and that remarks survive."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_tree import SmallTree


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SmallTree:
    return SmallTree(tmp_path_factory.mktemp("notes"))


def test_every_format_is_written_and_named(made: SmallTree) -> None:
    done = made.kread("notes", "thing_top", "thing_leaf", "-o", "all")
    assert done.returncode == 0, done.stderr
    files = done.stdout.decode().split()
    assert {Path(file).suffix for file in files} == {".md", ".html", ".tour"}
    assert all((made.folder / file).is_file() for file in files)
    text = (made.folder / "all" / "thing_top-thing_leaf.md").read_text()
    assert "> where it ends" not in text
    assert r"> thing_leaf - where it ends" in text
    assert "`t->seen = 1` (:12)" in text
    assert "`!t` must be false" in text
    page = (made.folder / "all" / "thing_top-thing_leaf.html").read_text()
    assert "must be false" in page
    tour = json.loads(next((made.folder / "all" / ".tours").glob("*.tour")).read_text())
    for step in tour["steps"]:
        lines = (made.folder / "linux" / step["file"]).read_text().splitlines()
        if "pattern" in step:
            assert sum(bool(re.search(step["pattern"], line)) for line in lines) == 1
        else:
            assert lines[step["line"] - 1].strip().startswith("return thing_")
    contents = (made.folder / "all" / "SUMMARY.md").read_text()
    assert "(thing_top-thing_leaf.md)" in contents


def test_markdown_alone_is_a_book(made: SmallTree) -> None:
    assert made.kread("notes", "thing_top", "thing_leaf", "-o", "book", "--format", "md").returncode == 0
    folder = made.folder / "book"
    assert tomllib.loads((folder / "book.toml").read_text())["book"]["src"] == "."
    (folder / "book.toml").write_text('[book]\ntitle = "Mine"\nsrc = "."\n')
    assert made.kread("notes", "thing_top", "thing_leaf", "-o", "book", "--format", "md").returncode == 0
    assert "Mine" in (folder / "book.toml").read_text()
    if mdbook := shutil.which("mdbook"):
        done = subprocess.run([mdbook, "build", folder], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "thing_middle" in (folder / "book" / "thing_top-thing_leaf.html").read_text()
    else:
        pytest.skip("no mdbook; to enable, put mdBook's program on the path")


def test_remarks_survive_a_second_run(made: SmallTree) -> None:
    assert made.kread("notes", "thing_top", "thing_leaf", "-o", "kept", "--format", "md").returncode == 0
    file = made.folder / "kept" / "thing_top-thing_leaf.md"
    mark = '<!-- remark function="thing_middle" call="thing_leaf(t)" in="By thing_middle" -->\n'
    assert mark in file.read_text()
    file.write_text(file.read_text().replace(mark, mark + "Mine.\n"))
    done = made.kread("notes", "thing_top", "thing_leaf", "-o", "kept", "--format", "md", "--lang", "zh")
    assert done.returncode == 0
    assert mark + "\nMine." in file.read_text()
    assert "你的笔记" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["thing_leaf", "thing_top"], 1, "no path"),
        (["thing_top", "thing_laef"], 3, "thing_leaf"),
        (["thing_top", "thing_leaf", "--lang", "tlh"], 2, "Known: en, zh"),
        (["thing_top", "thing_leaf", "--format", "docx"], 2, "md, html, tour"),
        (["thing_top", "thing_leaf", "-o", "linux/Makefile"], 2, "Can't write"),
    ],
)
def test_errors(made: SmallTree, arguments: list[str], code: int, said: str) -> None:
    done = made.kread("notes", *arguments)
    assert done.returncode == code
    assert said in done.stderr.decode()


def test_remarks_follow_the_source_and_what_lost_its_place_is_said(tmp_path: Path) -> None:
    made = SmallTree(tmp_path)
    asked = ("notes", "thing_top", "thing_leaf", "-o", "kept", "--format", "md")
    assert made.kread(*asked).returncode == 0
    file = tmp_path / "kept" / "thing_top-thing_leaf.md"
    text = file.read_text()
    for name in ("thing_top", "thing_middle"):
        text = re.sub(rf'(<!-- remark function="{name}".*-->\n)', rf"\1Mine on {name}.\n", text)
    file.write_text(text)
    source = tmp_path / "linux" / "net" / "core" / "thing.c"
    source.write_text(
        source.read_text().replace("thing_middle", "thing_centre").replace("int thing_top", "\n\n\nint thing_top")
    )
    done = made.kread(*asked)
    assert done.returncode == 0, done.stderr
    assert "your note on thing_middle has lost its place" in done.stderr.decode()
    again = file.read_text()
    assert re.search(r'<!-- remark function="thing_top" call="thing_centre\(t\)".*-->\n\nMine on thing_top\.', again)
    assert again.index("## Notes whose place is gone") < again.index("Mine on thing_middle.")


def test_where_a_mark_was_lost_the_old_notes_are_kept_aside(tmp_path: Path) -> None:
    made = SmallTree(tmp_path)
    asked = ("notes", "thing_top", "thing_leaf", "-o", "kept", "--format", "md")
    assert made.kread(*asked).returncode == 0
    file = tmp_path / "kept" / "thing_top-thing_leaf.md"
    broken = file.read_text().replace("<!-- /remark -->", "Mine, and the mark is gone.", 1)
    file.write_text(broken)
    done = made.kread(*asked)
    assert done.returncode == 0, done.stderr
    assert "marks around your notes are missing" in done.stderr.decode()
    assert (tmp_path / "kept" / "thing_top-thing_leaf.md.old").read_text() == broken
