"""Where a receiver comes from within its function: `struct sock *sk = sock->sk` is a step from the parameter `sock`.

Only what the function itself says counts here: what its locals are set to, and what it puts where its parameters point.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from functools import cached_property

from kread.resolve.program import FunctionId
from kread.resolve.shapes import Param
from kread.resolve.terms import Term
from kread.resolve.values import Values


class Origins:
    """Reads the functions of a program.

    steps -- the members that lead from one receiver to another
    """

    def __init__(self, values: Values, steps: Set[str]) -> None:
        self._values = values
        self._program = values.program
        self._steps = steps

    def defined(self, term: Term, at: FunctionId) -> Term:
        """A local that is set once stands for what it is set to."""
        found = self.of(term, at)
        return found[0] if len(found) == 1 else term

    def of(self, term: Term, at: FunctionId) -> list[Term]:
        """What a local is set to, and what the function puts where a pointer leads; of anything else, itself."""
        if term[0] == "deref":
            return [value for target, value in self._through.get(at, ()) if target == term] or [term]
        if term[0] == "member" and term[1][0] == "deref":
            return [("member", each, *term[2:]) for each in self.of(term[1], at)]
        if term[0] != "name" or term[1] in {name for name, _ in self._program.row(at).params}:
            return [term]
        stores = self._values.stores.variables.get((at, term[1]))
        terms = [self._values.types.term(value, at) for value in sorted({store.value for store in stores})]
        return [each for one in terms for each in ([one] if one[0] == "name" else self.of(one, at))] or [term]

    def param(self, term: Term, at: FunctionId) -> Param | None:
        """The parameter that a term is, with the step by which the receiver is reached from it ("" for itself)."""
        term = self.defined(term, at)
        step = ""
        if term[0] == "member" and term[3] and term[2] in self._steps:
            step = term[2]
            term = self.defined(term[1], at)
        if term[0] != "name":
            return None
        for number, (name, _) in enumerate(self._program.row(at).params):
            if name == term[1]:
                return (at, number, step)
        return None

    @cached_property
    def _through(self) -> dict[FunctionId, list[tuple[Term, Term]]]:
        """function -> what it puts where pointers lead: `*sk = sock->sk`."""
        found: dict[FunctionId, list[tuple[Term, Term]]] = defaultdict(list)
        types = self._values.types
        for store in self._values.stores.derefs:
            found[store.at].append((types.term(store.target, store.at), types.term(store.value, store.at)))
        return found
