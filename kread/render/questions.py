"""Questions for who has read a chapter, each with an answer that is computed from the trail.

Theory of operation: at most one question a step, the one that teaches most: which function a call through a pointer
reaches and how that is proved, then which counter tells of an exit, then what must hold, then what is held. The first
question asks for the whole. Nothing is asked that the trail does not answer.
"""

from __future__ import annotations

from kread.facts import Step
from kread.render import words
from kread.render.study import Chapter
from kread.render.texts import Texts

#: More than this many questions a chapter are not answered by anyone.
QUESTIONS = 6


def questions(chapter: Chapter, text: Texts) -> list[tuple[str, str]]:
    """(question, answer) pairs of a chapter, the one about the whole first, then in the order of the steps."""
    steps = [passage.step for passage in chapter.passages]
    if len(steps) < 2:
        return []
    names = " > ".join(step.function.name for step in steps)
    calls = text.count("calls", sum(1 for step in steps if step.edge))
    whole = text("question_depth", caller=steps[0].function.name, callee=steps[-1].function.name)
    asked = [(whole, text("answer_depth", count=calls, names=names))]
    found = [pair for step in steps if (pair := _about(step, text))]
    return asked + [pair for rank, pair in sorted(found, key=lambda one: one[0])][: QUESTIONS - 1]


def _about(step: Step, text: Texts) -> tuple[int, tuple[str, str]] | None:
    edge = step.edge
    if edge is None:
        return None
    function, callee = step.function.name, edge.callee.name
    proof = [
        f"{words.evidence_words(one, edge)} ({one.file}:{one.line})" for one in edge.evidence if one.role != "call"
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
