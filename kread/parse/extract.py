"""From a prepared file to its Unit: what the queries capture becomes rows.

The tree is walked once, by tree-sitter itself, for all queries together; what follows is bookkeeping: which
function a node stands in (functions are sorted, so by bisection), under which condition its line is compiled, and
the text of its parts. Texts are taken from the source as written, without comments and directives, because later stages
expand macros in them. Types and paths are taken from the prepared text, in which annotations are blank.

A file that has alternatives inside a function (`#if ... #else ...`) comes as several prepared texts; facts of the
second and later texts count only on the lines that the first one lacks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate

from tree_sitter import Node

from kread.parse.declarators import base_type, parameters, returned_type, unwrap
from kread.parse.faults import faults
from kread.parse.nesting import Branches
from kread.parse.nodes import called, compound_name, parameter_list, place, within
from kread.parse.records import take_record, take_typedef
from kread.parse.syntax import captures, parse
from kread.parse.unit import (
    FILE_SCOPE,
    CallRow,
    EntryRow,
    FlowRow,
    FunctionRow,
    PrototypeRow,
    TableRow,
    Unit,
    VariableRow,
)

#: A value that can carry a function or a table; arithmetic, literals and comparisons can't.
_CARRIERS = frozenset(
    {
        "identifier",
        "pointer_expression",
        "field_expression",
        "call_expression",
        "conditional_expression",
        "cast_expression",
        "parenthesized_expression",
        "compound_literal_expression",
        "subscript_expression",
        "assignment_expression",
    }
)
#: Types whose variables can hold neither a function nor a pointer to a table.
_SCALARS = frozenset({"primitive_type", "sized_type_specifier", "enum_specifier"})
_KEYWORDS = frozenset({"if", "else", "for", "while", "do", "switch", "return", "sizeof", "case", "default", "goto"})
#: After these a label is reached by goto alone.
_LEAVING = frozenset({"return_statement", "goto_statement", "break_statement", "continue_statement"})
#: Code behind such a label (error exits, rare cases) counts as this deep.
SIDE_CODE = 8
#: Initialisers nest five deep in 6.12; one that nests deeper than this is no table.
_MOST_NESTED = 64
_COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.S | re.M)
_BASE_TYPES = ("static", "extern")


class Extractor:
    """Takes the facts of one file. `original` is the file, `at` gives the presence of a line."""

    def __init__(self, unit: Unit, original: bytes, at: Callable[[int], str]) -> None:
        self.unit = unit
        self.original = original
        self.at = at
        self._starts: list[int] = []
        self._spans: list[tuple[int, int, int]] = []
        self._source = original
        self._lines = [0, *accumulate(len(line) + 1 for line in original.split(b"\n"))]
        self._branches = Branches(())

    def take(self, text: bytes, lines: Sequence[tuple[int, int]] | None = None) -> None:
        """Take the facts of one prepared text; `lines` limits them to ranges of lines (inclusive)."""
        # Comments and directives are blank by now: without the spaces at line ends the parser has half as much to
        # read. Lines and columns stay, so the file is cut by them.
        self._source = text = b"\n".join([line.rstrip() for line in text.split(b"\n")])
        tree = parse(text)
        found_faults = faults(self.original, tree, lines)
        self.unit.faults.extend((fault.line, fault.function, fault.text) for fault in found_faults)
        found = captures(tree)
        wanted = None if lines is None else within(lines)
        self._functions(found.get("function", []), wanted)
        self._labels(found.get("label", []))
        self._branches = Branches(found.get("branch", []))
        for name, take in (
            ("call", self._call),
            ("assignment", self._assignment),
            ("return", self._return),
            ("declaration", self._declaration),
            ("compound", self._compound),
            ("record", partial(take_record, self.unit, self.at, text)),
            ("typedef", partial(take_typedef, self.unit, text)),
        ):
            for node in sorted(found.get(name, ()), key=place):
                row = node.start_point[0] + 1
                if wanted is None or wanted(row):
                    take(node, row)

    # What stands where

    def _functions(self, nodes: list[Node], wanted: Callable[[int], bool] | None) -> None:
        """Add the functions. A nested one is real only at column 0 under a name that is no keyword."""
        unit = self.unit
        nodes = sorted(nodes, key=place)
        spans: list[tuple[int, int, int]] = []
        known = {(row.name, row.line): index for index, row in enumerate(unit.functions)}
        end = -1
        for node in nodes:
            declarator = node.child_by_field_name("declarator")
            if declarator is None:
                continue
            base = base_type(node.child_by_field_name("type"), self._source)
            name, kind, at = unwrap(declarator, base, self._source)
            if at is None or not name or name in _KEYWORDS:
                continue
            nested = node.start_byte < end
            if nested and node.start_point[1] != 0:
                continue
            line = at.start_point[0] + 1
            index = known.get((name, line))
            if index is None:
                specifiers = {
                    self._plain(c) for c in node.children if c.type in ("storage_class_specifier", "type_qualifier")
                }
                listed = parameter_list(declarator)
                unit.functions.append(
                    FunctionRow(
                        name,
                        line,
                        at.start_point[1] + 1,
                        node.end_point[0] + 1,
                        int("static" in specifiers),
                        int(any("inline" in word for word in specifiers)),
                        returned_type(kind),
                        parameters(listed, self._source) if listed is not None else (),
                        self.at(line),
                        "",
                        node.start_point[0] + 1,
                    )
                )
                index = len(unit.functions) - 1
            if nested and spans:
                spans[-1] = (spans[-1][0], node.start_byte, spans[-1][2])
            spans.append((node.start_byte, node.end_byte, index))
            end = node.end_byte
        self._spans = spans
        self._starts = [start for start, _, _ in spans]

    def _labels(self, nodes: list[Node]) -> None:
        """Note where each function's side code stands: from a label that only a goto reaches to the end of its block."""
        self._side: dict[int, list[tuple[int, int]]] = {}
        for node in nodes:
            before, block = node.prev_named_sibling, node.parent
            if before is not None and before.type in _LEAVING and block is not None:
                self._side.setdefault(self._owner(node.start_byte), []).append((node.start_byte, block.end_byte))

    def _owner(self, byte: int) -> int:
        index = bisect_right(self._starts, byte) - 1
        if index >= 0 and byte < self._spans[index][1]:
            return self._spans[index][2]
        return FILE_SCOPE

    def _plain(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _written(self, node: Node) -> str:
        """The node's text as the file has it, without comments and directives, white space folded."""
        row, column = node.start_point
        last, end = node.end_point
        data = self.original[self._lines[row] + column : self._lines[last] + end]
        if b"/" in data or b"#" in data:
            data = _COMMENT.sub(b" ", data)
        text = data.decode("utf-8", "replace")
        return " ".join(text.split()) if "\n" in text or "\t" in text or "  " in text else text

    # One kind of fact each

    def _call(self, node: Node, row: int) -> None:
        owner = self._owner(node.start_byte)
        if owner == FILE_SCOPE:
            return
        callee = node.child_by_field_name("function")
        listed = node.child_by_field_name("arguments")
        if callee is None or listed is None or callee.type == "primitive_type":
            return
        callee = called(callee)
        at = callee.start_point
        if callee.type == "field_expression":
            name = callee.child_by_field_name("field")
            at = name.start_point if name is not None else at
        aside = any(start < node.start_byte < end for start, end in self._side.get(owner, ()))
        depth = self._branches.around(node.start_byte) + (SIDE_CODE if aside else 0)
        args = tuple(self._written(child) for child in listed.named_children if child.type != "comment")
        self.unit.calls.append(
            CallRow(owner, at[0] + 1, at[1] + 1, self._written(callee), args, self.at(at[0] + 1), "src", -1, depth)
        )

    def _shown(self, value: Node) -> str:
        """A value's text; a compound literal, or the address of one, by the name of its table."""
        if value.type == "compound_literal_expression":
            return compound_name(value)
        inner = value.child_by_field_name("argument") if value.type == "pointer_expression" else None
        if inner is not None and inner.type == "compound_literal_expression" and value.children[0].type == "&":
            return f"&{compound_name(inner)}"
        return self._written(value)

    def _assignment(self, node: Node, row: int) -> None:
        value = node.child_by_field_name("right")
        target = node.child_by_field_name("left")
        if value is None or target is None or not _carries(value):
            return
        operator = node.child_by_field_name("operator")
        if operator is not None and operator.type != "=":
            return
        owner = self._owner(node.start_byte)
        if owner == FILE_SCOPE:
            return
        shown = self._shown(value)
        self.unit.flows.append(FlowRow(owner, row, self._written(target), shown, self.at(row)))

    def _return(self, node: Node, row: int) -> None:
        children = node.named_children
        if not children or not _carries(children[0]):
            return
        owner = self._owner(node.start_byte)
        if owner != FILE_SCOPE:
            self.unit.flows.append(FlowRow(owner, row, "return", self._written(children[0]), self.at(row)))

    def _declaration(self, node: Node, row: int) -> None:
        owner = self._owner(node.start_byte)
        kind = node.child_by_field_name("type")
        storage = ""
        for child in node.children:
            if child.type == "storage_class_specifier":
                word = self._plain(child)
                if word in _BASE_TYPES:
                    storage = word
        base: str | None = None
        for declarator in node.children_by_field_name("declarator"):
            if base is None:
                base = base_type(kind, self._source)
            value = declarator.child_by_field_name("value") if declarator.type == "init_declarator" else None
            name, declared, at = unwrap(declarator, base, self._source)
            if at is None:
                continue
            line = at.start_point[0] + 1
            cond = self.at(line)
            if declared.endswith(")"):
                if owner == FILE_SCOPE:
                    self.unit.prototypes.append(PrototypeRow(name, line, declared, int(storage == "static"), cond))
                continue
            if kind is not None and kind.type in _SCALARS and declared[-1:] not in ("*", "]"):
                continue
            if storage == "extern" and declared.startswith("typeof"):
                continue  # what EXPORT_SYMBOL says once more; the type is the other declaration's
            self.unit.variables.append(VariableRow(owner, line, name, declared, storage, cond))
            if value is None:
                continue
            if value.type == "initializer_list":
                self._table(value, owner, name, declared, int(storage == "static"), at)
            elif _carries(value):
                shown = self._shown(value)
                self.unit.flows.append(FlowRow(owner, line, name, shown, cond))

    def _compound(self, node: Node, row: int) -> None:
        described = node.child_by_field_name("type")
        value = node.child_by_field_name("value")
        if described is None or value is None:
            return
        base = base_type(described.child_by_field_name("type"), self._source)
        _, declared, _ = unwrap(described.child_by_field_name("declarator"), base, self._source)
        self._table(value, self._owner(node.start_byte), compound_name(node), declared, 1, node)

    def _table(self, value: Node, owner: int, name: str, declared: str, static: int, at: Node) -> None:
        line, column = at.start_point[0] + 1, at.start_point[1] + 1
        index = len(self.unit.tables)
        self.unit.tables.append(TableRow(owner, line, column, name, declared, static, self.at(line)))
        self._entries(value, index, ())

    def _entries(self, node: Node, table: int, prefix: tuple[str, ...]) -> None:
        position = 0
        for child in node.named_children:
            kind = child.type
            if kind == "comment":
                continue
            path = prefix
            value: Node | None = child
            if kind == "initializer_pair":
                value = child.child_by_field_name("value")
                for designator in child.children_by_field_name("designator"):
                    path = (*path, self._plain(designator).replace(" ", ""))
                if value is None:
                    continue
                position = -1
            elif position >= 0:
                path = (*prefix, f"#{position}")
                position += 1
            else:
                path = (*prefix, "#+")
            if value is None:
                continue
            if value.type == "initializer_list":
                if len(path) < _MOST_NESTED:
                    self._entries(value, table, path)
            elif _carries(value) or _is_size(value):
                line = value.start_point[0] + 1
                shown = self._shown(value)
                self.unit.entries.append(EntryRow(table, line, path, shown, self.at(line)))


def _carries(value: Node) -> bool:
    """Whether a value can be a pointer's; one that an included file writes is not there."""
    return value.type in _CARRIERS and not value.is_missing


def _is_size(value: Node) -> bool:
    """Whether a value is the size of a record: it says what the objects are that a table is for."""
    if value.type != "sizeof_expression":
        return False
    named = value.child_by_field_name("type")
    kind = named.child_by_field_name("type") if named is not None else None
    return kind is not None and kind.type == "struct_specifier"
