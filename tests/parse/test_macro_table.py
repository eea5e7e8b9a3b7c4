"""What macros are, learned from their definitions: by small cases, and against lists that kernel developers keep."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kread.parse.conditional import conditions
from kread.parse.defines import defines
from kread.parse.macro_table import HEADS, MacroTable, learn

HEADERS = ("include", "arch/x86/include")


def table(source: str) -> MacroTable:
    return learn(("a.h", define) for define in defines(source.encode()))


#: What it shows, the definitions, and the kind that X is given (None: none).
CASES = [
    ("an attribute", "#define X __attribute__((unused))", "annotation"),
    ("an attribute with an argument", "#define X(n) __attribute__((aligned(n)))", "annotation()"),
    ("another annotation, defined later", "#define X Y\n#define Y __attribute__((cold))", "annotation"),
    ("qualifiers and attributes", "#define X static inline __attribute__((cold))", "annotation"),
    ("an attribute in one configuration, nothing in another", "#define X __attribute__((a))\n#define X", "annotation"),
    ("always nothing", "#define X\n#define X", "empty"),
    ("a stub", "#define X(a, b)", "empty()"),
    ("an attribute in one place, a value in another", "#define X __attribute__((a))\n#define X 3", None),
    ("a value", "#define X (1)", None),
    ("a name of its own", "#define X X", None),
    ("assembler text", "#define X %%gs:\n#define X __attribute__((a))", "annotation"),
    ("a function's call", "#define X(a) y(a)", None),
    ("a loop", "#define X(i) for (i = 0; i < 3; i++)", "for"),
    ("a loop through another", "#define X(i) Y(i, 0)\n#define Y(i, n) for (i = n; i; i--)", "for"),
    ("a loop with a condition", "#define X(i) for (;;) if (!(i)) {} else", "for"),
    ("a loop behind declarations", "#define X(i) { int n; for (n = 0; n < i; n++)", "for"),
    ("a condition", "#define X(c) if (c)", "if"),
    ("a whole loop", "#define X(c) do { y(c); } while (0)", None),
    ("a whole condition", "#define X(c) if (c) return", None),
    ("a list of invocations", "#define X F(a) F(b)", "fragment"),
    ("an initialiser", "#define X = 3", "fragment"),
    ("one half of a record", "#define X struct {", "fragment"),
    ("another word for asm", "#define X asm __inline", "asm"),
    ("members in a record", "#define X(NAME, MEMBERS...) struct { MEMBERS } NAME;", "record"),
]


@pytest.mark.parametrize(("source", "kind"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_name_is_what_its_definitions_put_in_its_place(source: str, kind: str | None) -> None:
    assert table(source).kinds.get("X") == kind


def test_a_declarer_says_which_argument_is_the_name_and_which_the_type() -> None:
    found = table(
        "#define BITS(name, n) unsigned long name[n]\n"
        "#define ADDRESS(type, dst, src) type dst = ({ src; })\n"
        "#define HEAD(name) struct list_head name = INIT(name)\n"
        "#define WRAPPED(n, name) BITS(name, n)\n"
        "#define CALL(a, b) a(b)\n"
    ).declares
    assert found == {"BITS": (-1, 0), "ADDRESS": (0, 1), "HEAD": (-1, 0), "WRAPPED": (-1, 1)}


def test_a_keyword_of_c_is_never_a_macro() -> None:
    found = table("#define inline __attribute__((always_inline))\n#define if(x) if (profile(x))")
    assert not found.kinds.keys() & {"inline", "if"}


def test_a_file_hides_what_headers_define() -> None:
    base = table("#define X __attribute__((unused))\n#define Y(a) for (;;)\n#define Z Y")
    over = base.overlay(defines(b"#define X 3\n#define each(i) Y(i)\n"))
    assert "X" not in over.kinds
    assert over.kinds["each"] == "for"
    assert over.kinds["Y"] == "for"
    assert "X" in base.kinds
    assert base.overlay([]) is base


def test_a_digest_changes_with_what_its_names_mean_and_with_nothing_else() -> None:
    first = table("#define X __attribute__((unused))\n#define Y(a) for (;;)")
    other = table("#define X 3\n#define Y(a) for (;;)")
    assert first.digest(["Y", "unknown"]) == other.digest(["Y", "unknown"])
    assert first.digest(["Y"]) == first.digest(["Y", "unknown"])
    assert first.digest(["X", "Y"]) != other.digest(["X", "Y"])
    assert first.digest(["X", "Y"]) == first.digest(["Y", "X", "X"])


def test_a_table_can_be_stored() -> None:
    found = table("#define X __attribute__((unused))")
    assert pickle.loads(pickle.dumps(found)) == found


#: The release's own list of annotations, in Perl.
STYLE_CHECKER = "scripts/checkpatch.pl"


@pytest.fixture(scope="module")
def learned(tree: Callable[[str], Path]) -> tuple[Path, MacroTable, set[str]]:
    root = tree("6.12")
    found = []
    for folder in HEADERS:
        for file in sorted((root / folder).rglob("*.h")):
            text = file.read_bytes()
            at = conditions(text).at
            found += [(file.name, define) for define in defines(text) if at(define.line) != "0"]
    return root, learn(found), {define.name for _, define in found}


def test_loops_are_those_that_kernel_developers_list(learned: tuple[Path, MacroTable, set[str]]) -> None:
    root, found, defined = learned
    style = (root / ".clang-format").read_text()
    listed = set(re.findall(r"^  - '(\w+)'$", style.split("ForEachMacros:")[1].split("\n\n")[0], re.M)) & defined
    assert len(listed) > 300
    missing = sorted(name for name in listed if found.kinds.get(name) not in HEADS)
    # A few that the list has are whole statements, or were renamed and are values now.
    assert len(missing) <= len(listed) * 0.02, missing


def test_annotations_are_those_that_the_style_checker_knows(
    tree: Callable[..., Path], learned: tuple[Path, MacroTable, set[str]]
) -> None:
    _, found, defined = learned
    checker = (tree("6.12", STYLE_CHECKER) / STYLE_CHECKER).read_text()
    listed: set[str] = set()
    for name in ("Sparse", "Attribute"):
        block = checker.split(f"our ${name}\t= qr{{")[1].split("}x;")[0]
        listed |= set(re.findall(r"\b(_\w+)\b", block))
    listed &= defined
    assert len(listed) > 20
    assert sorted(name for name in listed if not found.kinds.get(name, "").startswith(("annotation", "empty"))) == []
