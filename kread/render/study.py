"""What is read at leisure, on the page and in notes: an answer together with the source that it speaks of.

Theory of operation: the terminal shows an Answer; a page and notes show a Study, which is the same trails with the
lines of each function, the slice of them that matters, and what the notes add (purpose, comment, exits, what is
changed). The source is given by a Reader, so that rendering stays pure and reads no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kread import data
from kread.facts import Function, Step
from kread.paths.answer import Answer
from kread.paths.slices import SliceLine
from kread.render import words


class Reader(Protocol):
    """What a study asks of the source; `kread.paths.reader.SourceReader` answers from a tree."""

    def lines(self, function: Function) -> Sequence[str]: ...
    def slice(self, step: Step) -> Sequence[SliceLine]: ...
    def comment(self, function: Function) -> str: ...
    def exits(self, step: Step) -> Sequence[tuple[int, str, str]]: ...
    def changes(self, step: Step) -> Sequence[tuple[int, str]]: ...


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
    asked  -- (question, answer) pairs beside those that the trail answers
    """

    title: str
    passages: tuple[Passage, ...]
    reason: str = ""
    gaps: tuple[str, ...] = ()
    asked: tuple[tuple[str, str], ...] = ()


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

    @property
    def known(self) -> tuple[str, ...]:
        """What every function in it needs, which is then not said of each."""
        passages = (passage for chapter in self.chapters for passage in chapter.passages)
        return words.common_needs(passage.step.function.presence for passage in passages)


def passage_of(step: Step, reader: Reader, lang: str = "en") -> Passage:
    """A step with everything that the source and the data say of it."""
    function = step.function
    return Passage(
        step,
        tuple(reader.lines(function)),
        tuple(reader.slice(step)),
        purpose_of(function.name, lang),
        reader.comment(function),
        tuple(reader.exits(step)),
        tuple(reader.changes(step)),
    )


def study_of(answer: Answer, reader: Reader, lang: str = "en") -> Study:
    """The study of a path: a chapter for each family."""
    chapters = tuple(
        Chapter(trail.family or str(trail), tuple(passage_of(step, reader, lang) for step in trail.steps))
        for trail in answer.trails
    )
    others = tuple(trail.family or str(trail) for trail in answer.others)
    return Study(answer.release, f"{answer.caller} > {answer.callee}", chapters, answer.notes, (*answer.cut, *others))


def purpose_of(function: str, lang: str) -> str:
    """What a function is for, in one sentence of data/purposes.toml ("" = none written)."""
    row = data.load("purposes")["purpose"].get(function, {})
    return str(row.get(lang, row.get("en", "")))
