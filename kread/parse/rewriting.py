"""Rewriting at the same length: what each kind of place in a file needs so that it parses as C.

Theory of operation: four places differ. At *file scope* a macro's invocation is recorded and blanked, or, where a body
follows, becomes the head of a function. In a *body* what looks like `name(...) {` or `name(...) statement` can only be
a macro that opens a statement, and becomes a `while` or `if`, so that nothing in its arguments is lost; types among
arguments become identifiers. In a *record* a macro that wraps members gives them free, one that declares a member
becomes a declaration. In an *initialiser* a macro that brings its own comma gets one.

Most of it needs no knowledge of the macro, only of C: where a name with a parenthesis can't stand in C, it is a macro.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kread.parse.blanking import spaces
from kread.parse.brackets import BRACES, PARENS, split


class Invocation(NamedTuple):
    """A macro's use as a whole declaration, a member or the head of a function.

    start, end -- its extent, from the macro's name to behind its parenthesis
    args       -- the parenthesis with its content, comments and literals blanked
    body       -- where the `{` of the function that it makes stands, -1 for a use that makes none
    """

    start: int
    end: int
    name: bytes
    args: bytes
    body: int = -1


#: Words before a parenthesis that are C's own.
C_WORDS = (
    rb"if|for|while|switch|return|sizeof|else|do|case|goto|default|typeof|typeof_unqual|__typeof__|__typeof"
    rb"|_Generic|defined|struct|union|enum|void|int|char"
    rb"|long|short|unsigned|signed|const|volatile|static|extern|inline|typedef|register|float|double|bool|_Bool|auto"
)
_WORDS = frozenset(C_WORDS.split(b"|"))
_LAST_WORD = re.compile(rb"[A-Za-z_]\w*\Z")
_LOOK_BACK = 80


def before(text: bytes, place: int) -> bytes:
    """What stands before `place`, without the white space in between: enough of it to see the last word."""
    reach = _LOOK_BACK
    while True:
        found = text[max(0, place - reach) : place].rstrip()
        if found or reach >= place:
            return found
        reach *= 8


def joined(text: bytes) -> bytes:
    """`text` as one identifier of the same length, leading and trailing white space kept."""
    lead = len(text) - len(text.lstrip())
    body = text.strip()
    first, _, rest = body.partition(b"\n")
    made = _NO_WORD.sub(b"_", first.rstrip() if rest else first)
    if made in _WORDS or not made[:1].strip(b"0123456789"):
        made = b"_" + made[1:]
    return text[:lead] + made + spaces(text[lead + len(made) :])


_NO_WORD = re.compile(rb"\W")
_IDENTIFIER = re.compile(rb"\s*([A-Za-z_]\w*)\s*\Z")
_TYPED = re.compile(rb"\s*(?:const\s+)?(?:(?:struct|union|enum)\s+\w+|[A-Za-z_]\w*(?:\s+[A-Za-z_]\w*)*)[\s*]*\Z")


def declared_variable(shown: bytes, args: bytes) -> bytes:
    """The declaration of the variable that a macro's arguments name, as long as `shown`."""
    base = len(shown) - len(args)
    parts = split(args)
    out = bytearray(spaces(shown))
    texts = [args[first:last] for first, last in parts]
    if len(texts) >= 2 and _IDENTIFIER.match(texts[1]) and _TYPED.match(texts[0]):
        (first, _), (_, last) = parts[0], parts[1]
        second = parts[1][0]
        out[base + first : base + parts[0][1]] = texts[0]
        out[base + second : base + last] = texts[1]
        return bytes(out)
    for (first, last), text in zip(parts, texts, strict=True):
        if _IDENTIFIER.match(text):
            out[base + first : base + last] = text
            # Any type serves: the place before the parenthesis has room for one.
            if base >= 2 and b"\n" not in shown[:base]:
                out[0:base] = b"int".ljust(base) if base >= 4 else b"T".ljust(base)
            return bytes(out)
    return bytes(out)


# In a body

# Each expression begins with the byte that what it looks for stands behind, so that the engine skips to it.

#: What can stand among a macro's arguments and is no expression: a type, an operator, nothing at all.
_TYPE_ARGUMENT = re.compile(
    rb"([(,])(?:\s*+(?:(?:const|volatile|struct|union|enum|unsigned|signed|int|char|long|short|void|bool|_Bool|float"
    rb"|double)\b[\w\s*]*+|[A-Za-z_]\w*+\s*+\*[\s*]*+(?:const\b\s*+)?)(?:\[[^][(){};,]*+\]\s*+)?(?=[,)])"
    rb"|\s*+[A-Za-z_]\w*+\s++[A-Za-z_]\w*+(?>(?:" + PARENS + rb")?)\s*+(?=[,)\"])"
    rb"|\s*+(?!0[xXbB]|\d++(?:[uUlL]++\b|[eE]\d))\d++[A-Za-z_]\w*+\s*+(?=[,)])|\s*+\[\w++\]\s*+(?=[,)])"
    rb"|(?:(?<=,)|(?<=\()(?!\s*+\*++\s*\)))\s*+[-+*/%|&^~!<>=]{1,3}(?>(?:\s[~!])?)\s*+(?=[,)])"
    rb"|\s++(?=,)|(?<=,)\s++(?=\)))"
)
#: What only a macro can be: a name and a parenthesis as a statement, and no `;` behind it.
_OPENING = re.compile(
    rb"([;{}:)]\s*+)(?!(?:" + C_WORDS + rb")\b)([A-Za-z_]\w*+\s*+)(" + PARENS + rb")(?=\s*+([{A-Za-z_}]))"
)
#: A variable that a macro declares, with its values.
_DECLARED = re.compile(rb"([;{}]\s*+(?>(?:static\s+)?))([A-Za-z_]\w*+\s*+)(" + PARENS + rb")(?=\s*+=\s*+\{)")
#: The values of a variable, and in them a macro that brings its own comma.
_TABLE = re.compile(rb"(=\s*+)(" + BRACES + rb")")
_VALUES = re.compile(
    rb"([,{]\s*+|\)[ \t]*+\n\s*+)([A-Za-z_]\w*\s*)(" + PARENS + rb")(?:(\s*+)(?=[{.\[A-Za-z_])|(?=[ \t]*+\n\s*+\"))"
)
#: The same without arguments, on a line of its own.
_VALUES_BARE = re.compile(rb"([,{]\s*+(?!(?:" + C_WORDS + rb")\b)[A-Za-z_]\w*+[ \t]*+\n\s*?)[ \t](?=\s*+[.\[A-Za-z_])")
_BLANK = re.compile(rb"[ \t]")
#: Statements among a macro's arguments, `foo(a; b;, c;)`: they become a block.
_STATEMENTS = re.compile(
    rb"([;{}:)]\s*+)(?!(?:"
    + C_WORDS
    + rb")\b)([A-Za-z_]\w*+\s*+)(?=\((?>(?:[^(){};]++|"
    + PARENS
    + rb"|"
    + BRACES
    + rb")*);)"
    rb"(" + PARENS + rb")(?=\s*+;)"
)
_STATEMENT_ENDS = re.compile(rb";\s*+[,)]")
#: A name that is a statement by itself: `FOO` on a line of its own.
_LONE = re.compile(rb"([;{}]\s*\n\s*+)(?=\w*[A-Z])([A-Za-z_]\w*+)(?=[ \t]*+\n\s*+[A-Za-z_}])")
#: A macro between literals, or a static variable that a macro declares.
_LITERAL = re.compile(rb"(\"\s*+)([A-Za-z_]\w*\s*" + PARENS + rb")")
_BEFORE_LITERAL = re.compile(rb"([A-Za-z_]\w*\s*" + PARENS + rb")(?=\s*\")")
_STATIC = re.compile(rb"static\s+(?=(?:const\s+)?(?!(?:" + C_WORDS + rb")\b)[A-Za-z_]\w*+\s*+" + PARENS + rb"\s*+;)")
#: Values in braces among a macro's arguments.
_BRACED = re.compile(rb"([(,])(\s*+\{[^{};]*+\})(?=\s*+([,)]))")
_SLOT = re.compile(rb"(?<=[ ,])\.(?=[A-Za-z_]\w*\s*=)")
#: What assembler macros take: `[name] "constraint" (value) : "clobbered"`.
_OPERAND = re.compile(rb"\[\s*\w+\s*\](?=\s*\")|\"(?P<value>\s*" + PARENS + rb"\s*):(?>(?:\s*:)*)")
#: A range of cases, which the grammar lacks: `case 1 ... 5:`.
_CASES = re.compile(rb"(case\b[^:;{}\n]*?)(\.\.\.)")
#: A statement among a macro's arguments: `foo(x, return -EINVAL)`.
_STATEMENT = re.compile(rb"([(,]\s*+)(return|break|continue|goto\s+\w+)\b")
#: A jump to a computed label, and a label's address.
_COMPUTED = re.compile(rb"goto(\s*)\*")
_ADDRESS = re.compile(rb"([(,=?:{]\s*+)&&(?=\s*[A-Za-z_]\w*\s*[,;)}])")
#: A label at the end of a block, which the grammar lacks before C23.
_LABEL = re.compile(rb":(\s++)(?=\})")


def _type_argument(found: re.Match[bytes]) -> bytes:
    shown = found.group()
    mark, rest = shown[:1], shown[1:]
    if not rest.strip():
        # Nothing stands between two commas, or before the parenthesis: a value serves, where there is room for it.
        at = max(rest.rfind(b" "), rest.rfind(b"\t"))
        return mark + rest[:at] + b"0" + rest[at + 1 :] if at >= 0 else shown
    if mark == b"(":
        word = _LAST_WORD.search(before(found.string, found.start()))
        if word is None or word.group() in _WORDS:
            return shown
    return mark + joined(rest)


def body(text: bytes, heads: dict[bytes, bytes]) -> bytes:
    """A function's body, or any other braces that hold statements."""

    def opening(found: re.Match[bytes]) -> bytes:
        lead, name, args, follows = found.groups()
        if follows == b"}" and not (lead[0] in b";}" or (lead[0] == 41 and b"\n" in lead)):
            return found.group()
        word = name.rstrip()
        if follows == b"{" or word in heads:
            return lead + head(heads.get(word, b"while"), name + args, len(args))
        return lead + spaces(name) + b" " + args[1:-1] + b";"

    text = _arguments(text)
    if _TABLE.search(text):
        text = _TABLE.sub(lambda found: found.group(1) + _values(found.group(2)), text)
        text = _DECLARED.sub(
            lambda found: found.group(1) + declared_variable(found.group(2) + found.group(3), found.group(3)), text
        )
    while True:
        changed = _OPENING.sub(opening, text)
        if changed == text:
            break
        text = changed
    if _STATEMENT_ENDS.search(text):
        text = _STATEMENTS.sub(_statements, text)
    return _LABEL.sub(_label, _LONE.sub(_lone, text))


def table(text: bytes) -> bytes:
    """The values of a variable at file scope."""
    return _arguments(_values(text))


def _statements(found: re.Match[bytes]) -> bytes:
    lead, name, args = found.groups()
    block = bytearray(args)
    block[0], block[-1] = b"{}"
    for _, end in split(args)[:-1]:
        block[end : end + 1] = b";"
    return lead + spaces(name) + bytes(block)


def _values(text: bytes) -> bytes:
    while True:  # of two neighbours the first takes what the second stands behind
        changed = _VALUES_BARE.sub(rb"\1,", _VALUES.sub(_value, text))
        if changed == text:
            return text
        text = changed


def _value(found: re.Match[bytes]) -> bytes:
    """A use with a comma behind it where there is room for one; without, its arguments stand for it."""
    gap = found.group(4) or b""
    if _BLANK.search(gap):
        return found.group()[: -len(gap)] + _BLANK.sub(b",", gap, count=1)
    return found.group(1) + spaces(found.group(2)) + b" " + found.group(3)[1:-1] + b"," + gap


def _arguments(text: bytes) -> bytes:
    """What stands among arguments and is no expression."""
    if b'"' in text:
        text = _LITERAL.sub(lambda found: found.group(1) + joined(found.group(2)), text)
        text = _OPERAND.sub(_operand, text)
        if _LITERAL_BEHIND.search(text):
            text = _BEFORE_LITERAL.sub(lambda found: joined(found.group()), text)
    if b"static" in text:
        text = _STATIC.sub(lambda found: spaces(found.group()), text)
    text = _BRACED.sub(_braced, text)
    text = _TYPE_ARGUMENT.sub(_type_argument, text)
    text = text.replace(b",)", b" )").replace(b"(,", b"( ")
    text = _STATEMENT.sub(_statement, text)
    if b"..." in text:
        text = _CASES.sub(rb"\1|| ", text)
    if b"&&" in text:
        text = _ADDRESS.sub(rb"\1 &", text)
    if b"goto" in text:
        text = _COMPUTED.sub(_computed, text)
    return text


_LITERAL_BEHIND = re.compile(rb"\)\s*\"")


def _braced(found: re.Match[bytes]) -> bytes:
    mark, values, follows = found.groups()
    if mark == follows == b",":
        return found.group()
    shown = values.replace(b"{", b" ").replace(b"}", b" ")
    return mark + (_SLOT.sub(b" ", shown) if shown.strip() else b"0".rjust(len(shown)))


def _operand(found: re.Match[bytes]) -> bytes:
    shown = found.group()
    value = found.group("value")
    return spaces(shown) if value is None else b'"' + value + b"," + spaces(shown[len(value) + 2 :])


def _lone(found: re.Match[bytes]) -> bytes:
    return found.group() if found.group(2) in _WORDS else found.group(1) + spaces(found.group(2))


def head(keyword: bytes, shown: bytes, args: int) -> bytes:
    """A macro's use as the head of a statement: `args` bytes at its end are its parenthesis."""
    name = shown[:-args]
    inside = shown[len(name) :]
    if inside.count(b";") == 2 and len(name) >= 3:
        return b"for" + spaces(name[3:]) + inside
    if len(name) < len(keyword) or b"\n" in name[: len(keyword)]:
        keyword = b"if"
    if keyword == b"for":
        keyword = b"while" if len(name) >= 5 else b"if"
    if not inside[1:-1].strip():
        if len(inside) > 2:
            inside = b"(1" + inside[2:]
        elif len(name) > len(keyword):
            return keyword + spaces(name[len(keyword) :])[:-1] + b"(1)"
    if len(name) < 2:
        return shown
    return keyword + spaces(name[len(keyword) :]) + inside


def _statement(found: re.Match[bytes]) -> bytes:
    lead, shown = found.groups()
    if shown == b"return":
        ahead = found.string[found.end() : found.end() + _LOOK_BACK].lstrip()[:1]
        if ahead == b";":
            return found.group()
        return lead + (b"_eturn" if ahead in (b",", b")") else b"(void)")
    return lead + (joined(shown) if shown[:4] == b"goto" else b"_" + shown[1:])


def _computed(found: re.Match[bytes]) -> bytes:
    shown = found.group()
    return shown if b"\n" in shown else b"(0)*".rjust(len(shown))


def _label(found: re.Match[bytes]) -> bytes:
    shown = found.group()
    return b";" + shown[1:] if shown[-1:] == b"\n" else shown[:-1] + b";"
