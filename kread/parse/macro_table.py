"""What the release's own macros say about how to read a file that uses them.

Theory of operation: every definition of a name is reduced to what it puts where the name stands. A name is
    an annotation -- all its definitions are attributes, other annotations or nothing;
    a fragment    -- without arguments, it is a piece of C that is no value: `= 1`, `* 2`, `{ {`, `F(a) F(b)`, but for
                     designators (`.open = f,`), which stand where values do;
    a head        -- one of them ends in `for (...)`, `if (...)`, `else`, or another head: a statement must follow;
    a record      -- it wraps members in a struct or union, after its first few arguments;
    a declarer    -- it declares the variable or member that one of its arguments names.
Annotations and heads stand on each other, so both are found by repeating until nothing changes. Where definitions
disagree the kernel's side counts: a definition that is no C (assembler), or that gives the name its own
spelling, says nothing. A file's own macros lie over those of the headers.

An annotation is strong when some definition holds an attribute. A weak one is always empty: it may be the stub of
a function that another configuration has, so where it stands as a statement it is left as the call that it looks like.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from kread.data import load
from kread.parse.declarers import ATTRIBUTE, PARENS, RECORD, declared, record, wrapped
from kread.parse.defines import Define

#: Kinds of names, as `MacroTable.kinds` has them.
STRONG, WEAK = "annotation", "empty"
STRONG_CALL, WEAK_CALL = "annotation()", "empty()"
HEADS = ("for", "while", "if", "switch")
FRAGMENT = "fragment"
ASSEMBLER, ASSEMBLER_CALL = "asm", "asm()"

_KEYWORDS = frozenset(
    """auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    bool true false NULL __attribute__ asm __asm__ typeof __typeof__ _Bool""".split()  # noqa: SIM905
)
#: Words that leave nothing of a declaration when they are taken out of it.
_QUALIFIERS = frozenset(
    """inline __inline __inline__ static extern const volatile register restrict __restrict __extension__ __signed__
    _Noreturn auto __seg_fs __seg_gs""".split()  # noqa: SIM905
)
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class MacroTable:
    """The names that preparation looks for.

    kinds    -- name -> STRONG, WEAK, STRONG_CALL, WEAK_CALL, one of HEADS, FRAGMENT, ASSEMBLER,
                ASSEMBLER_CALL or RECORD
    fixed    -- for a RECORD, how many arguments stand before the members
    declares -- name -> (position of the type or -1, position of the declared name)
    """

    kinds: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, int] = field(default_factory=dict)
    declares: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def overlay(self, defines: Iterable[Define]) -> MacroTable:
        """The table for a file with macros of its own, which hide those of the headers."""
        given = _given()
        own = [define for define in defines if define.name not in given]
        return _learned(own, self) if own else self

    def digest(self, names: Iterable[str]) -> str:
        """What the table says about these names, as a short text: a file's reading depends on no more of it."""
        kinds, declares = self.kinds, self.declares
        said = sorted(
            (name, kinds.get(name, ""), self.fixed.get(name, 0), declares.get(name, (-1, -1)))
            for name in set(names)
            if name in kinds or name in declares
        )
        return hashlib.blake2b(repr(said).encode(), digest_size=12).hexdigest()


def learn(defines: Iterable[tuple[str, Define]]) -> MacroTable:
    """The table of a release from the definitions in its headers, with what data adds to it."""
    table = _learned((define for _, define in defines), MacroTable())
    return MacroTable({**table.kinds, **_given()}, table.fixed, table.declares)


@cache
def _given() -> dict[str, str]:
    """The kinds that data gives."""
    return {row["name"]: row["kind"] for row in load("macros")["macro"]}


def _learned(defines: Iterable[Define], base: MacroTable) -> MacroTable:
    by_name: dict[str, list[Define]] = {}
    for define in defines:
        if define.name not in _KEYWORDS and define.body != define.name and "%%" not in define.body:
            by_name.setdefault(define.name, []).append(define)
    kinds, fixed, declares = dict(base.kinds), dict(base.fixed), dict(base.declares)
    for name in by_name:
        kinds.pop(name, None)
        fixed.pop(name, None)
        declares.pop(name, None)
    _annotations(by_name, kinds)
    _fragments(by_name, kinds)
    # A statement or a declaration begins with a word or a brace; most macros with arguments are values in parentheses.
    statements = {
        name: spoken
        for name, listed in by_name.items()
        if name not in kinds and (spoken := [define for define in listed if _is_statement(define)])
    }
    _heads(statements, kinds)
    for name, listed in statements.items():
        if name in kinds:
            continue
        for define in listed:
            members = record(define)
            if members >= 0:
                kinds[name], fixed[name] = RECORD, members
            else:
                places = declared(define)
                if places is not None:
                    declares[name] = places
    wrapped(statements, kinds, fixed, declares)
    return MacroTable(kinds, fixed, declares)


def _is_statement(define: Define) -> bool:
    return define.params is not None and define.body[:1] in _STATEMENT_STARTS


def _annotations(by_name: Mapping[str, list[Define]], kinds: dict[str, str]) -> None:
    """Repeat over the names that are left until no further one reduces to nothing."""
    reduced: dict[str, list[tuple[str, bool]]] = {}
    for name, listed in by_name.items():
        bodies = []
        for define in listed:
            body = define.body
            attributes = 0
            if body and body[0] != ",":
                if body[0] not in _WORD_STARTS or len(body) > _LONGEST:
                    break
                if "(" in body:
                    body, attributes = ATTRIBUTE.subn(" ", body)
                if _WORDS_ONLY.fullmatch(body) is None or not all(
                    word in _QUALIFIERS or word in by_name or word in kinds
                    for word in _PARENTHESIS.sub("", body).split()
                ):
                    break
            bodies.append((body, attributes > 0))
        else:
            reduced[name] = bodies
    changed = True
    while changed:
        changed = False
        for name in list(reduced):
            strong = False
            for body, attributes_seen in reduced[name]:
                left, used = _rest(body, name, kinds)
                if left:
                    break
                strong = strong or attributes_seen or used
            else:
                call = by_name[name][0].params is not None
                kinds[name] = (STRONG_CALL if call else STRONG) if strong else (WEAK_CALL if call else WEAK)
                del reduced[name]
                changed = True


#: A longer body is no annotation: the longest of 6.12 has 130 characters.
_LONGEST = 400
_WORD_STARTS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_STATEMENT_STARTS = _WORD_STARTS | {"{"}
_PARENTHESIS = re.compile(PARENS)
_WORDS_ONLY = re.compile(rf"\s*(?>(?:[A-Za-z_]\w*+\s*(?:{PARENS})?\s*)*)")
_USE = re.compile(rf"([A-Za-z_]\w*)\s*({PARENS})?")


def _rest(body: str, name: str, kinds: Mapping[str, str]) -> tuple[str, bool]:
    """What remains of a body without qualifiers and annotations, and whether a word of weight was among them."""
    if not body:
        return "", False
    if body[0] == ",":
        return "", True  # a further parameter, which one configuration has
    strong = False

    def reduce(found: re.Match[str]) -> str:
        nonlocal strong
        word, args = found.group(1), found.group(2) or ""
        kind = kinds.get(word)
        if word in _QUALIFIERS or word == name:
            strong = True
            return args
        if kind in (STRONG, WEAK):
            strong = strong or kind == STRONG
            return args
        if kind in (STRONG_CALL, WEAK_CALL):
            strong = strong or kind == STRONG_CALL
            return ""
        return found.group()

    return _USE.sub(reduce, body).strip(), strong


#: What can't begin a value, and a list of invocations with nothing between them.
_PIECE = re.compile(rf"=(?!=)|[*/]\s*\d|[*/]\s\w|\w+\s*{PARENS}[;,]?\s*\w+\s*\(")


#: Another word for `asm`, and a macro that hands its argument to it.
_ASSEMBLER = re.compile(r"(?:asm|__asm__)(?:\s+\w+)*")
_ASSEMBLER_CALL = re.compile(r"(?:do\s*\{\s*)?(?:asm|__asm__)\s+(?:\w+\s*)*\(\s*\w+\s*\)")


def _fragments(by_name: Mapping[str, list[Define]], kinds: dict[str, str]) -> None:
    for name, listed in by_name.items():
        if name in kinds:
            continue
        if listed[0].params is not None:
            if any("asm" in define.body and _ASSEMBLER_CALL.match(define.body) for define in listed):
                kinds[name] = ASSEMBLER_CALL
            continue
        first = listed[0].body
        if first[:3] in ("asm", "__a") and all(_ASSEMBLER.fullmatch(define.body) for define in listed):
            kinds[name] = ASSEMBLER
        elif all(not define.body or _is_piece(define.body) for define in listed):
            kinds[name] = FRAGMENT


def _is_piece(body: str) -> bool:
    if body[0] in "=*/" or ("(" in body and body[-1] in "),;"):
        return _PIECE.match(body) is not None
    return (body[-1] == "," and body[0] not in ".[") or body.count("{") != body.count("}")


def _heads(by_name: Mapping[str, list[Define]], kinds: dict[str, str]) -> None:
    left: dict[str, list[_Ends]] = {}
    for name, listed in by_name.items():
        ends = [_ends(define.body) for define in listed if define.body.endswith((")", "else"))]
        # A word that is no head, and no macro that may turn out to be one, leaves nothing open.
        asked = [pair for pair in ends if pair and (pair[1] in by_name or _head(*pair, kinds))]
        if asked:
            left[name] = asked
    changed = True
    while changed:
        changed = False
        for name, asked in list(left.items()):
            kind = next(filter(None, (_head(*pair, kinds) for pair in asked)), "")
            if kind:
                kinds[name] = kind
                del left[name]
                changed = True


#: The word that a body begins with, and the one before its last parenthesis ("" where it ends in `else`).
_Ends: TypeAlias = "tuple[str, str]"


def _ends(body: str) -> _Ends | None:
    """The words that decide whether a body leaves a statement open; None where it leaves none."""
    first = _WORD.match(body)
    word = first.group() if first else ""
    if body.endswith("else"):
        return word, ""
    depth = 0
    for place in reversed([found.start() for found in _BRACKET.finditer(body)]):
        depth += 1 if body[place] == ")" else -1
        if depth == 0:
            break
    else:
        return None
    lead = body[:place].rstrip()
    last = lead[len(lead.rstrip(_WORD_MARKS)) :]
    if not last or (last == "while" and (word == "do" or lead[: -len(last)].rstrip().endswith("}"))):
        return None
    return word, last


_BRACKET = re.compile(r"[()]")
_WORD_MARKS = "".join(_WORD_STARTS) + "0123456789"


def _head(word: str, last: str, kinds: Mapping[str, str]) -> str:
    """The keyword of the statement that a body of these ends begins and leaves open; "" when it leaves none."""
    begins = word if word in HEADS else kinds.get(word, "")
    if not last:
        return begins if begins in HEADS else "if"
    ends = last if last in HEADS else kinds.get(last, "")
    if ends not in HEADS:
        return ""
    return begins if begins in HEADS else ends
