"""The rows of one step: the function, what must be so, what is held, the call, and how the call is known.

Theory of operation: a step reads downwards in the order in which control meets it. Each row has a word in a column of
its own (if, not, case, loop, held, by, or, needs, runs), so that the eye can skip down the calls, which have none.
Pure: nouns in, rows out; `layout` makes lines of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from kread.facts import Edge, Evidence, Held, Step
from kread.presence import conjuncts
from kread.render import words
from kread.render.layout import Row

#: Blanks before the word of a guard, and before the evidence of a call.
INDENT = 2
#: The column of words: as wide as the longest ("loop", "held", "case") and two blanks.
COLUMN = 6
#: The column of the words of a proof ("by", "or", "but").
PROOF_COLUMN = 4
#: More alternatives than this are counted: `kread slot` and `kread callees` list them all.
OTHERS_SHOWN = 8

Known = Collection[str]


def head(step: Step) -> Row:
    """The function and where it is defined."""
    function = step.function
    return Row(
        function.name, place=str(function.location), role="name", file=function.file, line=function.line, text_link=True
    )


def about(step: Step, known: Known = ()) -> Iterator[Row]:
    """What the reader must know about the function itself: what made it, what it needs beyond what is `known`."""
    function = step.function
    if function.macro:
        yield Row(f"made by {function.macro}", indent=INDENT, role="note")
    if wanted := words.needs(function.presence, known):
        yield _row("needs", wanted, role="note")


def before_call(step: Step) -> Iterator[Row]:
    """Guards and locks in the order of the source."""
    file = step.function.file
    for said in words.in_order(step.guards):
        text = f"{said.text}   {said.otherwise}".rstrip()
        yield _row(said.word, text, word_role=said.word, place=f":{said.line}", file=file, line=said.line)
    if step.held:
        yield held_row(step.held, step.function.file)


def held_row(held: tuple[Held, ...], file: str) -> Row:
    """The locks and sections held at the call, the last line at which one was taken."""
    text = ", ".join(dict.fromkeys(one.text for one in held))
    line = max(one.line for one in held)
    return _row("held", text, word_role="held", place=f":{line}", file=file, line=line)


def call(step: Step, known: Known = ()) -> Iterator[Row]:
    """The call as written, and how it is known."""
    edge = step.edge
    if edge is None:
        return
    site = edge.site
    place = f":{site.line}" if site.file == step.function.file else str(site)
    yield Row(edge.written, indent=INDENT, hang=2 * INDENT, place=place, role="call", file=site.file, line=site.line)
    yield from proof(step, edge, known)


def proof(step: Step, edge: Edge, known: Known = ()) -> Iterator[Row]:
    """Evidence, other candidates, and the conditions of the edge itself."""
    here = (edge.site.file, edge.site.line)
    shown = [
        one for one in edge.evidence if one.role != "call" and (one.role != "register" or (one.file, one.line) != here)
    ]
    file = ""
    for number, one in enumerate(shown):
        yield _evidence("by" if number == 0 else "", one, edge, one.file == file)
        file = one.file
    unsure = words.grade_words(edge)
    if unsure:
        word, _, rest = unsure.partition(" ")
        yield _proof("but", unsure, role="unsure") if shown else _proof(word, rest, role="unsure")
    given = (*known, *conjuncts(step.function.presence))
    found = words.alternatives(step.others, given)
    for number, other in enumerate(found[:OTHERS_SHOWN]):
        yield _proof("or" if number == 0 else "", other, role="note")
    more = max(edge.candidates - 1, len(found)) - OTHERS_SHOWN
    if found and more > 0:
        yield _proof("", f"and {more} more", role="note")
    if wanted := words.needs(edge.presence, given):
        yield _proof("needs", wanted, role="note")
    if edge.context:
        same = words.runs_here(edge)
        yield _proof(
            "runs", words.runs(edge) + ("" if same else ", not in the caller's"), role="note" if same else "unsure"
        )


def rows(step: Step, known: Known = ()) -> Iterator[Row]:
    """All rows of a step; `known` are the conditions that the whole answer stands under."""
    yield head(step)
    yield from about(step, known)
    yield from before_call(step)
    yield from call(step, known)


def _row(word: str, text: str, **more: object) -> Row:
    return Row(text, indent=INDENT, word=word, column=COLUMN, **more)  # type: ignore[arg-type]


def _proof(word: str, text: str, role: str) -> Row:
    return Row(text, indent=2 * INDENT, word=word, column=PROOF_COLUMN, role=role, word_role="sure")


def _evidence(word: str, one: Evidence, edge: Edge, same_file: bool) -> Row:
    return Row(
        words.evidence_words(one, edge),
        indent=2 * INDENT,
        word=word,
        column=PROOF_COLUMN,
        place=f":{one.line}" if same_file else f"{one.file}:{one.line}",
        word_role="sure",
        file=one.file,
        line=one.line,
    )
