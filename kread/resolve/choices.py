"""Choices by type: `_Generic(x, type: f, ...)(args)` calls the function whose type is that of x.

The parser leaves such a call whole where only declarations say what x is. Here its type is looked up as C does; where
that is not known, each arm may be meant. Qualifiers are not kept in types: of two arms that differ by one, the plain one
is taken, as it is in nearly all calls.
"""

from __future__ import annotations

import re

from kread.parse.unit import CallRow
from kread.resolve.program import FunctionId
from kread.resolve.stores import split_arguments
from kread.resolve.types import Types

CHOICE = "_Generic("

_QUALIFIERS = re.compile(r"\b(?:const|volatile)\b")
_STARS = re.compile(r"\s*\*\s*")
_DEFAULT = "default"


def arms(types: Types, caller: FunctionId, call: CallRow) -> list[CallRow]:
    """The calls by name that a choice can mean, each as a row of its own."""
    control, *rest = split_arguments(call.callee[len(CHOICE) : -1])
    pairs = [(kind.strip(), name.strip()) for kind, sign, name in (arm.partition(":") for arm in rest) if sign]
    names = [(kind, name) for kind, name in pairs if name.isidentifier()]
    kind = _decayed(types.of(types.term(control, caller), caller))
    if kind:
        fitting = [(text, name) for text, name in names if text != _DEFAULT and _spelled(types, text) == kind]
        plain = [arm for arm in fitting if not _QUALIFIERS.search(arm[0])]
        names = plain or fitting or [arm for arm in names if arm[0] == _DEFAULT] or names
    return [call._replace(callee=name) for name in dict.fromkeys(name for _, name in names)]


def _spelled(types: Types, text: str) -> str:
    """A type as it is written, in the form that types are kept in."""
    base, stars, _ = _STARS.sub("*", _QUALIFIERS.sub(" ", text)).strip().partition("*")
    operators = text.count("*") * "*" if stars else ""
    return types.resolve(" ".join(base.split()) + operators)


def _decayed(kind: str) -> str:
    return f"{kind[:-2]}*" if kind.endswith("[]") else kind
