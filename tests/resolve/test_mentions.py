"""What code outside of the scope can hand over: what it can name, and what was handed to it; nothing else."""

from __future__ import annotations

from pathlib import Path

from kread.index.scope import find_scope
from kread.index.units import read_scope
from kread.resolve.direct import Definitions
from kread.resolve.pointers import pointer_targets
from kread.resolve.program import Program
from kread.source.progress import Silent
from kread.source.tree import open_tree

FILES = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n",
    "include/linux/fixture.h": """
struct notifier { int (*call)(struct notifier *notifier); };
extern struct notifier shown;
int keep(struct notifier *notifier);
int outside(struct notifier *notifier, int flags);
""",
    "net/core/own.h": "extern struct notifier own;\n",
    "net/core/keep.c": """
#include <linux/fixture.h>
#include "own.h"
static int kept_call(struct notifier *notifier) { return 0; }
static int given_call(struct notifier *notifier) { return 0; }
static int own_call(struct notifier *notifier) { return 0; }
static int shown_call(struct notifier *notifier) { return 0; }
static struct notifier kept = { .call = kept_call };
static struct notifier given = { .call = given_call };
struct notifier own = { .call = own_call };
struct notifier shown = { .call = shown_call };
static struct notifier *first;
int keep(struct notifier *notifier) { first = notifier; return 0; }
void start(void)
{
    WARN_ON(keep(&kept));
    keep(&own);
    keep(&shown);
    outside(&given, flags_of(first));
}
int run(struct notifier *notifier) { return notifier->call(notifier); }
""",
}


def test_code_outside_of_the_scope_hands_over_what_it_knows(tmp_path: Path) -> None:
    for name, text in FILES.items():
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    tree = open_tree(tmp_path / "tree")
    indexed = read_scope(tree, find_scope(tree, ["net/core"]), tmp_path / "facts.sqlite", Silent())
    program = Program(indexed.units, indexed.closures, {}, indexed.macros.field_aliases())
    found = {
        program.row(caller).name: {target.function.name for target in targets}
        for caller, _, targets, _ in pointer_targets(program, Definitions(program), indexed.macros.lookup)
    }
    assert found == {"run": {"given_call", "shown_call"}}
