"""Records and other types as rows: what a struct or union holds, and what a typedef stands for.

Members of an anonymous record are reached as if they stood in the record around it, so a row without a name leads to them.
"""

from __future__ import annotations

from collections.abc import Callable

from tree_sitter import Node

from kread.parse.declarators import anonymous_tag, base_type, unwrap
from kread.parse.unit import FieldRow, RecordRow, Unit


def take_record(unit: Unit, at: Callable[[int], str], source: bytes, node: Node, row: int) -> None:
    """Add a struct's or union's definition, if the node is one, and its members.

    at     -- the presence of a line
    source -- the text that the node was parsed from
    """
    body = node.child_by_field_name("body")
    if body is None:
        return
    tag = base_type(node, source)
    unit.records.append(RecordRow(tag, row, node.end_point[0] + 1, at(row)))
    position = 0
    for member in body.named_children:
        if member.type != "field_declaration":
            continue
        kind = member.child_by_field_name("type")
        declarators = member.children_by_field_name("declarator")
        base = base_type(kind, source)
        line = member.start_point[0] + 1
        if not declarators and kind is not None and kind.child_by_field_name("body") is not None:
            unit.fields.append(FieldRow(tag, "", anonymous_tag(kind), line, at(line), position))
            position += 1
            continue
        for declarator in declarators:
            name, declared, named = unwrap(declarator, base, source)
            if named is None:
                continue
            line = named.start_point[0] + 1
            unit.fields.append(FieldRow(tag, name, declared, line, at(line), position))
            position += 1


def take_typedef(unit: Unit, source: bytes, node: Node, row: int) -> None:
    """Add what a typedef names."""
    base = base_type(node.child_by_field_name("type"), source)
    for declarator in node.children_by_field_name("declarator"):
        name, declared, named = unwrap(declarator, base, source)
        if named is not None and name != declared:
            unit.typedefs.append((name, declared, named.start_point[0] + 1))
