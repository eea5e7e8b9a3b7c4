"""What stands round the steps of Markdown notes: the overview and diagrams before them, the model and the claims after.

Theory of operation: each part is a few lines of Markdown made of one part of the Study, nothing where the study has
none; `notes` puts the steps between.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from kread.model.story import sequence_diagram
from kread.render.class_diagram import class_mermaid
from kread.render.drawing import Drawing
from kread.render.links import LinkMaker
from kread.render.markdown import code, fenced, listed, plain
from kread.render.mermaid import mermaid
from kread.render.study import Chapter, Claimed, Moment, Study
from kread.render.texts import Texts


def contents_markdown(title: str, files: Sequence[tuple[str, str]]) -> str:
    """A list of notes, as README.md, and as SUMMARY.md of mdBook: (title in Markdown, file name) pairs."""
    return f"# {plain(title)}\n\n" + "".join(f"- [{name}]({file})\n" for name, file in files)


def book_toml(title: str, lang: str) -> str:
    """The book.toml with which `mdbook build` takes the folder of the notes for its book."""
    return (
        "# The diagrams are Mermaid: mdBook draws them with the preprocessor mdbook-mermaid (mdbook-mermaid install .).\n"
        f'[book]\ntitle = {json.dumps(title, ensure_ascii=False)}\nlanguage = {json.dumps(lang)}\nsrc = "."\n'
    )


def before_steps(study: Study, text: Texts, links: LinkMaker) -> Iterator[str]:
    """The title, the overview, the sequence of the scenario, and the structures."""
    yield f"# {plain(study.title)}"
    yield f"\n*{text('generated', release=f'Linux {study.release}')}*"
    known = [text("needs_all", what=code(" && ".join(study.known)))] if study.known else []
    for paragraph in (*(plain(one) for one in study.overview), *known, *(plain(one) for one in study.notes)):
        yield f"\n{paragraph}"
    if study.steps:
        yield f"\n{text('six_steps')} {text('walked')}\n"
        yield from (_story_step(said, walked) for said, walked in study.steps)
    if study.sequence:
        yield from fenced(text("sequence"), sequence_diagram(study.sequence))
        yield f"\n{text('queues')}"
    if study.structured:
        yield f"\n## {text('structures')}\n"
        for one in study.structured:
            where = f"[{one.file}:{one.line}]({links.url('reference', one.file, one.line)})"
            yield f"- {code(f'struct {one.name}')} ({where}): {plain(one.reason)}"
        yield from fenced(text("structures_diagram"), class_mermaid(study.structures))


def _story_step(said: str, walked: bool) -> str:
    number, _, rest = said.partition(" ")
    return f"{number} **{plain(rest)}**" if walked else f"{number} {plain(rest)}"


def path_diagram(chapter: Chapter, text: Texts) -> Iterator[str]:
    """The calls of a chapter as a flowchart; one step is no path."""
    steps = [passage.step for passage in chapter.passages]
    edges = tuple(step.edge for step in steps if step.edge)
    if edges:
        ends = (steps[0].function, steps[-1].function)
        drawing = Drawing(tuple(step.function for step in steps), edges, chapter.title, ends)
        yield from fenced(text("path_diagram"), mermaid(drawing))


def after(study: Study, text: Texts, links: LinkMaker) -> Iterator[str]:
    """The scenario of the model, the claims, what to read, and what was left out."""
    if study.played:
        yield f"\n## {text('rules')}\n\n{text('queues')}"
        for moment in study.played:
            if moment.came or moment.after or moment.rules:
                yield from _played(moment, text)
    if study.claims:
        yield f"\n## {text('claims')}"
        for number, claim in enumerate(study.claims, 1):
            yield from _claim(claim, number, text, links)
    yield from listed(text("references"), [f"[{plain(title)}]({url})" for title, url in study.references], "##")
    yield from listed(text("left_out"), [plain(one) for one in study.cut], "##")


def _played(moment: Moment, text: Texts) -> Iterator[str]:
    yield f"\n### {code(moment.event)}\n"
    before = dict(moment.before)
    came = "; ".join(map(code, moment.came))
    yield from ([f"{text('came')}: {came}"] if came else [])
    rows = [
        f"{code(name)}: {before[name]} > {after}"
        if name in before and before[name] != after
        else f"{code(name)}: {after}"
        for name, after in moment.after
    ]
    rows += [f"{code(name)}: {plain(moved)}" for name, moved in moment.moves]
    if rows:
        yield "\n" + "\n".join(f"- {row}" for row in rows)
    if moment.rules:
        yield f"\n| {text('rule')} | {text('function')} | {text('decides')} |\n| --- | --- | --- |"
        yield from (f"| {rule} | {code(function)} | {plain(said)} |" for _, rule, function, said in moment.rules)


def _claim(claim: Claimed, number: int, text: Texts, links: LinkMaker) -> Iterator[str]:
    yield f"\n{number}. {plain(claim.says)} **{claim.verdict}**"
    if claim.but:
        yield f"\n   {text('but', what=plain(claim.but))}\n"
    yield from (f"   - {text('yes' if met else 'no')}: {plain(said)}" for met, said in claim.cases)
    for said, file, line in claim.places:
        yield f"   - {code(said)}, [{file}:{line}]({links.url('reference', file, line)})"
