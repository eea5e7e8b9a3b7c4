"""What a configuration has the headers define, where conditions ask for macros and not for symbols."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kread.graph.callgraph import CallGraph
from kread.presence import Config

#: More kinds than a condition is taken apart for: the name that any of them defines stays a name.
KINDS = tuple(f"KIND_{letter}" for letter in "ABCDEFGH")
HEADER = (
    "".join(f"#ifdef CONFIG_{kind}\n#define {kind}\n#endif\n" for kind in KINDS)
    + f"""
#ifndef ANY_KIND
# if {" || ".join(f"defined({kind})" for kind in KINDS)}
#  define ANY_KIND
# endif
#endif
#ifdef ANY_KIND
# define SOME_KIND
#endif
int reset(void);
"""
)
FILES = {
    "net/ipv4/kinds.h": HEADER,
    "net/ipv4/kinds.c": '#include "kinds.h"\n#ifdef SOME_KIND\nint run(void)\n{\n\treturn reset();\n}\n#endif\n',
}


@pytest.mark.parametrize(("symbols", "there"), [("CONFIG_KIND_H=y\n", True), ("CONFIG_OTHER=y\n", False)])
def test_a_macro_that_hangs_on_macros(
    graph_of_files: Callable[[dict[str, str]], CallGraph], symbols: str, there: bool
) -> None:
    graph = graph_of_files(FILES)
    ((condition,),) = graph.store.query("SELECT presence FROM function WHERE name = 'run'")
    assert "CONFIG_" not in condition, "it is no question to the configuration alone"
    told = CallGraph(graph.file, Config.parse(symbols))
    assert told.compiled(condition) is there
    assert [edge.callee.name for number in told.find("run") for edge in told.callees(number)] == ["reset"] * there
