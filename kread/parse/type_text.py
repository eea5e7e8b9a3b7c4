"""What a few tokens say of a type, without knowing any declaration: enough to tell a cast from a call."""

from __future__ import annotations

import re

from kread.parse.tokens import TYPE_WORDS

#: Base types and the endings of type names in the kernel's coding style: `(u32)(x)` is a cast, `(fn)(x)` a call.
_TYPE_NAME = re.compile(r"(?:__)?(?:[us]|[bl]e)(?:8|16|32|64)|u(?:char|short|int|long)|\w+_t")


def type_like(name: str) -> bool:
    """Whether a name alone looks like that of a type."""
    return name in TYPE_WORDS or _TYPE_NAME.fullmatch(name) is not None


def is_type(inner: list[str]) -> bool:
    """Whether the tokens between parentheses are a type: `struct x *`, `u32`, `typeof(a) *`, `void (*)(int)`."""
    if inner[0] in TYPE_WORDS or inner[-1] == "*":
        return True
    if all(text.isidentifier() or text == "*" for text in inner) and inner[0] != "*":
        return len(inner) > 1 or type_like(inner[0])
    return False


#: The types of a null pointer and of a plain number: what `_Generic` can be asked without a compiler.
_OF_NULL = frozenset(("void *",))
_OF_NUMBERS = frozenset(("int", "unsigned int", "long", "unsigned long"))
#: Operators that take a type, or a value that is not evaluated, and give a number.
_MEASURES = frozenset(("sizeof", "_Alignof", "__alignof__", "__alignof"))


def chosen_by(control: list[str]) -> frozenset[str]:
    """The types that a controlling expression can have, none if its text does not say."""
    plain = [text for text in control if text not in "()"]
    if plain == ["NULL"] or plain == ["void", "*", "0"]:
        return _OF_NULL
    if len(plain) == 1 and plain[0][0].isdigit():
        return _OF_NUMBERS
    if plain[0] in _MEASURES and all(text.isidentifier() or text == "*" for text in plain):
        return _OF_NUMBERS
    return frozenset()
