"""A guard of the source in the model's values: whether it holds there, and the numbers that say so.

Theory of operation: a Watch is a host that notes, for each kernel function that control enters, what the queues, the
sysctls and the segment at hand were. A guard is taken apart at its outermost ||, && and !, and each part is looked up in
data/values.toml, which says it in the model's names. What stands there is computed; what does not is not known, and
three-valued logic says how far that matters. Nothing here names a function of the kernel.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from kread.check.bodies import canonical
from kread.data import load
from kread.model.events import Event, Flag, Key, Outcome, Receive, Segment
from kread.model.host import Host, queues
from kread.model.policy import Policy
from kread.model.socks import Request, Sock, State, state_name
from kread.parse.wording import bare, outermost

Value = int | str
Values = Mapping[str, Value]

_ARITHMETIC: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
#: Each comparison with how it is told where it holds, and where it does not.
_COMPARISONS: dict[type, tuple[Callable[[Value, Value], bool], str, str]] = {
    ast.Eq: (operator.eq, "=", "!="),
    ast.NotEq: (operator.ne, "!=", "="),
    ast.Gt: (operator.gt, ">", "<="),
    ast.GtE: (operator.ge, ">=", "<"),
    ast.Lt: (operator.lt, "<", ">="),
    ast.LtE: (operator.le, "<=", ">"),
}


class Watch(Host):
    """A host that notes the values at each function that control enters: for each outcome, in the walk's order."""

    def __init__(self, policy: Policy) -> None:
        self.noted: list[tuple[Values, ...]] = []
        self._now: list[Values] = []
        self._mark: object = None
        self._same: Values = {}
        self._segment: Segment | None = None
        self._key: Key | None = None
        self._listener: Sock | None = None
        self._found = ""
        self._due: Request | None = None
        super().__init__(policy)

    def begin(self, event: Event | str) -> None:
        """Start the record of an event: see what a lookup would find, and which listener it is about."""
        super().begin(event)
        self._now, self._mark = [], None
        self._segment = event.segment if isinstance(event, Receive) else None
        self._key = self._segment.key if self._segment else None
        due = [each for each in self.entries() if each.deadline == self.now] if event == "rsk_timer" else []
        self._due = next((each for each in due if isinstance(each, Request)), None)
        chain = self.ehash.get(self._key, ()) if self._key else ()
        self._found = state_name(chain[0]) if chain else State.LISTEN.value
        named = getattr(event, "sock", "")
        first = next((sk for sk in self.socks.values() if sk.key is None), None)
        self._listener = self.socks.get(named, first)

    def called(self, *functions: str) -> None:
        """Control goes through these functions: note the values there."""
        super().called(*functions)
        request = self._due
        for entry in self.ehash.get(self._key, ()) if self._key else ():
            if isinstance(entry, Request):
                request = entry
                break
        sk = self._listener if request is None else request.listener
        # Between two functions little changes: the same values are noted as one.
        mark = (
            request,
            request and request.num_timeout,
            sk and (sk, sk.state, sk.max_ack_backlog, sk.ack_backlog, sk.qlen, sk.young, sk.fastopen_qlen),
        )
        if mark != self._mark:
            self._mark, self._same = mark, self._values(request, sk)
        for name in functions:
            if name not in self.policy.absent:
                self._now.append(self._same)

    def outcome(self) -> Outcome:
        """What the event at work has led to; its values are complete."""
        self.noted.append(tuple(self._now))
        return super().outcome()

    def _values(self, request: Request | None, listener: Sock | None) -> Values:
        found: dict[str, Value] = {name.removeprefix("tcp_"): n for name, n in self.sysctl.items()}
        found["M"] = self.sysctl["tcp_max_syn_backlog"]
        if listener is not None:
            lengths = queues(listener)
            found |= {name: getattr(lengths, name) for name in "QYABT"}
            found |= {"D": listener.defer_accept, "state": listener.state.value}
        if request is not None:
            found |= {"irs": request.rcv_isn, "isn": request.snt_isn, "num_timeout": request.num_timeout}
        if self._segment is not None:
            segment = self._segment
            found |= {
                flag.name or "": int(bool(segment.flags & flag)) for flag in (Flag.SYN, Flag.ACK, Flag.RST, Flag.FIN)
            }
            found |= {"data": segment.length, "seq": segment.seq, "end_seq": segment.end_seq, "ack": segment.ack}
            found["found"] = self._found
        return found


@dataclass(frozen=True, slots=True)
class Held:
    """A guard in the model's values: whether its text holds (None: not known), and the numbers, "" without any."""

    holds: bool | None
    told: str


_UNKNOWN = Held(None, "")


@cache
def _rows() -> dict[tuple[str, str], str]:
    """What data says of (function or "", text)."""
    found = {}
    for row in load("values")["value"]:
        for text in row["texts"]:
            for function in row.get("functions", [""]):
                found[function, canonical(text)] = row["says"]
    return found


@dataclass(frozen=True, slots=True)
class Taken:
    """A condition taken apart: "||" or "&&" over parts, "!" over one, or what data says of it, None for nothing."""

    sign: str
    parts: tuple[Taken, ...] = ()
    says: ast.expr | None = None

    @property
    def sayable(self) -> bool:
        """Whether the model can ever have values that decide it: an && that must hold needs all of its parts."""
        return self.says is not None or (bool(self.parts) and all(part.sayable for part in self.parts))


@cache
def taken_apart(text: str, function: str) -> Taken:
    """A condition of a function, down to what data says of its parts."""
    text = bare(text.strip())
    outer = outermost(text)
    for sign in ("||", "&&"):
        if sign in outer:
            return Taken(sign, tuple(taken_apart(part, function) for part in _parts(text, outer, sign)))
    says = _rows().get((function, canonical(text))) or _rows().get(("", canonical(text)))
    if says is not None:
        return Taken("", (), ast.parse(says, mode="eval").body)
    if text.startswith("!") and not text.startswith("!="):
        return Taken("!", (taken_apart(text[1:], function),))
    return Taken("")


def held(what: Taken, values: Values) -> Held:
    """Whether a condition holds where the model has these values."""
    if what.sign in ("||", "&&"):
        return _joined([held(part, values) for part in what.parts], what.sign == "||")
    if what.sign == "!":
        inner = held(what.parts[0], values)
        return Held(None if inner.holds is None else not inner.holds, inner.told)
    return _UNKNOWN if what.says is None else _computed(what.says, values)


def _parts(text: str, outer: str, sign: str) -> list[str]:
    places = [-len(sign)]
    while (place := outer.find(sign, places[-1] + len(sign))) >= 0:
        places.append(place)
    ends = [*places[1:], len(text)]
    return [text[start + len(sign) : end] for start, end in zip(places, ends, strict=True)]


def _joined(parts: list[Held], decides: bool) -> Held:
    """Of an || one part that is true decides, of an && one that is false: only such parts are told."""
    deciding = [part for part in parts if part.holds is decides]
    if deciding:
        return Held(decides, deciding[0].told)
    told = ", ".join(dict.fromkeys(part.told for part in parts if part.told))
    return Held(None if any(part.holds is None for part in parts) else not decides, told)


def _computed(tree: ast.expr, values: Values) -> Held:
    try:
        if isinstance(tree, ast.Compare):
            left, right = tree.left, tree.comparators[0]
            test, yes, no = _COMPARISONS[type(tree.ops[0])]
            holds = test(_number(left, values), _number(right, values))
            sign = yes if holds else no
            if sign == "=":
                return Held(holds, f"{ast.unparse(left)} = {_told(right, values)}")
            return Held(holds, f"{_told(left, values)} {sign} {_told(right, values)}")
        value = _number(tree, values)
    except KeyError:
        return _UNKNOWN
    return Held(bool(value), _told(tree, values))


def _number(tree: ast.expr, values: Values) -> Value:
    """The value of an expression; KeyError where the model has none."""
    if isinstance(tree, ast.Constant):
        assert isinstance(tree.value, int)
        return tree.value
    if isinstance(tree, ast.Name):
        return tree.id if tree.id in State.__members__ else values[tree.id]
    assert isinstance(tree, ast.BinOp)
    left, right = _number(tree.left, values), _number(tree.right, values)
    assert isinstance(left, int)
    assert isinstance(right, int)
    return _ARITHMETIC[type(tree.op)](left, right)


def _told(tree: ast.expr, values: Values) -> str:
    """An expression with its value, `Q = 3`; numbers and states speak for themselves."""
    text = ast.unparse(tree)
    if isinstance(tree, ast.Constant) or text in State.__members__:
        return text
    return f"{text} = {_number(tree, values)}"
