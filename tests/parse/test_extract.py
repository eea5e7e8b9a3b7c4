"""What the queries' captures become as rows, where a file alone does not say everything."""

from __future__ import annotations

from kread.parse.extract import Extractor
from kread.parse.unit import Unit

TEXT = b"""
static const char *texts =
#include "texts.h"
	;
static const char *other = texts;

static const char *text_of(int number)
{
	const char *found = other;

	found = ;
	return found;
}
"""


def test_a_value_that_an_included_file_writes_is_no_value() -> None:
    unit = Unit("a.c")
    Extractor(unit, TEXT, lambda line: "").take(TEXT.replace(b'#include "texts.h"', b" " * 18))
    assert [row.name for row in unit.variables] == ["texts", "other", "found"]
    assert [(row.line, row.target, row.value) for row in sorted(unit.flows, key=lambda row: row.line)] == [
        (5, "other", "texts"),
        (9, "found", "other"),
        (12, "return", "found"),
    ]
