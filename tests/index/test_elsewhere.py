"""Definitions that are found without parsing: those that other files can call, each at the line of its name."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from kread.index.elsewhere import external_definitions

SOURCE = b"""/* first(): told of; in words { and } */
static const int table[] = { 1, 2 };

int first(void)
{
	return second(1);
}
static int hidden(int a)
{
	return a;
}
static inline int
hidden_too(int a)
{
	return a;
}
struct thing *
second(struct thing *a,
       int b)
{
	if (b)
{
		third(a);
	}
	return a;
}

EXPORT_SYMBOL(second);
void third(struct thing *a) __must_hold(a)
{
}
int declared(int a);
int fourth(int a)
{
}
"""

#: Read by eye: each name with its line.
EXPECTED = [("first", 4), ("second", 18), ("third", 29), ("fourth", 33)]

#: What a file-wide search finds; slower, and the definition of what is looked for.
_WHOLE = re.compile(rb"^((?:[A-Za-z_][\w \t*]*[ \t*\n])?)([A-Za-z_]\w*)\([^;{}]*\)[^;{}()=]*\n\{", re.M)


def test_definitions_by_eye() -> None:
    assert external_definitions(SOURCE) == EXPECTED


@given(st.lists(st.sampled_from([*SOURCE.splitlines(keepends=True), b"{\n", b"a(b)\n", b"x;\n"]), max_size=40))
def test_any_order_of_lines_gives_what_a_search_of_the_whole_gives(lines: list[bytes]) -> None:
    data = b"".join(lines)
    whole = [
        (match[2].decode(), data.count(b"\n", 0, match.start(2)) + 1)
        for match in _WHOLE.finditer(data)
        if b"static" not in match[1].split()
    ]
    assert external_definitions(data) == whole
