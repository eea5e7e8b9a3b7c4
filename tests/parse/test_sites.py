"""Contexts from a file as written, and that preparing one function alone is preparing it in its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kread.parse.conditional import conditions
from kread.parse.defines import Define, defines
from kread.parse.macro_table import MacroTable, learn
from kread.parse.prepare import prepare
from kread.parse.sites import site_contexts

HEADER = b"#define walk(i, list) for (i = (list)->first; i; i = i->next)\n#define fine(x) (x)\n"

SOURCE = b"""\
#define own_walk(i, l) walk(i, l)

int visit(struct list *l, int a)
{
	struct item *i;

	walk(i, l) {
		if (a)
			continue;
		site(i);
	}
	own_walk(i, l)
		other(i);
#ifdef CONFIG_X
	if (a) {
#else
	if (!a) {
		third(i);
#endif
		fourth(i);
	}
	return 0;
}
"""


def table() -> MacroTable:
    rows: list[tuple[str, Define]] = [("a.h", define) for define in defines(HEADER)]
    return learn(rows)


def guards(call: bytes) -> list[str]:
    lines = SOURCE.split(b"\n")
    line = next(number for number, text in enumerate(lines, 1) if call in text)
    (context,) = site_contexts(SOURCE, 3, 23, [(line, lines[line - 1].index(call) + 1)], table())
    assert not context.faulty
    return [f"{guard.kind} {guard}" for guard in context.guards]


def test_loop_macros_of_headers_and_of_the_file_itself() -> None:
    assert guards(b"site(") == ["loop if walk(i, l)", "exit not a"]
    assert guards(b"other(") == ["loop if own_walk(i, l)"]


def test_branches_that_cannot_stand_side_by_side() -> None:
    assert guards(b"third(") == ["if if !a"]
    assert len(guards(b"fourth(")) <= 1


def test_one_function_alone_is_prepared_as_in_its_file(tree: Callable[[str], Path]) -> None:
    data = (tree("6.12") / "net/ipv4/tcp_input.c").read_bytes()
    macros = learn([("tcp_input.c", define) for define in defines(data)])
    whole = prepare(data, macros, conditions(data)).text.split(b"\n")
    lines = data.split(b"\n")
    ends = [number for number, line in enumerate(lines) if line == b"}"]
    starts = [number for number, line in enumerate(lines) if line == b"{"]
    assert len(starts) > 200
    for start in starts:
        end = next(end for end in ends if end > start) + 1
        head = start - 1
        alone = b"\n".join(lines[head:end])
        assert prepare(alone, macros, conditions(alone)).text.split(b"\n")[1:] == whole[start:end]
