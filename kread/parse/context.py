"""What is known about a call site within its function: the nouns, apart from the parser that fills them.

Whoever keeps contexts, or shows them, needs these and not the parser: a warm query starts faster without it.
"""

from __future__ import annotations

from dataclasses import dataclass

from kread.facts import Guard, Held


@dataclass(frozen=True, slots=True)
class Exit:
    """A branch before the call from which the call is not reached.

    line, text, holds -- the condition that takes it, as a Guard says it
    what   -- "goto drop", "return 0", a call that never returns; "return" for the end of the function
    reason -- the counter or drop reason that every way through the exit gives ("" = none seen)
    labels -- the goto labels that every way through the exit passes
    """

    line: int
    text: str
    holds: bool
    what: str
    reason: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteContext:
    """What is known about a call site within its function.

    guards -- conditions that are necessary on their own, by line
    nested -- exits inside other conditions, as one condition that must be false
    held   -- locks and sections held on every way to the call
    exits  -- all exits before the call
    stale  -- those of `guards` whose operands may have changed before the call
    changed -- names, and fields as "->field", that the function may assign before the call
    entry  -- those of `guards` that are asked before anything they name may have been assigned: they speak of arguments
    written -- what is called at the site with its arguments, as the source has it; a macro where a macro makes the call
    faulty -- the parser did not understand all of the function, or the site is not in it: take the rest with care
    """

    guards: tuple[Guard, ...] = ()
    nested: tuple[Guard, ...] = ()
    held: tuple[Held, ...] = ()
    exits: tuple[Exit, ...] = ()
    stale: tuple[Guard, ...] = ()
    changed: frozenset[str] = frozenset()
    entry: tuple[Guard, ...] = ()
    written: str = ""
    faulty: bool = False
