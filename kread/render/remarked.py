"""A study with what its reader wrote into earlier notes: each remark at its step, and those whose place is gone.

Theory of operation: the Markdown notes are where a reader writes; what stands there between marked lines is found, and
handed to the passages by `remarks`. All formats then show a remark where they show its step.
"""

from __future__ import annotations

from dataclasses import replace

from kread.render.remarks import Place, Remarks, found
from kread.render.study import Chapter, Passage, Study


def remarked(study: Study, before: str) -> Study:
    """The study with the remarks of `before`, the Markdown notes of an earlier run ("" = there were none)."""
    places = [place_of(passage, chapter) for chapter in study.chapters for passage in chapter.passages]
    kept = Remarks(found(before), places)
    chapters, index = [], 0
    for chapter in study.chapters:
        passages = []
        for passage in chapter.passages:
            passages.append(replace(passage, remark=kept.at(index)))
            index += 1
        chapters.append(replace(chapter, passages=tuple(passages)))
    return replace(study, chapters=tuple(chapters), lost=tuple(kept.lost), moved=tuple(kept.moved))


def place_of(passage: Passage, chapter: Chapter) -> Place:
    """Where a remark on a passage belongs."""
    edge = passage.step.edge
    return Place(passage.step.function.name, edge.written if edge else "", chapter.key or chapter.title)
