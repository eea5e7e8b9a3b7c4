"""What a scenario expects, compared with what came out: an empty answer, or what was found instead.

Theory of operation: each kind of expectation is one function in a table. `->`, `returns` and `counters` are exact: what
they do not name must not have happened. The others ask for what they name. So a scenario that says little still
notices a segment or a counter too many.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kread.model.events import Outcome, Segment
from kread.model.host import Host, queues
from kread.model.peers import Peers
from kread.model.script import Statement, flags
from kread.model.socks import SECOND, Entry, Request, Sock, state_name

_REPEAT = re.compile(r"(\d+)\s*x\s+")


@dataclass(slots=True)
class Seen:
    """What an expectation can look at: the step's outcomes, the state, and what has moved since last asked."""

    outcomes: list[Outcome]
    host: Host
    peers: Peers
    counted: Counter[str]
    walk: Callable[[], list[str]]


def compare(statement: Statement, seen: Seen) -> str:
    """What was found where it is not what the line expects, else ""; ValueError for a line without sense."""
    return _KINDS[statement.verb](statement, seen)


def subsequence(wanted: Iterable[str], walk: Iterable[str]) -> str:
    """The first of the wanted names that does not follow in the walk, "" where all do in order."""
    rest = iter(walk)
    for name in wanted:
        if name not in rest:
            return name
    return ""


def _sent(statement: Statement, seen: Seen) -> str:
    found = [segment for outcome in seen.outcomes for segment in outcome.segments]
    wanted: list[str] = []
    for part in statement.words[0].split(";"):
        text = part.strip()
        match = _REPEAT.match(text)
        wanted += [text[match.end() :]] * int(match[1]) if match else [text]
    if wanted == ["nothing"]:
        wanted = []
    same = len(found) == len(wanted) and all(
        _is(text, segment, seen.peers) for text, segment in zip(wanted, found, strict=True)
    )
    return "" if same else "; ".join(_told(each, seen.peers) for each in found) or "nothing"


def _told(segment: Segment, peers: Peers) -> str:
    return f"{segment} to={peers.name_of(segment.key)}"


def _is(text: str, segment: Segment, peers: Peers) -> bool:
    word, *conditions = text.split()
    bits = flags(word)
    if bits is None:
        raise ValueError(f"{word} names no segment")
    if bits != segment.flags:
        return False
    peer = peers.by_name.get(peers.name_of(segment.key))
    for condition in conditions:
        key, _, value = condition.partition("=")
        if key in ("to", "fastopen"):
            held = (peers.name_of(segment.key) if key == "to" else segment.fastopen) == value
        elif key in ("seq", "ack", "data", "tsecr") and peer is not None:
            actual = segment.length if key == "data" else getattr(segment, key)
            held = actual == peer.number(value)
        else:
            raise ValueError(f"a segment has no {key}")
        if not held:
            return False
    return True


def _returns(statement: Statement, seen: Seen) -> str:
    found = [result for outcome in seen.outcomes for result in outcome.results]
    told = [
        " ".join(filter(None, (_named(result.value, seen.peers), result.state)))
        for result in found
        if result.call not in ("setsockopt", "bind") or result.value != "0"
    ]
    wanted = [each.strip() for each in " ".join(statement.words).split(";") if each.strip() != "nothing"]
    same = len(wanted) == len(told) and all(
        want in (tell, tell.split()[0]) for want, tell in zip(wanted, told, strict=True)
    )
    return "" if same else "; ".join(told) or "nothing"


def _named(value: str, peers: Peers) -> str:
    return next((peer.name for peer in peers.by_name.values() if f"{peer.key.saddr}:{peer.key.sport}" == value), value)


def _queues(statement: Statement, seen: Seen) -> str:
    words = list(statement.words)
    name = words.pop() if words[-2:-1] == ["of"] else "L"
    sk = seen.host.socks.get(name)
    if sk is None:
        raise ValueError(f"no socket is called {name}")
    now = queues(sk)
    wanted = [word.partition("=") for word in words if word != "of"]
    same = all(getattr(now, key) == int(value) for key, _, value in wanted)
    return "" if same else str(now)


def _counters(statement: Statement, seen: Seen) -> str:
    moved = {name: n - seen.counted[name] for name, n in seen.host.counters.items() if n != seen.counted[name]}
    wanted = {}
    for word in statement.words:
        if word != "none":
            name, _, n = word.partition("+")
            wanted[name] = int(n)
    told = " ".join(f"{name}+{n}" for name, n in sorted(moved.items()))
    return "" if moved == {name: n for name, n in wanted.items() if n} else told or "none"


def _peer(statement: Statement, seen: Seen) -> str:
    name, wanted, *conditions = statement.words
    peer = seen.peers.by_name.get(name)
    if peer is None:
        raise ValueError(f"nobody is called {name}")
    chain = seen.host.ehash.get(peer.key, [])
    if not chain:
        return "" if wanted == "none" else "none"
    entry = chain[0]
    told = {"state": state_name(entry)} | attributes(entry, seen.host)
    same = told["state"] == wanted and all(
        told.get(key) == value for key, _, value in (each.partition("=") for each in conditions)
    )
    return "" if same else " ".join(f"{key}={value}" for key, value in told.items())


def attributes(entry: Entry, host: Host) -> dict[str, str]:
    """What a scenario can ask of an entry of ehash besides its state."""
    deadline = {} if entry.deadline is None else {"timer": f"{(entry.deadline - host.now) / SECOND:g}"}
    if isinstance(entry, Request):
        acked = "yes" if entry.acked else "no"
        numbers = {"num_timeout": str(entry.num_timeout), "num_retrans": str(entry.num_retrans)}
        return {"at": entry.listener.name, "acked": acked} | numbers | deadline
    if isinstance(entry, Sock):
        assert entry.parent is not None
        return {"at": entry.parent.name, "unread": str(entry.unread)} | deadline
    return deadline


def _rules(statement: Statement, seen: Seen) -> str:
    fired = [rule for outcome in seen.outcomes for rule in outcome.rules]
    if statement.words == ("none",):
        return " ".join(fired)
    unwanted = [word[1:] for word in statement.words if word.startswith("!") and word[1:] in fired]
    missing = subsequence([word for word in statement.words if not word.startswith("!")], fired)
    if unwanted:
        return f"{' '.join(unwanted)} in {' '.join(fired)}"
    return f"no {missing} in {' '.join(fired) or 'none'}" if missing else ""


def _times(statement: Statement, seen: Seen) -> str:
    found = [f"{outcome.time / SECOND:g}" for outcome in seen.outcomes for _ in outcome.segments]
    return "" if found == [f"{float(word):g}" for word in statement.words] else " ".join(found) or "none"


def _functions(statement: Statement, seen: Seen) -> str:
    walk = seen.walk()
    unwanted = [word[1:] for word in statement.words if word.startswith("!") and word[1:] in walk]
    if unwanted:
        return f"{' '.join(unwanted)} in: {' > '.join(walk)}"
    wanted = [word for word in statement.words if word != ">" and not word.startswith("!")]
    wanted = [name for name in wanted if name not in seen.host.policy.absent]
    missing = subsequence(wanted, walk)
    return f"{missing} does not follow in: {' > '.join(walk)}" if missing else ""


def _log(statement: Statement, seen: Seen) -> str:
    found = [message for outcome in seen.outcomes for message in outcome.messages]
    wanted = [] if statement.words[0] == "nothing" else [statement.words[0]]
    return "" if found == wanted else "; ".join(found) or "nothing"


_KINDS: dict[str, Callable[[Statement, Seen], str]] = {
    "->": _sent,
    "returns": _returns,
    "queues": _queues,
    "counters": _counters,
    "peer": _peer,
    "rules": _rules,
    "times": _times,
    "functions": _functions,
    "log": _log,
}
