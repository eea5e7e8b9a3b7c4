"""Write data/readings.toml: for each anchored function the anchored statements of real releases, in order.

To be run with releases that were read by a person; what it writes is what `kread check` takes for a reading that
some release has. It refuses a release in which an anchor stands nowhere.

    python benchmarks/record_readings.py 5.10=TREE 6.1=TREE 6.12=TREE 7.2=TREE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import kread.data
from kread.check.bodies import Bodies, Statement
from kread.check.drift import row_of
from kread.check.policy import read_policy
from kread.check.readings import holding
from kread.graph.callgraph import CallGraph
from kread.model import RULES

HEAD = """# Readings: the statements by which real releases decide what the model's rules say, in the order of each function.
#
# Made by benchmarks/record_readings.py from the trees named under `seen`, and read by a person. Texts are normalised: no
# blanks but between words, no comments, names looked through that say only how a value is read (data/idioms.toml).
# `kread check` takes a statement or an order that stands here for a reading that some release has, and any other for
# drift.
#
# [known.FUNCTION] holds readings of other trees, each with its reason; [place.FUNCTION] says which of several files is
# meant, each with its reason. Both are kept when this file is made anew.
"""


def main() -> int:
    """Record the readings of the trees of the command line."""
    from kread.cli.session import open_graph

    found: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for argument in sys.argv[1:]:
        name, _, tree = argument.partition("=")
        graph = CallGraph(Path(tree)) if tree.endswith(".sqlite") else open_graph(tree, None)
        for function, texts in _sequences(graph).items():
            found.setdefault(function, {}).setdefault(texts, []).append(name)
    target = Path(kread.data.__file__).parent / "readings.toml"
    kept = kread.data.load("readings")
    lines = [HEAD]
    for function, rows in sorted(kept["known"].items()):
        for row in rows:
            lines += [f"[[known.{function}]]", *(f"{key} = {json.dumps(value)}" for key, value in row.items()), ""]
    for function, row in sorted(kept["place"].items()):
        lines += [f"[place.{function}]", *(f"{key} = {json.dumps(value)}" for key, value in row.items()), ""]
    for function, readings in sorted(found.items()):
        for texts, seen in readings.items():
            lines += [f"[[function.{function}]]", f"seen = {json.dumps(seen)}", "statements = ["]
            lines += [f"    {_quoted(text)}," for text in texts]
            lines += ["]", ""]
    target.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print(f"{len(found)} functions, {sum(map(len, found.values()))} readings")
    return 0


def _quoted(text: str) -> str:
    return json.dumps(text) if "'" in text else f"'{text}'"


def _sequences(graph: CallGraph) -> dict[str, tuple[str, ...]]:
    bodies = Bodies(graph)
    policy = read_policy(bodies).policy
    wanted: dict[str, set[Statement]] = {}
    for rule in RULES.values():
        for anchor in rule.guards:
            if not (rule.exists(policy) and anchor.holds(policy)):
                continue
            held = holding(anchor, bodies.statements(anchor.function))
            if not held:
                raise SystemExit(f"{graph.release}: {rule.id} {anchor.function}: {anchor.condition} stands nowhere")
            wanted.setdefault(anchor.function, set()).update(held)
    found = {}
    for function, held in wanted.items():
        statements = bodies.statements(function)
        rows = {each: row_of(function, each) for each in statements if each.choice and each not in held}
        held |= {each for each, row in rows.items() if row is not None and row.rules}
        texts = {each.text for each in held}
        found[function] = tuple(each.text for each in statements if each.text in texts)
    return found


if __name__ == "__main__":
    sys.exit(main())
