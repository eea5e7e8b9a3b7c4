"""The nouns that every part of kread shares. Imports nothing of kread.

A Function is a vertex of the call graph, an Edge one way in which control gets from a caller to a
callee, and no Edge exists without Evidence. A Trail is a computed sequence of Steps, each Step a
Function with the Edge that leaves it and the Guards under which that call is reached.

Lines count from 1, columns from 1 (as compilers print them). Files are paths relative to the root of the kernel tree.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Grades of evidence, strongest first (design: "No evidence, no edge").
GRADES = ("certain", "object", "type", "signature")

#: Why an edge exists. The kind is the name of the module in kread/resolve that found it.
KINDS = (
    "direct",
    "macro",
    "cleanup",
    "static_call",
    "ops_table",
    "slot_assignment",
    "parameter",
    "callback",
)


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in the release's source, written file:line."""

    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, order=True)
class Function:
    """A function definition. `macro` names the macro that made it ("" for one written out).

    `presence` is the condition under which it is compiled, as text ("" = always).
    `signature` is the declaration on one line, as written.
    """

    file: str
    name: str
    line: int
    end_line: int
    static: bool = False
    macro: str = ""
    presence: str = ""
    signature: str = ""

    @property
    def key(self) -> str:
        """The name that tells same-named functions apart, `file:name`."""
        return f"{self.file}:{self.name}"

    @property
    def location(self) -> Location:
        return Location(self.file, self.line)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, order=True)
class CallSite:
    """Where a call is written: inside a macro's body, the line that uses the macro.

    `text` is the call as written, white space folded.
    """

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """One line of the source that justifies an edge.

    `role` says what the line does: "call", "use" (a macro that leads to the one with the call), "macro" (a
    definition that contains the call), "install" (an object is put into the field that leads to the slot),
    "slot" (the object's slot gets the function), "copy" (a table copied from another), "register" (a callback
    is handed over), "argument".
    `function` is the function that holds the line ("" at file scope).
    """

    role: str
    file: str
    line: int
    text: str
    function: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def reason_by_row(table: str, context: str, file: str, line: int, text: str) -> tuple[str, Evidence]:
    """(kind, evidence) of an edge to a function in a slot: a table has it there, or it is registered and runs in a context, or
    somebody puts it there."""
    if table:
        return "ops_table", Evidence("slot", file, line, f"{table}.{text}")
    if context:
        return "callback", Evidence("register", file, line, text)
    return "slot_assignment", Evidence("install", file, line, text)


@dataclass(frozen=True, slots=True)
class Edge:
    """One way in which control gets from `caller` to `callee`.

    kind       -- one of KINDS
    grade      -- one of GRADES
    candidates -- how many functions this call site can reach, this one included
    presence   -- the condition under which the edge is compiled ("" = always)
    slot       -- "record.field" that the call goes through ("" for a direct call)
    table      -- the object whose slot holds the callee ("" where no object was followed)
    context    -- where a callback runs: "softirq", "process", "hardirq", "rcu", ... ("" = the caller's)
    """

    caller: Function
    callee: Function
    site: CallSite
    kind: str
    grade: str = "certain"
    candidates: int = 1
    presence: str = ""
    slot: str = ""
    table: str = ""
    context: str = ""
    evidence: tuple[Evidence, ...] = ()

    def __str__(self) -> str:
        return f"{self.caller} > {self.callee} ({self.kind}, {self.site})"

    @property
    def written(self) -> str:
        """The call as the source writes it: for one that a macro makes, the use of that macro."""
        return next((one.text for one in self.evidence if one.role == "call"), self.site.text)


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on the way from a function's entry to a call in it, as the source writes it.

    holds  -- True: the text must be true here; False: it must be false
    kind   -- "if" (an enclosing branch), "case" (switch), "loop", "exit" (an early exit was not taken)
    exit   -- for kind "exit": what the exit does, e.g. "goto drop", "return 0" ("" otherwise)
    reason -- the drop reason or SNMP counter on that exit ("" = none seen)
    rare   -- the source itself says that control seldom comes this way: it calls the branch unlikely, or counts a failure there
    then, then_line -- the assignment after which a variable of the text is another thing at the call, or in a later
        guard, that names it too ("" and 0 = none)
    """

    line: int
    text: str
    holds: bool
    kind: str = "if"
    exit: str = ""
    reason: str = ""
    rare: bool = False
    then: str = ""
    then_line: int = 0

    def __str__(self) -> str:
        return f"{'if' if self.holds else 'not'} {self.text}"


@dataclass(frozen=True, slots=True)
class Held:
    """A lock, or a section such as RCU's, held at a call: the call that took it, and its line."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One function of a trail, with the edge that leaves it (None for the last)."""

    function: Function
    edge: Edge | None = None
    guards: tuple[Guard, ...] = ()
    held: tuple[Held, ...] = ()
    others: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class Trail:
    """A computed path, caller first. `family` names what tells it from the others of its answer."""

    family: str
    steps: tuple[Step, ...]

    @property
    def hops(self) -> int:
        return len(self.steps) - 1

    def __str__(self) -> str:
        return " > ".join(step.function.name for step in self.steps)
