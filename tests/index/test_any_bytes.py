"""Whatever stands in a file, the reader reads it: no exception, texts of the same length and lines, rows within the file."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import mini_tree
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kread.graph.build import build
from kread.graph.callgraph import CallGraph
from kread.index.closures import Closures
from kread.index.macros import MacroIndex, read_head
from kread.parse.conditional import conditions
from kread.parse.macro_table import learn
from kread.parse.prepare import prepare
from kread.source.progress import Silent
from kread.source.tree import open_tree

#: What C is made of, and what the reader looks for: put together at random it is nearly C, which is worse than noise.
PIECES = [
    *(
        "#define f(x) ",
        "#define g ",
        "#if X\n",
        "#ifdef Y\n",
        "#elif Z\n",
        "#else\n",
        "#endif\n",
        "#include <linux/thing.h>\n",
    ),
    *(
        "int",
        "struct",
        "union",
        "static",
        "typedef",
        "return",
        "if",
        "while",
        "for",
        "do",
        "switch",
        "case 1:",
        "goto l;",
    ),
    *(
        "call_twice(",
        "__init",
        "f(",
        "g",
        "x",
        "y->z",
        "a.b",
        "sizeof",
        "SYSCALL_DEFINE3(",
        "EXPORT_SYMBOL(",
        "list_for_each(",
    ),
    *(
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ";",
        ",",
        "=",
        "*",
        "&",
        "->",
        "...",
        "##",
        "#",
        "\\\n",
        "\n",
        " ",
        "\t",
        "/*",
        "*/",
        "//",
    ),
    *(
        '"',
        "'",
        "'\\''",
        '"\\',
        "0x",
        "\0",
        "\r\n",
        "\x0c",
        "\xe9",
        "\u4e2d",
        "asm(",
        "__attribute__((",
        "_Generic(",
        "({",
        "})",
    ),
]

near_c = st.lists(st.sampled_from(PIECES), max_size=120).map("".join).map(lambda text: text.encode("utf-8"))
anything = st.binary(max_size=600)


def _cut(parts: tuple[bytes, int, int, bytes]) -> bytes:
    text, start, length, other = parts
    at = start % (len(text) + 1)
    return text[:at] + other + text[at + length :]


#: A good file in which something was cut out and something else put in.
mutated = st.tuples(
    st.sampled_from([mini_tree.SHARED.encode(), mini_tree.SOURCE.format(number=1).encode()]),
    st.integers(0, 10_000),
    st.integers(0, 60),
    st.one_of(anything, near_c),
).map(_cut)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(anything, near_c, mutated))
def test_any_bytes_are_read_and_linked(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = mini_tree.make(Path(folder) / "tree", 1)
        (root / "net/ipv4/fuzzed.c").write_bytes(data)
        (root / "include/linux/fuzzed.h").write_bytes(data)
        (root / "net/ipv4/user.c").write_text("#include <linux/fuzzed.h>\n" + mini_tree.SOURCE.format(number=7))
        before = os.environ.get("KREAD_HOME")
        os.environ["KREAD_HOME"] = str(Path(folder) / "home")
        try:
            graph = CallGraph(build(open_tree(root), ("net/ipv4",), Silent()))
        finally:
            if before is None:
                del os.environ["KREAD_HOME"]
            else:
                os.environ["KREAD_HOME"] = before
        lines = data.count(b"\n") + 1
        for file in ("net/ipv4/fuzzed.c", "include/linux/fuzzed.h"):
            for table in ("function", "edge", "fault", "macro"):
                rows = graph.store.query(f"SELECT line FROM {table} WHERE file = ?", [file])
                assert all(1 <= line <= lines for (line,) in rows)
        graph.store.close()


@settings(max_examples=400, deadline=None)
@given(st.one_of(anything, near_c, mutated))
def test_prepared_text_keeps_its_length_and_its_lines(data: bytes) -> None:
    heads = {
        "include/linux/thing.h": read_head(mini_tree.SHARED.encode()),
        "net/a.c": read_head(data),
    }
    macros = MacroIndex(heads, Closures({}, ()), {})
    table = learn(macros.header_defines()).overlay(macros.own_defines("net/a.c"))
    prepared = prepare(data, table, conditions(data))
    ends = [place for place, byte in enumerate(data) if byte == 10]
    for text in (prepared.text, *prepared.variants):
        assert len(text) == len(data)
        assert [place for place, byte in enumerate(text) if byte == 10] == ends


def _deep(open_: str, inner: str, close: str, depth: int) -> str:
    return open_ * depth + inner + close * depth


#: Files that were written to exhaust a reader.
HOSTILE = {
    "brackets": f"int f(void)\n{{\n\treturn {_deep('(', '1', ')', 20_000)};\n}}\n",
    "calls": f"int f(void)\n{{\n\treturn {_deep('g(', '1', ')', 3_000)};\n}}\n",
    "blocks": f"int f(void)\n{_deep('{', ';', '}', 20_000)}\n",
    "ifs": f"int f(int x)\n{{\n{_deep('if (x) {', 'g();', '}', 3_000)}\n}}\n",
    "else": "int f(int x)\n{\n" + "if (x) g(); else " * 3_000 + ";\n}\n",
    "conditions": _deep("#if A\n", "int f(void);\n", "#endif\n", 3_000),
    "alternatives": "#if A0\n"
    + "".join(f"#elif A{n}\nint f(void) {{ return g{n}(); }}\n" for n in range(1, 800))
    + "#endif\n",
    "expression": "#if "
    + " && ".join(f"(CONFIG_A{n} || CONFIG_B{n})" for n in range(400))
    + "\nint f(void) { return g(); }\n#endif\n",
    "pointers": "int " + "*" * 20_000 + "f(void)\n{\n\treturn 0;\n}\n",
    "chain": "int f(struct s *a)\n{\n\treturn a" + "->a" * 5_000 + "(1);\n}\n",
    "members": "struct s {" + _deep("struct {", "int a;", "} x;", 3_000) + "};\n",
    "laughs": "".join(f"#define l{n}(x) l{n + 1}(x) l{n + 1}(x)\n" for n in range(60))
    + "#define l60(x) g(x);\nint f(void)\n{\n\tl0(1)\n}\n",
    "itself": "#define a b\n#define b c(a)\n#define c(x) a x b\nint f(void)\n{\n\ta; b; c(c(a));\n}\n",
    "strings": 'char *s = "' + "a" * 2_000_000 + '";\n',
    "line": "int a" + ", a" * 200_000 + ";\n",
    "continued": "#define x " + "\\\n" * 100_000 + "1\n",
    "comment": "/*" + "*" * 1_000_000,
    "operators": "int x = 1" + " + 1" * 20_000 + ";\n",
    "initialiser": "struct s x = " + _deep("{ .a = ", "1", " }", 3_000) + ";\n",
}
#: A hostile file may cost seconds, not minutes. Slow machines that others use as well are allowed for.
MOST_SECONDS = 120


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_file_costs_little(name: str, tmp_path: Path) -> None:
    root = mini_tree.make(tmp_path / "tree", 1)
    (root / "net/ipv4/hostile.c").write_text(HOSTILE[name])
    begun = time.monotonic()
    done = mini_tree.kread(root, tmp_path / "home", "edges")
    assert done.returncode == 0, done.stderr
    assert "use_0" in done.stdout
    assert time.monotonic() - begun < MOST_SECONDS


def _rows(done_stdout: str) -> Sequence[Sequence[str]]:
    return [line.split("\t") for line in done_stdout.splitlines()]


def test_binary_and_other_encodings_stand_beside_good_files(tmp_path: Path) -> None:
    root = mini_tree.make(tmp_path / "tree", 1)
    folder = root / "net/ipv4"
    (folder / "binary.c").write_bytes(bytes(range(256)) * 500)
    (folder / "latin.c").write_bytes(b"/* caf\xe9 */\nint latin(void)\n{\n\treturn shared(1); /* \xff\xfe */\n}\n")
    (folder / "bom.c").write_bytes(b"\xef\xbb\xbfint bom(void)\n{\n\treturn shared(2);\n}\n")
    (folder / "dos.c").write_bytes(b"int dos(void)\r\n{\r\n\treturn shared(3);\r\n}\r\n")
    (folder / "open.c").write_bytes(b"int open_end(void)\n{\n\treturn shared(4);\n}")
    (folder / "utf16.c").write_bytes("int wide(void) { return shared(5); }\n".encode("utf-16"))
    (folder / "empty.c").write_bytes(b"")
    done = mini_tree.kread(root, tmp_path / "home", "edges")
    assert done.returncode == 0, done.stderr
    callers = {row[1] for row in _rows(done.stdout) if row[3] == "shared"}
    assert {"latin", "bom", "dos", "open_end"} <= callers


def test_what_is_no_file_is_no_source(tmp_path: Path) -> None:
    root = mini_tree.make(tmp_path / "tree", 1)
    folder = root / "net/ipv4"
    os.mkfifo(folder / "pipe.c")
    os.mkfifo(root / "include/linux/pipe.h")
    (folder / "folder.c").mkdir()
    (folder / "dangling.c").symlink_to("nowhere.c")
    (tmp_path / "secret.c").write_text("int secret(void)\n{\n\treturn shared(1);\n}\n")
    (folder / "outside.c").symlink_to(tmp_path / "secret.c")
    (root / "include/linux/loop.h").symlink_to("loop.h")
    (folder / "user.c").write_text(
        '#include <linux/pipe.h>\n#include <linux/loop.h>\n#include "../../../secret.c"\n'
        + mini_tree.SOURCE.format(number=7)
    )
    done = mini_tree.kread(root, tmp_path / "home", "edges")
    assert done.returncode == 0, done.stderr
    assert "use_7" in done.stdout
    assert "secret" not in done.stdout


def test_a_tree_that_changes_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = mini_tree.make(tmp_path / "tree", 12)
    monkeypatch.setenv("KREAD_HOME", str(tmp_path / "home"))
    changed, gone = root / "net/ipv4/file_3.c", root / "net/ipv4/file_4.c"

    class Meddler(Silent):
        def phase(self, name: str) -> None:
            if name == "parsing" and gone.exists():  # the directives of all files were read by now
                changed.write_text("#define act_other shared\nint meddled(void)\n{\n\treturn act_other(3);\n}\n")
                gone.unlink()

    tree = open_tree(root)
    build(tree, ("net/ipv4",), Meddler())
    after = mini_tree.edges(root, tmp_path / "home")
    assert after == mini_tree.edges(root, tmp_path / "another home")
    assert "\tmeddled\t" in after
    assert "use_4" not in after
