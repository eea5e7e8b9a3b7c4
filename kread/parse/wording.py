"""The text of a condition as a reader wants it: as written, folded on one line, wrappers looked through.

Theory of operation: comments become blanks and white space one blank. A call of a transparent name (data/idioms.toml)
is replaced by its first argument, in parentheses only where the argument's operators would otherwise bind to what
stands beside the call. Texts are joined and negated as a reader would write them, with the fewest parentheses that
keep the meaning. Nothing here looks at the syntax tree: a text comes from the original bytes of the file.
"""

from __future__ import annotations

import re
from functools import cache

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\\\n", re.S)
_SPACE = re.compile(r"\s+")
_LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
_OPEN, _CLOSE = "([{", ")]}"

#: An operator at the outermost level that binds weaker than a call, a field or a subscript.
_WEAK = re.compile(r"&&|\|\||[?:<>=!+*/%&|^,]|(?<!-)-(?!>)|->")


_EQUALITY = re.compile(r"[=!]=")
#: With one of these beside it, an equality is not all that a text says.
_WEAKER = re.compile(r"[&|^?:,=]")


def fold(text: str) -> str:
    """The text on one line: no comments, single blanks, none at the ends."""
    if "/" in text or "\\" in text:
        text = _COMMENT.sub(" ", text)
    return _SPACE.sub(" ", text).strip()


def closing(text: str, start: int) -> int:
    """The index of the bracket that closes the one at `start`; -1 where there is none."""
    depth = 0
    position = start
    while position < len(text):
        char = text[position]
        if char in "\"'":
            literal = _LITERAL.match(text, position)
            position = literal.end() if literal else position + 1
            continue
        if char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return -1


def outermost(text: str) -> str:
    """The text with everything inside brackets and literals blanked, at the same length."""
    if not any(char in text for char in "([{\"'"):
        return text
    out: list[str] = []
    position = 0
    while position < len(text):
        char = text[position]
        end = position + 1
        if char in _OPEN:
            end = closing(text, position) + 1 or len(text)
        elif char in "\"'" and (literal := _LITERAL.match(text, position)):
            end = literal.end()
        out.append(char if end == position + 1 else "#" * (end - position))
        position = end
    return "".join(out)


def bare(text: str) -> str:
    """The text without the parentheses that enclose all of it."""
    while text.startswith("(") and closing(text, 0) == len(text) - 1 and not text.startswith("({"):
        text = text[1:-1].strip()
    return text


def _simple(text: str) -> bool:
    """Whether nothing outside brackets binds weaker than a field or a call."""
    return not any(match.group() != "->" for match in _WEAK.finditer(outermost(text).lstrip("!*&-~")))


def _atomic(text: str) -> bool:
    """Whether the text may be prefixed with ! as it stands."""
    return _simple(text)


@cache
def _wrapper(names: frozenset[str]) -> re.Pattern[str]:
    return re.compile(r"(?<![\w.>])(?:" + "|".join(sorted(map(re.escape, names))) + r")\s*\(")


def seen_through(text: str, names: frozenset[str]) -> str:
    """The text with each call of a transparent name replaced by its first argument."""
    if not names or "(" not in text:
        return text
    pattern = _wrapper(names)
    start = 0
    while match := pattern.search(text, start):
        end = closing(text, match.end() - 1)
        if end < 0:
            return text
        inside = text[match.end() : end]
        comma = outermost(inside).find(",")
        inside = (inside if comma < 0 else inside[:comma]).strip()
        before, after = text[: match.start()], text[end + 1 :]
        alone = not (before.strip(" (") or after.strip(" )"))
        enclosed = (
            before.rstrip().endswith("(") and after.lstrip().startswith(")") and not before.rstrip(" (").isalnum()
        )
        if not (alone or enclosed or _simple(inside)) or (before.rstrip().endswith("!") and not _atomic(inside)):
            inside = f"({inside})"
        text = before + inside + after
        start = len(before)
    return text


def condition(text: str, names: frozenset[str]) -> str:
    """A condition for display: folded, outer parentheses off, transparent names looked through."""
    return bare(seen_through(bare(fold(text)), names))


def level(text: str) -> str:
    """The weakest operator outside brackets: "," "?", "||", "&&" or "" for anything that binds stronger."""
    outer = outermost(text)
    for operator in (",", "?", "||", "&&"):
        if operator in outer:
            return operator
    return "=" if re.search(r"(?<![=!<>])=(?!=)", outer) else ""


def negated(text: str) -> str:
    """The text of `not text`: one ! taken away, an equality turned round, or a ! put before the text."""
    if text.startswith("!") and _atomic(text[1:]) and not text.startswith("!="):
        return bare(text[1:].strip())
    outer = outermost(text)
    equality = _EQUALITY.search(outer)
    if equality and not _WEAKER.search(outer.replace(equality[0], "", 1)):
        return f"{text[: equality.start()]}{'=!'[equality[0] == '==']}={text[equality.end() :]}"
    return f"!{text}" if _atomic(text) else f"!({text})"


def conjunction(texts: list[str]) -> str:
    """The texts joined with &&, in parentheses where they would fall apart."""
    if len(texts) == 1:
        return texts[0]
    return " && ".join(text if level(text) in ("", "&&") else f"({text})" for text in texts)


def equality(subject: str, label: str) -> str:
    """What a case label says of the switch expression: `subject == label`, or the two ends of a range."""
    if not _simple(subject):
        subject = f"({subject})"
    low, dots, high = label.partition("...")
    if dots:
        return f"({subject} >= {low.strip()} && {subject} <= {high.strip()})"
    return f"{subject} == {label}"
