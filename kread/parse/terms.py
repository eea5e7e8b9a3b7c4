"""The terms of a C expression, and how they are written.

Parentheses are no term: the tree says what binds to what, and `unparse` puts back as few as keep the meaning. What
kread has no use for stays text: numbers, strings, types, the bodies of initialisers and statement expressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier."""

    id: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a character or strings side by side, as written."""

    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """`base.name`, or `base->name` if `arrow`."""

    base: Expr
    name: str
    arrow: bool


@dataclass(frozen=True, slots=True)
class Index:
    """`base[idx]`."""

    base: Expr
    idx: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """`fn(args)`, a function's call or a macro's use."""

    fn: Expr
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """`op operand`: & * ! ~ - + ++ -- and && (address of a label); "p++" and "p--" are the postfix ones."""

    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Cast:
    """`(type_text) operand`."""

    type_text: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Compound:
    """`(type_text){init_text}`."""

    type_text: str
    init_text: str


@dataclass(frozen=True, slots=True)
class Conditional:
    """`cond ? a : b`; `a` is None for GNU C's `cond ?: b`."""

    cond: Expr
    a: Expr | None
    b: Expr


@dataclass(frozen=True, slots=True)
class Binary:
    """`a op b`."""

    op: str
    a: Expr
    b: Expr


@dataclass(frozen=True, slots=True)
class Assign:
    """`a op b`, where op is "=" or "+=" and so on."""

    op: str
    a: Expr
    b: Expr


@dataclass(frozen=True, slots=True)
class Comma:
    """`a, b`."""

    a: Expr
    b: Expr


@dataclass(frozen=True, slots=True)
class StmtExpr:
    """`({ text })`: `last` is the value (None: the last statement has none), `decls` the variables with theirs."""

    text: str
    last: Expr | None
    decls: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Sizeof:
    """An operator whose operand is never evaluated: sizeof, typeof, _Alignof, offsetof; `text` is the operand."""

    op: str
    text: str


@dataclass(frozen=True, slots=True)
class Generic:
    """`_Generic(control, type: expr, ...)`."""

    control: Expr
    arms: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class TypeArg:
    """A type, or a declaration, that stands where an argument of a macro stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Initializer:
    """`{...}` or `.field = value` as an argument."""

    text: str


@dataclass(frozen=True, slots=True)
class Opaque:
    """What is no expression, or none that could be read."""

    text: str


Expr: TypeAlias = (
    Name
    | Literal
    | Field
    | Index
    | Call
    | Unary
    | Cast
    | Compound
    | Conditional
    | Binary
    | Assign
    | Comma
    | StmtExpr
    | Sizeof
    | Generic
    | TypeArg
    | Initializer
    | Opaque
)

#: How tightly binary operators bind.
BINARY = {
    "*": 13,
    "/": 13,
    "%": 13,
    "+": 12,
    "-": 12,
    "<<": 11,
    ">>": 11,
    "<": 10,
    ">": 10,
    "<=": 10,
    ">=": 10,
    "==": 9,
    "!=": 9,
    "&": 8,
    "^": 7,
    "|": 6,
    "&&": 5,
    "||": 4,
}
CONDITIONAL, ASSIGNMENT, COMMA = 3, 2, 1
UNARY, POSTFIX = 14, 15


def unparse(expr: Expr) -> str:
    """The expression as C text, with normal spaces and no parentheses that are not needed."""
    return _write(expr, 0)


def _write(expr: Expr, least: int) -> str:
    """The text of a term where something that binds as tightly as `least` is wanted."""
    text, binds = _text(expr)
    return f"({text})" if binds < least else text


def _text(expr: Expr) -> tuple[str, int]:
    match expr:
        case Name(text) | Literal(text) | Opaque(text) | TypeArg(text) | Initializer(text):
            return text, POSTFIX
        case Field(base, name, arrow):
            inner = f"({base.text})" if isinstance(base, Literal) else _write(base, POSTFIX)  # 1.f is a number
            return f"{inner}{'->' if arrow else '.'}{name}", POSTFIX
        case Call(fn, args):
            return f"{_write(fn, POSTFIX)}({', '.join(_write(arg, ASSIGNMENT) for arg in args)})", POSTFIX
        case Index(base, idx):
            return f"{_write(base, POSTFIX)}[{_write(idx, 0)}]", POSTFIX
        case Unary("p++" | "p--" as op, operand):
            return f"{_write(operand, POSTFIX)}{op[1:]}", POSTFIX
        case Unary(op, operand):
            inner = _write(operand, UNARY)
            return f"{op}{' ' if inner[0] in '+-&' and op[-1] == inner[0] else ''}{inner}", UNARY
        case Cast(type_text, operand):
            return f"({type_text}){_write(operand, UNARY)}", UNARY
        case Compound(type_text, init_text):
            return f"({type_text}){{{init_text}}}", POSTFIX
        case Binary(op, a, b):
            binds = BINARY[op]
            return f"{_write(a, binds)} {op} {_write(b, binds + 1)}", binds
        case Conditional(cond, a, b):
            then = f" {_write(a, 0)} " if a is not None else ""
            return f"{_write(cond, CONDITIONAL + 1)} ?{then}: {_write(b, CONDITIONAL)}", CONDITIONAL
        case Assign(op, a, b):
            return f"{_write(a, UNARY)} {op} {_write(b, ASSIGNMENT)}", ASSIGNMENT
        case Comma(a, b):
            return f"{_write(a, COMMA)}, {_write(b, ASSIGNMENT)}", COMMA
        case StmtExpr(text):
            return f"({{ {text} }})", POSTFIX
        case Sizeof(op, text):
            return f"{op}({text})", UNARY
        case Generic(control, arms):
            listed = ", ".join(f"{name}: {_write(value, ASSIGNMENT)}" for name, value in arms)
            return f"_Generic({_write(control, ASSIGNMENT)}, {listed})", POSTFIX
