"""`kread notes`: write study notes of tours or a path, as Markdown, as a page to read on, and as tours for an editor.

Theory of operation: the answer is computed as `kread path` or `kread tour` computes it, a Study is made of it once, and each format
is one renderer fed with that. A note that is there already is read first: what the reader wrote between its marked
lines is kept, and what has lost its place is said on stderr. Files are replaced whole, so an interrupted run leaves
each old or new.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kread.cli.options import ConfigFile, Release, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kread.paths.find import Finder, Request
    from kread.paths.tour_file import Tour
    from kread.render.study import Study

FORMATS = ("md", "html", "tour")


def notes(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="TOUR... | CALLER CALLEE", help="Tours, or where a path begins and where it arrives."),
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The folder to write into.")] = Path(
        "notes"
    ),
    every: Annotated[
        bool, typer.Option("--all", help="The whole course: every tour that ships, and an index.")
    ] = False,
    formats: Annotated[
        str, typer.Option("--format", metavar="FORMAT,...", help="md (Markdown), html (one page), tour (CodeTour).")
    ] = "md,html,tour",
    lang: Annotated[str, typer.Option("--lang", metavar="LANG", help="en or zh.")] = "en",
    families: Annotated[
        int, typer.Option("-k", metavar="N", min=1, max=50, help="Families of paths to write about.")
    ] = 4,
    via: Annotated[list[str] | None, typer.Option("--via", metavar="F", help="Pass through F (repeatable).")] = None,
    avoid: Annotated[list[str] | None, typer.Option("--avoid", metavar="F", help="Do not pass through F.")] = None,
    assume: Annotated[
        list[str] | None, typer.Option("--assume", metavar="EXPR", help="Take a condition to hold (repeatable).")
    ] = None,
    release: Release = None,
    scope: Scope = None,
    config: ConfigFile = None,
) -> None:
    """Write study notes of tours, or of the paths from CALLER to CALLEE: what each function is for, its slice of source,
    why control comes there, how that is known, what it changes, what else could happen, and questions with computed
    answers. On the way from listen() to accept() they also have what the model plays: a sequence diagram, its rules,
    the values at each step.

    Markdown for GitHub, Obsidian and mdBook (with --format md alone, `mdbook build DIR` makes the book); one HTML
    file that needs no network; tours for editors with CodeTour.
    Your own remarks between the marked lines of the Markdown are kept when the notes are made again, on another
    release too.

    Examples:

      kread notes tcp-syn -o syn

      kread notes --all -o course --lang zh

      kread notes tcp_v4_rcv inet_ehash_insert -o syn --format html
    """
    from kread.cli.session import choose, open_graph
    from kread.paths.find import Finder, Request
    from kread.paths.tour_file import shipped
    from kread.render.texts import texts

    wanted = [choose("--format", part, FORMATS) for part in formats.split(",") if part]
    texts(lang)  # an unknown language is said before any work is done
    asked = _tours(list(shipped()) if every else what or [])
    if asked:
        written = _write_tours(asked, Finder(open_graph(release, scope, config)), output, wanted, lang)
    else:
        caller, callee = what or ["", ""]
        request = Request(caller, callee, tuple(via or ()), tuple(avoid or ()), tuple(assume or ()), families)
        written = _write_path(request, Finder(open_graph(release, scope, config)), output, wanted, lang)
    for file in written:
        typer.echo(file)


def _tours(what: list[str]) -> list[Tour]:
    """The tours that were named; none where the words name the two ends of a path."""
    from kread.errors import UsageError
    from kread.paths.tour_file import read_tour, shipped

    known = shipped()
    named = [name in known or name.endswith(".toml") for name in what]
    if len(what) == 2 and not any(named):
        return []
    if not what:
        raise UsageError(
            "usage", "Name tours, or CALLER and CALLEE", where="kread notes", hint="Tours: " + ", ".join(known)
        )
    return [read_tour(name) for name in what]


def _write_path(request: Request, finder: Finder, output: Path, formats: list[str], lang: str) -> list[Path]:
    from kread.errors import EXIT_NO
    from kread.paths.reader import SourceReader
    from kread.render.path_course import study_of_path

    answer = finder.answer(request)
    if not answer.trails:
        typer.echo(f"kread: no path from {request.caller} to {request.callee} in Linux {answer.release}", err=True)
        raise typer.Exit(EXIT_NO)
    study = study_of_path(answer, finder, SourceReader(finder.sites), lang)
    return write_notes(study, output, formats, lang)


def _write_tours(tours: list[Tour], finder: Finder, output: Path, formats: list[str], lang: str) -> list[Path]:
    """Write each tour's notes, and an index page where there are several."""
    from kread.data import load
    from kread.paths.reader import SourceReader
    from kread.paths.tours import show_tour
    from kread.render.course import checked, steps, study_of_tour
    from kread.render.lessons import in_language
    from kread.render.texts import texts

    text = texts(lang)
    reader, found = SourceReader(finder.sites), checked(finder)
    written: list[Path] = []
    for tour in tours:
        study = study_of_tour(show_tour(tour, finder), finder, reader, found, lang)
        written += write_notes(study, output, formats, lang, name=tour.name, order=[one.name for one in tours])
    if "html" in formats and len(tours) > 1:
        from kread.render.index_page import index_page

        rows = [(f"{tour.name}.html", text.say(tour.title), text.say(tour.goal)) for tour in tours]
        title, story = in_language(load("course")["title"], lang), [said for said, _ in steps((), lang)]
        written.append(_replace(output / "index.html", index_page(title, story, rows, lang)))
    return list(dict.fromkeys(written))


def write_notes(
    study: Study, folder: Path, formats: list[str], lang: str, *, name: str = "", order: Sequence[str] = ()
) -> list[Path]:
    """Write a study into a folder in these formats, and return the files; lost remarks are said on stderr.

    name  -- what the files are called ("" = after the study's title)
    order -- the names of the notes that the contents list first
    """
    from kread.render.codetour import slug, tours

    name = name or slug(study.title)
    written = []
    file = folder / f"{name}.md"
    study = _with_remarks(study, file)
    if "md" in formats:
        from kread.render.notes import notes_markdown

        written.append(_replace(file, notes_markdown(study, lang)))
    if "html" in formats:
        from kread.render.notes_page import notes_page

        text = notes_page(study, lang, "index.html" if len(order) > 1 else "", file.name if file.is_file() else "")
        written.append(_replace(folder / f"{name}.html", text))
    if "tour" in formats:
        written += [_replace(folder / ".tours" / f"{name}-{tour}", text) for tour, text in tours(study, lang)]
    if "md" in formats:
        from kread.data import load
        from kread.render.lessons import in_language
        from kread.render.notes_round import book_toml, contents_markdown
        from kread.render.texts import texts

        rank = {f"{one}.md": place for place, one in enumerate(order)}
        files = [file.name for file in folder.glob("*.md") if file.name not in ("README.md", "SUMMARY.md")]
        files.sort(key=lambda file: (rank.get(file, len(rank)), file))
        titles = [((folder / file).read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# "), file) for file in files]
        contents = contents_markdown(texts(lang)("contents"), titles)
        written += [_replace(folder / "README.md", contents), _replace(folder / "SUMMARY.md", contents)]
        book = folder / "book.toml"
        # Pages of ours have the names that mdBook gives to its own, so a folder is the one or the other.
        if "html" not in formats and not book.exists():
            title = in_language(load("course")["title"], lang) if len(order) > 1 else study.title
            written.append(_replace(book, book_toml(title, texts(lang)("html_lang"))))
    return written


def _with_remarks(study: Study, file: Path) -> Study:
    """The study with what its reader wrote into earlier notes; what has no place any more is said on stderr."""
    from kread.render.remarked import remarked
    from kread.render.remarks import damaged

    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    if damaged(before):
        aside = _replace(file.with_name(file.name + ".old"), before)
        typer.echo(f"kread: marks around your notes are missing in {file}; it is kept as it was in {aside}", err=True)
    study = remarked(study, before)
    for was, now in study.moved:
        where = f"stands at {now.call}" if now.call else "stands with the function"
        typer.echo(f"kread: {was.function} no longer calls {was.call}: your note on it {where} in {file}", err=True)
    for place, _ in study.lost:
        typer.echo(
            f"kread: your note on {place.function} has lost its place; it is kept at the end of {file}", err=True
        )
    return study


def _replace(file: Path, text: str) -> Path:
    from kread.errors import UsageError

    fresh = file.with_name(file.name + ".new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(file)
    except OSError as error:
        raise UsageError(
            "cannot-write", f"Can't write it: {error.strerror}", where=str(file), hint="Name another folder with -o"
        ) from error
    return file
