"""What the release's own macros say about how to read a file that uses them.

Theory of operation: every definition of a name is reduced to what it puts where the name stands. A name is
    an annotation -- all its definitions are attributes, other annotations or nothing;
    a fragment    -- without arguments, it is a piece of C that is no value: `= 1`, `* 2`, `{ {`, `F(a) F(b)`;
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

from kread.data import load
from kread.parse.defines import Define

#: Kinds of names, as `MacroTable.kinds` has them.
STRONG, WEAK = "annotation", "empty"
STRONG_CALL, WEAK_CALL = "annotation()", "empty()"
HEADS = ("for", "while", "if", "switch")
RECORD = "record"
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
_PARENS = r"\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\)"
_ATTRIBUTE = re.compile(rf"\b(?:__attribute__|__attribute|__declspec|_Pragma|_Alignas|__asm__|asm)\s*{_PARENS}")
_WORD = re.compile(r"[A-Za-z_]\w*")
_HEAD_WORD = re.compile(r"(\w+)\s*$")
_RECORD = re.compile(r"\b(?:struct|union)\b[^{};]*\{\s*(\w+)\s*;?\s*\}")


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
        own = list(defines)
        if not own:
            return self
        return _learned(own, self)

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
    given = load("macros")
    table = _learned((define for _, define in defines), MacroTable())
    kinds = dict(table.kinds)
    kinds.update((row["name"], row["kind"]) for row in given.get("macro", ()))
    for row in given.get("plain", ()):
        kinds.pop(row["name"], None)
    return MacroTable(kinds, table.fixed, table.declares)


def _learned(defines: Iterable[Define], base: MacroTable) -> MacroTable:
    by_name: dict[str, list[Define]] = {}
    for define in defines:
        if define.name not in _KEYWORDS and define.body != define.name and "%%" not in define.body:
            by_name.setdefault(define.name, []).append(define)
    kinds = {name: kind for name, kind in base.kinds.items() if name not in by_name}
    _annotations(by_name, kinds)
    _fragments(by_name, kinds)
    _heads(by_name, kinds)
    fixed = {name: count for name, count in base.fixed.items() if name not in by_name}
    declares = {name: places for name, places in base.declares.items() if name not in by_name}
    for name, listed in by_name.items():
        if name in kinds:
            continue
        for define in listed:
            if not define.params:
                continue
            members = _record(define)
            if members >= 0:
                kinds[name], fixed[name] = RECORD, members
            else:
                places = _declared(define)
                if places is not None:
                    declares[name] = places
    _wrapped(by_name, kinds, fixed, declares)
    return MacroTable(kinds, fixed, declares)


def _annotations(by_name: Mapping[str, list[Define]], kinds: dict[str, str]) -> None:
    """Repeat over the names that are left until no further one reduces to nothing."""
    reduced: dict[str, list[tuple[str, bool]]] = {}
    for name, listed in by_name.items():
        bodies = []
        for define in listed:
            body, attributes = _ATTRIBUTE.subn(" ", define.body) if "(" in define.body else (define.body, 0)
            if len(body) > _LONGEST or ";" in body or "{" in body:
                break
            bodies.append((body, bool(attributes)))
        else:
            reduced[name] = bodies
    changed = True
    while changed:
        changed = False
        for name in list(reduced):
            strong = False
            for body, attributes in reduced[name]:
                left, used = _rest(body, name, kinds)
                if left:
                    break
                strong = strong or attributes or used
            else:
                call = by_name[name][0].params is not None
                kinds[name] = (STRONG_CALL if call else STRONG) if strong else (WEAK_CALL if call else WEAK)
                del reduced[name]
                changed = True


#: A body longer than this after its attributes were taken out is no annotation, and is not looked at again.
_LONGEST = 200
_USE = re.compile(rf"([A-Za-z_]\w*)\s*({_PARENS})?")


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
_PIECE = re.compile(rf"=(?!=)|[*/]\s*\d|[*/]\s\w|\w+\s*{_PARENS}[;,]?\s*\w+\s*\(")


#: Another word for `asm`, and a macro that hands its argument to it.
_ASSEMBLER = re.compile(r"(?:asm|__asm__)(?:\s+\w+)*")
_ASSEMBLER_CALL = re.compile(r"(?:do\s*\{\s*)?(?:asm|__asm__)\s+(?:\w+\s*)*\(\s*\w+\s*\)")


def _fragments(by_name: Mapping[str, list[Define]], kinds: dict[str, str]) -> None:
    for name, listed in by_name.items():
        if name in kinds:
            continue
        bodies = [define.body for define in listed if define.body]
        if any(define.params is not None for define in listed):
            if any(_ASSEMBLER_CALL.match(define.body) for define in listed if define.params):
                kinds[name] = ASSEMBLER_CALL
            continue
        if all(_ASSEMBLER.fullmatch(body) for body in bodies):
            kinds[name] = ASSEMBLER
            continue
        if all(_PIECE.match(body) or body.count("{") != body.count("}") for body in bodies):
            kinds[name] = FRAGMENT


def _heads(by_name: Mapping[str, list[Define]], kinds: dict[str, str]) -> None:
    left = {
        name: [define.body for define in listed if define.params is not None and define.body.endswith((")", "else"))]
        for name, listed in by_name.items()
        if name not in kinds
    }
    changed = True
    while changed:
        changed = False
        for name in [name for name, bodies in left.items() if bodies]:
            for body in left[name]:
                kind = _head(body, kinds)
                if kind:
                    kinds[name] = kind
                    del left[name]
                    changed = True
                    break


def _head(body: str, kinds: Mapping[str, str]) -> str:
    """The keyword of the statement that a body begins and leaves open; "" when it leaves none."""
    first = _WORD.match(body)
    word = first.group() if first else ""
    begins = word if word in HEADS else kinds.get(word, "")
    if body.endswith("else"):
        return begins if begins in HEADS else "if"
    depth = 0
    for place in range(len(body) - 1, -1, -1):
        mark = body[place]
        if mark == ")":
            depth += 1
        elif mark == "(":
            depth -= 1
            if depth == 0:
                break
    else:
        return ""
    before = _HEAD_WORD.search(body, 0, place)
    if before is None:
        return ""
    last = before.group(1)
    if last == "while" and (word == "do" or body[: before.start()].rstrip().endswith("}")):
        return ""
    ends = last if last in HEADS else kinds.get(last, "")
    if ends not in HEADS:
        return ""
    return begins if begins in HEADS else ends


def _record(define: Define) -> int:
    """How many arguments stand before the members that a definition wraps in a record; -1: it wraps none."""
    params = define.params or ()
    rest = params[-1] if params else ""
    if not rest.endswith("..."):
        return -1
    found = _RECORD.search(define.body)
    members = rest[:-3] or "__VA_ARGS__"
    return len(params) - 1 if found is not None and found.group(1) == members else -1


def _declared(define: Define) -> tuple[int, int] | None:
    """Which argument names what a definition declares, and which one its type."""
    params = [param.removesuffix("...") for param in define.params or ()]
    body = _ATTRIBUTE.sub(" ", define.body)
    for place, param in enumerate(params):
        if not param:
            continue
        found = re.match(
            rf"(?:(?:static|extern|const|struct|union|unsigned)\s+)*(?:(?:__typeof__|typeof)\s*\(\s*(\w+)\s*\)|(\w+))"
            rf"(?:\s+\w+)?[\s*]+{re.escape(param)}\s*(?:\[|=|;|$)",
            body,
        )
        if found is not None and "##" not in body[: found.end()]:
            kind = found.group(1) or found.group(2)
            if kind in ("return", "goto", "if", "else", "do", "case"):
                return None
            return (params.index(kind) if kind in params else -1), place
    return None


def _wrapped(
    by_name: Mapping[str, list[Define]],
    kinds: dict[str, str],
    fixed: dict[str, int],
    declares: dict[str, tuple[int, int]],
) -> None:
    """A macro that only hands its arguments to a record or a declarer is one too."""
    for _ in range(_WRAPPINGS):
        for name, listed in by_name.items():
            if name in kinds or name in declares:
                continue
            for define in listed:
                params = define.params
                called = re.match(rf"(?:static\s+)?(\w+)\s*({_PARENS})\s*;?$", define.body) if params else None
                if called is None or params is None:
                    continue
                inner = called.group(1)
                args = [part.strip() for part in _split(called.group(2)[1:-1])]
                plain = [param.removesuffix("...") or "__VA_ARGS__" for param in params]
                if kinds.get(inner) == RECORD and args and args[-1] == plain[-1]:
                    kinds[name], fixed[name] = RECORD, len(params) - 1
                elif inner in declares:
                    kind_at, name_at = declares[inner]
                    if name_at < len(args) and args[name_at] in plain:
                        kind = args[kind_at] if 0 <= kind_at < len(args) else ""
                        declares[name] = (plain.index(kind) if kind in plain else -1), plain.index(args[name_at])


#: How deep wrappers of wrappers are followed: 6.12 has three.
_WRAPPINGS = 3


def _split(args: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for place, mark in enumerate(args):
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark == "," and depth == 0:
            parts.append(args[start:place])
            start = place + 1
    parts.append(args[start:])
    return parts
