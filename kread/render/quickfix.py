"""An answer as file:line:column: message lines, which vim -q, Emacs and most editors jump through.

Theory of operation: one line a place in the order of reading, for each step the function and then the call that
leaves it. Messages have no colon followed by a number, so that no editor takes a part of one for a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kread.facts import Edge, Trail
from kread.paths.answer import Answer
from kread.render import words


def quickfix(answer: Answer) -> str:
    """The lines of every family, or "" where there is no path."""
    return "".join(line + "\n" for number, trail in enumerate(answer.trails, 1) for line in trail_lines(number, trail))


def trail_lines(number: int, trail: Trail) -> Iterator[str]:
    """The lines of one family; its number and title stand on the first."""
    title = f"family {number}, {trail.family or trail}"
    for place, step in enumerate(trail.steps):
        function = step.function
        said = f" ({title})" if place == 0 else ""
        yield f"{function.file}:{function.line}:1: {function.name}{said}"
        if step.edge:
            when = "; ".join(f"{words.guard_word(guard)} {guard.text}" for guard in step.guards)
            about = [f"calls {step.edge.callee.name}", words.grade_words(step.edge), f"when {when}" if when else ""]
            yield _line(step.edge, ", ".join(part for part in about if part))


def edge_lines(edges: Iterable[Edge]) -> str:
    """One line for each call site of a list of edges."""
    return "".join(f"{_line(edge, f'{edge.caller} calls {edge.callee}')}\n" for edge in edges)


def _line(edge: Edge, message: str) -> str:
    site = edge.site
    return f"{site.file}:{site.line}:{max(site.column, 1)}: {message}"
