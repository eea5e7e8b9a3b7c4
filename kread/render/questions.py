"""Questions for who has read a chapter, each with an answer that is computed from the trail.

Theory of operation: at most one question a step, the one that teaches most: which function a call through a pointer
reaches and how that is proved, then which counter tells of an exit, then what must hold, then what is held. The first
question asks for the whole, where each step calls the next. Nothing is asked that the trail does not answer. What a
chapter brings itself, such as what the model was asked, comes after.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from kread.facts import Step
from kread.render import words
from kread.render.study import Chapter, Study
from kread.render.texts import Texts

#: More than this many questions a chapter are not answered by anyone.
QUESTIONS = 6


#: Of the plainest kind, what must hold at a line, no more than this a chapter: they teach least.
PLAIN_QUESTIONS = 2
_PLAIN_RANK = 2

#: (question, answer) pairs.
Asked = list[tuple[str, str]]


def study_questions(study: Study, text: Texts) -> list[Asked]:
    """The questions of each chapter; what was asked before is not asked again."""
    met: set[tuple[str, str]] = set()
    out = []
    for chapter in study.chapters:
        out.append([pair for pair in questions(chapter, text) if pair not in met])
        met.update(out[-1])
    return out


def questions(chapter: Chapter, text: Texts) -> Asked:
    """(question, answer) pairs of a chapter, the one about the whole first, then in the order of the steps."""
    steps = [passage.step for passage in chapter.passages]
    if len(steps) < 2:
        return list(chapter.asked)
    asked = [_whole(steps, text)] if _joined(steps) else []
    found = list(dict.fromkeys(pair for step in steps if (pair := _about(step, text))))
    plain = [one for one in found if one[0] >= _PLAIN_RANK][:PLAIN_QUESTIONS]
    best = [pair for rank, pair in sorted((one for one in found if one[0] < _PLAIN_RANK or one in plain), key=_rank)]
    best = best[: QUESTIONS - 1]
    return [*asked, *best, *chapter.asked]


def _rank(one: tuple[int, tuple[str, str]]) -> int:
    return one[0]


def _joined(steps: Sequence[Step]) -> bool:
    """Whether each step calls the next; the stops of a tour need not."""
    return all(step.edge and step.edge.callee == after.function for step, after in pairwise(steps))


def _whole(steps: Sequence[Step], text: Texts) -> tuple[str, str]:
    names = " > ".join(step.function.name for step in steps)
    calls = text.count("calls", sum(1 for step in steps if step.edge))
    asked = text("question_depth", caller=steps[0].function.name, callee=steps[-1].function.name)
    return asked, text("answer_depth", count=calls, names=names)


def _about(step: Step, text: Texts) -> tuple[int, tuple[str, str]] | None:
    edge = step.edge
    if edge is None:
        return None
    function, callee = step.function.name, edge.callee.name
    proof = [
        f"{words.evidence_words(one, edge).removeprefix('through macro ')} ({one.file}:{one.line})"
        for one in edge.evidence
        if one.role != "call"
    ]
    if edge.slot and proof:
        asked = text("question_dispatch", line=edge.site.line, function=function)
        return 0, (asked, "; ".join([callee, *proof]))
    for guard in step.guards:
        if guard.reason:
            return 1, (text("question_exit", function=function, line=guard.line), guard.reason)
    if step.guards:
        last = max(step.guards, key=lambda guard: guard.line)
        said = f"{last.text}: {text('true' if last.holds else 'false')}"
        return 2, (text("question_guard", function=function, line=last.line, callee=callee), said)
    if step.held:
        held = ", ".join(dict.fromkeys(one.text for one in step.held))
        return 3, (text("question_lock", function=function, callee=callee), held)
    return None
