"""What is said of a name that no function of the scope has, on C whose answers are written here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kread.errors import UnknownSymbol
from kread.graph.callgraph import CallGraph

FILES = {
    "net/ipv4/here.c": """
#define twice(x) ((x) + (x))
struct thing { int (*act)(int x); struct { int in; }; };
int far_away(int x);
int here(int x)
{
	return twice(far_away(x));
}
""",
    "lib/far.c": """
static int hidden(int x)
{
	return x;
}
int far_away(int x)
{
	return hidden(x);
}
int never_called(int x)
{
	return x;
}
""",
}


@pytest.fixture(scope="module")
def graph(graph_of_files: Callable[[dict[str, str]], CallGraph]) -> CallGraph:
    return graph_of_files(FILES)


@pytest.mark.parametrize(
    ("symbol", "what", "hint"),
    [
        ("", "no function ''", "kread index --scope DIR"),
        ("heer", "no function heer", "Nearest: here"),
        ("never_called", "outside of the scope, in lib/far.c", "--scope net/ipv4 --scope lib/far.c"),
        ("hidden", "no function hidden", "kread index --scope DIR"),
        ("twice", "is a macro", ""),
        ("act", "kread slot thing.act", ""),
        ("far.c:here", "not defined in far.c, but in net/ipv4/here.c", ""),
    ],
)
def test_a_missing_name_is_told_apart(graph: CallGraph, symbol: str, what: str, hint: str) -> None:
    with pytest.raises(UnknownSymbol) as caught:
        graph.require(symbol)
    assert what in caught.value.what
    assert hint in caught.value.hint
