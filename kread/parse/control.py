"""Builds the control flow of one function from its syntax tree.

Theory of operation: the function is parsed alone, behind a stand-in signature of the same length, so that macros which
make functions need no special care. One walk over the statements keeps the current block and links blocks as C orders
them (kread.parse.branching does so for expressions, kread.parse.looping for loops). After goto, return,
break, continue and calls that never return the current block is a new one that nothing reaches.

Preprocessor directives are blank in the text that is parsed, with all their branches kept, so the original text is
asked where they stood: statements inside #if ... #else ... #endif become alternatives, and a way round them exists
where there is no #else. What is true on only one side of a directive is therefore never taken for necessary.

The walk never fails: what the grammar does not know becomes a plain block, and the flow is marked as faulty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import tree_sitter
import tree_sitter_c

from kread.parse.directives import conditionals
from kread.parse.flow import EXIT, Flow, Group, Switch
from kread.parse.looping import Looping

_SIGNATURE = b"v f()"
_IF = re.compile(rb"if\b")
_BODY = re.compile(rb"/\*.*?\*/|//[^\n]*|(\{)", re.S)


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))


def flow_of(text: bytes, original: bytes, noreturn: frozenset[str], transparent: frozenset[str]) -> Flow | None:
    """The flow of the function whose lines are `text` (prepared) and `original`; None where there is no body."""
    start = next((match.start(1) for match in _BODY.finditer(text) if match[1]), -1)
    if start < len(_SIGNATURE):
        return None
    parsed = _SIGNATURE.ljust(start) + text[start:]
    root = _parser().parse(parsed).root_node
    for node in root.named_children:
        body = node.child_by_field_name("body") if node.type == "function_definition" else None
        if body is not None and body.start_byte == start:
            builder = _Builder(parsed, original, noreturn, transparent)
            builder.flow.faulty = root.has_error
            builder.function(body)
            return builder.flow
    return None


class _Builder(Looping):
    """The walk; see the module's docstring."""

    def __init__(self, text: bytes, original: bytes, noreturn: frozenset[str], transparent: frozenset[str]) -> None:
        super().__init__(text, transparent)
        self.original = original
        self.choices = conditionals(original)
        self.noreturn = frozenset(name.encode() for name in noreturn)
        self.labels: dict[str, int] = {}
        self.placed: set[str] = set()
        self.computed: list[int] = []
        self.switches: list[Switch] = []
        self.kinds: dict[str, Callable[[tree_sitter.Node], None]] = {
            "compound_statement": self.compound,
            "if_statement": self.if_statement,
            "while_statement": self.while_statement,
            "do_statement": self.do_statement,
            "for_statement": self.for_statement,
            "switch_statement": self.switch_statement,
            "case_statement": self.case_statement,
            "labeled_statement": self.labeled_statement,
            "goto_statement": self.goto_statement,
            "return_statement": self.return_statement,
            "break_statement": self.break_statement,
            "continue_statement": self.continue_statement,
            "expression_statement": self.expression_statement,
            "declaration": self.expression,
            "attributed_statement": self.children,
            "else_clause": self.children,
            "preproc_if": self.preproc,
            "preproc_ifdef": self.preproc,
            "function_definition": self.phantom,
            "ERROR": self.children,
            "comment": lambda node: None,
        }

    def label(self, name: str) -> int:
        if name not in self.labels:
            self.labels[name] = self.new()
            self.flow.entered[self.labels[name]] = name
        return self.labels[name]

    def function(self, body: tree_sitter.Node) -> None:
        self.compound(body)
        self.link(self.cur, EXIT)
        for block in self.computed:
            self.flow.succ[block].extend(self.labels[name] for name in sorted(self.placed))
        self.flow.settle()

    def statement(self, node: tree_sitter.Node | None) -> None:
        if node is not None:
            self.kinds.get(node.type, self.other)(node)

    def other(self, node: tree_sitter.Node) -> None:
        if node.type.endswith("_statement"):
            self.children(node)
        else:
            self.expression(node)

    def children(self, node: tree_sitter.Node) -> None:
        self.sequence(node.named_children)

    def compound(self, node: tree_sitter.Node) -> None:
        self.flow.braces.append((node.start_byte, node.end_byte))
        self.sequence(node.named_children)

    def sequence(self, nodes: Sequence[tree_sitter.Node], entered: int = 0) -> None:
        """Statements one after the other; `entered` counts the choices that are already decided."""
        position = 0
        while position < len(nodes):
            node = nodes[position]
            found = next(self.around(node, entered), None) if self.choices else None
            following = nodes[position + 1] if position + 1 < len(nodes) else None
            if found is not None:
                position = self.alternatives(nodes, position, found)
            elif following is not None and self.heads_block(node, following):
                self.loop_macro(node, following)
                position += 2
            else:
                self.statement(node)
                position += 1

    def around(self, node: tree_sitter.Node, entered: int) -> Iterator[int]:
        for index in range(entered, len(self.choices)):
            choice = self.choices[index]
            if choice.starts[0] > node.start_byte:
                return
            parent = node.parent
            if choice.branch(node.start_byte, node.end_byte) >= 0 and not (
                parent is not None and choice.branch(parent.start_byte, parent.end_byte) >= 0
            ):
                yield index

    def alternatives(self, nodes: Sequence[tree_sitter.Node], position: int, index: int) -> int:
        """The statements of one #if group as alternatives; returns the position after them."""
        choice = self.choices[index]
        head = self.cur
        ends = [] if choice.complete else [head]
        for branch in range(len(choice.starts)):
            inside = []
            while (
                position < len(nodes) and choice.branch(nodes[position].start_byte, nodes[position].end_byte) == branch
            ):
                inside.append(nodes[position])
                position += 1
            self.cur = self.new(head)
            self.sequence(inside, index + 1)
            ends.append(self.cur)
        self.cur = self.new(*ends)
        return position

    def heads_block(self, node: tree_sitter.Node, following: tree_sitter.Node) -> bool:
        """Whether `node` is a macro call without a semicolon, and `following` the block that belongs to it."""
        return (
            following.type == "compound_statement"
            and node.type == "expression_statement"
            and not self.text.endswith(b";", node.start_byte, node.end_byte)
        )

    def preproc(self, node: tree_sitter.Node) -> None:
        """Directives left in the text: each side is an alternative, and so is neither."""
        head = self.cur
        ends = [head]
        inside = []
        for child in node.named_children:
            if child.type in ("preproc_else", "preproc_elif", "preproc_elifdef"):
                self.cur = self.new(head)
                self.preproc(child)
                ends.append(self.cur)
                if child.type == "preproc_else":
                    ends.remove(head)
            elif child is not node.child_by_field_name("condition") and child is not node.child_by_field_name("name"):
                inside.append(child)
        self.cur = self.new(head)
        self.sequence(inside, len(self.choices))
        self.cur = self.new(self.cur, *ends) if node.type != "preproc_else" else self.cur

    def if_statement(self, node: tree_sitter.Node) -> None:
        before = self.cur
        condition = node.child_by_field_name("condition")
        then = node.child_by_field_name("consequence")
        otherwise = node.child_by_field_name("alternative")
        if condition is None:
            self.children(node)
            return
        if otherwise is None and not _IF.match(self.original, node.start_byte):
            self.loop(node, condition, then)  # the head of a loop macro, whose name is too short for a `while`
            return
        cond = self.test(condition, node, then, otherwise, "if")
        self.cur = cond.yes
        self.statement(then)
        after = self.new(self.cur)
        self.cur = cond.no
        if otherwise is not None:
            if self.cut_by_directive(node, otherwise):
                self.cur = self.new(cond.no, before)
            self.statement(otherwise)
        self.link(self.cur, after)
        self.cur = after

    def cut_by_directive(self, node: tree_sitter.Node, otherwise: tree_sitter.Node) -> bool:
        """Whether the if ends inside an #if group but its else goes on behind it: the else then stands alone too."""
        return any(choice.starts[0] <= node.start_byte < choice.end < otherwise.end_byte for choice in self.choices)

    def switch_statement(self, node: tree_sitter.Node) -> None:
        subject = node.child_by_field_name("condition")
        inside = node.child_by_field_name("body")
        if subject is None or inside is None:
            self.children(node)
            return
        self.expression(subject)
        switch = Switch((subject.start_byte, subject.end_byte), self.cur, (inside.start_byte, inside.end_byte))
        self.flow.switches.append(switch)
        self.switches.append(switch)
        after = self.new()
        self.breaks.append(after)
        self.cur = self.new()
        self.statement(inside)
        self.link(self.cur, after)
        self.breaks.pop()
        self.switches.pop()
        if not any(group.default for group in switch.groups):
            edge = self.new(switch.block)
            self.link(edge, after)
            switch.groups.append(Group(edge, after, start=node.end_byte, default=True))
        self.cur = after

    def case_statement(self, node: tree_sitter.Node) -> None:
        tokens = node.children
        colon = next((index for index, token in enumerate(tokens) if token.type == ":"), -1)
        if not self.switches or colon < 0:
            self.flow.faulty = True
            self.children(node)
            return
        switch = self.switches[-1]
        group = switch.open
        if group is None or self.cur != group.body or switch.mark != len(self.flow.anchors):
            edge = self.new(switch.block)
            group = Group(edge, self.new(edge, self.cur), start=node.start_byte)
            switch.groups.append(group)
            switch.open = group
            self.cur = group.body
        if tokens[0].type == "default":
            group.default = True
        else:
            group.labels.append((tokens[0].end_byte, tokens[colon].start_byte))
        self.flow.anchors.append((tokens[0].start_byte, tokens[colon].end_byte, switch.block))
        switch.mark = len(self.flow.anchors)
        self.sequence([child for child in tokens[colon + 1 :] if child.is_named])

    def labeled_statement(self, node: tree_sitter.Node) -> None:
        named = node.named_children
        name = self.slice(named[0]).decode("utf-8", "replace")
        block = self.label(name)
        self.placed.add(name)
        self.link(self.cur, block)
        self.cur = block
        self.sequence(named[1:])

    def goto_statement(self, node: tree_sitter.Node) -> None:
        target = node.child_by_field_name("label")
        name = self.slice(target).decode("utf-8", "replace") if target is not None else ""
        if b"*" in self.slice(node):
            self.computed.append(self.cur)
        self.leave(node, self.label(name), name)

    def return_statement(self, node: tree_sitter.Node) -> None:
        for child in node.named_children:
            self.expression(child)
        self.leave(node, EXIT)

    def expression_statement(self, node: tree_sitter.Node) -> None:
        self.expression(node)
        text = self.slice(node)
        if text.partition(b"(")[0].strip() in self.noreturn:
            self.leave(node, EXIT)
        elif text.startswith((b"asm", b"__asm")) and b"goto" in text:
            self.asm_goto(node)

    def asm_goto(self, node: tree_sitter.Node) -> None:
        """asm goto may go on, or to any label that it lists."""
        operands = next(iter(node.named_children), node)
        before = self.cur
        for group in operands.named_children:
            if group.type == "gnu_asm_goto_list":
                for child in group.named_children:
                    self.link(before, self.label(self.slice(child).decode("utf-8", "replace")))
        self.cur = self.new(before)
