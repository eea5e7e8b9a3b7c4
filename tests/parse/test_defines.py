"""What a file defines and includes, compared with what gcc's preprocessor reports of the same text."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kread.parse.defines import Define, defines, includes

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed: apt-get install gcc")

SOURCE = r"""
/* #define IN_COMMENT 1 */
// #define IN_LINE_COMMENT 1 \
#define STILL_IN_IT 2
char *text = "#define IN_STRING 3 /*"; char mark = '"';
#define PLAIN 1
#  define  SPACED   one   two	three
	#define INDENTED x
#define EMPTY
#define CALL(a, b) a + b
#define NONE() 0
#define REST(fmt, ...) f(fmt, ##__VA_ARGS__)
#define NAMED(fmt, args...) f(fmt, args)
#define NO_CALL (a, b)
#define LONG(a) do { \
	one(a);   \
	two(a);   \
} while (0)
#define NOTED one /* a comment
   over two lines */ two // and an end
#define TEXT "a /* no comment */ \" b" 'c'
#define ADDRESS http:/x
#include <linux/first.h>
# include "second.h"
/* #include "third.h" */
#define LAST end"""


def by_gcc(source: str) -> list[tuple[str, str]]:
    """(name with parameters, body) of every definition, as the preprocessor prints it."""
    done = subprocess.run(
        ["gcc", "-E", "-dD", "-P", "-std=gnu11", "-undef", "-x", "c", "-"],
        input="\n".join(line for line in source.split("\n") if "include" not in line),
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"^#define (\w+(?:\([^)]*\))?) ?(.*)$", done.stdout, re.M)
    return [(head.replace(" ", ""), " ".join(body.split())) for head, body in found if "STDC_" not in head]


def shown(define: Define) -> tuple[str, str]:
    params = "" if define.params is None else f"({','.join(define.params)})"
    return define.name + params, define.body


@needs_gcc
def test_definitions_are_those_of_the_preprocessor() -> None:
    assert [shown(define) for define in defines(SOURCE.encode())] == by_gcc(SOURCE)


def test_lines_count_from_one_and_cover_continuations_and_comments() -> None:
    lines = SOURCE.split("\n")
    for define in defines(SOURCE.encode()):
        assert re.search(rf"define\s+{define.name}\b", lines[define.line - 1])
    by_name = {define.name: define for define in defines(SOURCE.encode())}
    assert by_name["LONG"].end_line - by_name["LONG"].line == 3
    assert by_name["NOTED"].end_line - by_name["NOTED"].line == 1
    assert by_name["PLAIN"].end_line == by_name["PLAIN"].line


def test_includes_say_how_they_are_written_and_where() -> None:
    found = includes(SOURCE.encode())
    assert [(include.name, include.quoted) for include in found] == [("linux/first.h", False), ("second.h", True)]
    lines = SOURCE.split("\n")
    assert all(include.name in lines[include.line - 1] for include in found)


@given(st.binary(max_size=400))
def test_any_bytes_are_taken(text: bytes) -> None:
    count = text.count(b"\n") + 1
    assert all(1 <= define.line <= define.end_line <= count for define in defines(text))
    assert all(1 <= include.line <= count for include in includes(text))


@given(
    st.lists(st.sampled_from(["#define A", " b", "\\\n", "\n", "/*", "*/", '"', "'", "//", "(x)", "\r\n"]), max_size=40)
)
def test_a_definition_is_never_longer_than_its_lines(parts: list[str]) -> None:
    text = "".join(parts)
    lines = text.split("\n")
    for define in defines(text.encode()):
        span = "\n".join(lines[define.line - 1 : define.end_line])
        assert all(word in span for word in define.body.split())


@needs_gcc
@pytest.mark.parametrize("file", ["include/net/sock.h", "include/linux/net.h", "include/uapi/linux/tcp.h"])
def test_a_kernel_header_reads_as_the_preprocessor_reads_it(tree: Callable[[str], Path], file: str) -> None:
    text = (tree("6.12") / file).read_text()
    without = re.sub(r"^[ \t]*#[ \t]*(?:if|el|endif|error|undef|include).*(?:\\\n.*)*$", "", text, flags=re.M)
    ours = {shown(define) for define in defines(without.encode())}
    assert len(ours) > 5
    assert ours == set(by_gcc(without))
