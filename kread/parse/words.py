"""Words that are rewritten wherever they stand: those of GNU C that the grammar lacks, and macros by their names.

Theory of operation: a file's words are looked up in the macro table once, and only those found are looked for in
its text, without a word boundary in front of them, so that the engine skips to their first bytes. What a name becomes
depends on its kind, and on what stands around it: the same name can be an annotation here and a field there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kread.parse.blanking import spaces
from kread.parse.brackets import PARENS
from kread.parse.macro_table import (
    ASSEMBLER,
    ASSEMBLER_CALL,
    FRAGMENT,
    HEADS,
    STRONG,
    STRONG_CALL,
    WEAK,
    WEAK_CALL,
)
from kread.parse.rewriting import Invocation, before, head

_NO_WORD = bytes(byte if (chr(byte).isalnum() and byte < 128) or byte == 95 else 32 for byte in range(256))
_WORD_BYTES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"
_ARGS = re.compile(rb"\s*+(" + PARENS + rb")")


def words(code: bytes) -> set[str]:
    """The names and keywords in a text."""
    return set(code.translate(_NO_WORD).decode("ascii").split())


_FIXED = {
    **dict.fromkeys(("__attribute__", "__attribute", "__declspec", "_Alignas", "asm", "__asm__", "__asm"), b""),
    **dict.fromkeys(("typeof", "__typeof__", "__typeof", "typeof_unqual", "__typeof_unqual__"), b"typeof"),
    **dict.fromkeys(("__alignof__", "__alignof", "alignof", "_Alignof", "offsetof", "__builtin_offsetof"), b"X"),
    **dict.fromkeys(("__signed__", "__signed"), b"signed"),
    "auto": b"Auto",
}


def fixed_words(present: set[str] | None) -> re.Pattern[bytes] | None:
    """What finds those words of GNU C in a file that the grammar lacks or takes less behind; None asks for all."""
    chosen = _FIXED.keys() if present is None else present & _FIXED.keys()
    found = sorted((word.encode() for word in chosen), reverse=True)
    if not found:
        return None
    return re.compile(
        rb"(" + b"|".join(found) + rb")\b((?>(?:\s+(?:volatile|__volatile__|goto|inline)\b)*)\s*" + PARENS + rb")?"
    )


def fixed_word(found: re.Match[bytes]) -> bytes:
    """Attributes and assembler become spaces, `typeof(...)` a type's name, `offsetof` and its like a plain name."""
    shown, word, args = found.group(), found.group(1), found.group(2)
    place = found.start()
    if place and found.string[place - 1] in _WORD_BYTES:
        return shown
    instead = _FIXED[word.decode()]
    if instead == b"X":
        return b"X" + shown[1:]
    if len(instead) == 4 or instead == b"signed":
        return instead.ljust(len(word)) + shown[len(word) :]
    if args is None:
        return shown
    if not instead:
        return spaces(shown)
    return b"typeof_" + spaces(shown[7:]) if b"\n" in shown else b"typeof".ljust(len(shown), b"_")


def assembler(code: bytes, kinds: Mapping[bytes, str]) -> bytes:
    """`code` with other words for `asm` spelled `asm`."""
    named = [word for word, kind in kinds.items() if kind == ASSEMBLER]
    if not named:
        return code
    return re.sub(rb"\b(?:" + b"|".join(named) + rb")\b", lambda found: b"asm".ljust(len(found.group())), code)


def by_name(code: bytes, kinds: Mapping[bytes, str], annotations: list[Invocation]) -> bytes:
    """`code` with annotations made spaces and heads `while` or `if`; adds annotations with arguments to the list."""
    named = sorted((word for word, kind in kinds.items() if kind in _REPLACED), reverse=True)
    if not named:
        return code
    out: bytearray | None = None
    for found in re.finditer(rb"(?:" + b"|".join(named) + rb")\b", code):
        start, end = found.span()
        if start and code[start - 1] in _WORD_BYTES:
            continue
        word = found.group()
        shown = _instead(code, start, end, kinds[word])
        if shown:
            if out is None:
                out = bytearray(code)
            out[start : start + len(shown)] = shown
            if kinds[word] in (STRONG_CALL, WEAK_CALL):
                stop = start + len(shown)
                annotations.append(Invocation(start, stop, word, code[end:stop].strip()))
    return code if out is None else bytes(out)


def _instead(code: bytes, start: int, end: int, kind: str) -> bytes:
    """What stands instead of the name in [start, end), and of its arguments where they go with it; b"" to keep it."""
    ahead = before(code, start)
    last = ahead[-1:]
    if last == b"." or ahead[-2:] == b"->":
        return b""
    if kind in _PLAIN:
        if kind == STRONG:
            return spaces(code[start:end])
        follows = code[end : end + _LOOK_AHEAD].lstrip()[:1]
        if kind == FRAGMENT:
            kept = last in b"(,{" and follows in (b",", b")", b"}")
        else:
            kept = not (last in _BEFORE_WORD or follows in _STARTS_WORD)
        return b"" if kept else spaces(code[start:end])
    args = _ARGS.match(code, end)
    if args is None:
        return b""
    stop = args.end()
    follows = code[stop : stop + _LOOK_AHEAD].lstrip()[:1]
    if kind in HEADS:
        if last in _BEFORE_VALUE or (follows in _AFTER_VALUE and last not in _STATEMENT_ENDS):
            return b""
        return head(kind.encode(), code[start:stop], stop - args.start(1))
    if kind == WEAK_CALL:
        # A statement is left as the call of the function whose stub the macro is, and so is that function's definition.
        statement = last in b";{}:" or (last == b")" and code[start : start + 2] != b"__")
        if (follows == b";" and statement) or (follows in (b"{", b";") and last in _NAMED):
            return b""
    return spaces(code[start:stop])


_LOOK_AHEAD = 80
_PLAIN = frozenset((STRONG, WEAK, FRAGMENT))
_REPLACED = frozenset((*_PLAIN, STRONG_CALL, WEAK_CALL, ASSEMBLER_CALL, *HEADS))


def _each(marks: bytes) -> frozenset[bytes]:
    return frozenset(bytes((mark,)) for mark in marks)


_AFTER_VALUE = _each(b",)=.-[?:<>!&|+/%^]")
_STATEMENT_ENDS = _each(b";{})")
_BEFORE_VALUE = _each(b"(,=&*+-!<>|?")
_NAMED = _each(_WORD_BYTES + b"*")
_BEFORE_WORD = _each(_WORD_BYTES + b"*)]")
_STARTS_WORD = _each(_WORD_BYTES + b"*{")
