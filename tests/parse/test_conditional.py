"""The condition of each line against the preprocessor, a compiler's list of skipped lines, and hand-written files."""

from __future__ import annotations

import gzip
import random
import re
import shutil
import subprocess
from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kread import presence
from kread.parse.conditional import Conditions, Group, conditions
from kread.presence import Config

TRUTH = Path(__file__).resolve().parents[3] / "shared" / "truth" / "6.12"


def _at(text: str) -> list[str]:
    found = conditions(text.encode())
    return [found.at(line) for line in range(1, found.lines + 1)]


def test_branches_and_nesting() -> None:
    text = """a
#ifdef CONFIG_A
b
# if defined(CONFIG_B) /* why */ && \\
     CONFIG_C
c
# elif defined(CONFIG_D)
d
# else
e
# endif
f
#endif // CONFIG_A
g
"""
    expected = {
        "a": "",
        "b": "CONFIG_A",
        "c": "CONFIG_A && CONFIG_B && CONFIG_C",
        "d": "CONFIG_A && (!CONFIG_B || !CONFIG_C) && CONFIG_D",
        "e": "CONFIG_A && (!CONFIG_B || !CONFIG_C) && !CONFIG_D",
        "f": "CONFIG_A",
        "g": "",
    }
    lines = text.splitlines()
    at = _at(text)
    assert {name: at[lines.index(name)] for name in expected} == expected
    assert at[1] == at[12] == ""
    assert at[3] == at[4] == at[6] == "CONFIG_A"

    found = conditions(text.encode())
    assert found.regions[0] == (3, 5, "CONFIG_A")
    (outer,) = found.groups
    (inner,) = outer.branches[0].groups
    assert [branch.directive.kind for branch in inner.branches] == ["if", "elif", "else"]
    assert [(branch.first_line, branch.last_line) for branch in inner.branches] == [(6, 6), (8, 8), (10, 10)]
    assert inner.branches[0].directive.expression == "defined(CONFIG_B) && CONFIG_C"
    assert inner.branches[1].condition == "(!CONFIG_B || !CONFIG_C) && CONFIG_D"
    first = inner.branches[0].directive
    assert text[first.begin : first.end] == "# if defined(CONFIG_B) /* why */ && \\\n     CONFIG_C"
    assert (first.line, first.end_line) == (4, 5)
    assert outer.endif is not None
    assert text[outer.endif.begin : outer.endif.end] == "#endif // CONFIG_A"


@pytest.mark.parametrize(
    "text",
    [
        "#ifndef _X_H\n#define _X_H\nint x;\n#endif\n",
        "/* licence */\n// more\n#ifndef _X_H\n\n/* why */\n#define _X_H 1\nint x;\n#endif /* _X_H */\n\n",
        "#if !defined(_X_H)\n#define _X_H\nint x;\n#endif\n",
        "#undef SYSTEM\n#define SYSTEM x\n#if !defined(_X_H) || AGAIN\n#define _X_H\nint x;\n#endif\n#include <y.h>\n",
        "#pragma once\n#ifndef _X_H\n#define _X_H\n#ifdef A\n#else\n#endif\nint x;\n#endif",
        "#ifndef _X_H\n#define _X_H\nint x;\n",
    ],
)
def test_an_include_guard_is_no_condition(text: str) -> None:
    assert _at(text)[text.splitlines().index("int x;")] == ""
    assert conditions(text.encode()).groups[0].guard


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#ifndef DEFAULT\n#define DEFAULT 1\nint x;\n#endif\nint y;\n", "!defined(DEFAULT)"),
        ("#ifndef DEFAULT\n#define DEFAULT\n#else\nint x;\n#endif\n", "defined(DEFAULT)"),
        ("#ifndef A\n#define B\nint x;\n#endif\n", "!defined(A)"),
        ("int y;\n#ifndef A\n#define A\nint x;\n#endif\n", "!defined(A)"),
        ("#ifdef B\n#endif\n#ifndef A\n#define A\nint x;\n#endif\n", "!defined(A)"),
        ("#if defined(CONFIG_B) && !defined(A)\n#define A\nint x;\n#endif\n", "CONFIG_B"),
    ],
)
def test_what_only_looks_like_a_guard_is_a_condition(text: str, expected: str) -> None:
    assert _at(text)[text.splitlines().index("int x;")] == expected


@pytest.mark.parametrize(
    "text",
    [
        "/* \n#ifdef A\n*/\nint x;\n",
        'char *s = "/*";\n#ifdef A\n#endif\nint x; /*\n#if 0\n*/\n',
        "// /*\n#ifdef A\n#endif\nint x;\n",
        '#define S "a\\\n#ifdef A\\\n"\nint x;\n',
        "#ifdef A /* goes\n#endif\n on */\n#endif\nint x;\n",
        "/*/\n#ifdef A\n/*/\nint x;\n",
        "#error don't /*\n#ifdef A\n*/\nint x;\n",
        "a /* b */ #ifdef A\nint x;\n",
        "/* */ #ifdef A\n/* \n */ #endif\nint x;\n",
        "#else\n#endif\n#elif A\nint x;\n",
    ],
)
def test_directives_in_comments_and_strings_are_none(text: str) -> None:
    assert _at(text)[text.splitlines().index("int x;") if "\nint x;\n" in text else 3] == ""


_FILLERS = (
    "/* a comment */",
    "/* over\nlines ' \" */",
    "// it's \" a /* comment",
    "// continued \\\n#endif",
    "/*\n#if 0\n*/",
    'char *s = "/* \\" //";',
    "char c = '\"', d = '\\'';",
    'char *t = "a\\\n#else\\\n";',
    "#define M(x) x /* tail\n on */",
    "#define N \\\n#endif",
    "int i = 4 / 2 */**/ 3;",
    "/* /* */ /**/ /***/",
    "",
)


def _random_file(choose: random.Random, depth: int, names: tuple[str, ...]) -> Iterator[str]:
    for _ in range(choose.randint(1, 4)):
        yield choose.choice(_FILLERS)
        yield "@mark@"
        if depth and choose.random() < 0.7:
            yield _opening(choose, names)
            yield from _random_file(choose, depth - 1, names)
            for _ in range(choose.choice((0, 0, 1, 2))):
                yield f"# elif {_question(choose, names)}{choose.choice(('', ' /* x */', ' // y'))}"
                yield from _random_file(choose, depth - 1, names)
            if choose.random() < 0.5:
                yield choose.choice(("#else", "#  else /* not\n that */", "\t#else // no"))
                yield from _random_file(choose, depth - 1, names)
            yield choose.choice(("#endif", "# endif /* end */", "/* x */ #endif", "#endif \\\n"))


def _question(choose: random.Random, names: tuple[str, ...]) -> str:
    one, two = choose.sample(names, 2)
    form = choose.choice(
        ("defined({})", "!defined {}", "defined({}) && \\\n defined({})", "!(defined({}) /* || */ || {})", "0")
    )
    return form.format(one, two)


def _opening(choose: random.Random, names: tuple[str, ...]) -> str:
    name = choose.choice(names)
    return choose.choice((f"#ifdef {name}", f"  # ifndef {name} /* {name} */", f"#if {_question(choose, names)}"))


@pytest.mark.skipif(shutil.which("cpp") is None, reason="no C preprocessor; to enable, install cpp")
@pytest.mark.parametrize("seed", range(40))
def test_lines_live_where_the_preprocessor_keeps_them(seed: int) -> None:
    choose = random.Random(seed)
    names = tuple(f"CONFIG_{letter}" for letter in "ABCDE")
    ending = choose.choice(("\n", "\n", "\r\n"))
    lines = "\n".join(_random_file(choose, 4, names)).split("\n")
    text = (
        ending.join(f"mark_{number} ;" if line == "@mark@" else line for number, line in enumerate(lines, 1)) + ending
    )
    found = conditions(text.encode())
    for _ in range(4):
        chosen = [name for name in names if choose.random() < 0.5]
        options = [f"-D{name}=1" for name in chosen]
        run = subprocess.run(["cpp", "-P", "-w", *options], input=text.encode(), capture_output=True, check=True)
        kept = {int(number) for number in re.findall(rb"mark_(\d+)", run.stdout)}
        config = Config.parse("CONFIG_ALWAYS=y\n" + "".join(f"{name}=y\n" for name in chosen))
        marked = [number for number, line in enumerate(lines, 1) if line == "@mark@"]
        assert {number for number in marked if config.evaluate(found.at(number))} == kept


def _defines(data: bytes) -> dict[str, str]:
    found = re.finditer(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)(?:\(|[ \t]+([^\n]*))?", data, re.M)
    return {match[1].decode(): (match[2] or b"").decode("utf-8", "replace") for match in found}


@pytest.mark.skipif(not TRUTH.is_dir(), reason=f"no compiler's truth; to enable, put it in {TRUTH}")
def test_the_lines_that_a_compiler_skipped(tree: Callable[[str], Path]) -> None:
    """Every line of every net/ipv4 unit: skipped by the compiler and not compiled by its configuration are the same."""
    root = tree("6.12")
    skipped: dict[str, set[int]] = defaultdict(set)
    with gzip.open(TRUTH / "net-ipv4.inactive.tsv.gz", "rt") as rows:
        for file, begin, end in (row.split("\t") for row in list(rows)[1:]):
            skipped[file].update(range(int(begin) + 1, int(end)))
    with gzip.open(TRUTH / "net-ipv4.tus.tsv.gz", "rt") as rows:
        files = sorted({row.split("\t")[0] for row in list(rows)[1:]} | set(skipped))
    headers: dict[str, str] = {}
    for directory in ("include/linux", "include/net", "include/uapi", "include/asm-generic", "arch/x86/include"):
        for header in sorted((root / directory).rglob("*.h")):
            headers.update(_defines(header.read_bytes()))
    values = Config.read(TRUTH / "config").values
    for file in files:
        data = (root / file).read_bytes()
        found = conditions(data)
        config = Config(file, values, ChainMap(_defines(data), headers))
        verdicts = {line: config.evaluate(found.at(line)) for line in range(1, found.lines + 1)}
        assert {line for line, verdict in verdicts.items() if verdict is False} == skipped[file], file
        assert None not in verdicts.values(), file
    assert sum(map(len, skipped.values())) > 1500


@pytest.mark.parametrize("release", ["5.10", "6.1", "6.12", "7.2"])
def test_every_file_of_a_release_is_in_order(tree: Callable[[str], Path], release: str) -> None:
    """Balanced groups, readable expressions, and no header that stands under its own guard."""
    root = tree(release)
    for directory in ("include/net", "include/linux", "include/uapi/linux", "net/core", "net/ipv4", "net/ipv6"):
        for file in sorted((root / directory).glob("*.[ch]")):
            found = conditions(file.read_bytes())
            assert all(group.endif is not None for group in _all(found.groups)), file
            assert sum(directive.kind == "endif" for directive in found.directives) == len(list(_all(found.groups))), (
                file
            )
            assert not any("unreadable" in text for _, _, text in found.regions), file
            if file.suffix == ".h" and found.directives:
                own = f"!defined({found.directives[0].expression})"
                assert sum(end - begin for begin, end, text in found.regions if text == own) < found.lines / 2, file


def _all(groups: tuple[Group, ...]) -> Iterator[Group]:
    for group in groups:
        yield group
        for branch in group.branches:
            yield from _all(branch.groups)


PIECES = st.sampled_from(
    [
        *(
            b"#if A\n",
            b"#ifdef A",
            b"#ifndef _H\n#define _H\n",
            b"#elif B\\\n",
            b"#else",
            b"#endif\n",
            b"#if \\",
            b"#elifdef C\n",
        ),
        *(b"/*", b"*/", b"//", b'"', b"'", b"\\", b"\n", b"\r\n", b" ", b"x", b"\x00", b"\xff", b"(", b"#", b"/*/"),
    ]
)


@given(st.one_of(st.lists(PIECES, max_size=60).map(b"".join), st.binary(max_size=300)))
def test_any_bytes_are_read(text: bytes) -> None:
    found = conditions(text)
    assert found.lines == len(text.split(b"\n")) - text.endswith(b"\n") - (not text)
    _check(found, text)


def test_endless_nesting_is_read() -> None:
    for depth in (200, 1000):
        text = b"".join(b"#if A%d\n" % number for number in range(depth)) + b"x\n" + b"#endif\n" * depth
        found = conditions(text)
        assert f"A{depth - 2} && A{depth - 1}" in found.at(depth + 1)
        assert found.at(201).count("&&") == 199
        assert conditions(b"#if A\n" * depth).at(depth) == "A"


def _check(found: Conditions, text: bytes) -> None:
    """What holds for any text: regions are sorted and apart, and say what `at` says; directives lie where they say."""
    last = 0
    for begin, end, condition in found.regions:
        assert last < begin <= end <= found.lines
        assert {found.at(line) for line in range(begin, end + 1)} == {condition}
        last = end
    inside = {line for begin, end, _ in found.regions for line in range(begin, end + 1)}
    assert all(found.at(line) == "" for line in range(found.lines + 2) if line not in inside)
    last = 0
    for directive in found.directives:
        assert last <= directive.begin < directive.end <= len(text)
        assert text[: directive.begin].count(b"\n") + 1 <= directive.line <= directive.end_line
        assert text[: directive.end].count(b"\n") + 1 == directive.end_line
        assert directive.kind.encode() in text[directive.begin : directive.end]
        last = directive.end
    for group in _all(found.groups):
        for one, two in zip(group.branches, group.branches[1:], strict=False):
            assert presence.contradicts(one.condition, two.condition)
            assert one.last_line < two.first_line
