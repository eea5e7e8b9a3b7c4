"""C declarators as postfix types: `int (*f)(struct sock *)` declares f as "int(struct sock*)*".

C writes a type around the name it declares. Walking from the declaration inwards meets the operators in the
order in which they apply to the base type, so appending them gives a form that is read from the right: the last
operator is what the name itself is.
"""

from __future__ import annotations

from tree_sitter import Node

#: Declarator nodes that only wrap another declarator.
_WRAPPERS = frozenset({"parenthesized_declarator", "attributed_declarator", "init_declarator"})
_NAMES = frozenset({"identifier", "field_identifier", "type_identifier"})
_TAGGED = frozenset({"struct_specifier", "union_specifier", "enum_specifier"})


def text_of(node: Node, source: bytes) -> str:
    """The text of a node with its white space folded."""
    text = source[node.start_byte : node.end_byte].decode("utf-8", "replace")
    return " ".join(text.split()) if "\n" in text or "\t" in text or "  " in text else text


def anonymous_tag(node: Node) -> str:
    """The tag by which a record without one is known within its file, e.g. "struct @120:8"."""
    row, column = node.start_point
    return f"{node.type.split('_', 1)[0]} @{row + 1}:{column + 1}"


def base_type(node: Node | None, source: bytes) -> str:
    """The type that a specifier names: "struct sock", "u32", "struct @120:8"."""
    if node is None:
        return "int"
    if node.type in _TAGGED:
        name = node.child_by_field_name("name")
        if name is None:
            return anonymous_tag(node)
        return f"{node.type.split('_', 1)[0]} {text_of(name, source)}"
    return text_of(node, source)


def parameters(node: Node, source: bytes) -> tuple[tuple[str, str], ...]:
    """The (name, type) pairs of a parameter list; `...` is ("...", "...")."""
    found: list[tuple[str, str]] = []
    for child in node.named_children:
        kind = child.type
        if kind == "parameter_declaration":
            base = base_type(child.child_by_field_name("type"), source)
            declarator = child.child_by_field_name("declarator")
            name, declared, _ = unwrap(declarator, base, source)
            if declared != "void" or name:
                found.append((name, declared))
        elif kind == "variadic_parameter":
            found.append(("...", "..."))
        elif kind == "identifier":
            found.append((text_of(child, source), "int"))
    return tuple(found)


def unwrap(declarator: Node | None, base: str, source: bytes) -> tuple[str, str, Node | None]:
    """(name, postfix type, the name's node) of a declarator over a base type."""
    kind = base
    node = declarator
    while node is not None:
        what = node.type
        if what in _NAMES:
            return text_of(node, source), kind, node
        if what in ("pointer_declarator", "abstract_pointer_declarator"):
            kind += "*"
        elif what in ("array_declarator", "abstract_array_declarator"):
            kind += "[]"
        elif what in ("function_declarator", "abstract_function_declarator"):
            listed = node.child_by_field_name("parameters")
            inner = ",".join(declared for _, declared in parameters(listed, source)) if listed is not None else ""
            kind += f"({inner})"
        elif what not in _WRAPPERS and what != "abstract_parenthesized_declarator":
            break
        inner_node = node.child_by_field_name("declarator")
        if inner_node is None:
            inner_node = next(
                (c for c in node.named_children if c.type.endswith("declarator") or c.type in _NAMES), None
            )
        node = inner_node
    return "", kind, None


def returned_type(declared: str) -> str:
    """What a call yields: the postfix type without its last parameter list (a pointer to a function counts too)."""
    kind = declared.removesuffix("*") if declared.endswith(")*") else declared
    if not kind.endswith(")"):
        return ""
    depth = 0
    for place in range(len(kind) - 1, -1, -1):
        if kind[place] == ")":
            depth += 1
        elif kind[place] == "(":
            depth -= 1
            if depth == 0:
                return kind[:place]
    return ""
