"""Rows of tables that macros write are the rows that the preprocessor would hand to the compiler."""

from __future__ import annotations

from kread.parse.defines import defines
from kread.parse.elements import take_elements
from kread.parse.extract import Extractor
from kread.parse.macro_table import MacroTable
from kread.parse.snippet import Snippets
from kread.parse.template import Macro
from kread.parse.unit import Unit

TEXT = b"""
#define ROW(NAME, OPS, WAY) { .name = (NAME), .ops = OPS, .way = WAY, }
#define FILE_ROW(NAME, ops) ROW(NAME, &ops##_ops, {})
#define SHOW_ROW(NAME, f) ROW(NAME, 0, { .show = f })
#define OFFSET(x) offset_of(x)
static const struct row rows[] = {
	FILE_ROW("mem", mem),
	[3] = SHOW_ROW("a, b", io_show),
	{ .ops = OFFSET(x), .way = { link }, .size = sizeof(struct row), .length = sizeof(long) },
};
"""


def _unit() -> Unit:
    unit = Unit("a.c")
    Extractor(unit, TEXT, lambda line: "").take(TEXT)
    found: dict[str, list[Macro]] = {}
    for row in defines(TEXT):
        found.setdefault(row.name, []).append(Macro(row.name, row.params, row.body, "a.c", row.line))
    snippets = Snippets(lambda name: found.get(name, ()), {})
    take_elements(unit, MacroTable(), lambda name, text: snippets)
    return unit


def test_a_row_has_the_values_of_its_macros_and_stands_where_it_is_written() -> None:
    assert [(row.line, row.path, row.value) for row in _unit().entries] == [
        (7, ("#0", ".name"), '("mem")'),
        (7, ("#0", ".ops"), "&mem_ops"),
        (8, ("[3]", ".name"), '("a, b")'),
        (8, ("[3]", ".way", ".show"), "io_show"),
        (9, ("#+", ".ops"), "OFFSET(x)"),
        (9, ("#+", ".way", "#0"), "link"),
        (9, ("#+", ".size"), "sizeof(struct row)"),
    ]
