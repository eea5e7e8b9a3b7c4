"""The graph formats, each opened by the program that it is for: Graphviz, networkx, Mermaid's own parser."""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import samples

from kread.facts import Edge, Function
from kread.render.dot import dot
from kread.render.drawing import HUB_CALLERS, Drawing, plan
from kread.render.graph_json import graph_json
from kread.render.graphml import graphml
from kread.render.mermaid import mermaid

SVG = "{http://www.w3.org/2000/svg}"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"


def small() -> Drawing:
    steps = [step for trail in samples.ANSWER.trails for step in trail.steps]
    edges = [step.edge for step in steps if step.edge] + [edge for step in steps for edge in step.others]
    return Drawing((), tuple(edges), "thing_receive > thing_insert", (samples.RECEIVE, samples.INSERT), "v6.12.117")


def awkward() -> Drawing:
    """Names and texts that are words or markup of some format."""
    end = samples.function("end", "net/a&b.c", 1)
    graph = samples.function("graph", 'net/"<c>.c', 2, presence="CONFIG_A && !CONFIG_B")
    edges = (
        samples.edge(end, graph, 5, 'graph("<%s>" "\\n", a & b)', kind="macro"),
        samples.edge(graph, end, 6, "p->end()", kind="ops_table", grade="object", slot="struct a.end"),
    )
    return Drawing((), edges, 'a "title" -- <&>', (end,), "v6.12.117")


def large(seed: int = 4) -> Drawing:
    chance = random.Random(seed)
    functions = [
        samples.function(f"do_{number}", f"net/s{number % 9}/f{number % 23}.c", number) for number in range(200)
    ]
    edges: list[Edge] = []
    for number, function in enumerate(functions[1:-1], 1):
        edges.append(samples.edge(functions[(number - 1) // 3], function, number, "x()"))
        if number % 4 == 0:
            edges.append(samples.edge(function, functions[-1], number, "hub()"))
    chance.shuffle(edges)
    chance.shuffle(functions)
    return Drawing(tuple(functions), tuple(edges), "large", (), "v6.12.117")


DRAWINGS = {"small": small, "awkward": awkward, "large": large}
EACH = pytest.mark.parametrize("name", sorted(DRAWINGS))


def test_hubs_are_text_in_their_callers() -> None:
    drawn = plan(large())
    names = {function.name for function in drawn.functions}
    assert "do_199" not in names
    assert len(names) == 199
    assert sum(hubs == ("do_199",) for hubs in drawn.hubs.values()) == 49 >= HUB_CALLERS


def test_the_order_of_what_was_found_does_not_matter() -> None:
    for write in (dot, mermaid, graphml, graph_json):
        assert write(large(1)) == write(large(2))


def test_calls_between_two_functions_are_one_link_the_surest_first() -> None:
    twice = samples.edge(
        samples.RECEIVE, samples.DISPATCH, 3, "p->f()", kind="ops_table", grade="type", slot="struct a.f"
    )
    (link,) = plan(Drawing((), (twice, samples.RECEIVE_EDGE), "")).links
    assert link.edges == (samples.RECEIVE_EDGE, twice)
    assert (link.style, link.label) == ("direct", ".f")


def graphviz(text: str, kind: str) -> bytes:
    program = shutil.which("dot") or pytest.skip("no dot; to enable, install the package graphviz")
    done = subprocess.run([program, f"-T{kind}"], input=text.encode(), capture_output=True, timeout=120, check=True)
    assert done.stderr == b""
    return done.stdout


@EACH
def test_graphviz_draws_every_function_and_link(name: str) -> None:
    drawing = DRAWINGS[name]()
    drawn = plan(drawing)
    root = ElementTree.fromstring(graphviz(dot(drawing), "svg"))
    classes = [group.get("class") for group in root.iter(f"{SVG}g")]
    assert classes.count("node") == len(drawn.functions) + 1  # the legend
    assert classes.count("edge") == len(drawn.links)
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert {function.name for function in drawn.functions} <= texts


def networkx_of(drawing: Drawing, tmp_path: Path) -> networkx.DiGraph[str]:
    file = tmp_path / "graph.graphml"
    file.write_text(graphml(drawing), encoding="utf-8")
    found: networkx.DiGraph[str] = networkx.read_graphml(file)
    return found


@EACH
def test_networkx_reads_graphml(name: str, tmp_path: Path) -> None:
    drawing = DRAWINGS[name]()
    drawn = plan(drawing)
    found = networkx_of(drawing, tmp_path)
    labels = {ident: values["label"] for ident, values in found.nodes(data=True)}
    assert sorted(labels.values()) == sorted(function.name for function in drawn.functions)
    links = sorted((labels[one], labels[other]) for one, other in found.edges())
    assert links == sorted((link.caller.name, link.callee.name) for link in drawn.links)
    assert all(isinstance(values["line"], int) for _, values in found.nodes(data=True))
    assert all(isinstance(values["weight"], int) for *_, values in found.edges(data=True))


@EACH
def test_graphml_declares_each_key_it_uses(name: str) -> None:
    root = ElementTree.fromstring(graphml(DRAWINGS[name]()))
    keys = {(key.get("id"), key.get("for")) for key in root.iter(f"{GRAPHML}key")}
    nodes = {node.get("id") for node in root.iter(f"{GRAPHML}node")}
    for kind in ("node", "edge", "graph"):
        used = {data.get("key") for one in root.iter(f"{GRAPHML}{kind}") for data in one.findall(f"{GRAPHML}data")}
        assert used <= {ident for ident, owner in keys if owner == kind}
    assert all({edge.get("source"), edge.get("target")} <= nodes for edge in root.iter(f"{GRAPHML}edge"))


#: The facts of the format's schema: of each element, the attributes that it must have and may have, and its children.
#: (graphml.graphdrawing.org, version 1.1; with the extension of yEd, whose graphics elements stand in `data`.)
SCHEMA: dict[str, tuple[set[str], set[str], tuple[str, ...]]] = {
    "graphml": (set(), {f"{{{XSI}}}schemaLocation"}, ("desc", "key", "data", "graph")),
    "key": ({"id"}, {"for", "attr.name", "attr.type", "yfiles.type"}, ("desc", "default")),
    "graph": ({"edgedefault"}, {"id"}, ("desc", "data", "node", "edge", "hyperedge", "locator")),
    "node": ({"id"}, set(), ("desc", "data", "port", "graph", "locator")),
    "edge": ({"source", "target"}, {"id", "directed", "sourceport", "targetport"}, ("desc", "data", "graph")),
    "data": ({"key"}, {"id", "time"}, ()),
}
TYPES = {
    "boolean": r"true|false",
    "int": r"-?\d+",
    "long": r"-?\d+",
    "float": r".+",
    "double": r".+",
    "string": r"(?s).*",
}
NMTOKEN = re.compile(r"[\w.:-]+")


def faults(element: ElementTree.Element, keys: dict[str, tuple[str, str]]) -> list[str]:
    """What an element and those in it have against the schema."""
    name = element.tag.removeprefix(GRAPHML)
    must, may, children = SCHEMA[name]
    found = [f"{name}: no {one}" for one in must - set(element.keys())]
    found += [f"{name}: {one}" for one in set(element.keys()) - must - may]
    found += [
        f"{name}: id"
        for one in ("id", "source", "target")
        if one in element.attrib and not NMTOKEN.fullmatch(element.get(one, ""))
    ]
    if name == "key":
        assert element.get("for") in ("all", "graphml", "graph", "node", "edge", "hyperedge", "port", "endpoint")
        assert (element.get("attr.type") in TYPES) != ("yfiles.type" in element.attrib)
    if name == "data":
        kind, _ = keys[element.get("key", "")]
        if kind and not re.fullmatch(TYPES[kind], element.text or ""):
            found.append(f"data: {element.text} is no {kind}")
        return [*found, *([] if kind or len(element) == 1 else ["data: no graphics"])]
    order = [child.tag.removeprefix(GRAPHML) for child in element]
    found += [f"{name}: {one} in it" for one in order if one not in children]
    if name != "graph":
        found += [f"{name}: order"] if order != sorted(order, key=children.index) else []
    for child in element:
        if child.tag == f"{GRAPHML}data" and keys[child.get("key", "")][1] not in (name, "all"):
            found.append(f"{name}: the key of a {keys[child.get('key', '')][1]}")
        found += faults(child, keys)
    return found


@EACH
def test_graphml_fits_its_schema(name: str) -> None:
    root = ElementTree.fromstring(graphml(DRAWINGS[name]()))
    keys = {key.get("id", ""): (key.get("attr.type", ""), key.get("for", "")) for key in root.iter(f"{GRAPHML}key")}
    assert len(keys) == len(list(root.iter(f"{GRAPHML}key")))
    assert faults(root, keys) == []
    idents = [one.get("id") for kind in ("node", "edge") for one in root.iter(f"{GRAPHML}{kind}")]
    assert len(set(idents)) == len(idents)


@EACH
def test_no_box_of_the_graphml_lies_on_another_and_calls_lead_right(name: str) -> None:
    found = networkx.read_graphml(io.BytesIO(graphml(DRAWINGS[name]()).encode()))
    places = {one: (float(values["x"]), float(values["y"])) for one, values in found.nodes(data=True)}
    assert len(set(places.values())) == len(places)
    widths = {one: 7 * len(values["label"]) + 20 for one, values in found.nodes(data=True)}
    rows = sorted((y, x, x + widths[one]) for one, (x, y) in places.items())
    assert all(end < start for (y, _, end), (other, start, _) in pairwise(rows) if y == other)
    right = sum(places[caller][0] < places[callee][0] for caller, callee in found.edges())
    assert right >= len(found.edges()) / 2


@EACH
def test_a_reader_of_yeds_files_draws_it(name: str, tmp_path: Path) -> None:
    reader = pytest.importorskip("graphml2svg", reason="no graphml2svg; to enable, install the extra test")
    drawing = DRAWINGS[name]()
    (tmp_path / "drawing.graphml").write_text(graphml(drawing))
    read = reader.Graph(str(tmp_path / "drawing.graphml"))
    read.run()
    plain = networkx.read_graphml(tmp_path / "drawing.graphml")
    assert {one.text for one in read.nodes.values()} == {values["label"] for _, values in plain.nodes(data=True)}
    assert len(read.edges) == plain.number_of_edges()
    assert (tmp_path / "drawing.svg").read_text().count("<rect") == len(plain)


def test_the_check_of_the_schema_finds_faults() -> None:
    text = graphml(small())
    keys = {
        key.get("id", ""): (key.get("attr.type", ""), key.get("for", ""))
        for key in ElementTree.fromstring(text).iter(f"{GRAPHML}key")
    }
    for old, new in (
        ('edgedefault="directed"', ""),
        ('key="n_line">1', 'key="n_line">x1'),
        ('key="e_kind"', 'key="n_file"'),
        ('<node id="', '<node id=" '),
    ):
        assert old in text
        assert faults(ElementTree.fromstring(text.replace(old, new)), keys)


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_graphviz_draws_for_screen_and_paper(kind: str) -> None:
    assert graphviz(dot(small()), kind).startswith({"png": b"\x89PNG", "pdf": b"%PDF"}[kind])


def test_a_large_drawing_is_no_wider_than_its_columns() -> None:
    """Boxes stay narrow: a large drawing names one hub in a box, and more of them only in a small one."""
    many = [samples.function(f"the_hub_with_a_long_name_{number}", "net/h.c", number) for number in range(4)]
    callers = [samples.function(f"caller_{number}", "net/c.c", number) for number in range(90)]
    edges = tuple(samples.edge(caller, hub, 1, "h()") for caller in callers for hub in many)
    wide = dot(Drawing((), edges, "", ()))
    assert "+ the_hub_with_a_long_name_0 +3" in wide
    few = dot(Drawing((), edges[: 4 * HUB_CALLERS], "", ()))
    assert "+ the_hub_with_a_long_name_0, the_hub_with_a_long_name_1" in few


def test_json_keeps_every_call() -> None:
    found = json.loads(graph_json(small()))
    assert found["schema"] == "kread.graph/1"
    assert {link["style"] for link in found["links"]} == {"direct", "macro", "dispatch", "guess"}
    known = {function["id"] for function in found["functions"]}
    assert all({link["caller"], link["callee"]} <= known for link in found["links"])


NODE_PARSE = """
import { JSDOM } from 'jsdom';
const window = new JSDOM('').window;
globalThis.window = window; globalThis.document = window.document;
const mermaid = (await import('mermaid')).default;
let text = ''; for await (const part of process.stdin) text += part;
await mermaid.parse(text);
const found = await mermaid.mermaidAPI.getDiagramFromText(text);
const vertices = found.db.getVertices();
console.log(JSON.stringify({type: found.type, edges: found.db.getEdges().length,
  labels: [...vertices.values()].map(v => v.text)}));
"""


@EACH
def test_mermaid_parses_it(name: str, tmp_path: Path) -> None:
    drawing = DRAWINGS[name]()
    drawn = plan(drawing)
    found = in_node(NODE_PARSE, mermaid(drawing), tmp_path, "mermaid", "jsdom")
    assert found["edges"] == len(drawn.links)
    plain = [re.sub(r" \(\+ .*\)$", "", label) for label in found["labels"]]
    assert sorted(plain) == sorted(function.name for function in drawn.functions)


NODE_GRAPHML = """
import { JSDOM } from 'jsdom';
const window = new JSDOM('').window;
globalThis.DOMParser = window.DOMParser; globalThis.Document = window.Document;
const { default: Graph } = await import('graphology');
const { parse } = (await import('graphology-graphml/browser/index.js')).default;
let text = ''; for await (const part of process.stdin) text += part;
const graph = parse(Graph, text);
console.log(JSON.stringify({type: graph.type, edges: graph.size,
  nodes: graph.mapNodes((_, values) => values), weights: graph.mapEdges((_, values) => values.weight)}));
"""


@EACH
def test_the_reader_of_gephi_lite_opens_it(name: str, tmp_path: Path) -> None:
    drawing = DRAWINGS[name]()
    drawn = plan(drawing)
    found = in_node(NODE_GRAPHML, graphml(drawing), tmp_path, "graphology", "graphology-graphml", "jsdom")
    assert (found["type"], found["edges"]) == ("directed", len(drawn.links))
    told = {(node["label"], node["file"], node["line"]) for node in found["nodes"]}
    assert told == {(function.name, function.file, function.line) for function in drawn.functions}
    assert sorted(found["weights"]) == sorted(len(link.edges) for link in drawn.links)


def in_node(script: str, given: str, folder: Path, *needed: str) -> Any:
    """What a module of JavaScript prints, as JSON; skips where a package that it needs is not here."""
    modules = Path(os.environ.get("KREAD_TEST_NODE_MODULES", "node_modules")).resolve()
    node = shutil.which("node")
    if not node or not all((modules / name).is_dir() for name in needed):
        pytest.skip(f"to enable, npm install {' '.join(needed)} and set KREAD_TEST_NODE_MODULES")
    (folder / "node_modules").symlink_to(modules)
    (folder / "script.mjs").write_text(script)
    done = subprocess.run(
        [node, "script.mjs"], input=given, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_function_may_have_no_link() -> None:
    alone = Function("net/a.c", "alone", 1, 2)
    assert plan(Drawing((alone,), (), "")).functions == (alone,)
