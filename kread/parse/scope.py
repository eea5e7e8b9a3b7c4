"""Macros used as declarations: at file scope, in records, in enumerations and in tables.

Theory of operation: C has nothing at file scope that is a name, a parenthesis and no type before it; so where that
stands, a macro is used. Behind it a brace makes it the head of a function, which is declared at its place under
the macro's name (what the function is really called comes from expanding the macro); an `=` makes it a variable;
anything else a use that is recorded and blanked, so that it can't swallow what follows.
"""

from __future__ import annotations

import re

from kread.parse.blanking import spaces
from kread.parse.brackets import BRACES, PARENS, split
from kread.parse.declarers import RECORD
from kread.parse.macro_table import MacroTable
from kread.parse.rewriting import C_WORDS, Invocation, declared_variable, joined

_STORAGE = rb"(?>(?:(?:static|extern|inline|const|volatile|register|__inline__|__inline|__extension__)\s+)*)"
_USE = re.compile(rb"\s*+(" + _STORAGE + rb")(?!(?:" + C_WORDS + rb")\b)([A-Za-z_]\w*+)\s*+(" + PARENS + rb")\s*+")
_START = re.compile(rb";(?=\s*+" + _STORAGE + rb"(?!(?:" + C_WORDS + rb")\b)[A-Za-z_]\w*+\s*+\()")


#: A name on a line of its own, before a declaration: in C nothing, so a macro that declares by itself.
_LONE_NAME = rb"\s*+)((?>(?:(?!(?:" + C_WORDS + rb")\b)[A-Za-z_]\w*+[ \t]*+\n\s*+)+))(?=[A-Za-z_]\w*+[ \t*]+[A-Za-z_])"
_LONE = re.compile(rb"([;}]" + _LONE_NAME)
_FIRST = re.compile(rb"(" + _LONE_NAME)
#: What stands behind a prototype: `) MACRO(x);`. At the start of a line it is a declaration of its own.
_BEHIND = re.compile(rb"(\)\s*+)(?<!\n)([A-Za-z_]\w*+\s*+" + PARENS + rb")(?=\s*+;)")
#: Such names between uses of macros with arguments: by custom a macro's name is in capitals, a type's is not.
_ALONE = re.compile(rb"\s*+((?>(?:[A-Z_][A-Z0-9_]*+[ \t]*+\n\s*+)+))(?=[A-Za-z_]\w*+\s*+\()")


def _lone(found: re.Match[bytes]) -> bytes:
    return found.group(1) + spaces(found.group(2))


class Scope:
    """Collects what is found while the texts of one file are rewritten."""

    def __init__(self) -> None:
        self.made: list[Invocation] = []
        self.invocations: list[Invocation] = []
        self.annotations: list[Invocation] = []

    def between(self, code: bytes, start: int, end: int, behind: str, opens: str) -> bytes:
        """The file scope of [start, end), after a block of kind `behind` and before one of kind `opens`."""
        gap = code[start:end]
        if behind and behind != "body":
            # What follows a record or a table up to the `;` still belongs to it.
            place = gap.find(b";")
            if place < 0:
                return gap
        else:
            place = -1
        if place < 0:
            lone = _FIRST.match(gap)
            if lone is not None:
                gap = _lone(lone) + gap[lone.end() :]
            gap = _LONE.sub(_lone, gap)
        if b"(" not in gap:
            return gap
        gap = _BEHIND.sub(_lone, gap)
        shown: bytearray | None = None
        while True:
            use = _USE.match(gap, place + 1)
            while use is not None:
                changed = self._use(gap, use, start, opens)
                if changed is not None:
                    shown = shown if shown is not None else bytearray(gap)
                    first, text = changed
                    shown[first : first + len(text)] = text
                follows = gap[use.end() : use.end() + 1]
                end = use.end()
                use = None
                if changed is not None and follows not in (b";", b"=", b""):
                    alone = _ALONE.match(gap, end)
                    if alone is not None and shown is not None:
                        shown[alone.start(1) : alone.end(1)] = spaces(alone.group(1))
                        end = alone.end()
                    use = _USE.match(gap, end)
            found = _START.search(gap, place + 1)
            if found is None:
                return gap if shown is None else bytes(shown)
            place = found.start()

    def _use(self, gap: bytes, use: re.Match[bytes], offset: int, opens: str) -> tuple[int, bytes] | None:
        """How one use of a macro is rewritten: from where, and the text. None when it is none."""
        storage, name, args = use.groups()
        start, end = use.start(2), use.end(3)
        follows = gap[use.end() : use.end() + 1]
        if follows in (b"(", b",", b")", b"[", b"*"):
            return None
        if not follows and opens == "body":
            self.made.append(Invocation(offset + start, offset + end, name, args, offset + len(gap)))
            return start, declared_function(gap[start:end], name)
        self.invocations.append(Invocation(offset + start, offset + end, name, args))
        if follows == b"=":
            return start, declared_variable(gap[start:end], args)
        first = use.start(1) if storage else start
        return first, spaces(gap[first:end])


def declared_function(shown: bytes, name: bytes) -> bytes:
    """The head of a function of no parameters, as long as `shown`."""
    lead = b"int " + name + b"("
    if len(lead) + 1 > len(shown) or b"\n" in shown[: len(lead)]:
        lead = b"T f("
        if len(shown) < 5 or b"\n" in shown[:4]:
            return shown
    return lead + spaces(shown[len(lead) : -1]) + b")"


_MEMBER = re.compile(
    rb"([;{}]\s*+)(?!(?:" + C_WORDS + rb")\b)([A-Za-z_]\w*+)\s*+(" + PARENS + rb")(?!\s*+[(\[:=,])(\s*+;?)"
)
_EMPTY = re.compile(rb"([;{]\s*+);")
#: Bit fields without a name, and those of a record or enumeration written on the spot, which the grammar lacks.
_BITS = rb"(?:const\s+)?(?:(?>(?:(?:signed|unsigned|long|int|char|short)\b\s*+)+)|\w++\s*+)"
_UNNAMED = re.compile(
    rb"(?P<type>[;{])\s*+" + _BITS + rb"(?>(?::[^;{},:]*+,\s*+)*):[^;{},:]*+(?=;)"
    rb"|(?P<kept>[;{]\s*+" + _BITS + rb")(?>(?::[^;{},:]*+,\s*+)+)"
    rb"|,\s*:[^,;:{}]*+(?=[,;])|(?P<name>\}\s*\w+\s*):[^,;:{}]*+(?=[;,])"
)
_FIELD_MACRO = re.compile(
    rb"([;{}])\s*+(?!(?:" + C_WORDS + rb")\b)[A-Za-z_]\w*+"
    rb"(?=[ \t]*+\n\s*+(?:\}|(?:" + C_WORDS + rb")\b|[A-Za-z_]\w*+[ \t*]+[A-Za-z_]))"
)


def record(text: bytes, offset: int, table: MacroTable, words: dict[bytes, str], scope: Scope) -> bytes:
    """The members of a record."""
    for _ in range(_NESTED_GROUPS):
        changed = _members(text, offset, table, words, scope)
        if changed == text:
            break
        text = changed
    text = _FIELD_MACRO.sub(lambda found: found.group(1) + spaces(found.group()[1:]), text)
    if b":" in text:
        text = _UNNAMED.sub(_unnamed, text)
    while True:
        changed = _EMPTY.sub(rb"\1 ", text)
        if changed == text:
            return text
        text = changed


def _unnamed(found: re.Match[bytes]) -> bytes:
    name = found.group(found.lastgroup) if found.lastgroup else b""
    return name + spaces(found.group()[len(name) :])


#: Groups of members nest: 6.12 has groups within groups, no deeper.
_NESTED_GROUPS = 4


def _members(text: bytes, offset: int, table: MacroTable, words: dict[bytes, str], scope: Scope) -> bytes:
    def member(found: re.Match[bytes]) -> bytes:
        shown = found.group()
        gap, name, args, after = found.groups()
        invocation = Invocation(offset + found.start(2), offset + found.end(3), name, args)
        scope.invocations.append(invocation)
        inside = shown[len(gap) : len(shown) - len(after)]
        if words.get(name) == RECORD or b";" in args:
            parts = split(args)
            count = table.fixed.get(name.decode(), 1)
            skip = parts[min(count, len(parts) - 1)][0]
            cut = len(inside) - len(args) + skip
            return gap + spaces(inside[:cut]) + inside[cut:-1] + b" " + spaces(after)
        declares = table.declares.get(name.decode())
        if declares is None or b";" not in after:
            return gap + spaces(shown[len(gap) :])
        return gap + declared_variable(inside, args) + after

    return _MEMBER.sub(member, text)


_ENUMERATED = re.compile(rb"([,{]\s*+)([A-Za-z_]\w*\s*" + PARENS + rb")(?=(\s*+[,}=])?)")
_ENUMERATORS = re.compile(rb"([,{])(\s*+[A-Za-z_]\w*+)(?=\s+[A-Za-z_])")


def enumeration(text: bytes) -> bytes:
    """The names of an enumeration: one that a macro makes becomes one name, with a comma where it brings its own."""
    for _ in range(_NESTED_GROUPS):
        changed = _ENUMERATED.sub(_enumerated, text)
        changed = _ENUMERATORS.sub(lambda found: found.group(1) + spaces(found.group(2)), changed)
        if changed == text:
            break
        text = changed
    return text


def _enumerated(found: re.Match[bytes]) -> bytes:
    name = joined(found.group(2))
    return found.group(1) + (name if found.group(3) else name[:-1] + b",")


_LOCAL = re.compile(rb"(?:struct|union)\b[\w\s]*+(" + BRACES + rb")")


def local_records(text: bytes, offset: int, table: MacroTable, words: dict[bytes, str], scope: Scope) -> bytes:
    """The records that a function's body, or another record's, defines."""
    return _LOCAL.sub(
        lambda found: (
            found.group()[: found.start(1) - found.start()]
            + record(found.group(1), offset + found.start(1), table, words, scope)
        ),
        text,
    )
