"""A Study as CodeTour files (.tour), which editors play step by step in the source.

Theory of operation: one tour a chapter, on the release's tag. A step of a function is found by a pattern, the text of
its first line, so that it stays right when lines move. A call may be written twice in a file, so it stands on its
line, which the tag fixes. Descriptions are Markdown, which the editor shows beside the line.
"""

from __future__ import annotations

import json
import re
from typing import Any

from kread.facts import Step
from kread.render import words
from kread.render.study import Chapter, Passage, Study
from kread.render.texts import Texts, texts

SCHEMA = "https://aka.ms/codetour-schema"
#: What a regular expression of the editor's language reads as more than itself.
_SPECIAL = re.compile(r"([\\^$.*+?()\[\]{}|/])")


def tours(study: Study, lang: str = "en") -> list[tuple[str, str]]:
    """(file name, text) of the tour of each chapter."""
    text = texts(lang)
    out = []
    for number, chapter in enumerate(study.chapters, 1):
        named = {
            "$schema": SCHEMA,
            "title": f"{study.title}, {number}: {chapter.title}",
            "description": text("generated", release=f"Linux {study.release}"),
            "ref": study.release,
            "steps": _steps(chapter, text),
        }
        out.append(
            (
                f"{number:02}-{slug(chapter.key or chapter.title)}.tour",
                json.dumps(named, indent=2, ensure_ascii=False) + "\n",
            )
        )
    return out


def slug(title: str) -> str:
    """A file's name from a title: letters, digits and hyphens."""
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-")[:60] or "path"


def _steps(chapter: Chapter, text: Texts) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for passage in chapter.passages:
        function = passage.step.function
        head: dict[str, Any] = {"file": function.file, "title": function.name}
        first = passage.lines[function.line - passage.begin].rstrip() if passage.lines else ""
        head.update({"pattern": f"^{_escaped(first)}"} if first else {"line": function.line})
        out.append({**head, "description": _about(passage, text)})
        if passage.step.edge:
            site = passage.step.edge.site
            about = {"file": site.file, "title": text("calls_next", name=passage.step.edge.callee.name)}
            out.append({**about, "line": site.line, "description": _call(passage.step, text)})
    return out


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _about(passage: Passage, text: Texts) -> str:
    function = passage.step.function
    parts = [f"**{function.name}** ({function.location})", passage.purpose]
    if passage.handover:
        rows = [f"- `{name}` {what} ({file}:{line})" for name, what, file, line in passage.handover.sides]
        parts.append("\n".join([text("handover", what=passage.handover.title), "", *rows]))
    parts += [text("stop", why=passage.reason) if passage.reason else "", passage.comment]
    parts += [f"**{text('your_notes')}**", passage.remark] if passage.remark else []
    return "\n\n".join(part for part in parts if part)


def _call(step: Step, text: Texts) -> str:
    edge = step.edge
    assert edge is not None
    rows = [f"- {text(words.guard_word(guard))}: `{guard.text}` (:{guard.line})" for guard in step.guards]
    if step.held:
        rows.append("- " + text("held_at_call", what=", ".join(dict.fromkeys(one.text for one in step.held))))
    for one in edge.evidence:
        if one.role != "call":
            said = words.evidence_words(one, edge).removeprefix("through macro ")
            rows.append(f"- {text(f'role_{one.role}')}: `{said}` ({one.file}:{one.line})")
    if edge.grade in ("type", "signature"):
        rows.append("- " + text(f"grade_{edge.grade}", count=text.count("candidates", edge.candidates)))
    return "\n".join([f"`{edge.written}`", "", *rows]).rstrip()
