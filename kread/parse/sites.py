"""Contexts of call sites straight from a file as written: prepares only the lines of the function that is asked about.

Theory of operation: how a function's text is prepared depends on the macro table and on its own lines, not on the rest
of the file, so a question about one function costs no more than that function. Where #if branches cannot stand side by
side, a site is looked for in the variant of the text that shows its line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kread.parse.body import lines_of
from kread.parse.conditional import conditions
from kread.parse.context import SiteContext
from kread.parse.defines import defines
from kread.parse.guards import function_contexts
from kread.parse.macro_table import MacroTable
from kread.parse.prepare import prepare

_DEFINED = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.M)
_NAME = re.compile(rb"[A-Za-z_]\w*")


def site_contexts(
    data: bytes, start_line: int, end_line: int, sites: Sequence[tuple[int, int]], table: MacroTable
) -> list[SiteContext]:
    """The contexts of call sites (line, column) in the function on these lines of a file, as kread.parse.guards says.

    data  -- the file as written
    table -- the macro table of the release; the macros that the file itself defines are added here
    """
    written = lines_of(data, start_line, end_line)
    if not set(_DEFINED.findall(data)).isdisjoint(_NAME.findall(written)):
        table = table.overlay(defines(data))
    prepared = prepare(written, table, conditions(written))
    found = function_contexts(prepared.text, written, start_line, sites)
    for text, extents in zip(prepared.variants, prepared.variant_lines, strict=True):
        shown = [
            index
            for index, (line, _) in enumerate(sites)
            if found[index].faulty and any(first <= line - start_line + 1 <= last for first, last in extents)
        ]
        if shown:
            others = function_contexts(text, written, start_line, [sites[index] for index in shown])
            for index, other in zip(shown, others, strict=True):
                found[index] = other
    return found
