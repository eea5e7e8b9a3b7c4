"""Loops as control flow, also those that macros make.

Theory of operation: a loop has a block where it is decided again and one behind it; break and continue lead there, from
any depth. A block behind an unknown macro call, with no semicolon between, is a loop that may run any number of times:
that is what the kernel's iterators are, where the text was not prepared for the parser.
"""

from __future__ import annotations

from abc import abstractmethod

import tree_sitter

from kread.parse.branching import Branching
from kread.parse.flow import EXIT


class Looping(Branching):
    """Adds loops to expressions."""

    def __init__(self, text: bytes, transparent: frozenset[str]) -> None:
        super().__init__(text, transparent)
        self.breaks: list[int] = []
        self.continues: list[int] = []

    @abstractmethod
    def statement(self, node: tree_sitter.Node | None) -> None:
        """Runs one statement."""

    @abstractmethod
    def children(self, node: tree_sitter.Node) -> None:
        """Runs what a node holds, one after the other."""

    def body(self, node: tree_sitter.Node | None, after: int, again: int) -> None:
        self.breaks.append(after)
        self.continues.append(again)
        self.statement(node)
        self.breaks.pop()
        self.continues.pop()

    def while_statement(self, node: tree_sitter.Node) -> None:
        condition = node.child_by_field_name("condition")
        if condition is None:
            self.children(node)
        else:
            self.loop(node, condition, node.child_by_field_name("body"))

    def loop(self, node: tree_sitter.Node, condition: tree_sitter.Node, inside: tree_sitter.Node | None) -> None:
        """A loop that is decided before each round."""
        head = self.cur = self.new(self.cur)
        cond = self.test(condition, node, inside, None, "loop")
        after = self.new(cond.no)
        self.cur = cond.yes
        self.body(inside, after, head)
        self.link(self.cur, head)
        self.cur = after

    def do_statement(self, node: tree_sitter.Node) -> None:
        start, again, after = self.new(self.cur), self.new(), self.new()
        self.cur = start
        self.body(node.child_by_field_name("body"), after, again)
        self.link(self.cur, again)
        self.cur = again
        condition = node.child_by_field_name("condition")
        if condition is not None:
            cond = self.test(condition, node, None, None, "loop")
            self.link(cond.yes, start)
            self.link(cond.no, after)
        else:
            self.link(self.cur, after)
        self.cur = after

    def for_statement(self, node: tree_sitter.Node) -> None:
        first = node.child_by_field_name("initializer")
        if first is not None:
            self.expression(first)
        head = self.cur = self.new(self.cur)
        inside = node.child_by_field_name("body")
        condition = node.child_by_field_name("condition")
        after = self.new()
        if condition is not None:
            cond = self.test(condition, node, inside, None, "loop")
            self.link(cond.no, after)
            self.cur = cond.yes
        again = self.new()
        self.body(inside, after, again)
        self.link(self.cur, again)
        self.cur = again
        step = node.child_by_field_name("update")
        if step is not None:
            self.expression(step)
        self.link(self.cur, head)
        self.cur = after

    def loop_macro(self, node: tree_sitter.Node, body: tree_sitter.Node) -> None:
        """An unknown macro before a block: the block may run any number of times."""
        self.flow.faulty = True
        self.expression(node)
        head = self.new(self.cur)
        after = self.new(head)
        self.cur = self.new(head)
        self.body(body, after, head)
        self.link(self.cur, head)
        self.cur = after

    def phantom(self, node: tree_sitter.Node) -> None:
        """A function inside a function is a loop macro that the grammar took for one."""
        body = node.child_by_field_name("body")
        if body is not None:
            self.loop_macro(node.named_children[0], body)

    def break_statement(self, node: tree_sitter.Node) -> None:
        self.leave(node, self.breaks[-1] if self.breaks else EXIT)

    def continue_statement(self, node: tree_sitter.Node) -> None:
        self.leave(node, self.continues[-1] if self.continues else EXIT)
