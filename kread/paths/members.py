"""Which members of which structures a few lines of C speak of.

Theory of operation: a variable's structure is what the function declares it to be, a conversion's (`inet_sk(sk)`) what
its function or macro returns, and a member's what the structure's definition says; so a chain `a->b->c` is followed as
far as its types are known. It is text that is read, not a parse: what no declaration explains is not told. Pure: the
types are asked of two functions that are given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

_INITIAL = r"(?:\s*=[^,;()]*(?:\([^()]*\))?[^,;()]*)?"
_DECLARED = re.compile(
    rf"\b((?:struct|union) \w+)\s*\**\s*(?:const\s+)?(\w+{_INITIAL}(?:,\s*\**\s*\w+{_INITIAL})*)(?=\s*[;=,)\[])"
)
_BRACKETS = re.compile(r"\([^()]*\)")
_NAME = re.compile(r"(?:^|,)\s*\*?\s*(\w+)")
_CHAIN = re.compile(r"(?<![\w>.])(?P<base>\w+)(?P<called>\([^()]*\))?(?P<members>(?:(?:->|\.)\w+)+)(?![\w(])")
_NOT_CODE = re.compile(r'/\*.*?(?:\*/|$)|^\s*\*.*$|//.*|"(?:\\.|[^"\\])*"')

#: The type of a member ("struct x", "" = none that is a structure): (structure, member) -> type.
MemberType = Callable[[str, str], str]
#: The structure that a conversion leads to ("" = it is none): name -> structure.
Converts = Callable[[str], str]


def declared(lines: Iterable[str]) -> dict[str, str]:
    """Variable -> structure, of what the lines of a function declare; parameters too."""
    text = " ".join(_NOT_CODE.sub("", line).strip() for line in lines)
    found: dict[str, str] = {}
    for match in _DECLARED.finditer(text):
        for name in _NAME.findall(_BRACKETS.sub("", match[2])):
            found.setdefault(name, match[1])
    return found


def members(
    lines: Sequence[tuple[int, str]], known: dict[str, str], member_type: MemberType, converts: Converts
) -> Iterator[tuple[str, str, int]]:
    """(structure, member, line) for each member that the lines name, each member once, in their order."""
    told: set[tuple[str, str]] = set()
    for number, line in lines:
        for match in _CHAIN.finditer(_NOT_CODE.sub("", line)):
            record = converts(match["base"]) if match["called"] else known.get(match["base"], "")
            for member in re.findall(r"\w+", match["members"]):
                if not record:
                    break
                if (record, member) not in told:
                    told.add((record, member))
                    yield record, member, number
                record = member_type(record, member)
