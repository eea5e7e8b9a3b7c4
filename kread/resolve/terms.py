"""C expressions reduced to what matters for the flow of values: terms.

A function or a table gets from one place to another through names, members, indices, `&`, `*`, calls, casts and
choices. Arithmetic, comparisons and literals carry neither, and become NOTHING. A term is a plain tuple, its first
element the kind, so that terms hash and compare fast:

    ("name", x)                     x
    ("member", base, m, arrow)      base->m, base.m
    ("index", base, text)           base[text]
    ("deref", base)                 *base
    ("address", base)               &base
    ("call", callee, args)          callee(args)
    ("cast", type, base)            (type)base
    ("either", a, b)                c ? a : b, and _Generic
    ("step", base)                  base + n: another element of base's array
    ("type", type)                  a type where a value was expected: container_of(p, struct sock, m)
    ("table", "@line:column")       a compound literal, as the rows name it
    NOTHING

Types are postfix texts ("struct sock*"); a type made of an expression is ("typeof", term, operators). A statement
expression is its last value, with the variables that it declares replaced by what they are initialised with: that is
what the kernel's access macros do. Reading never fails: what is no expression yields NOTHING.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

Term: TypeAlias = tuple[Any, ...]

NOTHING: Term = ("nothing",)


def dereferenced(base: Term) -> Term:
    """`*base`; the access macros' `*(volatile T *)&(x)` is x."""
    if base[0] == "cast" and base[2][0] == "address":
        return cast(Term, base[2][1])
    return cast(Term, base[1]) if base[0] == "address" else wrapped("deref", base)


def wrapped(kind: str, base: Term) -> Term:
    """A term around another; NOTHING stays nothing."""
    return base if base == NOTHING else (kind, base)


def either(first: Term, other: Term) -> Term:
    """Either of two terms."""
    if first in (NOTHING, other):
        return other
    return first if other == NOTHING else ("either", first, other)
