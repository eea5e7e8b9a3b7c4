"""Structures as a class diagram: the members to look at, and which structure holds or points to which; as Mermaid text.

Theory of operation: a ClassDiagram is the noun that the notes and the page draw, each its own way: Mermaid here, a
picture in `class_svg`. A member whose type is one of the structures shown makes an arrow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kread.render.views import StructView

_RECORD = re.compile(r"(?:struct|union) \w+")
#: What ends a member of a Mermaid class, or begins something else there.
_NOT_IN_CLASS = str.maketrans(dict.fromkeys("{}~<>()@:\n", " "))


@dataclass(frozen=True, slots=True)
class ClassBox:
    """A structure: its name without the word struct, and (type, name) of the members to look at."""

    name: str
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ClassArrow:
    """`outer` holds `inner` in a member, by value (`embeds`) or by a pointer."""

    outer: str
    inner: str
    member: str
    embeds: bool


@dataclass(frozen=True, slots=True)
class ClassDiagram:
    """Structures in the order of reading, and what joins them."""

    boxes: tuple[ClassBox, ...] = ()

    @property
    def arrows(self) -> tuple[ClassArrow, ...]:
        """What joins the structures shown, in the order of their members."""
        return tuple(self._arrows())

    def _arrows(self) -> Iterator[ClassArrow]:
        names = {box.name for box in self.boxes}
        for box in self.boxes:
            for type_, member in box.members:
                target = (type_.split("(")[0].replace("*", " ").replace("[", " [").split("[")[0].split() or [""])[-1]
                if target in names and target != box.name:
                    yield ClassArrow(box.name, target, member, "*" not in type_)


def diagram_of(view: StructView) -> ClassDiagram:
    """A structure with its members, what these hold or point to, and what holds it by value."""
    name = _named(view.record)
    boxes = [ClassBox(name, tuple((member.type, member.name) for member in view.members if member.name))]
    for holder in view.holders:
        if not holder.pointer and "." not in holder.member:
            boxes.append(ClassBox(_named(holder.record), ((view.record, holder.member),)))
    known = {box.name for box in boxes}
    for member in view.members:
        record = _RECORD.match(member.type)
        if record and "(" not in member.type and _named(record[0]) not in known:
            known.add(_named(record[0]))
            boxes.append(ClassBox(_named(record[0]), ()))
    return ClassDiagram(tuple(boxes))


def _named(record: str) -> str:
    return record.split(" ")[-1]


NO_STRUCTURES = ClassDiagram()


def class_mermaid(drawn: ClassDiagram) -> str:
    """The Mermaid class diagram ("" for one without structures)."""
    if not drawn.boxes:
        return ""
    lines = ["classDiagram"]
    for box in drawn.boxes:
        rows = [f"        {said}" for said in members_said(box.members)]
        lines += [f"    class {box.name} {{", *rows, "    }"] if rows else [f"    class {box.name}"]
    for arrow in drawn.arrows:
        shape = "*--" if arrow.embeds else "-->"
        lines.append(f"    {arrow.outer} {shape} {arrow.inner} : {arrow.member}")
    return "\n".join(lines) + "\n"


def members_said(members: Iterable[tuple[str, str]]) -> list[str]:
    """Members as the source declares them, without what Mermaid reads as more than text."""
    return [" ".join(f"{type_} {name}".translate(_NOT_IN_CLASS).split()) for type_, name in members]
