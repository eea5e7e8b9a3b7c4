"""What `kread mcp` answers: each tool is one question, each answer the JSON that the command of that name writes.

Theory of operation: a tool opens the graph anew, because a tree may change between two questions and tools may run in
other threads; on a fresh index that is a file to open. An answer is a plain dict in which every line of the source that
is claimed has its grade and its evidence: edges carry their own, and what the source declares itself (a slot's value,
a member, a cast) is certain, its line the evidence. Long lists are cut, and the answer says by how many. This module
knows nothing of the protocol; what cannot be answered is a KreadError.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from kread.cli.session import open_graph

if TYPE_CHECKING:
    from kread.graph.callgraph import CallGraph

#: A model reads an answer whole: more rows than this fill its context and help nobody.
MOST_ROWS = 100

#: What a tool returns: the content of one JSON document.
Answer = dict[str, Any]


class Tools:
    """The questions about one release and scope; the methods that `all` names are the tools."""

    def __init__(self, release: str | None = None, scope: list[str] | None = None, config: str | None = None) -> None:
        self._asked = (release, scope, config)

    def all(self) -> tuple[Callable[..., Answer], ...]:
        """The tools, in the order in which they are listed."""
        return (self.path, self.callers, self.callees, self.slot, self.struct, self.tour, self.check)

    def _graph(self) -> CallGraph:
        return open_graph(*self._asked)

    def path(
        self,
        caller: str,
        callee: str,
        via: list[str] | None = None,
        avoid: list[str] | None = None,
        assume: list[str] | None = None,
        families: int = 4,
    ) -> Answer:
        """How control gets from the function CALLER to CALLEE in the Linux kernel's source, hop by hop.

        Paths come in families, told apart by the calls through pointers that they take. Each call has its file and
        line, the conditions under which it is reached, the grade of what proves it (certain, object, type, signature;
        the last two are candidates only) and the lines that prove it. `via` and `avoid` name functions, `assume`
        conditions as the source writes them.
        """
        from kread.paths.find import Finder, Request
        from kread.render.json_path import path_object

        request = Request(caller, callee, tuple(via or ()), tuple(avoid or ()), tuple(assume or ()), families)
        answer = Finder(self._graph()).answer(request)
        others = [trail.family or str(trail) for trail in answer.others]
        return {**path_object(answer), "cut": list(answer.cut), "others": others, "notes": list(answer.notes)}

    def callers(self, function: str) -> Answer:
        """Who calls a kernel function, also through pointers, macros and callbacks: each call with grade and evidence.

        Write file:name where several files define the function.
        """
        return self._neighbours("callers", function)

    def callees(self, function: str) -> Answer:
        """What a kernel function calls, also through pointers, macros and callbacks: each call with grade and evidence.

        Write file:name where several files define the function.
        """
        return self._neighbours("callees", function)

    def _neighbours(self, end: str, function: str) -> Answer:
        from kread.graph import symbols
        from kread.render.listing_json import neighbours_json
        from kread.render.views import Neighbours

        graph = self._graph()
        found = symbols.neighbours(graph, function, end)
        answer: Answer = json.loads(
            neighbours_json([Neighbours(graph.release, one, end, edges) for one, edges in found])
        )
        for one in answer["functions"]:
            _cut(one, [end])
        return answer

    def slot(self, name: str) -> Answer:
        """Which functions fill a slot, STRUCT.FIELD, of a structure of function pointers, and the lines that do it."""
        from kread.graph.symbols import slot_values
        from kread.render.listing_json import slot_json
        from kread.render.views import SlotView

        graph = self._graph()
        answer: Answer = json.loads(slot_json(SlotView(graph.release, name, slot_values(graph, name))))
        answer["values"] = _declared(answer["values"])
        return _cut(answer, ["values"])

    def struct(self, name: str) -> Answer:
        """A structure of the kernel: its members, what embeds it, which casts lead to it, which tables it has."""
        from kread.cli.session import struct_view
        from kread.render.listing_json import struct_json

        answer: Answer = json.loads(struct_json(struct_view(self._graph(), name)))
        lists = ["members", "holders", "casts", "tables"]
        for key in lists:
            answer[key] = _declared(answer[key])
        return _cut(answer, lists)

    def tour(self, name: str = "") -> Answer:
        """A guided reading path through the kernel's source, computed on this release; without a name, all of them.

        Each stop says why to stop there, which lines to look at, and the hops that lead to it with their evidence;
        what this release does not have is a gap, in words.
        """
        from kread.paths.tour_file import read_tour, shipped

        if not name:
            tours = [read_tour(one) for one in shipped()]
            rows = [{"name": one.name, "title": one.title, "goal": one.goal} for one in tours]
            return {"schema": "kread.tours/1", "tours": rows}
        from kread.paths.find import Finder
        from kread.paths.tours import show_tour
        from kread.render.tour_json import tour_object

        return _toured(tour_object(show_tour(read_tour(name), Finder(self._graph()))))

    def check(self, part: str = "claims") -> Answer:
        """Whether this release agrees with kread's executable model of listen(), the handshake and accept().

        part "claims": what is commonly said of the backlog and the queues, with its verdict here (holds, imprecise,
        wrong) and the lines that decide it. part "source": the conditions that the model rests on, each with its line,
        and every drift from what known releases have.
        """
        from kread.check.bodies import Bodies
        from kread.cli.session import choose

        choose("part", part, ("claims", "source"))
        bodies = Bodies(self._graph())
        if part == "claims":
            from kread.check.claims import check_claims
            from kread.render.claims import claims_json

            answer: Answer = json.loads(claims_json(check_claims(bodies)))
            for row in answer["claims"]:
                row |= _placed((place["place"], place["text"]) for place in row.pop("places"))
            return _cut(answer, ["claims"])
        from kread.check.drift import check_source
        from kread.render.check import source_json

        answer = json.loads(source_json(check_source(bodies)))
        del answer["branches"]  # many, and each says only that a rule of the model answers for it
        for row in answer["anchors"]:
            row |= _placed(zip(row.pop("places"), row.pop("texts"), strict=True))
        return _cut(answer, ["anchors", "drifts"])


def _placed(places: Iterable[tuple[str, str]]) -> Answer:
    """Places, written file:line, with their text, as evidence: each was read in the source."""
    split = [(*place.rsplit(":", 1), text) for place, text in places]
    found = [{"file": file, "line": int(line), "text": text} for file, line, text in split]
    return {"grade": "certain", "evidence": found}


def _toured(tour: Answer) -> Answer:
    """The tour with grade and evidence where it states something that is no call: calls bring their own."""
    for one in tour["structures"]:
        one["members"] = _declared(one["members"])
    for one in (*(stop for leg in tour["legs"] for stop in leg["stops"]), *tour["statements"]):
        found = [seen for seen in one.pop("look") if seen["line"]]
        one |= {"grade": "certain", "evidence": found}
        if handover := one.get("handover"):
            for side in (*handover["givers"], *handover["takers"]):
                side |= {"grade": "certain", "evidence": [{key: side[key] for key in ("file", "line")}]}
    return tour


def _declared(rows: list[Answer]) -> list[Answer]:
    """Rows that the source states itself: certain, and the line is the evidence."""
    return [
        {**row, "grade": "certain", "evidence": [{key: row.get(key, "") for key in ("file", "line", "text")}]}
        for row in rows
    ]


def _cut(answer: Answer, keys: list[str]) -> Answer:
    """The answer with its lists no longer than is read, and by how many rows they were cut."""
    answer["left_out"] = sum(max(0, len(answer[key]) - MOST_ROWS) for key in keys)
    for key in keys:
        answer[key] = answer[key][:MOST_ROWS]
    return answer
