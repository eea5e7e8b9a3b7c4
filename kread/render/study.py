"""What is read at leisure, on the page and in notes: an answer together with the source that it speaks of.

Theory of operation: the terminal shows an Answer; a page and notes show a Study, which is the same trails with the
lines of each function, the slice of them that matters, and what the notes add (purpose, comment, exits, what is
changed). The source is given by functions, so that rendering stays pure and reads no file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kread.facts import Function, Step
from kread.paths.answer import Answer
from kread.paths.slices import SliceLine

#: The lines of a function as written, first to last.
FunctionLines = Callable[[Function], Sequence[str]]
Slices = Callable[[Step], Sequence[SliceLine]]


@dataclass(frozen=True, slots=True)
class Passage:
    """A step with its source.

    lines   -- the function's lines as written, from `function.line` on
    slice   -- those of them that matter for the call that leaves it
    purpose -- what the function is for, in one sentence of ours ("" = none written)
    comment -- the comment above the function, without its stars ("" = none)
    exits   -- (line, what happens there, the reason it gives) for what else could happen here
    changes -- the assignments before the call, as written, with their lines
    values  -- (name, value) that the model had here in the scenario
    """

    step: Step
    lines: tuple[str, ...] = ()
    slice: tuple[SliceLine, ...] = ()
    purpose: str = ""
    comment: str = ""
    exits: tuple[tuple[int, str, str], ...] = ()
    changes: tuple[tuple[int, str], ...] = ()
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """A family of a path, or a stretch of a tour: its passages in the order of reading.

    reason -- why to read it ("" = its title says it)
    gaps   -- what is missing in this release, a sentence each
    """

    title: str
    passages: tuple[Passage, ...]
    reason: str = ""
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """A whole text: `notes` and `cut` are sentences about all of it.

    overview   -- what it is about, in plain words, as paragraphs
    sequence   -- a Mermaid sequence diagram, drawn from the model ("" = none)
    structures -- a Mermaid class diagram of the structures on the way ("" = none)
    rules      -- (rule of the model, what it decides, the values it saw in the scenario)
    claims     -- (claim, verdict on this release, why)
    references -- (title, address): RFCs, manual pages, documentation
    """

    release: str
    title: str
    chapters: tuple[Chapter, ...]
    notes: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    overview: tuple[str, ...] = ()
    sequence: str = ""
    structures: str = ""
    rules: tuple[tuple[str, str, str], ...] = ()
    claims: tuple[tuple[str, str, str], ...] = ()
    references: tuple[tuple[str, str], ...] = ()


def study_of(answer: Answer, lines: FunctionLines, slices: Slices) -> Study:
    """The study of a path: a chapter for each family."""
    chapters = tuple(
        Chapter(
            trail.family or str(trail),
            tuple(Passage(step, tuple(lines(step.function)), tuple(slices(step))) for step in trail.steps),
        )
        for trail in answer.trails
    )
    others = tuple(f"{trail.family or trail}" for trail in answer.others)
    cut = (*answer.cut, *others)
    return Study(answer.release, f"{answer.caller} > {answer.callee}", chapters, answer.notes, cut)
