"""Structures, states and sequences as drawings, each opened by the program that it is for: Graphviz, Mermaid."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_graphs import SVG, graphviz
from test_notes_page import study

from kread.graph.records import Cast, Holder, Member
from kread.model.story import TRANSITIONS, sequence_diagram, state_diagram
from kread.render.class_diagram import class_mermaid, diagram_of
from kread.render.notes_round import path_diagram
from kread.render.state_dot import state_dot
from kread.render.struct_dot import struct_dot
from kread.render.texts import texts
from kread.render.views import StructView

VIEW = StructView(
    "v6.12.117",
    "struct thing",
    (
        Member("base", "struct base", "thing.h", 2, embeds=True),
        Member("next", "struct thing*", "thing.h", 3),
        Member("ops", "struct ops*", "thing.h", 4),
        Member("many", "struct thing*[2]", "thing.h", 5),
        Member("request", "int(*)(struct thing*,struct ops*)", "thing.h", 6),
        Member("count", "unsigned int", "thing.h", 7),
    ),
    (
        Holder("struct outer", "thing", "outer.h", 3, first=True),
        Holder("struct farther", "outer.thing", "outer.h", 9, first=True),
        Holder("struct user", "it", "user.h", 4, pointer=True),
    ),
    (),
    (Cast("struct thing", "struct outer", "outer_of", "outer.h", 12),),
)

NODE = """
import { JSDOM } from 'jsdom';
const window = new JSDOM('').window;
globalThis.window = window; globalThis.document = window.document;
const mermaid = (await import('mermaid')).default;
let text = ''; for await (const part of process.stdin) text += part;
const found = [];
for (const one of JSON.parse(text)) {
  await mermaid.parse(one);
  found.push((await mermaid.mermaidAPI.getDiagramFromText(one)).type);
}
console.log(JSON.stringify(found));
"""


def mermaid_types(diagrams: list[str], folder: Path) -> list[str]:
    """The kinds of diagrams that Mermaid's own parser takes these for; it fails where it takes one for none."""
    modules = Path(os.environ.get("KREAD_TEST_NODE_MODULES", "node_modules")).resolve()
    node = shutil.which("node")
    if not node or not (modules / "mermaid").is_dir() or not (modules / "jsdom").is_dir():
        pytest.skip("no mermaid; to enable, npm install mermaid jsdom and set KREAD_TEST_NODE_MODULES")
    (folder / "node_modules").symlink_to(modules)
    (folder / "parse.mjs").write_text(NODE)
    done = subprocess.run(
        [node, "parse.mjs"],
        input=json.dumps(diagrams),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_mermaid_reads_every_kind_of_diagram(tmp_path: Path) -> None:
    made = study()
    assert made.sequence is not None
    path = "\n".join(path_diagram(made.chapters[0], texts("zh")))
    flow = path.split("```mermaid\n")[1].split("\n```")[0]
    drawn = [sequence_diagram(made.sequence), sequence_diagram(study("zh").sequence or made.sequence)]
    drawn += [class_mermaid(made.structures), class_mermaid(diagram_of(VIEW)), state_diagram(), flow]
    kinds = mermaid_types(drawn, tmp_path)
    assert [re.sub(r"[-\W].*", "", kind) for kind in kinds] == [
        "sequence", "sequence", "classDiagram", "classDiagram", "stateDiagram", "flowchart",
    ]  # fmt: skip


def test_mermaid_reads_what_is_written_of_real_structures(kread: Callable[..., object], tmp_path: Path) -> None:
    drawn = []
    for name in ("sock", "request_sock", "inet_hashinfo", "sk_buff"):
        done = kread("graph", "--struct", name, "--format", "mmd")
        assert isinstance(done, subprocess.CompletedProcess)
        assert done.returncode == 0, done.stderr
        drawn.append(done.stdout)
    assert {kind.split("-")[0] for kind in mermaid_types(drawn, tmp_path)} == {"classDiagram"}


def svg_of(text: str) -> tuple[list[str], list[str], list[str]]:
    """(titles of the nodes, titles of the edges, all texts) that Graphviz draws."""
    root = ElementTree.fromstring(graphviz(text, "svg"))
    groups = [(group.get("class"), group.findtext(f"{SVG}title") or "") for group in root.iter(f"{SVG}g")]
    return (
        [title for kind, title in groups if kind == "node"],
        [title for kind, title in groups if kind == "edge"],
        [text.text or "" for text in root.iter(f"{SVG}text")],
    )


def test_graphviz_draws_a_structure() -> None:
    nodes, edges, said = svg_of(struct_dot(VIEW))
    assert sorted(nodes) == [
        "legend", "pointers", "struct base", "struct farther", "struct ops", "struct outer", "struct thing",
    ]  # fmt: skip
    assert edges.count("struct thing->struct thing") == 2  # a pointer is no member held by value
    assert {"outer_of", "1 structure", "holds by value; the heavy line: at its beginning"} <= set(said)


def test_who_holds_stands_left_of_what_is_held_whatever_the_casts() -> None:
    root = ElementTree.fromstring(graphviz(struct_dot(VIEW), "svg"))
    at = {}
    for group in root.iter(f"{SVG}g"):
        text = group.find(f".//{SVG}text")
        if group.get("class") == "node" and text is not None:
            at[group.findtext(f"{SVG}title")] = float(text.get("x", "0"))
    assert at["struct farther"] < at["struct thing"] < at["struct base"]
    assert at["struct outer"] < at["struct thing"] < at["struct ops"]


def test_graphviz_draws_every_transition_of_the_model() -> None:
    nodes, edges, said = svg_of(state_dot())
    states = {state for before, _, after in TRANSITIONS for state in (before, after)} - {"none"}
    assert set(nodes) == states | {"begin", "end"}
    assert len(edges) == len({(before, after) for before, _, after in TRANSITIONS})
    ids = [text.split(" ")[0] for text in said]
    assert sorted(one for one in ids if one in {rule for _, rule, _ in TRANSITIONS}) == sorted(
        rule for _, rule, _ in TRANSITIONS
    )


def test_class_arrows_say_what_holds_and_what_points() -> None:
    arrows = {(one.outer, one.inner, one.member, one.embeds) for one in diagram_of(VIEW).arrows}
    assert arrows == {
        ("thing", "base", "base", True),
        ("thing", "ops", "ops", False),
        ("outer", "thing", "thing", True),
    }
