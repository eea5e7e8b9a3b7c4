"""What is read at leisure, on the page and in notes: an answer together with the source that it speaks of.

Theory of operation: the terminal shows an Answer; a page and notes show a Study, which is the same trails with the
lines of each function, the slice of them that matters, and what the notes add (purpose, comment, exits, what is
changed). The source is given by a Reader, so that rendering stays pure and reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kread import data
from kread.facts import Function, Step
from kread.model.story import Sequence as Sequence_
from kread.paths.answer import Answer
from kread.paths.slices import SliceLine
from kread.presence import conjuncts
from kread.render.class_diagram import NO_STRUCTURES, ClassDiagram
from kread.render.remarks import Place
from kread.render.texts import texts


class Reader(Protocol):
    """What a study asks of the source; `kread.paths.reader.SourceReader` answers from a tree."""

    def lines(self, function: Function) -> Sequence[str]: ...
    def slice(self, step: Step) -> Sequence[SliceLine]: ...
    def comment(self, function: Function) -> str: ...
    def exits(self, step: Step) -> Sequence[tuple[int, str, str]]: ...
    def reads(self, step: Step) -> Sequence[tuple[str, str, int]]: ...
    def changes(self, step: Step) -> Sequence[tuple[int, str]]: ...


@dataclass(frozen=True, slots=True)
class Moment:
    """What the model did in one happening of a scenario, or the part of it that one function had.

    event  -- what happened: "SYN seq=1000 from a"
    came   -- what came of it: segments that were sent, results of calls
    before -- (listener, lengths of its queues) right before; `after` the same right after
    moves  -- (peer or counter, what became of it)
    rules  -- (whether it fired, its id, its function, what it says)
    """

    event: str
    came: tuple[str, ...] = ()
    before: tuple[tuple[str, str], ...] = ()
    after: tuple[tuple[str, str], ...] = ()
    moves: tuple[tuple[str, str], ...] = ()
    rules: tuple[tuple[bool, str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Crossed:
    """A hand-over that leads to a passage where no call does: (function, what it does, file, line) of each side."""

    title: str
    sides: tuple[tuple[str, str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A step with its source.

    lines    -- the function's lines as written, to `function.end_line`
    slice    -- those of them that matter for the call that leaves it
    purpose  -- what the function is for, in one sentence of ours ("" = none written)
    reason   -- why a tour stops here ("" = it only passes)
    handover -- how control comes here without a call
    comment  -- the comment above the function, without its stars ("" = none, or told before)
    exits    -- (line, what happens there, the reason it gives) for what else could happen here
    reads    -- (structure, member, line) of what the slice asks
    changes  -- the assignments before the call, as written, with their lines
    moment   -- what the model decided here in the scenario
    numbers  -- (line, the model's numbers in the scenario) for guards of the step
    remark   -- what the reader wrote here into earlier notes, as Markdown
    """

    step: Step
    lines: tuple[str, ...] = ()
    slice: tuple[SliceLine, ...] = ()
    purpose: str = ""
    comment: str = ""
    exits: tuple[tuple[int, str, str], ...] = ()
    reads: tuple[tuple[str, str, int], ...] = ()
    changes: tuple[tuple[int, str], ...] = ()
    reason: str = ""
    handover: Crossed | None = None
    moment: Moment | None = None
    numbers: tuple[tuple[int, str], ...] = ()
    remark: str = ""

    @property
    def begin(self) -> int:
        """The number of the first of its lines."""
        return self.step.function.end_line - len(self.lines) + 1


@dataclass(frozen=True, slots=True)
class Chapter:
    """A family of a path, or a stretch of a tour: its passages in the order of reading.

    reason -- why to read it ("" = its title says it)
    gaps   -- what is missing in this release, a sentence each
    asked  -- (question, answer) pairs beside those that the trail answers
    key    -- its title in English, by which a remark finds its chapter in any language
    """

    title: str
    passages: tuple[Passage, ...]
    reason: str = ""
    gaps: tuple[str, ...] = ()
    asked: tuple[tuple[str, str], ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Structured:
    """A structure of a tour: where it is defined, and why to look at it."""

    name: str
    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is commonly said, and how it stands: `cases` are (whether it was met, what it asks), `places` (the text,
    file, line) of what decides it."""

    says: str
    verdict: str
    but: str
    cases: tuple[tuple[bool, str], ...] = ()
    places: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """A whole text: `notes` and `cut` are sentences about all of it.

    overview   -- what it is about, in plain words, as paragraphs
    steps      -- (a step of the whole story, whether this text walks it)
    sequence   -- the scenario, drawn from the model
    structures -- the structures on the way, with what is said of each
    played     -- the scenario of the model, happening by happening
    claims     -- what is said of the subject, with its verdict on this release
    references -- (title, address): RFCs, manual pages, documentation
    lost       -- the reader's remarks whose place is gone
    moved      -- where a remark stood, and where it stands since its call is gone
    """

    release: str
    title: str
    chapters: tuple[Chapter, ...]
    notes: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    overview: tuple[str, ...] = ()
    steps: tuple[tuple[str, bool], ...] = ()
    sequence: Sequence_ | None = None
    structures: ClassDiagram = NO_STRUCTURES
    structured: tuple[Structured, ...] = ()
    played: tuple[Moment, ...] = ()
    claims: tuple[Claimed, ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    lost: tuple[tuple[Place, str], ...] = ()
    moved: tuple[tuple[Place, Place], ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """What every chapter needs that is walked to its end, which is then not said of each function."""
        wanted = [
            dict.fromkeys(part for one in chapter.passages for part in conjuncts(one.step.function.presence))
            for chapter in self.chapters
        ]
        return tuple(part for part in wanted[0] if all(part in one for one in wanted)) if wanted else ()


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
        tuple(reader.reads(step)),
        tuple(reader.changes(step)),
    )


def told_once(chapters: Iterable[Chapter]) -> tuple[Chapter, ...]:
    """Chapters in which a function's own comment stands where it is met first, and not again."""
    met: set[Function] = set()
    out = []
    for chapter in chapters:
        passages = []
        for passage in chapter.passages:
            function = passage.step.function
            passages.append(replace(passage, comment="") if function in met else passage)
            met.add(function)
        out.append(replace(chapter, passages=tuple(passages)))
    return tuple(out)


def study_of(answer: Answer, reader: Reader, lang: str = "en") -> Study:
    """The study of a path: a chapter for each family."""
    text = texts(lang)
    chapters = told_once(
        Chapter(
            text.say(trail.family or str(trail)),
            tuple(passage_of(step, reader, lang) for step in trail.steps),
            key=trail.family or str(trail),
        )
        for trail in answer.trails
    )
    others = tuple(text.say(trail.family or str(trail)) for trail in answer.others)
    notes, cut = (tuple(map(text.say, rows)) for rows in (answer.notes, answer.cut))
    return Study(answer.release, f"{answer.caller} > {answer.callee}", chapters, notes, (*cut, *others))


def purpose_of(function: str, lang: str) -> str:
    """What a function is for, in one sentence of data/purposes.toml ("" = none written)."""
    row = data.load("purposes")["purpose"].get(function, {})
    return str(row.get(lang, row.get("en", "")))
