"""Tours as they are declared: a file in TOML, read into nouns, with errors that name the line.

Theory of operation: a tour has legs, a leg has stops, a stop names a waypoint (a function, `file:name`, a system call
as sys_x, or a slot as record.slot) and says why to stop there. The tours that ship lie in kread/data/paths; a user's own
file is read by the same code. tomllib gives no places of values, so the headers and keys are counted by line: that is
enough to point at the one that is wrong. Nothing here asks a release: what a waypoint means there is for
kread.paths.tours to find out.

    name = "my-tour"                 # optional: the file's name by default
    title = "One line"
    goal = "What the reader can explain afterwards."

    [[struct]]                       # structures to look at first
    name = "sock"
    members = ["sk_socket"]
    reason = "Why."

    [[leg]]
    title = "One line"

    [[leg.stop]]
    at = "tcp_v4_rcv"                # or "proto_ops.listen" (with table = "inet_stream_ops" to say which), or "sys_listen"
    reason = "Why to stop here."
    look = ["sk_acceptq_is_full"]    # texts to find in the function, each shown with its line
    from = "sys_listen"              # the hops start there, not at the stop before; "" = look only, no hops
    via = []                         # the hops between pass through these ...
    avoid = []                       # ... not through these ...
    assume = []                      # ... and under these conditions
    handover = "accept-queue"        # control doesn't get here by a call, but by this hand-over
    instead = ["other"]              # where the waypoint is gone: what does its work there ...
    because = "Why it is gone."      # ... and why

    [[statement]]                    # what is said about the subject, and how it stands
    says = "..."
    stands = "right"                 # or "wrong", "imprecise"
    because = "..."
    at = "tcp_conn_request"
    look = ["max_syn_backlog"]
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kread import data
from kread.errors import UsageError

#: Where the tours that ship lie, as kread.data names it.
FOLDER = "paths"
VERDICTS = ("right", "imprecise", "wrong")

_HEADER = re.compile(r"\s*\[{1,2}\s*([\w.\-]+)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w\-]+)\s*=")
_TOML_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A stop as declared; `line` is where its file declares it. The fields are those of the file's format."""

    at: str
    reason: str
    line: int = 0
    table: str = ""
    start: str | None = None
    look: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    assume: tuple[str, ...] = ()
    handover: str = ""
    instead: tuple[str, ...] = ()
    because: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What it may be called, on one release or another."""
        return (self.at, *self.instead)


@dataclass(frozen=True, slots=True)
class Leg:
    """Stops that belong together, in their order."""

    title: str
    stops: tuple[Waypoint, ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure to look at, and which of its members."""

    name: str
    reason: str
    members: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said about the subject, how it stands, and where the source shows it."""

    says: str
    stands: str
    because: str
    at: str
    look: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Tour:
    """A declared reading path. `file` is where it stands, as a user would name it."""

    name: str
    title: str
    goal: str
    legs: tuple[Leg, ...]
    structures: tuple[Structure, ...] = ()
    statements: tuple[Statement, ...] = ()
    file: str = field(default="", compare=False)


def shipped() -> tuple[str, ...]:
    """The names of the tours that ship, in the order of the story (`order` in the file), then by name."""
    found = [(data.load(name).get("order", 99), name.partition("/")[2]) for name in data.names(FOLDER)]
    return tuple(name for _, name in sorted(found))


def read_tour(name: str) -> Tour:
    """The tour that ships under this name, or the one in the file of this name; UsageError where there is neither."""
    if name in shipped():
        from importlib.resources import files

        text = (files(data) / FOLDER / f"{name}.toml").read_text(encoding="utf-8")
        return parse_tour(text, f"{FOLDER}/{name}.toml", name)
    file = Path(name)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = "it is not text in UTF-8" if isinstance(error, ValueError) else error.strerror
        raise UsageError(
            "no-such-tour",
            f"There is no tour {name}, and it can't be read as a file: {why}",
            hint="The tours that ship: " + ", ".join(shipped()),
        ) from error
    return parse_tour(text, name, file.stem)


def parse_tour(text: str, file: str, name: str) -> Tour:
    """The tour that a text declares; UsageError, with file and line, where it is none."""
    import tomllib

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_LINE.search(str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        raise _error(file, line, f"this is not TOML: {_TOML_LINE.sub('', str(error)).strip()}") from error
    return _Reader(file, text).tour(found, name)


def _error(file: str, line: int, what: str, hint: str = "") -> UsageError:
    return UsageError("bad-tour", f"{file}:{line}: {what}", hint=hint or "See kread tour --help for the format.")


class _Reader:
    """Makes nouns of one file's tables and checks each; knows the line of every table and key."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines: dict[tuple[str, int], int] = {}
        self.keys: dict[tuple[str, int, str], int] = {}
        counts: dict[str, int] = {}
        section, number = "", 0
        quoted = False
        for line, written in enumerate(text.splitlines(), 1):
            if not quoted:
                if header := _HEADER.match(written):
                    section = header[1]
                    number = counts[section] = counts.get(section, -1) + 1
                    self.lines[section, number] = line
                elif key := _KEY.match(written):
                    self.keys.setdefault((section, number, key[1]), line)
            if (written.count('"""') + written.count("'''")) % 2:
                quoted = not quoted

    def fail(self, section: str, number: int, key: str, what: str, hint: str = "") -> UsageError:
        below = self.lines.get((f"{section}.{key}".removeprefix("."), 0), 0)
        line = self.keys.get((section, number, key)) or below or self.lines.get((section, number), 1)
        return _error(self.file, line, what, hint)

    def tour(self, found: dict[str, Any], name: str) -> Tour:
        self.known("", 0, found, {"name", "title", "goal", "order", "leg", "struct", "statement"})
        legs = []
        stops = 0
        for number, row in enumerate(self.tables("leg", found.get("leg", []))):
            self.known("leg", number, row, {"title", "stop"})
            waypoints = []
            for stop in self.tables("leg.stop", row.get("stop", [])):
                waypoints.append(self.stop(stop, stops))
                stops += 1
            if not waypoints:
                raise self.fail("leg", number, "title", "a leg needs at least one [[leg.stop]]")
            legs.append(Leg(self.text("leg", number, row, "title"), tuple(waypoints)))
        if not legs:
            raise self.fail("", 0, "title", "a tour needs at least one [[leg]] with a [[leg.stop]]")
        return Tour(
            self.text("", 0, found, "name", name),
            self.text("", 0, found, "title"),
            self.text("", 0, found, "goal", ""),
            tuple(legs),
            tuple(self.structure(row, i) for i, row in enumerate(self.tables("struct", found.get("struct", [])))),
            tuple(self.statement(row, i) for i, row in enumerate(self.tables("statement", found.get("statement", [])))),
            self.file,
        )

    def stop(self, row: dict[str, Any], number: int) -> Waypoint:
        where = ("leg.stop", number)
        texts = {"at", "reason", "table", "from", "handover", "because"}
        self.known(*where, row, texts | {"look", "via", "avoid", "assume", "instead"})
        handover = self.text(*where, row, "handover", "")
        if handover:
            from kread.paths.handovers import names

            if handover not in names():
                raise self.fail(*where, "handover", f"no hand-over {handover}", "There are: " + ", ".join(names()))
        return Waypoint(
            at=self.text(*where, row, "at"),
            reason=self.text(*where, row, "reason"),
            line=self.lines.get(where, 0),
            table=self.text(*where, row, "table", ""),
            start=self.text(*where, row, "from", "", empty=True) if "from" in row else None,
            look=self.texts(*where, row, "look"),
            via=self.texts(*where, row, "via"),
            avoid=self.texts(*where, row, "avoid"),
            assume=self.texts(*where, row, "assume"),
            handover=handover,
            instead=self.texts(*where, row, "instead"),
            because=self.text(*where, row, "because", ""),
        )

    def structure(self, row: dict[str, Any], number: int) -> Structure:
        where = ("struct", number)
        self.known(*where, row, {"name", "reason", "members"})
        members = self.texts(*where, row, "members")
        return Structure(
            self.text(*where, row, "name"), self.text(*where, row, "reason"), members, self.lines.get(where, 0)
        )

    def statement(self, row: dict[str, Any], number: int) -> Statement:
        where = ("statement", number)
        self.known(*where, row, {"says", "stands", "because", "at", "look"})
        stands = self.text(*where, row, "stands")
        if stands not in VERDICTS:
            raise self.fail(*where, "stands", f"a statement stands {' or '.join(VERDICTS)}, not {stands!r}")
        return Statement(
            self.text(*where, row, "says"),
            stands,
            self.text(*where, row, "because"),
            self.text(*where, row, "at"),
            self.texts(*where, row, "look"),
            self.lines.get(where, 0),
        )

    # What TOML allows and a tour does not

    def known(self, section: str, number: int, row: dict[str, Any], allowed: set[str]) -> None:
        for key in row:
            if key not in allowed:
                hint = "Known here: " + ", ".join(sorted(allowed))
                raise self.fail(section, number, key, f"{key} means nothing here", hint)

    def tables(self, section: str, rows: Any) -> list[dict[str, Any]]:
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self.fail(section, 0, "", f"write it as [[{section}]], one for each")
        return rows

    def text(
        self, section: str, number: int, row: dict[str, Any], key: str, default: str | None = None, empty: bool = False
    ) -> str:
        value = row.get(key, default)
        if value is None:
            raise self.fail(section, number, key, f"{key} is missing")
        if not isinstance(value, str) or (key in row and not value.strip() and not empty):
            raise self.fail(section, number, key, f"{key} must be a text, and say something")
        return " ".join(value.split())

    def texts(self, section: str, number: int, row: dict[str, Any], key: str) -> tuple[str, ...]:
        value = row.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            raise self.fail(section, number, key, f"{key} must be a list of texts")
        return tuple(value)
