"""Macro expansion against the compiler: are the calls that macros make among those the expander finds?

    python benchmarks/expander_check.py TREE TRUTH [--missed N]

TREE is an unpacked kernel tree, TRUTH the folder of compiler facts for its release: `config` and
`net-ipv4.calls.tsv.gz` (a row per call, with the macro in use and where). For each row that a macro
makes, the use is cut out of the source, expanded with the definitions that the configuration leaves, and the callee
looked for among the calls found. Prints recall by class, the macros that miss most, and how long all uses took.
"""

from __future__ import annotations

import argparse
import gzip
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from kread.parse.conditional import conditions
from kread.parse.defines import defines, includes
from kread.parse.macro_calls import MacroCalls
from kread.parse.template import Macro
from kread.presence import Config

#: Where a header of an #include is looked for, as the kernel's own build does.
INCLUDE_DIRS = (
    "arch/x86/include",
    "include",
    "arch/x86/include/uapi",
    "include/uapi",
)

CLASSES = ("body", "paste", "argname", "cleanup", "arg")

_NAME = re.compile(r"[A-Za-z_]\w*")
_LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)


def included(tree: Path, file: str, name: str, quoted: bool) -> str | None:
    """The file of the tree that an #include means, None if it isn't there (generated, a compiler's)."""
    candidates = [str(Path(file).parent / name)] if quoted else []
    candidates += [f"{folder}/{name}" for folder in INCLUDE_DIRS]
    if name.startswith("asm/"):
        candidates.append(f"include/asm-generic/{name[4:]}")
    return next((c for c in candidates if (tree / c).is_file()), None)


def macros_of(tree: Path, config: Config) -> dict[str, list[Macro]]:
    """All definitions that the configuration may leave, of net/ipv4 and all that it includes."""
    waiting = sorted(str(p.relative_to(tree)) for p in (tree / "net/ipv4").rglob("*.[ch]"))
    waiting += ["include/linux/kconfig.h", "include/linux/compiler_types.h"]
    found: dict[str, list[Macro]] = defaultdict(list)
    seen = set(waiting)
    while waiting:
        file = waiting.pop()
        data = (tree / file).read_bytes()
        at = conditions(data).at
        for define in defines(data):
            holds = at(define.line)
            if config.compiles(holds):
                found[define.name].append(Macro(define.name, define.params, define.body, file, define.line, holds))
        for include in includes(data):
            target = included(tree, file, include.name, include.quoted)
            if target and target not in seen and config.compiles(at(include.line)):
                seen.add(target)
                waiting.append(target)
    print(f"{len(seen)} files, {sum(map(len, found.values()))} definitions of {len(found)} names")
    return found


def balanced(text: str, start: int) -> int:
    """The end of the parenthesised text that begins at start."""
    depth, index = 0, start
    while index < len(text):
        skip = _LITERAL.match(text, index)
        if skip:
            index = skip.end()
            continue
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        index += 1
        if depth == 0:
            return index
    return len(text)


def use_at(text: str, start: int) -> str:
    """The macro's use that begins at start: its name and all parentheses that follow."""
    name = _NAME.match(text, start)
    assert name is not None
    end = name.end()
    while True:
        after = re.compile(r"\s*").match(text, end)
        assert after is not None
        if text[after.end() : after.end() + 1] != "(":
            return text[start:end]
        end = balanced(text, after.end())


class Sources:
    """The text of the tree's files by line."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.text = cache(lambda file: (tree / file).read_text(errors="replace"))
        self.starts = cache(self._starts)

    def _starts(self, file: str) -> list[int]:
        starts = [0]
        starts += [found.end() for found in re.finditer("\n", self.text(file))]
        return starts

    def uses(self, file: str, line: int, macro: str) -> list[str]:
        """The uses of a macro that begin on a line."""
        text, starts = self.text(file), self.starts(file)
        end = starts[line] if line < len(starts) else len(text)
        return [use_at(text, m.start()) for m in re.compile(rf"\b{macro}\b").finditer(text, starts[line - 1], end)]


def rows(file: Path) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt") as lines:
        names = next(lines).rstrip("\n").split("\t")
        for line in lines:
            yield dict(zip(names, line.rstrip("\n").split("\t"), strict=True))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("tree", type=Path)
    arguments.add_argument("truth", type=Path)
    arguments.add_argument("--missed", type=int, default=40, help="how many missed calls to list")
    options = arguments.parse_args()

    config = Config.read(options.truth / "config")
    found = macros_of(options.tree, config)
    functions = {row["name"] for file in options.truth.glob("*.functions.tsv.gz") for row in rows(file)}
    macro_calls = MacroCalls(lambda name: found.get(name, ()), function=functions.__contains__)
    sources = Sources(options.tree)

    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    missed: Counter[tuple[str, str, str]] = Counter()
    example: dict[tuple[str, str, str], str] = {}
    for row in rows(options.truth / "net-ipv4.calls.tsv.gz"):
        kind, callee, macro = row["class"], row["callee"], row["outer_macro"]
        if kind not in CLASSES or callee.startswith("__compiletime_assert_"):
            continue
        if row["callee_kind"] == "builtin":
            kind = "builtin"
        line = int(row["exp_line"])
        uses = sources.uses(row["file"], line, macro) if macro else []
        total[kind] += 1
        called = {call.callee for use in uses for call in macro_calls.calls(use)}
        if kind != "arg" and not any(map(macro_calls.matters, _NAME.findall(" ".join(uses)))):
            called = {macro}  # what the site itself shows
        if callee in called:
            right[kind] += 1
        elif kind != "builtin":
            key = (kind, macro, callee)
            missed[key] += 1
            example[key] = f"{row['file']}:{line} {len(uses)} uses {row['inner_macro']} {row['spell_file']}"
    for kind in sorted(total):
        print(f"{kind:8} {right[kind]:6} of {total[kind]:6} {100 * right[kind] / total[kind]:7.2f} %")
    for key, count in sorted(missed.items(), key=lambda item: (-item[1], item[0]))[: options.missed]:
        print(count, *key, example[key])

    texts = []
    for row in rows(options.truth / "net-ipv4.macros.tsv.gz"):
        if row["file"].startswith("net/ipv4/") and macro_calls.matters(row["macro"]):
            texts.append(
                use_at(
                    sources.text(row["file"]), sources.starts(row["file"])[int(row["line"]) - 1] + int(row["col"]) - 1
                )
            )
    fresh = MacroCalls(lambda name: found.get(name, ()))
    start = time.perf_counter()
    count = sum(len(fresh.calls(text)) for text in texts)
    spent = time.perf_counter() - start
    print(f"{len(texts)} uses that bear calls, {len(set(texts))} different: {count} calls in {spent:.2f} s")
    print(f"left out because of a limit: {len(fresh.cut)} texts")


if __name__ == "__main__":
    main()
