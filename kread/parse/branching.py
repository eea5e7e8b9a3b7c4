"""Expressions as control flow: the branches that &&, ||, ?: and statement expressions make, operand by operand.

Theory of operation: `expression` evaluates in the current block; only where the text has one of these operators is the
tree looked into. `branch` evaluates a condition to its two branches, which become blocks, and so do those of each part
of a && or ||. A negation swaps its operand's branches; parentheses and transparent calls (data/idioms.toml) are looked
through. A constant has one branch only.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

import tree_sitter

from kread.parse.flow import Cond, Flow, Jump, Span

_CONTROL = re.compile(rb"&&|\|\||\?|\(\{")
_NEVER, _ALWAYS = frozenset({b"0", b"false"}), frozenset({b"1", b"true"})


class Branching(ABC):
    """The current block, and the walk over expressions; `kread.parse.control` adds the statements."""

    def __init__(self, text: bytes, transparent: frozenset[str]) -> None:
        self.text = text
        self.transparent = frozenset(name.encode() for name in transparent)
        self.flow = Flow()
        self.cur = 0

    def new(self, *sources: int) -> int:
        self.flow.succ.append([])
        block = len(self.flow.succ) - 1
        for source in sources:
            self.flow.succ[source].append(block)
        return block

    def link(self, source: int, target: int) -> None:
        self.flow.succ[source].append(target)

    def leave(self, node: tree_sitter.Node, target: int, label: str = "") -> None:
        self.flow.anchors.append((node.start_byte, node.end_byte, self.cur))
        self.flow.jumps[self.cur] = Jump((node.start_byte, node.end_byte), label)
        self.link(self.cur, target)
        self.cur = self.new()

    @abstractmethod
    def compound(self, node: tree_sitter.Node) -> None:
        """Runs a block of statements."""

    def slice(self, node: tree_sitter.Node) -> bytes:
        return self.text[node.start_byte : node.end_byte]

    def expression(self, node: tree_sitter.Node) -> None:
        """Evaluates an expression; the branches in it become blocks."""
        kind = node.type
        if kind == "compound_statement":
            self.compound(node)
            return
        if _CONTROL.search(self.text, node.start_byte, node.end_byte):
            if kind == "binary_expression" and self.operator(node) in ("&&", "||"):
                cond = self.branch(node)
                self.flow.conds.append(cond)
                self.cur = self.new(cond.yes, cond.no)
            elif kind == "conditional_expression":
                self.conditional(node)
            else:
                for child in node.named_children:
                    self.expression(child)
        self.flow.anchors.append((node.start_byte, node.end_byte, self.cur))

    def conditional(self, node: tree_sitter.Node) -> None:
        condition = node.child_by_field_name("condition")
        then = node.child_by_field_name("consequence")
        otherwise = node.child_by_field_name("alternative")
        if condition is None or otherwise is None:
            return
        cond = self.test(condition, condition, then, otherwise, "expr")
        self.cur = cond.yes
        if then is not None:
            self.expression(then)
        end = self.cur
        self.cur = cond.no
        self.expression(otherwise)
        self.cur = self.new(end, self.cur)

    def test(
        self,
        condition: tree_sitter.Node,
        head: tree_sitter.Node,
        then: tree_sitter.Node | None,
        otherwise: tree_sitter.Node | None,
        kind: str,
    ) -> Cond:
        cond = self.branch(condition)
        cond.span = (condition.start_byte, condition.end_byte)
        cond.kind = kind
        cond.head = (head.start_byte, head.end_byte)
        cond.yes_arm = (then.start_byte, then.end_byte) if then is not None else (0, 0)
        cond.no_arm = (otherwise.start_byte, otherwise.end_byte) if otherwise is not None else (0, 0)
        self.flow.conds.append(cond)
        return cond

    def operator(self, node: tree_sitter.Node) -> str:
        token = node.child_by_field_name("operator")
        return token.type if token is not None else ""

    def branch(self, node: tree_sitter.Node) -> Cond:
        """Evaluates a condition to its two branches, operand by operand."""
        span: Span = (node.start_byte, node.end_byte)
        inner = self.inside(node)
        if inner is not None:
            cond = self.branch(inner)
            cond.span = span
            self.flow.anchors.append((*span, cond.block))
            return cond
        if node.type == "unary_expression" and self.text.startswith(b"!", node.start_byte):
            operand = node.child_by_field_name("argument")
            if operand is not None and _CONTROL.search(self.text, operand.start_byte, operand.end_byte):
                cond = self.branch(operand)
                return Cond(span, cond.block, cond.no, cond.yes, (cond,) if cond.parts else (), fixed=cond.fixed)
        if node.type == "binary_expression" and self.operator(node) in ("&&", "||"):
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is not None and right is not None:
                return self.short_circuit(span, left, right, self.operator(node) == "&&")
        self.expression(node)
        block = self.cur
        text = self.slice(node)
        cond = Cond(span, block, self.new(), self.new(), fixed=text in _NEVER or text in _ALWAYS)
        if text not in _NEVER:
            self.link(block, cond.yes)
        if text not in _ALWAYS:
            self.link(block, cond.no)
        return cond

    def short_circuit(self, span: Span, left: tree_sitter.Node, right: tree_sitter.Node, both: bool) -> Cond:
        first = self.branch(left)
        self.cur = first.yes if both else first.no
        second = self.branch(right)
        self.flow.anchors.append((*span, first.block))
        if both:
            yes, no = self.new(second.yes), self.new(first.no, second.no)
        else:
            yes, no = self.new(first.yes, second.yes), self.new(second.no)
        return Cond(span, first.block, yes, no, (first, second))

    def inside(self, node: tree_sitter.Node) -> tree_sitter.Node | None:
        """The condition inside parentheses or a transparent call, None for any other expression."""
        named = node.named_children
        if node.type == "parenthesized_expression":
            found = [child for child in named if child.type != "comment"]
            return found[0] if len(found) == 1 and found[0].type != "compound_statement" else None
        if node.type == "call_expression" and self.slice(named[0]) in self.transparent:
            arguments = [child for child in named[1].named_children if child.type != "comment"]
            return arguments[0] if arguments else None
        return None
