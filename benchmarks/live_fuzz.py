"""The model against the running kernel, on scenarios that nobody thought of: random events from a seed.

    python benchmarks/live_fuzz.py --first 1 --count 200 --release 7.2
    python benchmarks/live_fuzz.py --first 17 --count 1 --show
    python benchmarks/live_fuzz.py --first 1 --count 50 --release 5.10 --write DIR

Needs a Linux that lets this user have user and network namespaces. Theory of operation: a seed makes a scenario, line by
line: each line is tried on the model alone and left out where the state refuses it, so that peers, sockets and numbers are
mostly ones that mean something there. The player of `kread check --live` then plays it on both, in namespaces of its own.
A scenario that differs, even alone, is shrunk by leaving out lines as long as it still differs, and printed as a scenario.
What the model leaves out on purpose is not asked: data out of order, data with an acknowledgement that is too old (the
fast path takes it, if memory for it was reserved before), a FIN that the kernel repeats, and the choice by the kernel's own
hash.
Bounded by --seconds; exit code 1 where something differs. --write only writes the scenarios down, for
benchmarks/live_scenarios.py in an emulated machine, where making them would take long.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from kread.check import live
from kread.data import load
from kread.model.events import Advance
from kread.model.host import Host
from kread.model.machine import step
from kread.model.play import Player, Run
from kread.model.policy import Policy, policies
from kread.model.record import chosen_by_hash
from kread.model.script import Script, ScriptError, parse
from kread.model.socks import Sock, State

PEERS = "abcdef"
MOST_LINES = 28
#: How far before a timer of the model a wait must end, in ms, for each wait: the kernel's clock runs ahead of the model's.
CLEARANCE = 600
#: How many times time may pass in one scenario, and how long in all, in ms.
MOST_WAITS, LONGEST = 3, 7000
#: The most trials of shrinking one scenario.
MOST_TRIALS = 60


@dataclass
class Writer:
    """A scenario in the making: the lines that the model took, and the model's own state after them."""

    rng: random.Random
    policy: Policy
    lines: list[str] = field(default_factory=list)
    waits: int = 0
    named: int = 0

    def __post_init__(self) -> None:
        self.names = self.rng.sample(PEERS, self.rng.choice((1, 2, 2, 3, 6)))
        self.player = Player(Run(parse("", "fuzz"), self.policy), Host(self.policy))

    def write(self, line: str) -> bool:
        """Add a line, unless the state refuses it."""
        statement = parse(line, "fuzz").statements[0]
        try:
            self.player.play(statement)
            self.player.end()
        except (ScriptError, AssertionError):
            self.again_from_lines()
            return False
        rules = {rule for outcome in self.player.step.outcomes for rule in outcome.rules}
        by_hash = chosen_by_hash(self.player.step.outcomes, self.player.host)
        fast = "10.3:too-old" in rules and " data=" in line
        if "1.7:autobind" in rules or by_hash or fast:
            # The kernel's choice of a port, by its own hash or by its memory, is another than the model's.
            self.again_from_lines()
            return False
        self.lines.append(line)
        return True

    def again_from_lines(self) -> None:
        """The state as the lines make it: one that was refused may have been half done."""
        self.player = Player(Run(parse("", "fuzz"), self.policy), Host(self.policy))
        for each in parse("\n".join(self.lines), "fuzz").statements:
            self.player.play(each)

    def one(self, *choices: object) -> str:
        return str(self.rng.choice(choices))

    # Happenings

    def sysctl(self) -> str:
        return self.one(
            f"syncookies={self.one(0, 1, 2)}",
            f"max_syn_backlog={self.one(2, 4, 8, 16, 128)}",
            f"somaxconn={self.one(0, 1, 2, 4096)}",
            f"abort_on_overflow={self.one(0, 1)}",
            f"fastopen={self.one('0x1', '0x3', '0x203', '0x403', '0x603')}",
            f"migrate_req={self.one(0, 1)}",
            f"synack_retries={self.one(1, 2, 3, 5)}",
            f"invalid_ratelimit={self.one(0, 500)}",
            f"rfc1337={self.one(0, 1)}",
        )

    def listen(self) -> str:
        rng = self.rng
        where = self.one("10.0.0.1:80", "10.0.0.1:80", "0.0.0.0:80", "10.0.0.2:80")
        name = self.one("L", "M", "N")
        line = f"listen({self.one(0, 1, 2, 3, 8, -1)}) on {where} as {name}"
        if rng.random() < 0.5:
            line += f" reuseport prog={self.one(0, 0, 1, 2)}" if rng.random() < 0.8 else " reuseaddr"
        for chance, option in (
            (0.2, f"D={self.one(1, 2, 3)}"),
            (0.15, f"syncnt={self.one(1, 2, 3)}"),
            (0.3, f"fastopen={self.one(0, 1, 2, 5)}"),
            (0.15, "nocookie"),
            (0.1, f"cpu={self.one(0, 1)}"),
        ):
            if rng.random() < chance:
                line += f" {option}"
        return line

    def socket(self) -> str:
        """A socket of its own steps, which may find its port taken."""
        self.named += 1
        name = f"b{self.named}"
        self.write(f"socket({name})")
        for option in ("SO_REUSEADDR", "SO_REUSEPORT"):
            if self.rng.random() < 0.5:
                self.write(f"setsockopt({name}, {option}, 1)")
        self.write(f"bind({name}, {self.one('10.0.0.1:80', '0.0.0.0:80', '10.0.0.2:80')})")
        return f"listen({self.one(0, 1, 3)}) as {name}"

    def again(self) -> str:
        return f"listen({self.one(0, 1, 2, 5)}) as {self.listener()}"

    def listener(self) -> str:
        found = [sk.name for sk in self.player.host.socks.values() if sk.state is State.LISTEN]
        return self.rng.choice(found) if found else "L"

    def peer(self) -> str:
        return self.rng.choice(self.names)

    def options(self, *, data: bool = False) -> str:
        rng, line = self.rng, ""
        if rng.random() < 0.3:
            line += f" ts={self.one(5, 100, 101, 99, 1000, 1000, 'none')}"
        if rng.random() < 0.05:
            line += f" tsecr={self.one(0, 7, 1)}"
        if data and rng.random() < 0.4:
            line += f" data={self.one(1, 10)}"
        if rng.random() < 0.03:
            line += " badsum"
        if rng.random() < 0.1:
            line += f" to={self.one('10.0.0.1:80', '10.0.0.2:80', '10.0.0.1:81')}"
        if rng.random() < 0.08:
            line += f" cpu={self.one(0, 1)}"
        return line

    def syn(self) -> str:
        line = f"SYN from={self.peer()}" + self.options()
        if self.rng.random() < 0.25:
            line += f" seq={self.one('irs', 'irs+1', 'nxt', 'nxt+5', 'nxt+100', 'irs-1', 'nxt+64239', 'nxt+64240', 5)}"
        if self.rng.random() < 0.3:
            line += f" fastopen={self.one('request', 'valid', 'valid', 'invalid')}"
        if self.rng.random() < 0.25:
            line += f" data={self.one(1, 10)}"
        return line

    def many(self) -> str:
        return f"{self.one(1, 2, 3, 5)} x {self.one('SYN', 'handshake')}"

    def ack(self) -> str:
        name, rng = self.peer(), self.rng
        line = f"{self.one('ACK', 'ACK', 'ACK', 'PSH|ACK', 'FIN|ACK')} from={name}" + self.options(data=True)
        if rng.random() < 0.25:
            line += f" ack={self.one('wrong', 'ISN', 'ISN+2', 'ack-1', 'ack+1', 0)}"
        known = self.player.peers.by_name.get(name)
        entries = self.player.host.ehash.get(known.key, []) if known is not None else []
        if rng.random() < 0.25 and not any(isinstance(each, Sock) for each in entries):
            line += f" seq={self.one('nxt+1', 'nxt-1', 'irs', 'nxt+64239', 'nxt+64240', 'nxt+65160', 'nxt+70000')}"
        elif rng.random() < 0.1:
            line += f" seq={self.one('nxt-1', 'irs', 'nxt+1000000')}"
            line = line.replace(" data=10", "").replace(" data=1", "").replace("FIN|", "")
        return line

    def rst(self) -> str:
        line = f"{self.one('RST', 'RST', 'RST|ACK')} from={self.peer()}" + self.options()
        if self.rng.random() < 0.5:
            line += (
                f" seq={self.one('nxt', 'nxt+1', 'nxt+50', 'nxt-1', 'irs', 'nxt+64239', 'nxt+64241', 'nxt+1000000')}"
            )
        if "|ACK" in line and self.rng.random() < 0.3:
            line += " ack=wrong"
        return line

    def odd(self) -> str:
        flags = self.one("SYN|ACK", "SYN|FIN", "SYN|RST", "PSH", "FIN", "none", "SYN|FIN|ACK", "SYN|RST|ACK")
        line = f"{flags} from={self.peer()}" + self.options()
        return line + (f" seq={self.one('irs', 'nxt', 'nxt+1', 'nxt+100')}" if self.rng.random() < 0.5 else "")

    def accept(self) -> str:
        self.named += 1
        return f"accept({self.listener()}) nonblock as=s{self.named}"

    def close(self) -> str:
        socks = list(self.player.host.socks)
        return f"close({self.rng.choice(socks) if socks else 'L'})"

    def shutdown(self) -> str:
        socks = list(self.player.host.socks)
        return f"shutdown({self.rng.choice(socks) if socks else 'L'}, {self.one('RD', 'WR', 'RDWR')})"

    def icmp(self) -> str:
        line = f"icmp from={self.peer()}" + self.one("", " seq=ISN+1", " seq=ISN+100")
        return line + self.one("", "", " soft")

    # Happenings that belong together

    def met(self) -> str:
        """A connection that somebody accepted, and perhaps closed."""
        stamp = self.one("", "", " ts=100", " ts=1000")
        name = self.peer()
        if not self.write(f"handshake from={name}{stamp}"):
            return ""
        if self.rng.random() < 0.7:
            self.write(self.accept())
            if self.rng.random() < 0.6:
                self.write(f"close(s{self.named})")
                if self.rng.random() < 0.7:
                    self.write(f"{self.one('ACK', 'FIN|ACK', 'FIN|ACK')} from={name}")
        return ""

    def parted(self) -> str:
        """What may come for a connection that is closing, or closed."""
        name, data = self.peer(), self.one("", "", "", " data=5")
        stamp = self.one("", "", "", " ts=99", " ts=101", " ts=5", " ts=none")
        seq = self.one("", "", " seq=nxt-1", " seq=nxt+1", " seq=nxt+100", " seq=irs")
        if data and "+" in seq:
            seq = ""
        ack = self.one("", "", "", "", " ack=ack-1", " ack=ISN", " ack=ack+1", " ack=wrong")
        kind = self.one("FIN|ACK", "ACK", "ACK", "RST", "SYN", "SYN", "PSH|ACK", "RST|ACK", "SYN|ACK", "FIN")
        return f"{kind} from={name}{stamp}{seq}" + ("" if kind in ("SYN", "RST") else ack + data)

    def opened(self) -> str:
        """A SYN that asks for Fast Open, or what comes after it."""
        name, kind = self.peer(), self.rng.random()
        if kind < 0.5:
            return (
                f"SYN from={name} fastopen={self.one('valid', 'valid', 'invalid', 'request')} data={self.one(0, 1, 10)}"
            )
        if kind < 0.7:
            return f"ACK from={name}" + self.one("", "", " ack=wrong", " ack=ISN", " data=5", " seq=irs")
        if kind < 0.85:
            return f"RST from={name}" + self.one("", " seq=nxt+5", " seq=irs", " seq=irs+1")
        return self.accept()

    def left(self) -> str:
        """A member of a group goes or comes, or an ACK looks for the one that has its request."""
        kind = self.rng.random()
        if kind < 0.2:
            return f"close({self.listener()})"
        if kind < 0.3:
            return f"shutdown({self.listener()}, RD)"
        if kind < 0.45:
            self.named += 1
            return f"listen({self.one(0, 1, 8)}) as m{self.named} reuseport prog={self.one(0, 1, 5)}"
        if kind < 0.7:
            return f"SYN from={self.peer()}" + self.one("", " ts=100")
        return f"{self.one('ACK', 'ACK', 'RST', 'SYN')} from={self.peer()}" + self.one("", "", " seq=nxt+5")

    def full(self) -> str:
        """Those who wait for room in the accept queue try, and others."""
        return f"{self.one('ACK', 'ACK', 'PSH|ACK', 'SYN', 'RST')} from={self.one('p1', 'p2', 'p3', self.peer())}"

    def wait(self) -> str:
        """Time passes to somewhere well between two timers; not while a FIN of ours waits, whose repetitions are counted."""
        host = self.player.host
        waiting = {State.FIN_WAIT1, State.LAST_ACK, State.CLOSING}
        if self.waits >= MOST_WAITS or any(each.state in waiting for each in host.entries()):
            return ""
        tried = deepcopy(host)
        spots = []
        for to in range(host.now + 100, LONGEST, 100):
            fired = len(step(tried, Advance(to))) > 1
            due = [each.deadline for each in tried.entries() if each.deadline is not None]
            if not fired and all(each > to + to // 16 + CLEARANCE * (self.waits + 1) for each in due):
                spots.append(to)
        if not spots:
            return ""
        self.waits += 1
        return f"at {self.rng.choice(spots) / 1000:g}s"


#: What happens how often.
WEIGHTS: dict[Callable[[Writer], str], int] = {
    Writer.sysctl: 6,
    Writer.listen: 4,
    Writer.again: 4,
    Writer.socket: 2,
    Writer.syn: 24,
    Writer.many: 4,
    Writer.ack: 24,
    Writer.rst: 7,
    Writer.odd: 5,
    Writer.accept: 8,
    Writer.close: 6,
    Writer.shutdown: 4,
    Writer.icmp: 2,
    Writer.wait: 4,
}


#: What a scenario is about: the lines that it begins with, and what happens more often in it than elsewhere.
THEMES: dict[str, tuple[tuple[str, ...], dict[Callable[[Writer], str], int]]] = {
    "anything": ((), {}),
    "closing": (("listen(8)",), {Writer.met: 25, Writer.parted: 60}),
    "fast open": (("fastopen=0x3", "listen(8) fastopen=2"), {Writer.opened: 60, Writer.parted: 10}),
    "fast open without cookies": (("fastopen=0x203", "listen(2) fastopen=3"), {Writer.opened: 60}),
    "migration": (
        ("migrate_req=1", "listen(8) as A reuseport prog=0", "listen(8) as B reuseport prog=0"),
        {Writer.left: 60, Writer.met: 10},
    ),
    "flood": (("syncookies=0 max_syn_backlog=8", "listen(8)"), {Writer.many: 60}),
    "cookies": (("listen(0)", "SYN from=z"), {Writer.syn: 20, Writer.ack: 40}),
    "overflow": (("listen(8)", "3 x SYN", "listen(0) as L", "1 x handshake"), {Writer.accept: 10, Writer.full: 40}),
    "overflow and abort": (("abort_on_overflow=1", "listen(8)", "3 x SYN", "listen(0) as L"), {Writer.full: 40}),
    "deferred": (("listen(8) D=2",), {Writer.ack: 30, Writer.wait: 12}),
    "old requests": (("listen(2)", "3 x SYN"), {Writer.wait: 25}),
}


def scenario(seed: int, policy: Policy) -> Script:
    """The scenario of a seed."""
    writer = Writer(random.Random(seed), policy)
    first, more = THEMES[writer.rng.choice(list(THEMES))]
    for _ in range(writer.rng.randint(0, 3)):
        writer.write(writer.sysctl())
    for line in first or (writer.listen().replace(" as M", " as L").replace(" as N", " as L"),):
        writer.write(line)
    weights = Counter(WEIGHTS) + Counter(more)
    for _ in range(writer.rng.randint(4, MOST_LINES)):
        line = writer.rng.choices(list(weights), list(weights.values()))[0](writer)
        if line:
            writer.write(line)
    return parse("\n".join(writer.lines), f"seed {seed}")


def differs(lines: list[str], policy: Policy, name: str) -> live.LiveRun | None:
    """The run of a scenario, where it can be played and the kernel did otherwise."""
    try:
        script = parse("\n".join(lines), name)
        (run,) = live.run_some([script], policy).values()
    except (ScriptError, AssertionError):
        return None
    found = run.difference
    return None if found is None or found.what == "the run itself" else run


def shrunk(lines: list[str], policy: Policy, name: str) -> tuple[list[str], live.LiveRun | None]:
    """The scenario with lines left out as long as it differs."""
    best = differs(lines, policy, name)
    if best is None:
        return lines, None
    assert best.difference is not None
    lines = lines[: best.difference.line]
    trials, place = 0, 0
    size = max(1, len(lines) // 2)
    while size and trials < MOST_TRIALS:
        place = 0
        while place < len(lines) and trials < MOST_TRIALS:
            trials += 1
            fewer = lines[:place] + lines[place + size :]
            run = differs(fewer, policy, name) if fewer else None
            if run is not None and run.difference is not None:
                lines, best = fewer[: run.difference.line], run
            else:
                place += size
        size //= 2
    return lines, best


def batches(first: int, count: int, size: int) -> Iterator[range]:
    """The seeds, so many at a time."""
    for start in range(first, first + count, size):
        yield range(start, min(start + size, first + count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--count", type=int, default=100, help="how many seeds")
    parser.add_argument("--seconds", type=float, default=600, help="begin nothing after so many seconds")
    parser.add_argument("--release", default="7.2", help="whose readings the model follows")
    parser.add_argument("--show", action="store_true", help="print every scenario")
    parser.add_argument("--no-shrink", action="store_true", help="print what differs as it is")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write the scenarios there and play none")
    given = parser.parse_args()
    policy = policies(load("policies"))[given.release]
    if given.write:
        given.write.mkdir(parents=True, exist_ok=True)
        for seed in range(given.first, given.first + given.count):
            lines = [each.text for each in scenario(seed, policy).statements]
            (given.write / f"seed-{seed}.scn").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return
    begun, ran, events, wrong = time.monotonic(), 0, 0, 0
    for seeds in batches(given.first, given.count, 3 * live.Bounds().at_once):
        if time.monotonic() - begun > given.seconds:
            break
        scripts = [scenario(seed, policy) for seed in seeds]
        if given.show:
            for script in scripts:
                print(f"# {script.name}", *(each.text for each in script.statements), sep="\n")
        for name, run in live.run_some(scripts, policy).items():
            ran += 1
            events += run.events
            if run.difference is None:
                continue
            wrong += 1
            script = next(each for each in scripts if each.name == name)
            lines = [each.text for each in script.statements]
            if not given.no_shrink:
                lines, again = shrunk(lines, policy, name)
                run = again or run
            print(f"# {name}: {run.difference}", *lines, "", sep="\n", flush=True)
    print(f"{ran} scenarios, {events} events, {wrong} differ, {time.monotonic() - begun:.0f} s")
    raise SystemExit(1 if wrong or not ran else 0)


if __name__ == "__main__":
    main()
