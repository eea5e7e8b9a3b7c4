"""What is opened: `sock_create_kern(net, PF_BLUETOOTH, SOCK_SEQPACKET, BTPROTO_L2CAP, &sock)` puts an address into sock.

All that is made at run time is one object a record. What an opener makes is one for each family, type and protocol that the
opener is asked for instead, so that whoever gets its address, through members and functions, can tell. Where a function
hands its own parameters to the opener, its callers say what they are.

The openers stand in data/stores.toml.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeAlias

from kread.resolve.idioms import idioms
from kread.resolve.places import OPENED, Obj, Places
from kread.resolve.program import FunctionId, Program
from kread.resolve.stores import Stores
from kread.resolve.terms import Term

#: The constants that an opener was asked for: family, type and protocol, "" for what is none.
Asked: TypeAlias = "tuple[str, ...]"

#: Through how many functions parameters are followed back to who says what to open: a wrapper around another is the
#: deepest that the kernel has.
_MOST_CALLERS = 2

_ASKED = ("family", "type", "protocol")


class Openers:
    """Tells what the calls of openers make.

    named -- the definitions that a name means in a file
    """

    def __init__(
        self, program: Program, places: Places, stores: Stores, named: Callable[[str, str], tuple[FunctionId, ...]]
    ) -> None:
        self._program = program
        self._places = places
        self._stores = stores
        self._named = named

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The types of pointers to what openers make."""
        return frozenset(f"{row['record']}*" for row in idioms().openers.values())

    def objects(self, row: dict[str, Any], args: tuple[Term, ...], at: FunctionId) -> list[Obj]:
        """The objects that the call of an opener makes; none if nothing is said of them."""
        asked = tuple(_text(args, row[part]) for part in _ASKED)
        return [(OPENED, each, row["record"]) for each in sorted(self._said(asked, at, 0)) if any(each)]

    def constant(self, text: str, at: FunctionId) -> str:
        """The constant that a text names, whatever it is called (PF_UNIX is AF_UNIX); "" if it names none."""
        if not (text.isidentifier() and text.isupper()) or self._places.variable(text, at) is not None:
            return ""
        alias = self._places.types.alias(text, self._program.files[at.unit])
        return self.constant(alias[1], at) or text if alias[0] == "name" and alias[1] != text else text

    def _said(self, texts: Asked, at: FunctionId, depth: int) -> set[Asked]:
        """What some arguments say as constants; for each caller apart where they are parameters."""
        row = self._program.row(at)
        params = {name: number for number, (name, _) in enumerate(row.params)}
        known = tuple(self.constant(text, at) for text in texts)
        found: set[Asked] = set()
        if depth < _MOST_CALLERS and not params.keys().isdisjoint(texts):
            for caller, call in self._stores.calls.get(row.name):
                if caller.row >= 0 and at in self._named(row.name, self._program.files[caller.unit]):
                    given = (call.args[params[text]] if text in params else "" for text in texts)
                    found |= self._said(
                        tuple(one or other for one, other in zip(given, known, strict=True)), caller, depth + 1
                    )
        return found or {known}


def _text(args: tuple[Term, ...], number: int) -> str:
    return args[number][1] if number < len(args) and args[number][0] == "name" else ""
