"""What an expression is about, once casts and wrappers that hand a value on are looked through.

`(struct ops *)x->ops` and a macro that reads `x->ops` in some careful way are both `x->ops` to someone who asks
which field a call goes through. Which names hand on which argument is data: kread/data/wrappers.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from kread.data import load
from kread.parse.terms import Call, Cast, Comma, Expr, Name, StmtExpr, Unary

#: A chain of wrappers is never this long; a variable that is its own value would never end.
_MAX_STEPS = 64


@cache
def wrappers() -> Mapping[str, int]:
    """For each transparent name the index of the argument that it hands on."""
    return {name: row["argument"] for row in load("wrappers")["wrapper"] for name in row["names"]}


def strip(expr: Expr, transparent: Mapping[str, int] | None = None) -> Expr:
    """The expression without the casts, wrappers, statement expressions and `*&` around it."""
    table = wrappers() if transparent is None else transparent
    values: dict[str, Expr] = {}  # of the variables of the statement expressions around
    for _ in range(_MAX_STEPS):
        match expr:
            case Cast(_, operand) | Unary("*", Unary("&", operand)) | Unary("&", Unary("*", operand)):
                expr = operand
            case Comma(_, b):
                expr = b
            case Call(Name(name), args) if name in table and table[name] < len(args):
                expr = args[table[name]]
            case StmtExpr(_, last, decls) if last is not None:
                values.update(decls)
                expr = last
            case Name(name) if name in values:
                expr = values.pop(name)
            case _:
                return expr
    return expr
