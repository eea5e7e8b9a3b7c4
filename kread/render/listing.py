"""The lists as text: callers, callees, show, slot and struct, each place at the right edge.

Theory of operation: a view in, rows out, laid out like a path: names start a line, what belongs to them is indented
under them, uncertain things are said in words. Callers stand by file, callees in the order of the function's lines, a
site with several candidates once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from kread.facts import Edge, Evidence, Function
from kread.graph.callgraph import SlotValue
from kread.presence import conjuncts
from kread.render import words
from kread.render.layout import Layout, Row
from kread.render.links import LinkMaker
from kread.render.style import Style
from kread.render.views import MacroView, Neighbours, Shown, SlotView, StructView

#: Of callers and callees `show` names this many; the commands of those names list all.
SHOWN = 12
#: Columns for a line number (":12345") before a call.
COLUMN = 8
#: Columns for the name of a member and two blanks.
MEMBER = 24


def _text(rows: Iterable[Row], width: int, color: bool, links: LinkMaker | None) -> str:
    layout = Layout(width, Style(color), links)
    return "".join(line + "\n" for row in rows for line in layout.lines(row))


def neighbours_text(
    views: Sequence[Neighbours], *, width: int = 80, color: bool = False, links: LinkMaker | None = None
) -> str:
    """`kread callers` and `kread callees`: one part for each function of the name."""
    return "\n".join(
        _text(_callers(view) if view.end == "callers" else _callees(view), width, color, links) for view in views
    )


def show_text(view: Shown, *, width: int = 80, color: bool = False, links: LinkMaker | None = None) -> str:
    """`kread show`: every function and macro of a name."""
    return _text(_shown(view), width, color, links)


def slot_text(view: SlotView, *, width: int = 80, color: bool = False, links: LinkMaker | None = None) -> str:
    """`kread slot`: the functions in a slot, by structure."""
    return _text(_slot(view), width, color, links)


def struct_text(view: StructView, *, width: int = 80, color: bool = False, links: LinkMaker | None = None) -> str:
    """`kread struct`: members, holders, casts and tables."""
    return _text(_struct(view), width, color, links)


def _named(function: Function, indent: int = 0) -> Row:
    return Row(
        function.name,
        indent=indent,
        place=str(function.location),
        role="name",
        file=function.file,
        line=function.line,
        text_link=True,
    )


def _head(text: str, release: str, known: Collection[str] = ()) -> Iterator[Row]:
    yield Row(text, place=f"Linux {release}", role="title")
    if known:
        yield Row(f"All of it needs {' && '.join(known)}.", role="note")
    yield Row("")


def _needing(function: Function, known: Collection[str], indent: int) -> Iterator[Row]:
    """A function, and what it needs beyond what the whole list needs."""
    yield _named(function, indent)
    if wanted := words.needs(function.presence, known):
        yield Row(wanted, indent=indent + 2, word="needs", role="note")


def _how(edge: Edge) -> str:
    """ "by table ipv4_specific", "by macro"; "" for a call by name."""
    if edge.kind == "direct":
        return ""
    return " ".join(part for part in (words.KIND_WORDS.get(edge.kind, edge.kind), edge.table) if part)


def _doubts(edge: Edge) -> str:
    runs = words.runs(edge)
    said = [_how(edge), words.grade_words(edge), f"run {runs}" if runs else ""]
    needs = words.needs(edge.presence, conjuncts(edge.caller.presence))
    said.append(f"needs {needs}" if needs else "")
    return ", ".join(part for part in said if part)


def _callers(view: Neighbours) -> Iterator[Row]:
    callers = {edge.caller for edge in view.edges}
    sites = {(edge.site, edge.caller) for edge in view.edges}
    found = f"{words.count(len(callers), 'caller')}, {words.count(len(sites), 'call')}" if callers else "no caller"
    known = words.common_needs(function.presence for function in (view.function, *callers))
    yield from _head(f"{view.function.name} has {found}", view.release, known)
    yield from _needing(view.function, known, 0)
    ordered = sorted(view.edges, key=lambda edge: (edge.caller, edge.site, edge.kind, edge.table))
    for caller, edges in groupby(ordered, key=lambda edge: edge.caller):
        yield from _needing(caller, known, 2)
        for edge in edges:
            yield from _call(edge, 4, place="" if edge.site.file == caller.file else str(edge.site))
            if said := _doubts(edge):
                yield Row(said, indent=4 + COLUMN, role="note")


def _call(edge: Edge, indent: int, place: str) -> Iterator[Row]:
    yield Row(
        edge.written,
        indent=indent,
        hang=2,
        word=f":{edge.site.line}",
        column=COLUMN,
        place=place,
        word_role="place",
        file=edge.site.file,
        line=edge.site.line,
    )


def _callees(view: Neighbours) -> Iterator[Row]:
    written, made = _split(view.edges)
    found = words.count(len(written), "function") if written else "nothing"
    found += f" itself, {len(made):,} more through macros" if made else ""
    known = conjuncts(view.function.presence)
    yield from _head(f"{view.function.name} calls {found}", view.release, known)
    yield _named(view.function)
    ordered = sorted(view.edges, key=lambda edge: (edge.site, edge.callee, edge.kind, edge.table))
    uses: dict[tuple[int, str], list[Edge]] = {}
    for edge in ordered:
        if use := _use(edge):
            uses.setdefault(use, []).append(edge)
    for key, group in groupby(ordered, key=lambda edge: _use(edge) or edge.site):
        if isinstance(key, tuple):
            if key in uses:
                yield _made(*key, uses.pop(key))
            continue
        edges = list(group)
        first = edges[0]
        if len(edges) == 1 and first.kind == "direct":
            yield from _call(first, 2, place=str(first.callee.location))
            if said := _doubts(first):
                yield Row(said, indent=2 + COLUMN, role="note")
            continue
        yield from _call(first, 2, place="")
        for edge in edges:
            yield _named(edge.callee, 2 + COLUMN)
            if said := _doubts(edge):
                yield Row(said, indent=4 + COLUMN, role="note")


def _split(edges: Sequence[Edge]) -> tuple[list[str], list[str]]:
    """The names that calls of a function's own text reach, and those that only its macros' calls do."""
    written = dict.fromkeys(edge.callee.name for edge in edges if edge.kind != "macro")
    made = dict.fromkeys(edge.callee.name for edge in edges if edge.callee.name not in written)
    return list(written), list(made)


def _use(edge: Edge) -> tuple[int, str] | None:
    """The macro whose use makes a call, and its line; None for a call that is written."""
    if edge.kind != "macro":
        return None
    roles = {one.role: one for one in edge.evidence}
    if "use" in roles:
        return edge.site.line, roles["use"].text
    return (edge.site.line, _macro_name(roles["macro"])) if "macro" in roles else None


def _macro_name(evidence: Evidence) -> str:
    """The macro of a definition that is evidence."""
    return evidence.text.removeprefix("#define ").partition("(")[0].partition(" ")[0]


def _made(line: int, macro: str, edges: Sequence[Edge]) -> Row:
    """One use of a macro, and the functions that it calls in one configuration or another."""
    names = ", ".join(sorted({edge.callee.name for edge in edges}))
    return Row(
        f"macro {macro}: {names}",
        indent=2,
        hang=2,
        word=f":{line}",
        column=COLUMN,
        role="note",
        word_role="place",
        file=edges[0].site.file,
        line=line,
    )


def _shown(view: Shown) -> Iterator[Row]:
    parts = [words.count(len(view.functions), "function") if view.functions else ""]
    parts.append(words.count(len(view.macros), "macro") if view.macros else "")
    yield Row(
        f"{view.symbol}: " + ", ".join(part for part in parts if part), place=f"Linux {view.release}", role="title"
    )
    for function, callers, callees, slots in view.functions:
        yield Row("")
        yield _named(function)
        yield Row(function.signature or function.name, indent=2, hang=4, role="code")
        if function.macro:
            yield Row(f"made by {function.macro}", indent=2, role="note")
        if function.presence:
            yield Row(function.presence, indent=2, word="needs", column=12, word_role="note")
        yield from _names("called by", sorted({edge.caller.name for edge in callers}))
        written, made = _split(callees)
        yield from _names("calls", written)
        if made:
            yield from _names("by macros", made)
        for value in slots:
            yield _slot_row(value, f"{value.table or value.record}.{value.field}", "fills")
    for macro in view.macros:
        yield Row("")
        yield from _macro(macro)


def _names(word: str, names: list[str]) -> Iterator[Row]:
    more = f", and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    text = ", ".join(names[:SHOWN]) + more
    yield Row(text or "nothing", indent=2, word=word, column=12, word_role="note")


def _slot_row(value: SlotValue, text: str, word: str) -> Row:
    needs = words.needs(value.presence, conjuncts(value.function.presence))
    return Row(
        f"{text} (needs {needs})" if needs else text,
        indent=2,
        word=word,
        column=12,
        place=f"{value.file}:{value.line}",
        word_role="note",
        file=value.file,
        line=value.line,
    )


def _macro(macro: MacroView) -> Iterator[Row]:
    yield Row(macro.name, place=f"{macro.file}:{macro.line}", role="name", file=macro.file, line=macro.line)
    params = "" if macro.params is None else f"({macro.params})"
    lines = f"#define {macro.name}{params} {macro.body}".replace("\\\n", "\n").splitlines()
    for number, line in enumerate(lines):
        yield Row(line.strip(), indent=2 if number == 0 else 6, hang=4, role="code")
    if macro.presence:
        yield Row(macro.presence, indent=2, word="needs", column=12, word_role="note")


def _slot(view: SlotView) -> Iterator[Row]:
    filled = words.count(len({value.function for value in view.values}), "function")
    tables = words.count(len({value.table for value in view.values}), "table")
    known = words.common_needs(value.function.presence for value in view.values)
    yield from list(_head(f"{view.asked}: {filled} in {tables}", view.release, known))[:-1]
    ordered = sorted(view.values, key=lambda value: (value.record, value.field, value.function, value.file, value.line))
    for (record, field), values in groupby(ordered, key=lambda value: (value.record, value.field)):
        yield Row("")
        yield Row(f"{record}.{field}", role="family")
        for function, filled_by in groupby(values, key=lambda value: value.function):
            yield from _needing(function, known, 2)
            for value in filled_by:
                table = value.table or value.text.strip()
                asked = words.needs(value.presence, conjuncts(function.presence))
                needs = f"  needs {asked}" if asked else ""
                yield Row(
                    f"{table}{needs}",
                    indent=4,
                    word="in" if value.table else "by",
                    column=4,
                    place=f"{value.file}:{value.line}",
                    word_role="note",
                    file=value.file,
                    line=value.line,
                )


def _struct(view: StructView) -> Iterator[Row]:
    yield Row(f"{view.record}: {words.count(len(view.members), 'member')}", place=f"Linux {view.release}", role="title")
    file = ""
    for member in view.members:
        if member.file != file:
            file = member.file
            yield Row("")
            yield Row(file, role="note")
        held = "holds " if member.embeds else ""
        needs = f"  needs {member.presence}" if member.presence else ""
        yield Row(
            f"{held}{member.type}{needs}",
            indent=2 + 2 * member.depth,
            word=member.name or "(unnamed)",
            column=max(MEMBER, len(member.name) + 2),
            place=f":{member.line}",
            word_role="name",
            file=member.file,
            line=member.line,
        )
    for title, pointer in (("Held by", False), ("Pointed to by", True)):
        holders = [holder for holder in view.holders if holder.pointer is pointer]
        if holders:
            yield Row("")
            yield Row(title, role="family")
        for holder in holders:
            first = " (first member)" if holder.first else ""
            yield Row(
                f"{holder.record}.{holder.member}{first}",
                indent=2,
                hang=4,
                place=f"{holder.file}:{holder.line}",
                file=holder.file,
                line=holder.line,
            )
    if view.casts:
        yield Row("")
        yield Row("Casts", role="family")
    for cast in view.casts:
        yield Row(
            f"{cast.name}  {cast.source or 'any pointer'} to {cast.target}",
            indent=2,
            hang=4,
            place=f"{cast.file}:{cast.line}",
            file=cast.file,
            line=cast.line,
        )
    if view.tables:
        yield Row("")
        yield Row("Tables", role="family")
    for table, values in groupby(view.tables, key=lambda value: value.table):
        yield Row(table or "(no table)", indent=2, role="name")
        for value in values:
            yield Row(
                f".{value.field} = {value.function.name}",
                indent=4,
                place=f"{value.file}:{value.line}",
                file=value.file,
                line=value.line,
            )
