"""The census of faults: each told by its line, the function around it and the line as written."""

from __future__ import annotations

from kread.parse.faults import LONGEST_TEXT, Fault, faults
from kread.parse.syntax import parse

TEXT = b"int good(void) { return 1; }\n\nint *bad(int a)\n{\n\tx = =  a;\t/* why */\n\treturn;\n}\nint y @ 3;\n"


def test_a_fault_names_its_line_its_function_and_its_text() -> None:
    assert faults(TEXT, parse(TEXT)) == [Fault(5, "bad", "x = = a; /* why */"), Fault(8, "", "int y @ 3;")]


def test_faults_are_limited_to_the_lines_of_a_variant() -> None:
    assert [fault.line for fault in faults(TEXT, parse(TEXT), [(1, 4), (8, 8)])] == [8]


def test_text_without_a_fault_has_none() -> None:
    assert faults(b"int f(void) { return 1; }\n", parse(b"int f(void) { return 1; }\n")) == []


def test_a_long_line_is_cut() -> None:
    text = b"int y @ " + b"3" * 500 + b";\n"
    assert len(faults(text, parse(text))[0].text) == LONGEST_TEXT
