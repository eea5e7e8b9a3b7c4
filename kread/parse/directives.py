"""Where preprocessor conditions stand in a function's text.

Theory of operation: in the text that is parsed, directives are blank and all their branches stand one after the other.
The original text still has them: here they are found as stretches of text that exclude each other, so that the control
flow can treat statements in them as alternatives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIRECTIVE = re.compile(rb"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|elifdef|elifndef|else|endif)\b", re.M)


@dataclass(frozen=True, slots=True)
class Conditional:
    """One #if ... #endif: the starts of its branches and its end, as offsets; whether one branch always stands."""

    starts: tuple[int, ...]
    end: int
    complete: bool

    def branch(self, start: int, end: int) -> int:
        """The branch that holds the text from `start` to `end` entirely, -1 for none."""
        for index, first in enumerate(self.starts):
            last = self.starts[index + 1] if index + 1 < len(self.starts) else self.end
            if first <= start and end <= last:
                return index
        return -1


def conditionals(original: bytes) -> tuple[Conditional, ...]:
    """The conditional groups of a text, outer before inner."""
    if b"#" not in original:
        return ()
    found: list[Conditional] = []
    stack: list[tuple[list[int], list[bool]]] = []
    for match in _DIRECTIVE.finditer(original):
        word = match[1]
        if word.startswith(b"if"):
            stack.append(([match.end()], []))
        elif stack and word == b"endif":
            starts, complete = stack.pop()
            found.append(Conditional(tuple(starts), match.start(), bool(complete)))
        elif stack:
            stack[-1][0].append(match.end())
            if word == b"else":
                stack[-1][1].append(True)
    return tuple(sorted(found, key=lambda conditional: (conditional.starts[0], -conditional.end)))
