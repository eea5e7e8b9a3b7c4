"""Preprocessing tokens: the one lexer that macro expansion and expressions share.

A C preprocessor sees a text as tokens with or without white space before them, and nothing else: comments and joined
lines are white space. `lex` gives exactly that, by one regular expression at the speed of `re.findall`. It never
fails: a character that begins no token (a stray quote, a backslash) is a token of its own.
"""

from __future__ import annotations

import re

#: White space, comments and joined lines; possessive, so that a comment at the end of a text is not taken apart.
_BLANK = r"(?>(?:[\s]+|\\\r?\n|/\*(?>(?:[^*]|\*(?!/))*)\*/|//[^\n]*)*)"

_TOKEN = (
    r"(?:u8|[uUL])?\"(?:[^\"\\\n]|\\[\s\S])*\""  # string
    r"|(?:u8|[uUL])?'(?:[^'\\\n]|\\[\s\S])+'"  # character
    r"|[A-Za-z_$\x80-\U0010ffff][\w$]*"  # identifier
    r"|\.?[0-9](?:[eEpP][+-]|[\w.])*"  # preprocessing number
    r"|\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\#\#"
    r"|\S"
)

_LEX = re.compile(f"({_BLANK})({_TOKEN}|\\Z)")


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


#: Words that a call or a declaration can begin with, and that never name a function.
KEYWORDS = _set(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while _Alignas "
    "_Alignof _Atomic _Bool _Generic _Noreturn _Static_assert _Thread_local __alignof __alignof__ __asm __asm__ asm "
    "__attribute __attribute__ __auto_type __const __const__ __extension__ __inline __inline__ __label__ __restrict "
    "__restrict__ __signed __signed__ __thread __typeof __typeof__ __typeof_unqual__ __volatile __volatile__ typeof "
    "typeof_unqual static_assert alignof alignas __int128 __builtin_va_list bool"
)

#: Keywords that a type can begin or go on with.
TYPE_WORDS = _set(
    "char const double enum float int long short signed struct union unsigned void volatile _Bool bool __const "
    "__const__ __volatile __volatile__ __signed __signed__ __int128 __builtin_va_list typeof __typeof __typeof__ "
    "typeof_unqual __typeof_unqual__ __auto_type _Atomic register restrict __restrict __restrict__ static inline extern"
)

#: What the definition of a type begins with.
RECORDS = _set("struct union enum typedef")

#: Operators whose operand in parentheses is never evaluated, so that no call in it happens.
UNEVALUATED = _set(
    "sizeof typeof __typeof __typeof__ typeof_unqual __typeof_unqual__ _Alignof __alignof __alignof__ alignof "
    "_Static_assert static_assert __builtin_types_compatible_p __builtin_offsetof __attribute__ __attribute"
)

#: Two characters that, side by side, begin another token than the first alone.
_PAIRS = _set("++ -- -> << >> <= >= == != && || += -= *= /= %= &= |= ^= ## // /* .. <: <% %> %: :>")


def lex(text: str) -> list[tuple[str, str]]:
    """The tokens of a text, each as (white space before it, token)."""
    found: list[tuple[str, str]] = _LEX.findall(text)
    while found and not found[-1][1]:
        found.pop()
    return found


def words(text: str) -> list[str]:
    """The tokens of a text without their white space: two texts of equal words are the same to a compiler."""
    return [token for _, token in lex(text)]


def is_word(token: str) -> bool:
    """Whether a token is an identifier (a keyword is one too)."""
    return token[:1].isalpha() or token[:1] in ("_", "$")


def glue(left: str, right: str) -> bool:
    """Whether two tokens, written without a space between them, could be read as other tokens."""
    a, b = left[-1:], right[:1]
    if a.isalnum() or a in "_$":
        return b.isalnum() or b in "_$\"'"
    return a + b in _PAIRS or (a == "." and b.isdigit())


def closing(tokens: list[str]) -> dict[int, int]:
    """For each opening bracket, parenthesis or brace the index of the one that closes it, where there is one."""
    pairs: dict[int, int] = {}
    open_at: list[tuple[int, str]] = []
    for index, token in enumerate(tokens):
        if token in _CLOSES:
            open_at.append((index, _CLOSES[token]))
        elif token in _CLOSERS:
            while open_at:
                start, wanted = open_at.pop()
                if wanted == token:
                    pairs[start] = index
                    break
    return pairs


_CLOSES = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = frozenset(_CLOSES.values())
